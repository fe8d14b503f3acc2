//! What a case can be about: the operations that show an account's catalogue, and the check of a new case against it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::catalogue::{
    CatalogueChange, DEFAULT_CATEGORY, DEFAULT_ISSUE_TYPE, DEFAULT_LANGUAGE, DEFAULT_SERVICE, DEFAULT_SEVERITY,
    ISSUE_TYPES, LANGUAGE_NAMES, LANGUAGES, SEVERITY_LEVELS, Service, SeverityLevel,
};
use super::error::SupportError;
use super::model::AccountState;
use super::request::{
    self, CreateCase, DescribeCreateCaseOptions, DescribeServices, DescribeSeverityLevels, DescribeSupportedLanguages,
    MAXIMUM_SERVICE_CODES,
};
use super::{PeopleError, Support, refuse_dry_run};

/// A case can be written about at any hour.
const ALWAYS: (&str, &str) = ("00:00:00.000", "23:59:59.999");
/// When people answer chats and calls in other languages than English, in UTC.
const OFFICE_HOURS: (&str, &str) = ("08:00:00.000", "18:00:00.000");

/// DescribeCreateCaseOptions' answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCaseOptions {
    /// `available` or `unavailable`. AWS also has `best_effort`.
    pub language_availability: &'static str,
    /// The ways to speak with AWS. Never empty.
    pub communication_types: Vec<CommunicationType>,
}

/// A way to speak with AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommunicationType {
    /// `web`, `chat` or `call`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// When AWS answers.
    pub supported_hours: Vec<Hours>,
    /// The days without support. Always empty.
    pub dates_without_support: [(); 0],
}

/// A span within each day, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hours {
    /// Its begin.
    pub start_time: &'static str,
    /// Its end.
    pub end_time: &'static str,
}

/// A language in which AWS handles a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupportedLanguage {
    /// The code used in requests.
    pub code: &'static str,
    /// Its name.
    pub language: &'static str,
    /// The name people read.
    pub display: &'static str,
}

impl Support {
    /// DescribeServices.
    pub fn describe_services(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeServices,
    ) -> Result<Vec<Service>, SupportError> {
        self.admit(now, account)?;
        request::at_most(&request.service_code_list, MAXIMUM_SERVICE_CODES, "serviceCodeList")?;
        known(request.language.as_deref(), "language", &LANGUAGES)?;
        refuse_dry_run(request.dry_run)?;
        let codes = &request.service_code_list;
        let wanted = |service: &&Service| codes.is_empty() || codes.contains(&service.code);
        Ok(self.state(account)?.catalogue.services.iter().filter(wanted).cloned().collect())
    }

    /// DescribeSeverityLevels. Returns the severities of the account's plan.
    pub fn describe_severity_levels(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeSeverityLevels,
    ) -> Result<Vec<SeverityLevel>, SupportError> {
        self.admit(now, account)?;
        known(request.language.as_deref(), "language", &LANGUAGES)?;
        refuse_dry_run(request.dry_run)?;
        let offered = &self.state(account)?.account.severities;
        Ok(SEVERITY_LEVELS.into_iter().filter(|level| offered.iter().any(|code| code == level.code)).collect())
    }

    /// DescribeCreateCaseOptions.
    pub fn describe_create_case_options(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeCreateCaseOptions,
    ) -> Result<CreateCaseOptions, SupportError> {
        self.admit(now, account)?;
        let issue_type = issue_type(request.issue_type.as_deref())?;
        let language = request::required(request.language.as_deref(), "language")?;
        known(Some(language), "language", &LANGUAGES)?;
        let topic = (request.service_code.as_deref(), request.category_code.as_deref());
        let service = self.named_service(account, topic)?;
        refuse_dry_run(request.dry_run)?;
        Ok(options(service, issue_type, language))
    }

    /// DescribeSupportedLanguages.
    pub fn describe_supported_languages(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeSupportedLanguages,
    ) -> Result<Vec<SupportedLanguage>, SupportError> {
        self.admit(now, account)?;
        issue_type(request.issue_type.as_deref())?;
        let topic = (request.service_code.as_deref(), request.category_code.as_deref());
        let service = self.named_service(account, topic)?;
        refuse_dry_run(request.dry_run)?;
        let all = LANGUAGES.into_iter().zip(LANGUAGE_NAMES);
        let handled = all.filter(|(code, _)| service.is_handled_in(code));
        Ok(handled.map(|(code, name)| SupportedLanguage { code, language: name, display: name }).collect())
    }

    /// Returns the service that a request must name together with one of its categories.
    fn named_service(&self, account: &str, topic: (Option<&str>, Option<&str>)) -> Result<&Service, SupportError> {
        let (service, category) = topic;
        let service = request::required(service, "serviceCode")?;
        let category = request::required(category, "categoryCode")?;
        service_with(self.state(account)?, service, category)
    }

    /// Changes what cases of an account can be about, and its plan's severities. Changes nothing if it fails.
    pub fn change_catalogue(&mut self, account: &str, change: &CatalogueChange) -> Result<(), PeopleError> {
        let state = self.accounts.get_mut(account).ok_or_else(|| PeopleError::NoSuchAccount(account.to_owned()))?;
        let mut changed = (*state.catalogue).clone();
        change.apply(&mut changed).map_err(PeopleError::Invalid)?;
        state.catalogue = Arc::new(changed);
        if let Some(severities) = &change.severities {
            state.account.severities.clone_from(severities);
        }
        Ok(())
    }

    /// Returns an account's catalogue as JSON, with its plan's severities and the languages of each service.
    pub fn catalogue(&self, account: &str) -> Result<Value, PeopleError> {
        let state = self.accounts.get(account).ok_or_else(|| PeopleError::NoSuchAccount(account.to_owned()))?;
        let service = |service: &Service| {
            let Service { code, name, categories, languages } = service;
            json!({ "code": code, "name": name, "languages": languages, "categories": categories })
        };
        let services: Vec<Value> = state.catalogue.services.iter().map(service).collect();
        Ok(json!({ "services": services, "severities": state.account.severities }))
    }
}

fn options(service: &Service, issue_type: &str, language: &str) -> CreateCaseOptions {
    let way = |name, hours: Option<(&'static str, &'static str)>| CommunicationType {
        name,
        supported_hours: hours.into_iter().map(|(start_time, end_time)| Hours { start_time, end_time }).collect(),
        dates_without_support: [],
    };
    if !service.is_handled_in(language) {
        return CreateCaseOptions { language_availability: "unavailable", communication_types: vec![way("web", None)] };
    }
    let live = if language == DEFAULT_LANGUAGE { ALWAYS } else { OFFICE_HOURS };
    let mut communication_types = vec![way("web", Some(ALWAYS)), way("chat", Some(live))];
    if issue_type == DEFAULT_ISSUE_TYPE {
        communication_types.push(way("call", Some(live)));
    }
    CreateCaseOptions { language_availability: "available", communication_types }
}

/// What a case is about, checked against the catalogue.
pub(super) struct Topic {
    pub service: String,
    pub category: String,
    pub severity: String,
    pub issue_type: String,
    pub language: String,
}

impl Topic {
    pub fn parse(state: &AccountState, request: &CreateCase) -> Result<Self, SupportError> {
        let service = request.service_code.as_deref().unwrap_or(DEFAULT_SERVICE);
        let category = request.category_code.as_deref().unwrap_or(DEFAULT_CATEGORY);
        let severity = request.severity_code.as_deref().unwrap_or(DEFAULT_SEVERITY);
        let known_service = service_with(state, service, category)?;
        if !state.account.severities.iter().any(|offered| offered == severity) {
            let message = format!("The severity code '{severity}' is not available to this account.");
            return Err(SupportError::Validation(message));
        }
        let issue_type = known(request.issue_type.as_deref(), "issueType", &ISSUE_TYPES)?;
        let language = known(request.language.as_deref(), "language", &LANGUAGES)?.unwrap_or(DEFAULT_LANGUAGE);
        if !known_service.is_handled_in(language) {
            let message = format!("The language '{language}' is not supported for the service '{service}'.");
            return Err(SupportError::Validation(message));
        }
        Ok(Self {
            service: service.to_owned(),
            category: category.to_owned(),
            severity: severity.to_owned(),
            issue_type: issue_type.unwrap_or(DEFAULT_ISSUE_TYPE).to_owned(),
            language: language.to_owned(),
        })
    }
}

/// Returns the service with this code. Fails unless it has the category.
fn service_with<'a>(state: &'a AccountState, service: &str, category: &str) -> Result<&'a Service, SupportError> {
    let Some(known_service) = state.catalogue.service(service) else {
        return Err(SupportError::Validation(format!("The service code '{service}' is not valid.")));
    };
    if !known_service.has_category(category) {
        let message = format!("The category code '{category}' is not valid for the service '{service}'.");
        return Err(SupportError::Validation(message));
    }
    Ok(known_service)
}

fn issue_type(value: Option<&str>) -> Result<&str, SupportError> {
    let issue_type = request::required(value, "issueType")?;
    known(Some(issue_type), "issueType", &ISSUE_TYPES)?;
    Ok(issue_type)
}

/// Returns a value that must be in this set, if it is given at all.
pub(super) fn known<'a>(
    value: Option<&'a str>,
    field: &str,
    allowed: &[&str],
) -> Result<Option<&'a str>, SupportError> {
    match value {
        Some(value) if !allowed.contains(&value) => {
            let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
            Err(request::violation(&format!("'{value}'"), field, &constraint))
        }
        value => Ok(value),
    }
}
