//! What S3, behind the links, refuses, and which bytes a request asks for.

/// Why S3 refused a request, by its codes. Source: Amazon S3 API, "Error responses".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The address is not a presigned link.
    #[error("Access Denied")]
    AccessDenied,
    /// The link has expired.
    #[error("Request has expired")]
    Expired,
    /// The signature is another link's or another method's.
    #[error("The request signature we calculated does not match the signature you provided.")]
    SignatureDoesNotMatch,
    /// The upload is complete, gone or unknown.
    #[error("The specified upload does not exist.")]
    NoSuchUpload,
    /// The file is unknown.
    #[error("The specified key does not exist.")]
    NoSuchKey,
    /// The part is larger than it may be.
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge,
    /// The body has no announced length. Clients that stream without one meet this.
    #[error("You must provide the Content-Length HTTP header.")]
    MissingContentLength,
    /// The body ended before its announced length.
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header.")]
    IncompleteBody,
    /// The range begins behind the end of the file.
    #[error("The requested range is not satisfiable")]
    InvalidRange,
    /// The file has another ETag than the request names.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    /// The simulator's own failure, for example a full disk.
    #[error("{0}")]
    Internal(String),
}

impl LinkError {
    /// Returns the error's code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AccessDenied | Self::Expired => "AccessDenied",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::NoSuchUpload => "NoSuchUpload",
            Self::NoSuchKey => "NoSuchKey",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::MissingContentLength => "MissingContentLength",
            Self::IncompleteBody => "IncompleteBody",
            Self::InvalidRange => "InvalidRange",
            Self::PreconditionFailed => "PreconditionFailed",
            Self::Internal(_) => "InternalError",
        }
    }
}

/// Returns the HTTP status of an error code of S3.
pub fn status_of(code: &str) -> u16 {
    match code {
        "AccessDenied" | "SignatureDoesNotMatch" => 403,
        "NoSuchUpload" | "NoSuchKey" => 404,
        "MissingContentLength" => 411,
        "PreconditionFailed" => 412,
        "InvalidRange" => 416,
        "InternalError" => 500,
        "SlowDown" | "ServiceUnavailable" => 503,
        _ => 400,
    }
}

/// Returns the body of an error as S3 sends it.
pub fn error_body(code: &str, message: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (code, message) = (escape(code), escape(message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>SIMULATED</RequestId><HostId>SIMULATED</HostId></Error>"
    )
}

/// Returns the first byte of a `Range` header and the one after the last. Returns `None` for the whole file: S3 serves
/// the whole file for several ranges and for a header that it can't read. Fails if the range begins behind the end.
pub fn range(header: Option<&str>, length: u64) -> Result<Option<(u64, u64)>, LinkError> {
    let Some((first, last)) = header.and_then(|value| value.strip_prefix("bytes=")?.split_once('-')) else {
        return Ok(None);
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, length),
        (Err(_), Ok(count)) if first.trim().is_empty() && count > 0 => (length.saturating_sub(count), length),
        _ => return Ok(None),
    };
    if range.0 < length { Ok(Some(range)) } else { Err(LinkError::InvalidRange) }
}
