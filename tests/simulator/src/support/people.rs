//! The people on AWS's side: AWS's engineers, and customers who write in the console.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::catalogue::LANGUAGES;
use super::model::{Case, SUBMITTED_BY_AWS, format_milliseconds};
use super::request;
use super::{Author, Origin, Support, SupportError};

/// The segment of a case id with the queue and the language: `case-<account>-muen-<year>-<digits>`.
const LANGUAGE_SEGMENT: usize = 2;

/// The reason why a person could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// No case has this id.
    #[error("no case has the id or display id '{0}'; GET /control/support/cases lists all cases")]
    NoSuchCase(String),
    /// The text breaks a limit.
    #[error("{0}")]
    Invalid(String),
}

impl Support {
    /// A person writes on a case, by default an engineer of AWS. `case` is either of its ids.
    pub fn communicate(
        &mut self,
        now: Timestamp,
        case: &str,
        body: &str,
        submitted_by: Option<&str>,
    ) -> Result<(), PeopleError> {
        self.settle(now);
        let index = self.any_case(case)?;
        let author = submitted_by.unwrap_or(SUBMITTED_BY_AWS);
        let origin = if author == SUBMITTED_BY_AWS { Origin::Aws } else { Origin::Customer };
        let invalid = |error: SupportError| PeopleError::Invalid(error.to_string());
        request::body(Some(body), self.oddities.length).map_err(invalid)?;
        self.refuse_late_reopening(now, index).map_err(invalid)?;
        self.append(now, index, body, Author { submitted_by: author.to_owned(), origin, through_api: false });
        Ok(())
    }

    /// A person at AWS sets a case's status. Any text is allowed, since AWS may add statuses.
    pub fn set_status(&mut self, now: Timestamp, case: &str, status: &str) -> Result<(), PeopleError> {
        self.settle(now);
        let index = self.any_case(case)?;
        if status.is_empty() {
            return Err(PeopleError::Invalid("'status' must not be empty".to_owned()));
        }
        self.change_status(now, index, status);
        Ok(())
    }

    /// A person changes a case's language. The case gets a new id that names the language, and the earlier id stays
    /// known.
    pub fn set_language(&mut self, now: Timestamp, case: &str, language: &str) -> Result<(), PeopleError> {
        self.settle(now);
        let index = self.any_case(case)?;
        if !LANGUAGES.contains(&language) {
            return Err(PeopleError::Invalid(format!("'language' must be one of {}", LANGUAGES.join(", "))));
        }
        let case = &mut self.cases[index];
        let segments = case.case_id.split('-').enumerate();
        let renamed: Vec<String> = segments
            .map(
                |(place, segment)| if place == LANGUAGE_SEGMENT { format!("mu{language}") } else { segment.to_owned() },
            )
            .collect();
        case.case_id = renamed.join("-");
        language.clone_into(&mut case.language);
        self.by_case_id.insert(self.cases[index].case_id.clone(), index);
        Ok(())
    }

    /// Returns every case of every account, oldest first and without lag.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Returns a case by either of its ids, without lag. Returns `None` if there is none.
    pub fn case(&self, id: &str) -> Option<&Case> {
        let index = self.by_case_id.get(id).or_else(|| self.by_display_id.get(id))?;
        self.cases.get(*index)
    }

    fn any_case(&self, id: &str) -> Result<usize, PeopleError> {
        let index = self.by_case_id.get(id).or_else(|| self.by_display_id.get(id)).copied();
        index.ok_or_else(|| PeopleError::NoSuchCase(id.to_owned()))
    }
}

impl Case {
    /// Returns everything about the case, its communications oldest first.
    pub fn truth(&self) -> Value {
        let communications: Vec<Value> = self
            .communications
            .iter()
            .map(|communication| {
                json!({
                    "body": communication.body,
                    "submittedBy": communication.submitted_by,
                    "timeCreated": format_milliseconds(communication.time_created),
                    "origin": communication.origin.as_str(),
                })
            })
            .collect();
        json!({
            "account": self.account,
            "caseId": self.case_id,
            "displayId": self.display_id,
            "subject": self.subject,
            "status": self.status(),
            "serviceCode": self.service_code,
            "categoryCode": self.category_code,
            "severityCode": self.severity_code,
            "issueType": self.issue_type,
            "language": self.language,
            "submittedBy": self.submitted_by,
            "ccEmailAddresses": self.cc_email_addresses,
            "timeCreated": format_milliseconds(self.time_created),
            "resolvedAt": self.resolved_at().map(format_milliseconds),
            "communications": communications,
        })
    }
}
