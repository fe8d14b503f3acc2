//! The errors AWS Support answers with, by their codes on the wire.

/// Why AWS Support refused a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupportError {
    /// The access key is not known.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The request carries no credentials.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The session's policy does not allow the operation.
    #[error("User is not authorized to perform: support:{0} because no session policy allows the support:{0} action")]
    AccessDenied(String),
    /// The account has no support plan that includes the API.
    #[error("Amazon Web Services Premium Support Subscription is required to use this service.")]
    SubscriptionRequired,
    /// More calls in a second than an account may make.
    #[error("Rate exceeded")]
    Throttling,
    /// More cases in an hour than an account may create.
    #[error("The case creation limit for the account has been exceeded.")]
    CaseCreationLimitExceeded,
    /// No such case in this account. One unknown id fails the whole call.
    #[error("The requested CaseId could not be located: {0}")]
    CaseIdNotFound(String),
    /// No such set of attachments.
    #[error("An attachment set with the specified ID could not be found: {0}")]
    AttachmentSetIdNotFound(String),
    /// The set's hour is over.
    #[error("The expiration time of the attachment set has passed. The set expires one hour after it is created.")]
    AttachmentSetExpired,
    /// Too many or too large files for a set.
    #[error(
        "A limit for the size of an attachment set has been exceeded. The limits are three attachments and 5 MB per \
         attachment."
    )]
    AttachmentSetSizeLimitExceeded,
    /// Too many new sets in a short time.
    #[error("The limit for the number of attachment sets created in a short period of time has been exceeded.")]
    AttachmentLimitExceeded,
    /// No such attachment.
    #[error("An attachment with the specified ID could not be found: {0}")]
    AttachmentIdNotFound(String),
    /// Too many calls of DescribeAttachment in a short time.
    #[error("The limit for the number of DescribeAttachment requests in a short period of time has been exceeded.")]
    DescribeAttachmentLimitExceeded,
    /// A parameter has a value that can't be used now.
    #[error("{0}")]
    InvalidParameter(String),
    /// AWS's own failure.
    #[error("An internal server error occurred.")]
    Internal,
    /// No such upload.
    #[error("An upload with the specified ID could not be found: {0}")]
    UploadIdNotFound(String),
    /// A parameter breaks its documented limits.
    #[error("{0}")]
    Validation(String),
    /// The request is valid, and asked for a dry run.
    #[error("The request would have succeeded, but the DryRun flag is set.")]
    DryRunOperation,
    /// The request's body is not the JSON that the operation expects.
    #[error("{0}")]
    Serialization(String),
    /// No such operation.
    #[error("The operation is not known: {0}")]
    UnknownOperation(String),
}

impl SupportError {
    /// Returns the error's code, `__type` on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::AccessDenied(_) => "AccessDeniedException",
            Self::SubscriptionRequired => "SubscriptionRequiredException",
            Self::Throttling => "ThrottlingException",
            Self::CaseCreationLimitExceeded => "CaseCreationLimitExceeded",
            Self::CaseIdNotFound(_) => "CaseIdNotFound",
            Self::AttachmentSetIdNotFound(_) => "AttachmentSetIdNotFound",
            Self::AttachmentSetExpired => "AttachmentSetExpired",
            Self::AttachmentSetSizeLimitExceeded => "AttachmentSetSizeLimitExceeded",
            Self::AttachmentLimitExceeded => "AttachmentLimitExceeded",
            Self::AttachmentIdNotFound(_) => "AttachmentIdNotFound",
            Self::DescribeAttachmentLimitExceeded => "DescribeAttachmentLimitExceeded",
            Self::InvalidParameter(_) => "InvalidParameterValueException",
            Self::Internal => "InternalServerError",
            Self::UploadIdNotFound(_) => "UploadIdNotFound",
            Self::Validation(_) => "ValidationException",
            Self::DryRunOperation => "DryRunOperationException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }
}

/// Returns the HTTP status of an error code: 5xx for the server's own failures, 400 for everything else.
pub fn status_of(code: &str) -> u16 {
    match code {
        "InternalServerError" | "InternalFailure" | "InternalServerException" => 500,
        "ServiceUnavailable" | "ServiceUnavailableException" => 503,
        _ => 400,
    }
}
