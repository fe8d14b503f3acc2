//! The meaning of a failed call to AWS Support.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::{assume_role::AssumeRoleError, get_caller_identity::GetCallerIdentityError};
use aws_smithy_runtime_api::{client::result::SdkError, http::Response};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use casebridge_core::failure::{Failure, Refusal};

/// The longest text of AWS that a failure repeats, in characters: a few sentences, which fit the incident's
/// `last_error`.
const MAXIMUM_MESSAGE_CHARACTERS: usize = 500;

/// Codes of a request that AWS throttled: certainly not applied.
const THROTTLING: [&str; 11] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    // Too many sets in a short time. Source: AWS Support API, AddAttachmentsToSet.
    "AttachmentLimitExceeded",
];
/// Codes of a set, an upload or a file that AWS does not know, or no longer. Source: AWS Support API.
const UNKNOWN_FILES: [&str; 4] =
    ["AttachmentIdNotFound", "AttachmentSetExpired", "AttachmentSetIdNotFound", "UploadIdNotFound"];
/// Codes of credentials that AWS does not know, or no longer knows. A rotated secret leads to one of these.
const STALE_CREDENTIALS: [&str; 12] = [
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "ExpiredToken",
    "ExpiredTokenException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "RequestExpired",
    "RequestTimeTooSkewed",
];

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// It changes nothing at AWS and may be repeated.
    Read,
    /// It changes something at AWS and must not be repeated.
    Write,
    /// It reads or prepares a file and may be repeated.
    File,
    /// It puts a file into a set and must not be repeated.
    FileWrite,
}

/// A failure, and whether renewed credentials may help.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) failure: Failure,
    pub(crate) stale_credentials: bool,
}

impl Problem {
    fn certain(failure: Failure) -> Self {
        Self { failure, stale_credentials: false }
    }
}

/// Whether AWS answered, if only with an error.
pub(crate) fn is_answered<T, E>(answer: &Result<T, SdkError<E, Response>>) -> bool {
    answer.as_ref().err().is_none_or(|error| error.raw_response().is_some())
}

/// Classifies the error of a call.
pub(crate) fn classify<E>(call: CallKind, error: &SdkError<E, Response>) -> Problem
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(credentials) = credentials_error(error) {
        return Problem::certain(without_credentials(credentials));
    }
    match error {
        SdkError::ConstructionFailure(_) => Problem::certain(refused(
            Refusal::InvalidRequest,
            "the request to AWS Support could not be built: check the Region and the endpoint".to_owned(),
        )),
        SdkError::TimeoutError(_) => unanswered(call, "AWS Support did not answer in time"),
        SdkError::DispatchFailure(_) => unanswered(call, "AWS Support can't be reached"),
        SdkError::ResponseError(_) => unanswered(call, "AWS Support's answer was unreadable"),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(call, status, service.err().code().unwrap_or_default(), service.err().message())
        }
        _ => unanswered(call, "the call to AWS Support failed in a way that is not known"),
    }
}

/// Classifies the error of GetCallerIdentity. Nothing was sent to AWS Support.
pub(crate) fn classify_identity(error: &SdkError<GetCallerIdentityError, Response>) -> Problem {
    if let SdkError::ServiceError(service) = error {
        let status = service.raw().status().as_u16();
        let (code, words) = (service.err().code().unwrap_or_default(), service.err().message());
        if STALE_CREDENTIALS.contains(&code) {
            return stale(code);
        }
        if is_denial(code) {
            return denied("AWS STS", code, words);
        }
        if !is_transient(status, code) {
            let said =
                format!("AWS does not say whose keys the account's secret holds: {}", describe(status, code, words));
            return Problem::certain(refused(Refusal::Credentials, shorten(&said)));
        }
    }
    let message = "AWS STS did not say whose keys the account's secret holds; it is asked again".to_owned();
    Problem::certain(Failure::Unavailable { message, retry_at: None })
}

/// Whether the answer says nothing about the request: throttling, or an internal error of the service.
fn is_transient(status: u16, code: &str) -> bool {
    let own_failure = status >= 500 || status == 408 || code == "InternalServerError";
    own_failure || status == 429 || THROTTLING.contains(&code) || code.starts_with("RequestTimeout")
}

/// Whether AWS knows the credentials and does not allow the call.
fn is_denial(code: &str) -> bool {
    code.starts_with("AccessDenied") || code == "NotAuthorized" || code == "UnauthorizedOperation"
}

/// Returns the problem of credentials that AWS knows and that lack a permission. AWS's text names roles and policies,
/// so it goes to the log for the operators and not to the incident, which many people see.
fn denied(service: &str, code: &str, words: Option<&str>) -> Problem {
    tracing::warn!(service, code, words = words.map(shorten), "AWS does not allow a call");
    let message = format!(
        "{service} does not allow the call ({code}): check the permissions of the account's role or keys; the log of the \
         function names them"
    );
    Problem::certain(refused(Refusal::Credentials, message))
}

/// Returns the problem of credentials that AWS does not know, or no longer knows.
fn stale(code: &str) -> Problem {
    // AWS's text on a signature may repeat the signed request, with a session token in it.
    let message = format!("AWS does not accept the account's credentials ({code}): check its secret");
    Problem { failure: refused(Refusal::Credentials, message), stale_credentials: true }
}

/// Classifies an answer by its code, then by its status.
fn answered(call: CallKind, status: u16, code: &str, words: Option<&str>) -> Problem {
    let said = shorten(&format!("AWS Support answered {}", describe(status, code, words)));
    if code == "CaseCreationLimitExceeded" {
        return Problem::certain(refused(Refusal::CaseQuota, said));
    }
    if code.starts_with("SubscriptionRequired") {
        return Problem::certain(refused(Refusal::Subscription, said));
    }
    if code == "CaseIdNotFound" {
        return Problem::certain(refused(Refusal::NotFound, said));
    }
    if matches!(call, CallKind::File | CallKind::FileWrite) && UNKNOWN_FILES.contains(&code) {
        return Problem::certain(refused(Refusal::NotFound, said));
    }
    if THROTTLING.contains(&code) || status == 429 {
        return Problem::certain(Failure::Unavailable { message: said, retry_at: None });
    }
    if STALE_CREDENTIALS.contains(&code) {
        return stale(code);
    }
    if is_denial(code) {
        return denied("AWS Support", code, words);
    }
    match status {
        400..=407 | 409..=499 if code != "InternalServerError" && !code.starts_with("RequestTimeout") => {
            Problem::certain(refused(Refusal::InvalidRequest, said))
        }
        _ => unanswered(call, &said),
    }
}

fn describe(status: u16, code: &str, words: Option<&str>) -> String {
    match (code, words) {
        ("", None) => status.to_string(),
        ("", Some(words)) => format!("{status}: {words}"),
        (code, None) => code.to_owned(),
        (code, Some(words)) => format!("{code}: {words}"),
    }
}

/// Returns the problem of a call that AWS may have applied: "unavailable" for a read, in doubt for a write.
fn unanswered(call: CallKind, message: &str) -> Problem {
    let message = shorten(message);
    Problem::certain(match call {
        CallKind::Read | CallKind::File => Failure::Unavailable { message, retry_at: None },
        CallKind::Write | CallKind::FileWrite => Failure::InDoubt { message },
    })
}

/// Finds a credentials error anywhere in the chain of causes. With such an error nothing was sent.
fn credentials_error<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error CredentialsError> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(credentials) = current.downcast_ref::<CredentialsError>() {
            return Some(credentials);
        }
        cause = current.source();
    }
    None
}

fn without_credentials(error: &CredentialsError) -> Failure {
    if is_passing(error) {
        let message = "the account's role could not be assumed in time".to_owned();
        return Failure::Unavailable { message, retry_at: None };
    }
    refused(
        Refusal::Credentials,
        "the account's role could not be assumed: check the role, its trust policy and the external id".to_owned(),
    )
}

/// Whether the credentials error may pass by itself: STS did not answer, or its answer is not about the role.
fn is_passing(error: &CredentialsError) -> bool {
    if matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return true;
    }
    let cause = Error::source(error).and_then(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, Response>>());
    match cause {
        Some(SdkError::ServiceError(service)) => {
            is_transient(service.raw().status().as_u16(), service.err().code().unwrap_or_default())
        }
        Some(SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)) => true,
        _ => false,
    }
}

/// Returns the failure of a read whose answer does not have the documented form.
pub(crate) fn unreadable(what: &str) -> Failure {
    refused(Refusal::InvalidRequest, shorten(&format!("AWS Support's answer has {what}")))
}

fn refused(refusal: Refusal, message: String) -> Failure {
    Failure::Refused { refusal, message }
}

fn shorten(message: &str) -> String {
    message.chars().take(MAXIMUM_MESSAGE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(call: CallKind, status: u16, code: &str) -> &'static str {
        answered(call, status, code, Some("words")).failure.name()
    }

    #[test]
    fn what_is_certain_is_refused_alike_for_reads_and_writes() {
        let cases = [
            (400, "CaseCreationLimitExceeded", "refused_case_quota"),
            (400, "SubscriptionRequiredException", "refused_subscription"),
            (400, "CaseIdNotFound", "refused_not_found"),
            (400, "ThrottlingException", "unavailable"),
            (503, "SlowDown", "unavailable"),
            (429, "", "unavailable"),
            (400, "AccessDeniedException", "refused_credentials"),
            (403, "AccessDenied", "refused_credentials"),
            (400, "UnrecognizedClientException", "refused_credentials"),
            (403, "InvalidClientTokenId", "refused_credentials"),
            (400, "ExpiredTokenException", "refused_credentials"),
            (403, "SignatureDoesNotMatch", "refused_credentials"),
            (400, "ValidationException", "refused_invalid_request"),
            (400, "InvalidParameterValueException", "refused_invalid_request"),
            (404, "", "refused_invalid_request"),
        ];
        for (status, code, expected) in cases {
            assert_eq!(name(CallKind::Read, status, code), expected, "{code}");
            assert_eq!(name(CallKind::Write, status, code), expected, "{code}");
        }
    }

    #[test]
    fn what_is_not_certain_leaves_a_write_in_doubt() {
        for (status, code) in
            [(500, "InternalServerError"), (503, "ServiceUnavailable"), (504, ""), (408, ""), (302, "")]
        {
            assert_eq!(name(CallKind::Read, status, code), "unavailable", "{status}");
            assert_eq!(name(CallKind::Write, status, code), "in_doubt", "{status}");
        }
    }

    #[test]
    fn words_on_a_denial_stay_in_the_log() {
        let words = "User: arn:aws:sts::111122223333:assumed-role/casebridge is not authorized";
        let problem = answered(CallKind::Write, 400, "AccessDeniedException", Some(words));
        assert!(!problem.stale_credentials);
        assert!(!problem.failure.message().contains("arn:"), "{}", problem.failure.message());
        assert!(problem.failure.message().contains("AccessDeniedException"), "{}", problem.failure.message());
    }

    #[test]
    fn words_on_a_signature_are_not_repeated() {
        let problem = answered(CallKind::Write, 403, "SignatureDoesNotMatch", Some("x-amz-security-token:hunter2"));
        assert!(problem.stale_credentials);
        assert!(!problem.failure.message().contains("hunter2"));
    }
}
