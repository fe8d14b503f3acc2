//! Worlds by hand: the steps of a story that are about cases.

use casebridge_core::identifiers::LinkKey;
use casebridge_executor::Report;
use casebridge_simulator::support::{Case, attachments::NamedFile};

use crate::{
    contents::FileBytes,
    script::{Handle, Script},
};

impl Script {
    /// Opens an incident and waits until it has its case. Returns the incident, with both sides open and in step.
    ///
    /// # Panics
    /// If the incident gets no case.
    pub fn linked(&mut self) -> Handle {
        let id = self.open("It does not answer.");
        self.settle();
        assert!(self.case(&id).is_some(), "{}", self.story());
        id
    }

    /// AWS writes on the incident's case.
    pub fn reply(&mut self, id: &Handle, text: &str) -> &mut Self {
        self.write_on_case(id, text, None)
    }

    /// Somebody writes on the incident's case: the customer of this name, or AWS with `None`.
    pub fn write_on_case(&mut self, id: &Handle, text: &str, author: Option<&str>) -> &mut Self {
        let case_id = self.case_id(id);
        self.life.desk.world.borrow_mut().write_at_aws(&case_id, text, author);
        self.life.follow_up();
        self
    }

    /// AWS writes on the incident's case, with a file of so many bytes.
    pub fn reply_with_file(&mut self, id: &Handle, text: &str, name: &str, bytes: u64) -> &mut Self {
        let case_id = self.case_id(id);
        let file = NamedFile { name: name.to_owned(), content: FileBytes::generated(bytes, bytes) };
        self.life.desk.world.borrow_mut().write_at_aws_with(&case_id, text, None, vec![file]);
        self.life.follow_up();
        self
    }

    /// AWS sets the status of the incident's case.
    pub fn set_status(&mut self, id: &Handle, status: &str) -> &mut Self {
        let case_id = self.case_id(id);
        self.life.desk.world.borrow_mut().set_case_status(&case_id, status);
        self.life.follow_up();
        self
    }

    /// Returns the cases that casebridge opened for the incident.
    pub fn cases(&self, id: &Handle) -> Vec<Case> {
        let world = self.life.desk.world.borrow();
        world.cases_of(id).cloned().collect()
    }

    /// Returns the incident's case. Returns `None` if it has none.
    pub fn case(&self, id: &Handle) -> Option<Case> {
        self.cases(id).into_iter().next()
    }

    fn case_id(&self, id: &Handle) -> String {
        let world = self.life.desk.world.borrow();
        world.cases_of(id).next().map(|case| case.case_id.clone()).unwrap_or_default()
    }

    /// Returns all texts on the incident's case, oldest first.
    pub fn bodies(&self, id: &Handle) -> Vec<String> {
        let communications = self.case(id).map(|case| case.communications).unwrap_or_default();
        communications.into_iter().map(|communication| communication.body).collect()
    }

    /// Returns how many texts on the incident's cases contain this text.
    pub fn count_on_case(&self, id: &Handle, text: &str) -> usize {
        let cases = self.cases(id);
        cases.iter().flat_map(|case| &case.communications).filter(|seen| seen.body.contains(text)).count()
    }

    /// Returns the status of the incident's case. Returns an empty text if it has none.
    pub fn status(&self, id: &Handle) -> String {
        self.case(id).map(|case| case.status().to_owned()).unwrap_or_default()
    }

    /// Lets a worker look at the incident's link. Returns its report. Returns `None` if the ledger failed or the worker
    /// died.
    pub fn look_again(&mut self, id: &Handle) -> Option<Report> {
        self.life.look_again(&LinkKey::support_case(id.clone()))
    }
}
