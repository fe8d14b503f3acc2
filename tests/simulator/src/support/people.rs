//! The people on AWS's side: AWS's engineers, and customers who write in the console.

use jiff::Timestamp;

use super::attachments::{MAXIMUM_CONSOLE_FILES, MAXIMUM_FILE_BYTES, NamedFile};
use super::catalogue::LANGUAGES;
use super::model::{Case, SUBMITTED_BY_AWS};
use super::options::Topic;
use super::request::{self, CreateCase};
use super::{Author, NewCase, Origin, Support, SupportError};

/// The segment of a case id with the queue and the language: `case-<account>-muen-<year>-<digits>`.
const LANGUAGE_SEGMENT: usize = 2;

/// The reason why a person could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// No case has this id.
    #[error("no case has the id or display id '{0}'; GET /control/support/cases lists all cases")]
    NoSuchCase(String),
    /// No account has this id.
    #[error("there is no account '{0}'")]
    NoSuchAccount(String),
    /// What the person wants breaks a limit.
    #[error("{0}")]
    Invalid(String),
}

impl From<SupportError> for PeopleError {
    fn from(error: SupportError) -> Self {
        Self::Invalid(error.to_string())
    }
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
        self.communicate_with_files(now, case, body, submitted_by, Vec::new())
    }

    /// A person writes on a case and adds files.
    pub fn communicate_with_files(
        &mut self,
        now: Timestamp,
        case: &str,
        body: &str,
        submitted_by: Option<&str>,
        files: Vec<NamedFile>,
    ) -> Result<(), PeopleError> {
        self.settle(now);
        let index = self.any_case(case)?;
        request::body(Some(body), self.oddities.length)?;
        check_files(&files)?;
        self.refuse_late_reopening(now, index)?;
        let author = person(submitted_by.unwrap_or(SUBMITTED_BY_AWS));
        self.append(now, index, body, author, files);
        Ok(())
    }

    /// A person opens a case in the console, by default the account's owner. The quota of new cases is the API's. Returns
    /// the case's id.
    pub fn open_case(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &CreateCase,
        submitted_by: Option<&str>,
        files: Vec<NamedFile>,
    ) -> Result<String, PeopleError> {
        self.settle(now);
        let no_account = || PeopleError::NoSuchAccount(account.to_owned());
        let state = self.accounts.get(account).ok_or_else(no_account)?;
        let subject = request::required(request.subject.as_deref(), "subject")?;
        let body = request::body(request.communication_body.as_deref(), self.oddities.length)?;
        request::addresses(&request.cc_email_addresses)?;
        check_files(&files)?;
        let topic = Topic::parse(state, request)?;
        let author = person(submitted_by.unwrap_or(&state.account.email));
        let cc_email_addresses = request.cc_email_addresses.clone();
        Ok(self.open(now, account, NewCase { subject, topic, cc_email_addresses, body, author, files })?)
    }

    /// A person changes a case's severity in the console. AWS sends no event. The severity must be one of the account's
    /// plan.
    pub fn set_severity(&mut self, now: Timestamp, case: &str, severity: &str) -> Result<(), PeopleError> {
        self.settle(now);
        let index = self.any_case(case)?;
        let offered = &self.state(&self.cases[index].account)?.account.severities;
        if !offered.iter().any(|code| code == severity) {
            return Err(PeopleError::Invalid(format!("'severityCode' must be one of {}", offered.join(", "))));
        }
        let case = &mut self.cases[index];
        let earlier = std::mem::replace(&mut case.severity_code, severity.to_owned());
        case.earlier_severities.push((earlier, now));
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

fn person(submitted_by: &str) -> Author {
    let origin = if submitted_by == SUBMITTED_BY_AWS { Origin::Aws } else { Origin::Customer };
    Author { submitted_by: submitted_by.to_owned(), origin, through_api: false }
}

/// Fails if the console would not take these files.
fn check_files(files: &[NamedFile]) -> Result<(), PeopleError> {
    if files.len() > MAXIMUM_CONSOLE_FILES {
        return Err(PeopleError::Invalid(format!("'attachments' has at most {MAXIMUM_CONSOLE_FILES} files")));
    }
    let fits = |file: &NamedFile| !file.name.is_empty() && (1..=MAXIMUM_FILE_BYTES).contains(&file.content.length());
    if files.iter().all(fits) {
        Ok(())
    } else {
        let message = format!("each of 'attachments' needs a 'fileName' and 1 to {MAXIMUM_FILE_BYTES} bytes");
        Err(PeopleError::Invalid(message))
    }
}
