//! Worlds by hand: a story in which people and faults come when the test says so.

use casebridge_core::{identifiers::IncidentId, servicenow::incident::IncidentState};
use jiff::SignedDuration;

use crate::{
    calls::{CALLS, Fate, RemoteCall},
    explore::{self, Outcome},
    faults::Source,
    sabotage::Sabotage,
    schedule::Life,
    servicenow::model::{Change, Journal},
    settings::Settings,
    world::ACCOUNTS,
};

/// A world in the hands of a test.
pub struct Script {
    /// The life.
    pub life: Life,
}

/// An incident in the hands of a test.
pub type Handle = IncidentId;

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Script {
    /// A world with hints, in which the poller runs every minute.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world of other settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { faults: Source::Scripted([].into()), told: true, ..Settings::quiet(1) };
        change(&mut settings);
        let mut life = Life::new(settings);
        life.begin();
        Self { life }
    }

    /// A world in which a safeguard is off.
    pub fn sabotaged(sabotage: Sabotage) -> Self {
        Self::with(|settings| settings.sabotage = Some(sabotage))
    }

    /// The next calls of this kind meet these fates.
    pub fn fate(&mut self, call: RemoteCall, fates: &[Fate]) -> &mut Self {
        self.life.desk.world.borrow_mut().faults.order(call, fates);
        self
    }

    /// From now on, reads of AWS show what was there so many seconds ago.
    pub fn lag(&mut self, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().read_lag = SignedDuration::from_secs(seconds);
        self
    }

    /// From now on, each way of a call takes so many seconds more.
    pub fn delay(&mut self, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().delay = SignedDuration::from_secs(seconds);
        self
    }

    /// From now on, each call of this kind takes so many seconds more.
    pub fn delay_call(&mut self, call: RemoteCall, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().delays.insert(call, SignedDuration::from_secs(seconds));
        self
    }

    /// So many seconds pass.
    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        self.life.run_for(SignedDuration::from_secs(seconds));
        self
    }

    /// The world goes on until a call has been begun so many times since the beginning.
    pub fn until(&mut self, call: RemoteCall, times: u64) -> &mut Self {
        while self.calls(call) < times && self.life.step() {}
        self
    }

    /// The world goes on until nothing is left to do.
    pub fn settle(&mut self) -> &mut Self {
        self.life.calm_down();
        self
    }

    /// An agent opens an incident in scope of the first account.
    pub fn open(&mut self, description: &str) -> Handle {
        self.open_in(ACCOUNTS[0].1, description)
    }

    /// An agent opens an incident in a group, with service and category.
    pub fn open_in(&mut self, group: &str, description: &str) -> Handle {
        let change = Change {
            group: Some(group.to_owned()),
            codes: Some(("aws-lambda".to_owned(), "other".to_owned())),
            ..Change::default()
        };
        let id = self.life.desk.world.borrow_mut().open(description, change);
        self.life.follow_up();
        id
    }

    /// An agent saves an incident.
    pub fn save(&mut self, id: &Handle, change: &Change) -> &mut Self {
        self.life.desk.world.borrow_mut().save(id, change);
        self.life.follow_up();
        self
    }

    /// A query rule or a domain hides the incident from the integration user, or shows it again. Nobody saves it.
    pub fn hide(&mut self, id: &Handle, is_hidden: bool) -> &mut Self {
        {
            let hidden = &mut self.life.desk.world.borrow_mut().servicenow.hidden;
            if is_hidden {
                hidden.insert(id.clone())
            } else {
                hidden.remove(id)
            };
        }
        self
    }

    /// An agent comments.
    pub fn comment(&mut self, id: &Handle, text: &str) -> &mut Self {
        self.save(id, &Change { comment: Some(text.to_owned()), ..Change::default() })
    }

    /// An agent sets the state; a resolution with its code and notes.
    pub fn set_state(&mut self, id: &Handle, state: IncidentState) -> &mut Self {
        let closing = state.is_ended().then(|| ("Solution provided".to_owned(), "Done.".to_owned()));
        self.save(id, &Change { state: Some(state), closing, ..Change::default() })
    }

    /// What casebridge delivered to the incident.
    pub fn delivered(&self, id: &Handle) -> Vec<String> {
        self.life.desk.world.borrow().servicenow.delivered_to(id).map(|row| row.text.clone()).collect()
    }

    /// How many of them contain this.
    pub fn count_on_incident(&self, id: &Handle, text: &str) -> usize {
        self.delivered(id).iter().filter(|delivered| delivered.contains(text)).count()
    }

    /// All comments on the incident.
    pub fn journal(&self, id: &Handle) -> Vec<Journal> {
        self.life.desk.world.borrow().servicenow.comments_of(id).cloned().collect()
    }

    /// The incident's state.
    pub fn state(&self, id: &Handle) -> IncidentState {
        self.life.desk.world.borrow().servicenow.incidents[id].summary.state.clone()
    }

    /// `sync_status` and `last_error` on the incident.
    pub fn sync_status(&self, id: &Handle) -> (String, String) {
        let columns = self.life.desk.world.borrow().servicenow.incidents[id].summary.columns.clone();
        (columns.sync_status, columns.last_error)
    }

    /// How many remote calls of all kinds were made.
    pub fn all_calls(&self) -> u64 {
        CALLS.into_iter().filter(|call| call.is_remote()).map(|call| self.calls(call)).sum()
    }

    /// How often a call was made.
    pub fn calls(&self, call: RemoteCall) -> u64 {
        self.life.desk.world.borrow().faults.calls_of(call)
    }

    /// What happened so far.
    pub fn story(&self) -> String {
        self.life.desk.world.borrow().timeline.tell()
    }

    /// Comes to rest and is judged by all invariants.
    pub fn conclude(mut self) -> Outcome {
        self.settle();
        explore::conclude(self.life)
    }

    /// Comes to rest; every invariant must hold.
    ///
    /// # Panics
    /// With the story, if one does not.
    pub fn must_hold(self) {
        let outcome = self.conclude();
        let first = outcome.violations.first();
        assert!(first.is_none(), "{first:?}\n{}", outcome.story);
    }
}
