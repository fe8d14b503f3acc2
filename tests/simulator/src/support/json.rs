//! AWS Support on the wire: AWS JSON 1.1.
//!
//! The account of a request is the one that owns the access key in its `Authorization` header. The signature itself is
//! not verified. The temporary key of a session counts only if its id is known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Support;
use super::error::{SupportError, status_of};
use crate::wire::{Request, Response};

const TARGET_HEADER: &str = "x-amz-target";
const TARGET_PREFIX: &str = "AWSSupport_20130415.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Whether the request is one of AWS JSON.
pub fn is_aws_json(request: &Request) -> bool {
    request.header(TARGET_HEADER).is_some()
}

/// Returns the operation that a request names, without the service's prefix.
pub fn operation(request: &Request) -> &str {
    let target = request.header(TARGET_HEADER).unwrap_or_default();
    target.strip_prefix(TARGET_PREFIX).unwrap_or(target)
}

/// Returns the access key's id in the request's signature. Returns `None` if there is no signature.
pub fn access_key_id(request: &Request) -> Option<&str> {
    credential_scope(request)?.next()
}

/// Returns what a signature names: the access key's id, the day, the Region, the service, and the end of the scope.
pub(super) fn credential_scope(request: &Request) -> Option<std::str::Split<'_, char>> {
    let (_, credential) = request.header("authorization")?.split_once("Credential=")?;
    let scope = credential.split([',', ' ']).next()?;
    scope.contains('/').then(|| scope.split('/'))
}

/// Answers one request.
pub fn handle(support: &mut Support, now: Timestamp, request: &Request) -> Response {
    match answer(support, now, request) {
        Ok(body) => response(200, &body),
        Err(error) => error_response(error.code(), &error.to_string()),
    }
}

/// Returns an error as AWS Support sends it.
pub fn error_response(code: &str, message: &str) -> Response {
    response(status_of(code), &json!({ "__type": code, "message": message }))
}

fn response(status: u16, body: &Value) -> Response {
    let headers = BTreeMap::from([("content-type".to_owned(), CONTENT_TYPE.to_owned())]);
    Response { status, headers, body: body.to_string().into_bytes(), file: None }
}

fn answer(support: &mut Support, now: Timestamp, request: &Request) -> Result<Value, SupportError> {
    let key = access_key_id(request).ok_or(SupportError::MissingAuthenticationToken)?;
    let account = support.account_of_key(key).ok_or(SupportError::UnrecognizedClient)?.to_owned();
    let account = account.as_str();
    if !support.session_allows(key, operation(request)) {
        return Err(SupportError::AccessDenied(operation(request).to_owned()));
    }
    match operation(request) {
        "CreateCase" => {
            let case_id = support.create_case(now, account, &parse(request)?)?;
            Ok(json!({ "caseId": case_id }))
        }
        "AddCommunicationToCase" => {
            support.add_communication_to_case(now, account, &parse(request)?)?;
            Ok(json!({ "result": true }))
        }
        "ResolveCase" => to_value(&support.resolve_case(now, account, &parse(request)?)?),
        "DescribeCases" => to_value(&support.describe_cases(now, account, &parse(request)?)?),
        "DescribeCommunications" => to_value(&support.describe_communications(now, account, &parse(request)?)?),
        "DescribeServices" => {
            let services = support.describe_services(now, account, &parse(request)?)?;
            Ok(json!({ "services": services }))
        }
        "DescribeSeverityLevels" => {
            let levels = support.describe_severity_levels(now, account, &parse(request)?)?;
            Ok(json!({ "severityLevels": levels }))
        }
        "DescribeCreateCaseOptions" => {
            to_value(&support.describe_create_case_options(now, account, &parse(request)?)?)
        }
        "DescribeSupportedLanguages" => {
            let languages = support.describe_supported_languages(now, account, &parse(request)?)?;
            Ok(json!({ "supportedLanguages": languages }))
        }
        _ => answer_about_files(support, now, account, request),
    }
}

fn answer_about_files(
    support: &mut Support,
    now: Timestamp,
    account: &str,
    request: &Request,
) -> Result<Value, SupportError> {
    match operation(request) {
        "AddAttachmentsToSet" => to_value(&support.add_attachments_to_set(now, account, &parse(request)?)?),
        "DescribeAttachment" => {
            let attachment = support.describe_attachment(now, account, &parse(request)?)?;
            Ok(json!({ "attachment": attachment }))
        }
        "GetAttachmentDownloadLink" => {
            to_value(&support.get_attachment_download_link(now, account, &parse(request)?)?)
        }
        "GetAttachmentUploadLinks" => to_value(&support.get_attachment_upload_links(now, account, &parse(request)?)?),
        "CompleteAttachmentUpload" => {
            let status = support.complete_attachment_upload(now, account, &parse(request)?)?;
            Ok(json!({ "uploadStatus": status }))
        }
        "DescribeAttachmentUploadStatus" => {
            to_value(&support.describe_attachment_upload_status(now, account, &parse(request)?)?)
        }
        unknown => Err(SupportError::UnknownOperation(unknown.to_owned())),
    }
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, SupportError> {
    // An empty body stands for an empty object: some clients send none for operations without parameters.
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(body).map_err(|error| SupportError::Serialization(error.to_string()))
}

fn to_value<T: serde::Serialize>(value: &T) -> Result<Value, SupportError> {
    serde_json::to_value(value).map_err(|error| SupportError::Serialization(error.to_string()))
}
