//! The part of the control API about AWS Support: its people, its catalogue, its files and its oddities.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::simulator::Simulator;
use super::{ControlError, parse};
use crate::clock;
use crate::config::AccountConfig;
use crate::support::attachments::content::Content;
use crate::support::attachments::rules::{FailingScans, FileRules};
use crate::support::attachments::{MAXIMUM_FILE_BYTES, NamedFile};
use crate::support::catalogue::CatalogueChange;
use crate::support::request::CreateCase;
use crate::support::{Case, Oddities, Support};
use crate::wire::Request;

/// The seed of a file's generated content if a request names none.
const DEFAULT_SEED: u64 = 1;

/// Answers a request; `path` is what follows `/support`.
pub(super) fn answer(
    simulator: &Simulator,
    request: &Request,
    method: &str,
    path: &[&str],
) -> Result<Value, ControlError> {
    match (method, path) {
        ("GET", ["cases"]) => Ok(all_cases(simulator)),
        ("POST", ["cases", case, "communications"]) => communicate(simulator, request, case),
        ("POST", ["cases", case, "status"]) => set_status(simulator, request, case),
        ("POST", ["cases", case, "severity"]) => set_severity(simulator, request, case),
        ("POST", ["cases", case, "language"]) => set_language(simulator, request, case),
        ("POST", ["accounts"]) => add_account(simulator, request),
        ("POST", ["accounts", account, "cases"]) => open_case(simulator, request, account),
        ("GET", ["accounts", account, "catalogue"]) => catalogue(simulator, account),
        ("POST", ["accounts", account, "catalogue"]) => change_catalogue(simulator, request, account),
        ("GET", ["oddities"]) => Ok(json!(simulator.support(|support| support.oddities()))),
        ("POST", ["oddities"]) => Ok(become_odd(simulator, parse(request)?)),
        ("DELETE", ["oddities"]) => Ok(become_odd(simulator, Oddities::default())),
        ("GET", ["files"]) => Ok(json!(simulator.support(|support| support.file_rules().clone()))),
        ("POST", ["files"]) => set_file_rules(simulator, parse(request)?),
        ("DELETE", ["files"]) => set_file_rules(simulator, FileRules::default()),
        ("POST", ["scans"]) => fail_scans(simulator, request),
        (_, ["accounts" | "cases" | "oddities" | "files" | "scans", ..]) => Err(ControlError::Method),
        _ => Err(ControlError::Path),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    body: String,
    submitted_by: Option<String>,
    #[serde(default)]
    attachments: Vec<Addition>,
}

/// A case that a person opens in the console.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCase {
    subject: String,
    body: String,
    service_code: Option<String>,
    category_code: Option<String>,
    severity_code: Option<String>,
    issue_type: Option<String>,
    language: Option<String>,
    #[serde(default)]
    cc_email_addresses: Vec<String>,
    submitted_by: Option<String>,
    #[serde(default)]
    attachments: Vec<Addition>,
}

/// A file that a person adds: its data in base64, or the size of a content that is generated.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Addition {
    file_name: String,
    data: Option<Content>,
    size: Option<u64>,
    seed: Option<u64>,
}

impl Addition {
    fn named(self) -> Result<NamedFile, ControlError> {
        let content = match (self.data, self.size) {
            (Some(data), None) => data,
            (None, Some(size)) if size <= MAXIMUM_FILE_BYTES => {
                Content::generated(size, self.seed.unwrap_or(DEFAULT_SEED))
            }
            (None, Some(_)) => {
                let message = format!("'size' of a file is at most {MAXIMUM_FILE_BYTES} bytes");
                return Err(ControlError::Invalid(message));
            }
            _ => return Err(ControlError::Invalid("a file needs either 'data' or 'size'".to_owned())),
        };
        // The digest of a large file takes a while. It is calculated once, here, without a lock.
        content.sha256().map_err(|error| ControlError::Invalid(error.to_string()))?;
        Ok(NamedFile { name: self.file_name, content })
    }
}

fn named(files: Vec<Addition>) -> Result<Vec<NamedFile>, ControlError> {
    files.into_iter().map(Addition::named).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Severity {
    severity_code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    language: String,
}

fn all_cases(simulator: &Simulator) -> Value {
    let now = clock::now();
    simulator.support(|support| {
        support.settle(now);
        json!({ "cases": support.cases().iter().map(Case::truth).collect::<Vec<_>>() })
    })
}

fn case_of(support: &Support, id: &str) -> Value {
    support.case(id).map(Case::truth).unwrap_or_default()
}

fn communicate(simulator: &Simulator, request: &Request, case: &str) -> Result<Value, ControlError> {
    let message: Message = parse(request)?;
    let files = named(message.attachments)?;
    simulator.support(|support| {
        let author = message.submitted_by.as_deref();
        support.communicate_with_files(clock::now(), case, &message.body, author, files)?;
        Ok(case_of(support, case))
    })
}

fn open_case(simulator: &Simulator, request: &Request, account: &str) -> Result<Value, ControlError> {
    let new: NewCase = parse(request)?;
    let files = named(new.attachments)?;
    let given = CreateCase {
        subject: Some(new.subject),
        communication_body: Some(new.body),
        service_code: new.service_code,
        category_code: new.category_code,
        severity_code: new.severity_code,
        issue_type: new.issue_type,
        language: new.language,
        cc_email_addresses: new.cc_email_addresses,
        ..CreateCase::default()
    };
    simulator.support(|support| {
        let case = support.open_case(clock::now(), account, &given, new.submitted_by.as_deref(), files)?;
        Ok(case_of(support, &case))
    })
}

fn set_status(simulator: &Simulator, request: &Request, case: &str) -> Result<Value, ControlError> {
    let Status { status } = parse(request)?;
    simulator.support(|support| {
        support.set_status(clock::now(), case, &status)?;
        Ok(case_of(support, case))
    })
}

fn set_severity(simulator: &Simulator, request: &Request, case: &str) -> Result<Value, ControlError> {
    let Severity { severity_code } = parse(request)?;
    simulator.support(|support| {
        support.set_severity(clock::now(), case, &severity_code)?;
        Ok(case_of(support, case))
    })
}

fn set_language(simulator: &Simulator, request: &Request, case: &str) -> Result<Value, ControlError> {
    let Language { language } = parse(request)?;
    simulator.support(|support| {
        // The answer names the case by its new id.
        let display_id = support.case(case).map(|case| case.display_id.clone()).unwrap_or_default();
        support.set_language(clock::now(), case, &language)?;
        Ok(case_of(support, &display_id))
    })
}

fn add_account(simulator: &Simulator, request: &Request) -> Result<Value, ControlError> {
    let account = parse::<AccountConfig>(request)?.account();
    let answer = json!({ "id": account.id });
    simulator.support(|support| support.add_account(account));
    Ok(answer)
}

fn catalogue(simulator: &Simulator, account: &str) -> Result<Value, ControlError> {
    Ok(simulator.support(|support| support.catalogue(account))?)
}

fn change_catalogue(simulator: &Simulator, request: &Request, account: &str) -> Result<Value, ControlError> {
    let change: CatalogueChange = parse(request)?;
    simulator.support(|support| {
        support.change_catalogue(account, &change)?;
        Ok(support.catalogue(account)?)
    })
}

/// Sets the oddities. Every oddity that is not named is off.
fn become_odd(simulator: &Simulator, oddities: Oddities) -> Value {
    simulator.support(|support| support.set_oddities(oddities));
    json!(oddities)
}

fn set_file_rules(simulator: &Simulator, rules: FileRules) -> Result<Value, ControlError> {
    let answer = json!(rules);
    simulator.support(|support| support.set_file_rules(rules))?;
    Ok(answer)
}

fn fail_scans(simulator: &Simulator, request: &Request) -> Result<Value, ControlError> {
    let order: FailingScans = parse(request)?;
    let answer = json!(order);
    simulator.support(|support| support.fail_scans(order))?;
    Ok(answer)
}
