//! The part of AWS STS that casebridge uses, GetCallerIdentity and AssumeRole, over the query protocol.
//!
//! Signatures are not verified, and every caller may ask for a session, since the simulator does not know the hub's
//! credentials. A session policy limits the session to the actions that it names.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::json::credential_scope;
use super::{Support, model::Account};
use crate::wire::{Request, Response};

/// The default length of a session. Source: AWS STS API, AssumeRole.
const SESSION_LENGTH: SignedDuration = SignedDuration::from_hours(1);
/// The namespace of every answer.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A role that may be assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external id that a caller must name to assume it, if it has one.
    pub external_id: Option<String>,
}

/// A session in a role, by the id of its access key.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub account: String,
    role_arn: String,
    name: String,
    /// The actions that its own policy allows. `None` if it has no policy: then it may do everything that the role may
    /// do.
    actions: Option<BTreeSet<String>>,
    expires_at: Timestamp,
}

/// A session policy. Only actions that are allowed on all resources are understood.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SessionPolicy {
    #[serde(rename = "Version")]
    _version: String,
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    effect: String,
    action: Vec<String>,
    resource: String,
}

/// Why STS refused a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum StsError {
    #[error("The security token included in the request is invalid.")]
    InvalidClientTokenId,
    #[error("Request is missing Authentication Token")]
    MissingAuthenticationToken,
    #[error("User is not authorized to perform: sts:AssumeRole on resource: {0}")]
    AccessDenied(String),
    #[error("1 validation error detected: Value null at '{0}' failed to satisfy constraint: Member must not be null")]
    Validation(&'static str),
    #[error("The policy is not in the valid JSON format.")]
    MalformedPolicyDocument,
    #[error("Could not find operation {0} for version 2011-06-15")]
    InvalidAction(String),
}

impl StsError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::AccessDenied(_) => "AccessDenied",
            Self::Validation(_) => "ValidationError",
            Self::MalformedPolicyDocument => "MalformedPolicyDocument",
            Self::InvalidAction(_) => "InvalidAction",
        }
    }
}

/// Whether the request is signed for STS.
pub fn is_sts(request: &Request) -> bool {
    credential_scope(request).is_some_and(|mut scope| scope.nth(3) == Some("sts"))
}

/// Returns the operation that a request names.
pub fn operation(request: &Request) -> String {
    parameters(request).remove("Action").unwrap_or_default()
}

/// Answers one request.
pub fn handle(support: &mut Support, now: Timestamp, request: &Request) -> Response {
    match answer(support, now, request) {
        Ok((action, result)) => xml(
            200,
            &format!(
                "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result></{action}Response>"
            ),
        ),
        Err(error) => error_response(error.code(), &error.to_string()),
    }
}

/// Returns an error as STS sends it.
pub fn error_response(code: &str, message: &str) -> Response {
    let status = match code {
        "InternalFailure" => 500,
        "ServiceUnavailable" => 503,
        "AccessDenied"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "MissingAuthenticationToken" => 403,
        _ => 400,
    };
    let error = format!("<Type>Sender</Type><Code>{}</Code><Message>{}</Message>", escape(code), escape(message));
    xml(status, &format!("<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{error}</Error></ErrorResponse>"))
}

fn answer(support: &mut Support, now: Timestamp, request: &Request) -> Result<(String, String), StsError> {
    let key = super::json::access_key_id(request).ok_or(StsError::MissingAuthenticationToken)?;
    let parameters = parameters(request);
    let action = parameters.get("Action").cloned().unwrap_or_default();
    let result = match action.as_str() {
        "GetCallerIdentity" => support.caller_identity(now, key)?,
        "AssumeRole" => support.assume_role(now, &parameters)?,
        _ => return Err(StsError::InvalidAction(action)),
    };
    Ok((action, result))
}

impl Support {
    /// Whether the session of this key may call an operation of AWS Support. True if the key belongs to no session.
    pub(super) fn session_allows(&self, access_key_id: &str, operation: &str) -> bool {
        let actions = self.sessions.get(access_key_id).and_then(|session| session.actions.as_ref());
        actions.is_none_or(|actions| {
            required_actions(operation).iter().all(|action| actions.contains(&format!("support:{action}")))
        })
    }

    fn caller_identity(&self, now: Timestamp, key: &str) -> Result<String, StsError> {
        let (account, arn) = match self.sessions.get(key) {
            Some(session) if session.expires_at > now => {
                let role = session.role_arn.rsplit('/').next().unwrap_or_default();
                let arn = format!("arn:aws:sts::{}:assumed-role/{role}/{}", session.account, session.name);
                (session.account.as_str(), arn)
            }
            _ => {
                let account = self.owner_of_key(key).ok_or(StsError::InvalidClientTokenId)?;
                (account, format!("arn:aws:iam::{account}:user/casebridge"))
            }
        };
        Ok(format!("<Arn>{}</Arn><UserId>{}</UserId><Account>{account}</Account>", escape(&arn), escape(key)))
    }

    fn assume_role(&mut self, now: Timestamp, parameters: &BTreeMap<String, String>) -> Result<String, StsError> {
        let parameter = |name| parameters.get(name).filter(|value| !value.is_empty()).ok_or(StsError::Validation(name));
        let (role_arn, name) = (parameter("RoleArn")?, parameter("RoleSessionName")?);
        let external_id = parameters.get("ExternalId");
        let actions = parameters.get("Policy").map(|policy| allowed_actions(policy)).transpose()?;
        let trusts = |account: &&Account| {
            let role = account.role.as_ref().filter(|role| role.arn == *role_arn);
            role.is_some_and(|role| role.external_id.is_none() || role.external_id.as_ref() == external_id)
        };
        let account = self.accounts.values().map(|state| &state.account).find(trusts);
        let account = account.ok_or_else(|| StsError::AccessDenied(role_arn.clone()))?.id.clone();
        let key = format!("ASIA{:016X}", self.identities.draw());
        let session = Session {
            account: account.clone(),
            role_arn: role_arn.clone(),
            name: name.clone(),
            actions,
            expires_at: now + SESSION_LENGTH,
        };
        let credentials = format!(
            "<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{:032x}</SecretAccessKey>\
             <SessionToken>{:032x}</SessionToken><Expiration>{:.0}</Expiration>",
            self.identities.draw(),
            self.identities.draw(),
            session.expires_at
        );
        self.sessions.insert(key, session);
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{name}");
        let user = format!("<Arn>{}</Arn><AssumedRoleId>AROA:{}</AssumedRoleId>", escape(&arn), escape(name));
        Ok(format!("<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"))
    }
}

/// Returns the actions that an operation needs: that of its name, except for large files. Source: AWS Support User Guide,
/// "Required permissions for large attachments".
fn required_actions(operation: &str) -> Vec<&str> {
    match operation {
        "GetAttachmentUploadLinks" | "CompleteAttachmentUpload" | "DescribeAttachmentUploadStatus" => {
            vec!["UploadAttachment", "AddAttachmentsToSet"]
        }
        "GetAttachmentDownloadLink" => vec!["DownloadAttachment", "DescribeAttachment"],
        _ => vec![operation],
    }
}

/// Returns the actions that a session policy allows.
fn allowed_actions(policy: &str) -> Result<BTreeSet<String>, StsError> {
    let policy: SessionPolicy = serde_json::from_str(policy).map_err(|_| StsError::MalformedPolicyDocument)?;
    let understood = |statement: &Statement| statement.effect == "Allow" && statement.resource == "*";
    if !policy.statement.iter().all(understood) {
        return Err(StsError::MalformedPolicyDocument);
    }
    Ok(policy.statement.into_iter().flat_map(|statement| statement.action).collect())
}

fn parameters(request: &Request) -> BTreeMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn xml(status: u16, body: &str) -> Response {
    let headers = BTreeMap::from([("content-type".to_owned(), "text/xml".to_owned())]);
    Response { status, headers, body: body.as_bytes().to_vec(), file: None }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
