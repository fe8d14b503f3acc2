//! Worlds by hand: stories in which the test decides what people do and which faults strike.

use casebridge_core::{identifiers::IncidentId, servicenow::incident::IncidentState};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{CALLS, Fate, RemoteCall},
    contents::FileBytes,
    explore::{self, Outcome},
    faults::Source,
    sabotage::Sabotage,
    schedule::Life,
    servicenow::model::{Change, Journal},
    settings::Settings,
    world::ACCOUNTS,
};

/// A world that a test controls.
pub struct Script {
    /// The life.
    pub life: Life,
}

/// An incident that a test controls.
pub type Handle = IncidentId;

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Script {
    /// Returns a world with hints in which the poller runs every minute.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Returns a world with changed settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { faults: Source::Scripted([].into()), told: true, ..Settings::quiet(1) };
        change(&mut settings);
        let mut life = Life::new(settings);
        life.begin();
        Self { life }
    }

    /// Returns a world in which a safeguard is off.
    pub fn sabotaged(sabotage: Sabotage) -> Self {
        Self::with(|settings| settings.sabotage = Some(sabotage))
    }

    /// Sets the fates of the next calls of this kind, one fate for each call.
    pub fn fate(&mut self, call: RemoteCall, fates: &[Fate]) -> &mut Self {
        self.life.desk.world.borrow_mut().faults.order(call, fates);
        self
    }

    /// From now on, reads of AWS show what was there this many seconds ago.
    pub fn lag(&mut self, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().read_lag = SignedDuration::from_secs(seconds);
        self
    }

    /// From now on, the request of each call, and its answer, take this many seconds more.
    pub fn delay(&mut self, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().delay = SignedDuration::from_secs(seconds);
        self
    }

    /// From now on, the request of each call of this kind takes this many seconds more.
    pub fn delay_call(&mut self, call: RemoteCall, seconds: i64) -> &mut Self {
        self.life.desk.world.borrow_mut().delays.insert(call, SignedDuration::from_secs(seconds));
        self
    }

    /// Runs the world for this many seconds.
    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        self.life.run_for(SignedDuration::from_secs(seconds));
        self
    }

    /// Runs the world until this many calls of this kind have begun, counted from the beginning of the world.
    pub fn until(&mut self, call: RemoteCall, times: u64) -> &mut Self {
        while self.calls(call) < times && self.life.step() {}
        self
    }

    /// Ends the random faults and runs the world until nothing is left to do.
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

    /// A query rule or a domain hides the incident from the integration user, or shows it again. The incident is not
    /// saved.
    pub fn hide(&mut self, id: &Handle, is_hidden: bool) -> &mut Self {
        {
            let hidden = &mut self.life.desk.world.borrow_mut().servicenow.hidden;
            if is_hidden {
                hidden.insert(id.clone(), Timestamp::MAX)
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

    /// An agent attaches a file of so many bytes.
    pub fn attach(&mut self, id: &Handle, name: &str, bytes: u64) -> &mut Self {
        {
            let world = &mut *self.life.desk.world.borrow_mut();
            let now = world.servicenow_now();
            world.servicenow.attach(now, "abel.tuter", id, name, FileBytes::generated(bytes, bytes));
        }
        self.life.follow_up();
        self
    }

    /// An agent sets the state. With a state that ends the incident, the agent sets the close code and notes too.
    pub fn set_state(&mut self, id: &Handle, state: IncidentState) -> &mut Self {
        let closing = state.is_ended().then(|| ("Solution provided".to_owned(), "Done.".to_owned()));
        self.save(id, &Change { state: Some(state), closing, ..Change::default() })
    }

    /// Returns the texts that casebridge delivered to the incident, oldest first.
    pub fn delivered(&self, id: &Handle) -> Vec<String> {
        self.life.desk.world.borrow().servicenow.delivered_to(id).map(|row| row.text.clone()).collect()
    }

    /// Returns how many of the delivered texts contain this text.
    pub fn count_on_incident(&self, id: &Handle, text: &str) -> usize {
        self.delivered(id).iter().filter(|delivered| delivered.contains(text)).count()
    }

    /// Returns all comments on the incident, oldest first.
    pub fn journal(&self, id: &Handle) -> Vec<Journal> {
        self.life.desk.world.borrow().servicenow.comments_of(id).cloned().collect()
    }

    /// Returns the incident's state.
    pub fn state(&self, id: &Handle) -> IncidentState {
        self.life.desk.world.borrow().servicenow.incidents[id].summary.state.clone()
    }

    /// Returns `sync_status` and `last_error` of the incident.
    pub fn sync_status(&self, id: &Handle) -> (String, String) {
        let columns = self.life.desk.world.borrow().servicenow.incidents[id].summary.columns.clone();
        (columns.sync_status, columns.last_error)
    }

    /// Returns how many remote calls of all kinds were made.
    pub fn all_calls(&self) -> u64 {
        CALLS.into_iter().filter(|call| call.is_remote()).map(|call| self.calls(call)).sum()
    }

    /// Returns how often this call was made.
    pub fn calls(&self, call: RemoteCall) -> u64 {
        self.life.desk.world.borrow().faults.calls_of(call)
    }

    /// Returns the story so far.
    pub fn story(&self) -> String {
        self.life.desk.world.borrow().timeline.tell()
    }

    /// Lets the world come to rest and judges it by all invariants.
    pub fn conclude(mut self) -> Outcome {
        self.settle();
        explore::conclude(self.life)
    }

    /// Lets the world come to rest. Every invariant must hold.
    ///
    /// # Panics
    /// If an invariant is broken. The message has the story.
    pub fn must_hold(self) {
        let outcome = self.conclude();
        let first = outcome.violations.first();
        assert!(first.is_none(), "{first:?}\n{}", outcome.story);
    }
}
