//! The requests of AWS Support, and the checks that need nothing but the request itself.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::attachments::content::Content;
use super::error::SupportError;
use super::oddities::LengthUnit;

/// The longest body of a communication, in a unit that AWS does not document: see [`LengthUnit`]. Source: AWS Support
/// API.
pub const MAXIMUM_BODY_LENGTH: usize = 8000;
/// The most addresses that get copies. Source: AWS Support API, `ccEmailAddresses`.
pub const MAXIMUM_CC_ADDRESSES: usize = 10;
/// The most ids in one DescribeCases. Source: AWS Support API, `caseIdList`.
pub const MAXIMUM_CASE_IDS: usize = 100;
/// The most codes in one DescribeServices. Source: AWS Support API, `serviceCodeList`.
pub const MAXIMUM_SERVICE_CODES: usize = 100;
/// The smallest page that a request may ask for. Source: AWS Support API, `maxResults`.
pub const MINIMUM_RESULTS: usize = 10;
/// The largest page that a request may ask for. Source: AWS Support API, `maxResults`.
pub const MAXIMUM_RESULTS: usize = 100;
/// The page size of a request that names none. AWS documents no default, so this is the smallest size.
pub const RESULTS_DEFAULT: usize = MINIMUM_RESULTS;

/// CreateCase.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CreateCase {
    /// The subject. Required.
    pub subject: Option<String>,
    /// The first communication. Required.
    pub communication_body: Option<String>,
    /// The service's code.
    pub service_code: Option<String>,
    /// The category's code.
    pub category_code: Option<String>,
    /// The severity's code.
    pub severity_code: Option<String>,
    /// `technical` or `customer-service`.
    pub issue_type: Option<String>,
    /// The language.
    pub language: Option<String>,
    /// Who gets copies.
    pub cc_email_addresses: Vec<String>,
    /// A set of attachments.
    pub attachment_set_id: Option<String>,
    /// Uploaded files.
    pub upload_ids: Vec<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// AddCommunicationToCase.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddCommunicationToCase {
    /// The case's id.
    pub case_id: Option<String>,
    /// The text. Required.
    pub communication_body: Option<String>,
    /// Who gets copies.
    pub cc_email_addresses: Vec<String>,
    /// A set of attachments.
    pub attachment_set_id: Option<String>,
    /// Uploaded files.
    pub upload_ids: Vec<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// ResolveCase.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResolveCase {
    /// The case's id.
    pub case_id: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeCases.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeCases {
    /// The ids of the wanted cases. Empty for all cases.
    pub case_id_list: Vec<String>,
    /// The display id of the wanted case.
    pub display_id: Option<String>,
    /// Only cases created after this time.
    pub after_time: Option<String>,
    /// Only cases created before this time.
    pub before_time: Option<String>,
    /// Whether to return resolved cases too. By default they are left out, even if their id is named.
    pub include_resolved_cases: bool,
    /// The token of the page.
    pub next_token: Option<String>,
    /// The page's size.
    pub max_results: Option<i64>,
    /// The language of the cases.
    pub language: Option<String>,
    /// Whether to return the newest communications of each case. By default they are returned.
    pub include_communications: Option<bool>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeCommunications.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeCommunications {
    /// The case's id. Required.
    pub case_id: Option<String>,
    /// Only communications written after this time.
    pub after_time: Option<String>,
    /// Only communications written before this time.
    pub before_time: Option<String>,
    /// The token of the page.
    pub next_token: Option<String>,
    /// The page's size.
    pub max_results: Option<i64>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeServices.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeServices {
    /// The codes of the wanted services. Empty for all services.
    pub service_code_list: Vec<String>,
    /// The language of the names.
    pub language: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeSeverityLevels.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeSeverityLevels {
    /// The language of the names.
    pub language: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// A file for a set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewAttachment {
    /// Its name.
    pub file_name: Option<String>,
    /// What is in it.
    pub data: Option<Content>,
}

/// AddAttachmentsToSet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddAttachmentsToSet {
    /// The set. Without it a new one is created.
    pub attachment_set_id: Option<String>,
    /// The files. Required.
    pub attachments: Vec<NewAttachment>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeAttachment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeAttachment {
    /// The attachment's id. Required.
    pub attachment_id: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// GetAttachmentDownloadLink.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetAttachmentDownloadLink {
    /// The attachment's id. Required.
    pub attachment_id: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// GetAttachmentUploadLinks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetAttachmentUploadLinks {
    /// The file's name. Required.
    pub file_name: Option<String>,
    /// The file's size. Required for a new upload.
    pub file_size_bytes: Option<i64>,
    /// The upload, if it has begun.
    pub upload_id: Option<String>,
    /// The wanted parts.
    pub upload_range: Option<UploadRange>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// The parts of an upload that links are wanted for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRange {
    /// The first part, from 1.
    pub start_index: u32,
    /// The part after the last one.
    pub end_index: Option<u32>,
}

/// CompleteAttachmentUpload.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CompleteAttachmentUpload {
    /// The upload. Required.
    pub upload_id: Option<String>,
    /// The parts that are uploaded. Required.
    pub completed_uploads: Vec<CompletedUpload>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// A part that is uploaded.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletedUpload {
    /// The part's index, from 1.
    pub part_index: u32,
    /// The ETag that the upload of the part was answered with.
    pub e_tag: String,
}

/// DescribeAttachmentUploadStatus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeAttachmentUploadStatus {
    /// The upload. Required.
    pub upload_id: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeCreateCaseOptions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeCreateCaseOptions {
    /// `technical` or `customer-service`. Required.
    pub issue_type: Option<String>,
    /// The service's code. Required.
    pub service_code: Option<String>,
    /// The language. Required.
    pub language: Option<String>,
    /// The category's code. Required.
    pub category_code: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// DescribeSupportedLanguages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeSupportedLanguages {
    /// `technical` or `customer-service`. Required.
    pub issue_type: Option<String>,
    /// The service's code. Required.
    pub service_code: Option<String>,
    /// The category's code. Required.
    pub category_code: Option<String>,
    /// Whether to check the request only.
    pub dry_run: bool,
}

/// Returns a required text. Fails if it is missing or empty.
pub(super) fn required<'a>(value: Option<&'a str>, field: &str) -> Result<&'a str, SupportError> {
    let value = value.ok_or_else(|| violation("null", field, "Member must not be null"))?;
    if value.is_empty() {
        return Err(violation("''", field, "Member must have length greater than or equal to 1"));
    }
    Ok(value)
}

/// Returns the text of a communication. Fails if it breaks its limits.
pub(super) fn body(value: Option<&str>, unit: LengthUnit) -> Result<&str, SupportError> {
    let body = required(value, "communicationBody")?;
    // No other unit counts more than bytes do, so only long texts have to be counted.
    if body.len() > MAXIMUM_BODY_LENGTH && unit.length(body) > MAXIMUM_BODY_LENGTH {
        let constraint = format!("Member must have length less than or equal to {MAXIMUM_BODY_LENGTH}");
        return Err(violation("(text)", "communicationBody", &constraint));
    }
    Ok(body)
}

/// Fails if a list is longer than its limit.
pub(super) fn at_most<T>(list: &[T], limit: usize, field: &str) -> Result<(), SupportError> {
    if list.len() > limit {
        let constraint = format!("Member must have length less than or equal to {limit}");
        return Err(violation("(list)", field, &constraint));
    }
    Ok(())
}

/// Returns the size of a page. Fails if the requested size is not allowed.
pub(super) fn page_size(requested: Option<i64>) -> Result<usize, SupportError> {
    let Some(requested) = requested else { return Ok(RESULTS_DEFAULT) };
    let size = usize::try_from(requested).ok().filter(|size| (MINIMUM_RESULTS..=MAXIMUM_RESULTS).contains(size));
    size.ok_or_else(|| {
        let constraint = format!("Member must be between {MINIMUM_RESULTS} and {MAXIMUM_RESULTS}");
        violation(&requested.to_string(), "maxResults", &constraint)
    })
}

/// Fails if there are too many addresses, or if one is not an e-mail address. AWS documents the number alone; it can't
/// send mail to anything else.
pub(super) fn addresses(addresses: &[String]) -> Result<(), SupportError> {
    at_most(addresses, MAXIMUM_CC_ADDRESSES, "ccEmailAddresses")?;
    let is_address = |text: &str| {
        let parts = text.split_once('@');
        let plain = !text.contains(|letter: char| letter.is_whitespace() || letter == ',' || letter == ';');
        plain && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
    };
    if addresses.iter().all(|address| is_address(address)) {
        Ok(())
    } else {
        Err(violation("(list)", "ccEmailAddresses", "Member must be an e-mail address"))
    }
}

/// The span of time that a request asks for, without its ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Span {
    pub const ALWAYS: Self = Self { after: None, before: None };

    pub fn parse(after: Option<&str>, before: Option<&str>) -> Result<Self, SupportError> {
        Ok(Self {
            after: after.map(|text| time(text, "afterTime")).transpose()?,
            before: before.map(|text| time(text, "beforeTime")).transpose()?,
        })
    }

    pub fn contains(self, time: Timestamp) -> bool {
        self.after.is_none_or(|after| time > after) && self.before.is_none_or(|before| time < before)
    }
}

/// Reads an ISO 8601 time or date. Without a zone it is in UTC.
fn time(text: &str, field: &str) -> Result<Timestamp, SupportError> {
    let instant = text.parse::<Timestamp>().ok();
    let civil = || text.parse::<DateTime>().ok().and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    instant
        .or_else(|| civil().map(|zoned| zoned.timestamp()))
        .ok_or_else(|| violation(&format!("'{text}'"), field, "Member must be an ISO 8601 time"))
}

pub(super) fn violation(value: &str, field: &str, constraint: &str) -> SupportError {
    SupportError::Validation(format!(
        "1 validation error detected: Value {value} at '{field}' failed to satisfy constraint: {constraint}"
    ))
}
