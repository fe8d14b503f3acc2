//! The invariants: what must hold when a world has come to rest.

use std::collections::BTreeMap;

use casebridge_core::{
    identifiers::{AccountId, IncidentId, LinkKey},
    link::mark::{Mark, without_marks},
    servicenow::delivery::MessageKind,
    support::{SupportCase, render::PART_BYTES},
};
use casebridge_simulator::support::{Case, REOPEN_WINDOW, oddities::nearest_second, redaction::redact};
use jiff::{SignedDuration, Timestamp};

use crate::{
    pauses::PAUSED,
    people::{AUTOMATIC_CLOSING, EQUAL_TEXTS, REFUSED_LETTER, tokens},
    schedule::Life,
    servicenow_model::{Journal, Record, harmless},
    world::{Invariant, World, first_id},
};

/// How an agent is told what no one can mend.
const NOTICES: [&str; 5] = [
    "ServiceNow refused a message of AWS",
    "A comment was written after this incident was closed",
    "A comment was not sent to AWS: this incident was closed while",
    "A comment by casebridge's own user belongs to no delivery",
    "AWS Support refused a text of this incident",
];
/// What stands on the incident in the place of a text that ServiceNow refuses.
const LEFT_OUT_REPLY: &str = "ServiceNow does not accept this text";
/// What stands on the case in the place of a text that AWS refuses.
const LEFT_OUT: &str = "AWS Support does not accept this text";
/// How an agent is told that a text reopened nothing.
const TOLD_OF_REPETITION: &str = "A text that has reopened this incident before came again";
/// How many writes beyond the loop breaker's bound may tell that it has tripped.
const REPORTS_BEYOND_BOUND: usize = 5;

/// Whether casebridge wrote a communication.
fn is_ours(world: &World, case: &Case, index: usize) -> bool {
    !world.memory.persons.contains(&(first_id(&case.case_id), case.communications[index].time_created))
}

/// Our texts on a case, in the order of their writing.
fn our_bodies<'a>(world: &World, case: &'a Case) -> Vec<&'a str> {
    let bodies = case.communications.iter().enumerate().filter(|(index, _)| is_ours(world, case, *index));
    bodies.map(|(_, communication)| communication.body.as_str()).collect()
}

/// The text of a body of ours, without its first line.
fn content(body: &str) -> &str {
    body.split_once("\n\n").map_or("", |(_, content)| content)
}

impl World {
    /// The incident that a case of ours was opened for.
    pub fn incident_of(&self, case: &Case) -> Option<IncidentId> {
        self.incident_in(&case.subject)
    }

    /// The incident that the subject of a case names.
    pub fn incident_in(&self, subject: &str) -> Option<IncidentId> {
        let (_, rest) = subject.split_once('[')?;
        let (number, _) = rest.split_once(']')?;
        let record = self.all_incidents().find(|record| record.summary.number == number)?;
        Some(record.summary.sys_id.clone())
    }

    /// The incidents that are and those that were.
    fn all_incidents(&self) -> impl Iterator<Item = &Record> {
        self.servicenow.incidents.values().chain(self.memory.gone.values())
    }

    /// Whether AWS refuses the case's account to the end: what happens there is not seen.
    fn is_blind_to(&self, case: &Case) -> bool {
        self.refused_accounts.contains_key(&AccountId::new(case.account.as_str()))
    }

    /// Whether what people did on the incident may not have arrived: AWS refuses it for good, or the link pauses, and the
    /// agent was told.
    pub fn is_excused(&self, incident: &IncidentId) -> bool {
        self.is_refused(incident) || self.is_told_of_pause(incident)
    }

    /// Whether AWS refuses what people did on the incident, and the agent was told.
    fn is_refused(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        let Some(record) = record.filter(|record| record.summary.columns.sync_status == "error") else { return false };
        // A copy names its original's account, whether or not it ever was in scope itself.
        let named = AccountId::new(record.summary.columns.account.as_str());
        let mut accounts = self.memory.ever_in_scope.get(incident).into_iter().flatten().chain([&named]);
        let is_refused = accounts.any(|account| self.refused_accounts.contains_key(account));
        let resolved_at = || self.case_of(incident).and_then(Case::resolved_at);
        let is_too_old = || resolved_at().is_some_and(|at| self.aws_now().duration_since(at) > REOPEN_WINDOW);
        is_refused || is_too_old()
    }

    /// Whether an agent was told that a text which had reopened the incident before came again and reopened nothing.
    fn is_told_of_repetition(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && columns.last_error.starts_with(TOLD_OF_REPETITION)
        })
    }

    /// The case of an incident, if it has exactly one.
    fn case_of(&self, incident: &IncidentId) -> Option<&Case> {
        self.cases_of(incident).next()
    }

    /// Counts a write to a link for the loop breaker's bound.
    pub fn count_write(&mut self, incident: IncidentId) {
        let now = self.now;
        let window = SignedDuration::from_secs(i64::from(self.settings.policy.write_window_seconds));
        let bound = self.settings.policy.writes_per_window as usize + REPORTS_BEYOND_BOUND;
        let writes = self.memory.writes.entry(incident).or_default();
        writes.push(now);
        // A call arrives a little after it was counted by the one who made it.
        let slack = SignedDuration::from_secs(30);
        let recent = writes.iter().filter(|at| now.duration_since(**at) < window - slack).count();
        if recent > bound {
            self.violate(Invariant::Bounds, format!("{recent} writes in the window, {bound} are allowed"));
        }
    }

    /// Judges a case as soon as casebridge has written to it.
    pub fn check_write_to_case(&mut self, case_id: &str) {
        let Some(case) = self.support.case(case_id).cloned() else { return };
        let Some(incident) = self.incident_of(&case) else {
            self.violate(Invariant::OneCase, format!("{case_id} belongs to no incident"));
            return;
        };
        let open = self.our_cases().filter(|other| {
            other.account == case.account && !other.is_resolved() && self.incident_of(other).as_ref() == Some(&incident)
        });
        if open.count() > 1 {
            self.violate(Invariant::OneCase, format!("{} has two open cases", self.number_of(&incident)));
        }
        self.count_write(incident);
    }

    /// Whether people wrote the text with this token on this incident. A copy of an incident has its description.
    fn is_written_on(&self, token: &str, incident: Option<&IncidentId>) -> bool {
        let mut rows = self.servicenow.journal.iter().filter(|row| !row.is_ours() && row.text.contains(token));
        let mut described = self.all_incidents().filter(|record| record.description.contains(token));
        rows.any(|row| Some(&row.incident) == incident)
            || described.any(|record| Some(&record.summary.sys_id) == incident)
    }

    /// Whether an agent was told of something that no one can mend: what was written after the closing, what another account's
    /// group left on a closed incident, and what is by casebridge's own user and in no delivery stay at home.
    fn is_told_of_a_notice(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && NOTICES.iter().any(|notice| columns.last_error.starts_with(notice))
        })
    }

    /// Whether nobody ever looked at an incident, and nobody will while it stays ended: it is a copy without a case, was out of
    /// scope when it was made, since its account was out of use just then, and was closed or resolved since. It may still
    /// show what its source was told.
    fn is_unheard_of(&self, incident: &IncidentId) -> bool {
        let record = &self.servicenow.incidents[incident];
        record.summary.state.is_ended()
            && record.summary.columns.case_id.is_empty()
            && !self.servicenow.is_announced(incident)
    }

    fn fail(&mut self, invariant: Invariant, what: String) {
        self.violate(invariant, what);
    }
}

/// Judges a world that has come to rest.
pub fn judge(life: &mut Life) {
    let incidents: Vec<IncidentId> = life.desk.world.borrow().servicenow.incidents.keys().cloned().collect();
    {
        let world = &mut *life.desk.world.borrow_mut();
        judge_cases(world, &incidents);
        judge_confidentiality(world);
        judge_gone(world);
        for incident in &incidents {
            judge_messages(world, incident);
            world.judge_reactions(incident);
        }
    }
    for incident in &incidents {
        judge_convergence(life, incident);
    }
    count_doubts(life);
}

fn count_doubts(life: &Life) {
    let world = &mut *life.desk.world.borrow_mut();
    for key in life.desk.ledger.link_keys() {
        for (_, end) in life.desk.ledger.intent_ends(&key) {
            *world.tally.doubts.entry(end.unwrap_or("open")).or_default() += 1;
        }
    }
}

/// 2: one case for each incident that has been in scope, none for any other.
fn judge_cases(world: &mut World, incidents: &[IncidentId]) {
    let mut counts: BTreeMap<IncidentId, usize> = BTreeMap::new();
    for case in world.our_cases() {
        if let Some(incident) = world.incident_of(case) {
            *counts.entry(incident).or_default() += 1;
        }
    }
    for (incident, record) in world.memory.gone.clone() {
        if counts.get(&incident).is_some_and(|count| *count > 1) {
            world.fail(Invariant::OneCase, format!("{} has several cases", record.summary.number));
        }
    }
    for incident in incidents {
        let number = world.number_of(incident);
        let count = counts.get(incident).copied().unwrap_or_default();
        if count > 1 {
            world.fail(Invariant::OneCase, format!("{number} has {count} cases"));
        }
        if count > 0 && !world.memory.ever_in_scope.contains_key(incident) {
            world.fail(Invariant::OneCase, format!("{number} was never in scope and has a case"));
        }
        let record = &world.servicenow.incidents[incident];
        let wants = world.servicenow.is_in_scope(record) && !record.summary.state.is_ended();
        if count == 0 && wants && !world.is_excused(incident) {
            world.fail(Invariant::NothingLost, format!("{number} is in scope and has no case"));
        }
    }
}

/// 3: no work note at AWS, and no text on a case or an incident that it does not belong to.
fn judge_confidentiality(world: &mut World) {
    let mut found = Vec::new();
    for case in world.support.cases() {
        let incident = world.incident_of(case).filter(|_| !world.memory.own_cases.contains(&first_id(&case.case_id)));
        for communication in &case.communications {
            if communication.body.contains("«SECRET") {
                found.push(format!("a work note is on {}", case.case_id));
            }
        }
        for body in our_bodies(world, case) {
            if body.contains(AUTOMATIC_CLOSING) {
                found.push(format!("the platform's word is on {}", case.case_id));
            }
            for token in tokens(body) {
                if !world.is_written_on(token, incident.as_ref()) {
                    found.push(format!("{token} is on {}, which is another incident's", case.case_id));
                }
            }
        }
    }
    for row in world.servicenow.journal.iter().filter(|row| row.is_ours()) {
        let case = world.case_of(&row.incident);
        for token in tokens(&row.text) {
            let written = case.is_some_and(|case| case.communications.iter().any(|seen| seen.body.contains(token)));
            if !written {
                found.push(format!("{token} is on {}, and not on its case", world.number_of(&row.incident)));
            }
        }
    }
    for what in found {
        world.fail(Invariant::Confidential, what);
    }
}

/// 1: no text of a deleted incident is on its case more than once.
fn judge_gone(world: &mut World) {
    let mut found = Vec::new();
    for (incident, record) in &world.memory.gone {
        let Some(case) = world.case_of(incident) else { continue };
        let bodies = our_bodies(world, case);
        let comments = world.servicenow.comments_of(incident).filter(|row| !row.is_ours());
        let texts = std::iter::once(record.description.as_str()).chain(comments.map(|row| row.text.as_str()));
        for token in texts.flat_map(tokens) {
            expect_once(occurrences(&bodies, token).len(), 0, Invariant::ExactlyOnce, token, &mut found);
        }
    }
    for (invariant, what) in found {
        world.fail(invariant, format!("a deleted incident: {what}"));
    }
}

/// 1 and 8: every message once on the other side, in order.
fn judge_messages(world: &mut World, incident: &IncidentId) {
    let Some(case) = world.case_of(incident).cloned() else {
        return;
    };
    let mut found = Vec::new();
    judge_comments(world, incident, &case, &mut found);
    judge_replies(world, incident, &case, &mut found);
    judge_notices(world, incident, &case, &mut found);
    let number = world.number_of(incident);
    for (invariant, what) in found {
        world.fail(invariant, format!("{number}: {what}"));
    }
}

fn occurrences(bodies: &[&str], token: &str) -> Vec<(usize, usize)> {
    let found = |(index, body): (usize, &&str)| -> Vec<(usize, usize)> {
        body.match_indices(token).map(|(position, _)| (index, position)).collect()
    };
    bodies.iter().enumerate().flat_map(found).collect()
}

type Findings = Vec<(Invariant, String)>;

/// Comments of people, on the case.
fn judge_comments(world: &World, incident: &IncidentId, case: &Case, found: &mut Findings) {
    let bodies = our_bodies(world, case);
    let description = world.servicenow.incidents[incident].description.clone();
    let fewest = usize::from(!world.is_excused(incident));
    for token in tokens(&description) {
        expect_once(occurrences(&bodies, token).len(), fewest, Invariant::ExactlyOnce, token, found);
    }
    let is_due = |row: &&Journal| !row.is_ours() && !row.text.starts_with(AUTOMATIC_CLOSING);
    let (late, comments): (Vec<&Journal>, Vec<&Journal>) = world
        .servicenow
        .comments_of(incident)
        .filter(is_due)
        .partition(|row| world.memory.after_closing.contains(&row.sys_id));
    let mut last: Option<((usize, usize), Timestamp)> = None;
    let mut missing: Option<Timestamp> = None;
    let mut sorted = comments.clone();
    sorted.sort_by_key(|row| row.created_on);
    for row in &sorted {
        let has_mark = Mark::of_text(&row.text).is_some();
        let invariant = if has_mark { Invariant::Marks } else { Invariant::ExactlyOnce };
        let is_refused = row.text.contains(REFUSED_LETTER) && bodies.iter().any(|body| body.contains(LEFT_OUT));
        let is_left_out = is_refused || world.memory.left_behind.contains(&row.sys_id);
        let fewest = if is_left_out { 0 } else { fewest };
        for token in tokens(&row.text) {
            let places = occurrences(&bodies, token);
            expect_once(places.len(), fewest, invariant, token, found);
            let Some(place) = places.first().copied() else {
                if !is_left_out {
                    missing.get_or_insert(row.created_on);
                }
                continue;
            };
            if missing.is_some_and(|at| at < row.created_on) {
                found.push((Invariant::NothingLost, format!("{token} has arrived, and an earlier text has not")));
            }
            // Comments of the same second have no order of their own.
            if let Some((earlier, created_on)) = last
                && place < earlier
                && created_on < row.created_on
            {
                found.push((Invariant::ExactlyOnce, format!("{token} is out of order on the case")));
            }
            if last.is_none_or(|(earlier, _)| place > earlier) {
                last = Some((place, row.created_on));
            }
        }
    }
    for text in EQUAL_TEXTS {
        let is_needed = |row: &&&Journal| !world.memory.left_behind.contains(&row.sys_id);
        let expected = comments.iter().filter(is_needed).filter(|row| row.text == text).count();
        let written = comments.iter().chain(&late).filter(|row| row.text == text).count();
        let whole = bodies.iter().skip(1).filter(|body| content(body) == text).count();
        let digest = bodies.first().map_or(0, |opening| in_digest(opening, text));
        let fewest = if world.is_told_of_repetition(incident) { 0 } else { expected * fewest };
        if whole + digest > written || whole + digest < fewest {
            let what = format!("{text:?} is {} times on the case and was written {expected} times", whole + digest);
            found.push((Invariant::ExactlyOnce, what));
        }
    }
    judge_whole_texts(&bodies, &comments, found);
}

/// How often a text stands among the earlier comments of an opening.
fn in_digest(opening: &str, text: &str) -> usize {
    let entry = format!(" UTC:\n{text}");
    let ends = |rest: &str| rest.is_empty() || rest.starts_with("\n\n");
    opening.match_indices(&entry).filter(|(start, _)| ends(&opening[start + entry.len()..])).count()
}

/// Texts arrive as they were written, but for what AWS redacts and for marks, which are casebridge's alone.
fn judge_whole_texts(bodies: &[&str], comments: &[&Journal], found: &mut Findings) {
    for row in comments.iter().filter(|row| row.text.len() <= PART_BYTES) {
        let Some(token) = tokens(&row.text).next() else { continue };
        let harmless = without_marks(&row.text);
        let text = redact(&harmless);
        let whole = bodies.iter().filter(|body| body.contains(token)).all(|body| body.contains(text.as_ref()));
        if !whole {
            found.push((Invariant::ExactlyOnce, format!("the text of {token} was changed on its way")));
        }
    }
}

/// Whether AWS tells by its times that one moment was before another: it may show whole seconds, cut or rounded.
fn is_told_before(world: &World, one: Timestamp, other: Timestamp) -> bool {
    let is_lost_in_rounding =
        world.settings.oddities.seconds_are_rounded && nearest_second(one) >= nearest_second(other);
    one.as_second() < other.as_second() && !is_lost_in_rounding
}

/// Communications of others, on the incident.
fn judge_replies(world: &World, incident: &IncidentId, case: &Case, found: &mut Findings) {
    let delivered: Vec<&str> = world.servicenow.delivered_to(incident).map(|row| row.text.as_str()).collect();
    let mut left_out = delivered.iter().filter(|text| text.contains(LEFT_OUT_REPLY)).count();
    let fewest = usize::from(!world.is_blind_to(case));
    let as_comments = world.settings.policy.replies_become == MessageKind::Comment;
    if world.servicenow.delivered_to(incident).any(|row| row.is_comment() != as_comments) {
        found.push((Invariant::Confidential, "a reply is not of the kind that the policy says".to_owned()));
    }
    let mut last = None;
    let mut expected = 0;
    let mut equal: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, communication) in case.communications.iter().enumerate() {
        if is_ours(world, case, index) {
            continue;
        }
        expected += 1;
        if let Some(text) = EQUAL_TEXTS.iter().find(|text| **text == communication.body) {
            *equal.entry(text).or_default() += 1;
        }
        let invariant =
            if Mark::of_text(&communication.body).is_some() { Invariant::Marks } else { Invariant::ExactlyOnce };
        let shown = harmless(&without_marks(&communication.body));
        let shown_at_all = tokens(&communication.body).any(|token| !occurrences(&delivered, token).is_empty());
        if !shown_at_all && left_out > 0 && tokens(&communication.body).next().is_some() {
            left_out -= 1;
            continue;
        }
        for token in tokens(&communication.body) {
            let places = occurrences(&delivered, token);
            expect_once(places.len(), fewest, invariant, token, found);
            let Some(place) = places.first().copied() else { continue };
            if !contains_text(world, delivered[place.0], &shown) {
                found.push((Invariant::ExactlyOnce, format!("the text of {token} was changed on its way")));
            }
            let written_at = communication.time_created;
            // One that quotes our text before that is shown is taken for ours at first: it may come late.
            if invariant == Invariant::Marks {
                continue;
            }
            if last.is_some_and(|(last, at)| place < last && is_told_before(world, at, written_at)) {
                found.push((Invariant::ExactlyOnce, format!("{token} is out of order on the incident")));
            }
            last = last.max(Some((place, written_at)));
        }
    }
    for (text, count) in equal {
        let times = delivered.iter().filter(|body| content(body) == text).count();
        if times > count || times + left_out < count * fewest {
            found.push((Invariant::ExactlyOnce, format!("{text:?} is {times} times on the incident, not {count}")));
        }
    }
    if delivered.len() > expected || delivered.len() < expected * fewest {
        let what = format!("{} comments of ours for {expected} communications", delivered.len());
        found.push((Invariant::ExactlyOnce, what));
    }
}

/// Each of our texts has a mark of its own, and a case is asked to go on at most as often as people reopened.
fn judge_notices(world: &World, incident: &IncidentId, case: &Case, found: &mut Findings) {
    let bodies = our_bodies(world, case);
    let is_notice = |body: &&&str| body.lines().next().is_some_and(|line| line.contains("was reopened in ServiceNow."));
    let notices = bodies.iter().filter(is_notice).count();
    let reopenings = world.memory.reopenings.get(incident).copied().unwrap_or_default();
    if notices > reopenings {
        let what = format!("{notices} notices of reopening for {reopenings} reopenings");
        found.push((Invariant::ExactlyOnce, what));
    }
}

/// Whether a text is contained as it was written: letter by letter, unless AWS wraps it or redacts it later.
fn contains_text(world: &World, delivered: &str, written: &str) -> bool {
    let oddities = world.settings.oddities;
    delivered.contains(written)
        || oddities.redacted_after_seconds.is_some()
        || (oddities.reflowed_texts && plain(delivered).contains(&plain(written)))
}

/// The letters and digits of a text, without what encodes others.
fn plain(text: &str) -> String {
    let decoded = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    decoded.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

fn expect_once(count: usize, fewest: usize, invariant: Invariant, token: &str, found: &mut Findings) {
    if !(fewest..=1).contains(&count) {
        let lost = if count == 0 && invariant == Invariant::ExactlyOnce { Invariant::NothingLost } else { invariant };
        found.push((lost, format!("{token} is {count} times on the other side")));
    }
}

/// 5: both sides agree, the columns say so, and one more look finds nothing to do.
fn judge_convergence(life: &mut Life, incident: &IncidentId) {
    let key = LinkKey::support_case(incident.clone());
    if life.desk.world.borrow().pause_of(incident).is_some() {
        // What becomes of an account changes no incident: the next look tells the agent.
        life.look_again(&key);
    }
    let found = {
        let world = life.desk.world.borrow();
        let mut found = Vec::new();
        let record = &world.servicenow.incidents[incident];
        let refused = |case: &&Case| world.is_refused(incident) || world.is_blind_to(case);
        if let Some(case) = world.case_of(incident).filter(|case| !refused(case)) {
            let state = &record.summary.state;
            let final_state = state.is_closed();
            let told_of_repetition = world.is_told_of_repetition(incident);
            let pauses = world.is_told_of_pause(incident);
            if state.is_ended() != case.is_resolved() && !final_state && !told_of_repetition && !pauses {
                found.push(format!("the incident is {state:?} and the case is {}", case.status()));
            }
            let columns = &record.summary.columns;
            let (case_id, opened_as) = (first_id(&columns.case_id), first_id(&case.case_id));
            let told = (case_id.as_str(), columns.display_id.as_str(), columns.case_status.as_str());
            let true_ones = (opened_as.as_str(), case.display_id.as_str(), case.status());
            if told != true_ones {
                found.push(format!("the columns say {told:?}, and it is {true_ones:?}"));
            }
            let visible = final_state && !case.is_resolved();
            let told = told_of_repetition || pauses || world.is_told_of_a_notice(incident);
            let is_over = columns.last_error.starts_with(PAUSED) && !pauses;
            if (columns.sync_status != "in_sync" && !visible && !told) || is_over {
                found.push(format!("the sync status is {} {}", columns.sync_status, columns.last_error));
            }
            let has_ended = state.is_ended() && case.is_resolved();
            if let Some(pause) = world.pause_of(incident).filter(|_| !pauses && !has_ended) {
                found.push(format!("the link pauses ({pause}) and the sync status is {}", columns.sync_status));
            }
        }
        let undecided =
            life.desk.ledger.link::<SupportCase>(&key).ok().flatten().is_some_and(|link| link.intent.is_some());
        if undecided && !world.is_excused(incident) {
            found.push("a call is still in doubt".to_owned());
        }
        found
    };
    let number = life.desk.world.borrow().number_of(incident);
    for what in found {
        life.desk.world.borrow_mut().violate(Invariant::Convergence, format!("{number}: {what}"));
    }
    if life.desk.world.borrow().is_unheard_of(incident) {
        return;
    }
    let refused = {
        let world = life.desk.world.borrow();
        world.is_refused(incident) || world.case_of(incident).is_some_and(|case| world.is_blind_to(case))
    };
    if refused {
        // Nobody may have noticed yet that the account is refused: this look tells the agent.
        life.look_again(&key);
    }
    let report = life.look_again(&key);
    // What is refused may be tried once more, and is refused again.
    let in_vain = |(_, failure): &(_, Option<_>)| refused && failure.is_some();
    let idle = report.as_ref().is_some_and(|report| report.effects.iter().all(in_vain) && !report.deferred);
    if !idle {
        let what = format!("{number}: one more look finds something to do: {report:?}");
        life.desk.world.borrow_mut().violate(Invariant::Convergence, what);
    }
}
