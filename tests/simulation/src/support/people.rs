//! The people on the side of AWS Support: its agents, and customers in the console.

use casebridge_core::{failure::Refusal, identifiers::AccountId, policy::SEVERITIES};
use casebridge_simulator::support::{Case, REOPEN_WINDOW, attachments::NamedFile, request::CreateCase};

use super::cases::first_id;
use crate::{
    people::{Deed, files::PersonsFile, texts::TOKEN_OPENS},
    random::Random,
    timeline::{Place, shorten},
    world::{ACCOUNTS, World},
};

/// The open statuses that AWS sets. The last one is unknown to casebridge.
const OPEN_STATUSES: [&str; 6] = [
    "opened",
    "work-in-progress",
    "pending-customer-action",
    "customer-action-completed",
    "pending-amazon-action",
    "status-of-tomorrow",
];

/// The subjects of cases that people open. Some name an incident, as people do.
const OWN_SUBJECTS: [&str; 3] =
    ["Question about my bill [INC0010001]", "RE: [INC0010001] Instance unreachable", "Instance unreachable"];

/// Whether a first line is one of ours: it has a mark and no token of a person.
fn is_frame(line: &str) -> bool {
    line.contains("[ref ") && !line.contains(TOKEN_OPENS)
}

impl World {
    /// An account loses its plan or its keys.
    pub fn lose_access(&mut self, random: &mut Random) {
        let account = AccountId::new(random.pick(&ACCOUNTS).0);
        let refusal = *random.pick(&[Refusal::Subscription, Refusal::Credentials]);
        self.note(Place::Aws, || format!("account {account} is refused: {refusal:?}"));
        self.refused_accounts.insert(account, refusal);
    }

    /// Returns the first line of some text of ours with its mark, or a line that looks like one.
    pub fn some_first_line(&self, random: &mut Random) -> String {
        let bodies: Vec<&str> =
            self.our_cases().flat_map(|case| &case.communications).map(|seen| seen.body.as_str()).collect();
        let copied = bodies.get(random.index(bodies.len())).and_then(|body| body.lines().next());
        copied
            .filter(|line| is_frame(line))
            .unwrap_or("INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]")
            .to_owned()
    }

    /// Lets somebody do a deed to a random case, if it is possible now. Returns whether it was done.
    pub fn do_at_aws(&mut self, deed: Deed, random: &mut Random) -> bool {
        let mut cases = self.cases_for(deed);
        if cases.is_empty() && deed == Deed::ConsoleAfterClosing && self.close_one() {
            cases = self.cases_for(deed);
        }
        let Some((case_id, resolved)) = cases.get(random.index(cases.len())).cloned() else { return false };
        let email = format!("Admin (Role) <root@{}.example>", case_id.split('-').nth(1).unwrap_or_default());
        match deed {
            Deed::Reply | Deed::ReplyAndResolve => {
                let text = self.text(random, "r");
                self.write_at_aws(&case_id, &text, None);
                if deed == Deed::ReplyAndResolve {
                    self.set_case_status(&case_id, "resolved");
                }
            }
            Deed::Console | Deed::ConsoleAfterClosing => {
                let text = self.text(random, "r");
                self.write_at_aws(&case_id, &text, Some(&email));
            }
            Deed::Copy => {
                let case = self.support.case(&case_id);
                let bodies: Vec<String> = case
                    .map(|case| case.communications.iter().map(|seen| seen.body.clone()).collect())
                    .unwrap_or_default();
                let line = bodies.get(random.index(bodies.len())).and_then(|body| body.lines().next());
                // A token must be in one text only, so only a line without tokens is copied.
                let line = line.filter(|line| is_frame(line)).unwrap_or("As you said:");
                let text = format!("{line}\n\n{}", self.token("m"));
                let author = if random.chance(500) { Some(email.as_str()) } else { None };
                self.write_at_aws(&case_id, &text, author);
            }
            Deed::Burst => {
                for _ in 0..3 {
                    let text = self.text(random, "r");
                    self.write_at_aws(&case_id, &text, None);
                }
            }
            Deed::Rename => {
                let language = *random.pick(&["fr", "ja", "en"]);
                let now = self.aws_now();
                let set = self.support.set_language(now, &case_id, language);
                self.memory.renamed.insert(first_id(&case_id));
                self.note(Place::Aws, || format!("{case_id} is told in {language} from now on {set:?}"));
            }
            Deed::Escalate => {
                let severity = *random.pick(&SEVERITIES);
                self.change_severity(&case_id, severity);
            }
            Deed::Status if !resolved => {
                let status = *random.pick(&OPEN_STATUSES);
                self.set_case_status(&case_id, status);
            }
            Deed::ResolveCase if !resolved => self.set_case_status(&case_id, "resolved"),
            // AWS reopens no case after its fourteen days.
            Deed::ReopenCase if resolved && !self.is_too_old_to_reopen(&case_id) => {
                self.set_case_status(&case_id, "reopened");
            }
            _ => return false,
        }
        true
    }

    /// Somebody writes on a random case and adds files. Returns whether there is a case.
    pub fn write_with_files(&mut self, random: &mut Random, files: Vec<PersonsFile>) -> bool {
        let cases: Vec<String> = self.support.cases().iter().map(|case| case.case_id.clone()).collect();
        let Some(case_id) = cases.get(random.index(cases.len())).cloned() else { return false };
        let email = format!("Admin (Role) <root@{}.example>", case_id.split('-').nth(1).unwrap_or_default());
        let author = if random.chance(300) { Some(email.as_str()) } else { None };
        let text = self.text(random, "f");
        self.note(Place::Aws, || {
            let files: Vec<String> = files.iter().map(|file| format!("{} {:?}", file.name, file.content)).collect();
            format!("files {}", files.join(", "))
        });
        let files = files.into_iter().map(|file| NamedFile { name: file.name.to_owned(), content: file.content });
        self.write_at_aws_with(&case_id, &text, author, files.collect());
        true
    }

    /// Somebody writes on a case: the customer of this name, or AWS with `None`.
    pub fn write_at_aws(&mut self, case_id: &str, text: &str, author: Option<&str>) {
        self.write_at_aws_with(case_id, text, author, Vec::new());
    }

    /// Somebody writes on a case as `write_at_aws` says, with files.
    pub fn write_at_aws_with(&mut self, case_id: &str, text: &str, author: Option<&str>, files: Vec<NamedFile>) {
        let now = self.aws_now();
        let was_resolved = self.support.case(case_id).is_some_and(Case::is_resolved);
        let written = self.support.communicate_with_files(now, case_id, text, author, files);
        self.note_status_change(case_id, was_resolved);
        self.note(Place::Aws, || format!("{} writes {} {written:?}", author.unwrap_or("AWS"), shorten(text)));
        let last = self.support.case(case_id).and_then(|case| case.communications.last());
        if let (Ok(()), Some(last)) = (written, last) {
            self.memory.persons.insert((first_id(case_id), last.time_created));
        }
    }

    /// The customer changes the severity in the console, to one that the account's plan has.
    fn change_severity(&mut self, case_id: &str, severity: &str) {
        let now = self.aws_now();
        let before = self.support.case(case_id).map(|case| case.severity_code.clone());
        let set = self.support.set_severity(now, case_id, severity);
        self.note(Place::Aws, || format!("{case_id} gets severity {severity} {set:?}"));
        if set.is_ok() && before.as_deref() != Some(severity) {
            *self.memory.severity_changes.entry(first_id(case_id)).or_default() += 1;
        }
    }

    /// Somebody at AWS sets a case's status.
    pub fn set_case_status(&mut self, case_id: &str, status: &str) {
        let now = self.aws_now();
        let was_resolved = self.support.case(case_id).is_some_and(Case::is_resolved);
        let set = self.support.set_status(now, case_id, status);
        self.note_status_change(case_id, was_resolved);
        self.note(Place::Aws, || format!("{case_id} becomes {status} {set:?}"));
    }

    /// Returns the cases on which this may be done, each with whether it is resolved.
    fn cases_for(&self, deed: Deed) -> Vec<(String, bool)> {
        let is_wanted = |case: &&Case| deed != Deed::ConsoleAfterClosing || self.is_incident_closed(case);
        let cases = self.support.cases().iter().filter(is_wanted);
        cases.map(|case| (case.case_id.clone(), case.is_resolved())).collect()
    }

    fn is_too_old_to_reopen(&self, case_id: &str) -> bool {
        let resolved_at = self.support.case(case_id).and_then(Case::resolved_at);
        resolved_at.is_some_and(|at| self.aws_now().duration_since(at) > REOPEN_WINDOW)
    }

    /// Lets somebody open a case in the console. Returns whether AWS accepted it.
    pub fn do_open_own_case(&mut self, random: &mut Random) -> bool {
        let account = random.pick(&ACCOUNTS).0;
        let body = self.text(random, "o");
        let subject = *random.pick(&OWN_SUBJECTS);
        let severity = *random.pick(&["low", "normal", "urgent"]);
        self.open_own_case(account, subject, severity, &body)
    }

    /// Somebody opens a case with this text. Returns whether AWS accepted it.
    pub fn open_own_case(&mut self, account: &str, subject: &str, severity: &str, body: &str) -> bool {
        let now = self.aws_now();
        let request = CreateCase {
            subject: Some(subject.to_owned()),
            communication_body: Some(body.to_owned()),
            severity_code: Some(severity.to_owned()),
            ..CreateCase::default()
        };
        let Ok(case_id) = self.support.create_case(now, account, &request) else { return false };
        self.note(Place::Aws, || format!("{case_id} is opened in the console: {}", shorten(body)));
        if let Some(first) = self.support.case(&case_id).and_then(|case| case.communications.first()) {
            self.memory.persons.insert((first_id(&case_id), first.time_created));
        }
        self.memory.own_cases.insert(first_id(&case_id));
        true
    }
}
