//! Stories: what people do, each plan, and what both sides show afterwards, a line each.

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId},
    link::{
        mark::{Mark, marks_in},
        plan::Waiting,
    },
    servicenow::{columns::BridgeColumns, delivery::Delivery},
    support::{
        Effect, Pass, Plan,
        call::{Call, Content, Done, Part},
        case::CaseStatus,
    },
};

use crate::sides::{ACCOUNT, CASE_ID, Sides, start};

/// The id of the double.
const DOUBLE: &str = "case-111122223333-muen-2026-fedcba9876543210";
/// How many characters of a text a line shows.
const SHOWN_CHARACTERS: usize = 90;
/// The most passes that a story makes until nothing is left to do. A text that is refused takes the most.
const MAXIMUM_PASSES: usize = 20;

/// What the story last showed of both sides.
#[derive(Default)]
struct Told {
    entries: usize,
    communications: usize,
    incident: String,
    columns: String,
    case: String,
}

pub struct Story {
    pub sides: Sides,
    lines: Vec<String>,
    marks: Vec<Mark>,
    told: Told,
}

impl Story {
    /// Returns a story that begins with these sides.
    pub fn of(sides: Sides) -> Self {
        let mut story = Self { sides, lines: Vec::new(), marks: Vec::new(), told: Told::default() };
        story.look();
        story
    }

    /// Returns a story that begins with an incident and its case, both open and in step.
    pub fn linked() -> Self {
        Self::of(Sides::linked())
    }

    /// Adds what people do, in words, and then what both sides show.
    pub fn then(&mut self, what: &str, change: impl FnOnce(&mut Sides)) -> &mut Self {
        self.lines.push(format!("\n# {what}"));
        change(&mut self.sides);
        self.look();
        self
    }

    /// Makes passes until nothing is left to do.
    pub fn settle(&mut self) -> &mut Self {
        for _ in 0..MAXIMUM_PASSES {
            if !self.pass() {
                return self;
            }
        }
        panic!("the story does not come to an end:\n{}", self.text());
    }

    /// Makes one pass. Returns whether its plan had effects.
    fn pass(&mut self) -> bool {
        let mut pass = self.sides.observe();
        let plan = self.plan(&pass);
        for effect in &plan.effects {
            pass.count_write(&self.sides.policy, self.sides.now);
            let is_certain = self.apply(&mut pass, effect);
            self.look();
            if !is_certain {
                self.sides.see_case(&mut pass);
                break;
            }
        }
        self.sides.record(pass);
        !plan.effects.is_empty()
    }

    /// Makes a pass whose first call gets no answer and is not applied.
    pub fn lose_request(&mut self) -> &mut Self {
        let mut pass = self.sides.observe();
        let plan = self.plan(&pass);
        pass.begin(&plan.effects[0], self.sides.now);
        self.line("AWS", "(no answer)");
        pass.doubt("AWS Support did not answer").unwrap();
        self.sides.record(pass);
        self
    }

    /// Makes a pass whose first call is refused.
    pub fn refuse(&mut self, refusal: Refusal) -> &mut Self {
        let mut pass = self.sides.observe();
        let plan = self.plan(&pass);
        let Some(effect @ Effect::Call(call)) = plan.effects.first() else { panic!("{plan:?}") };
        pass.begin(effect, self.sides.now);
        self.line("AWS", &format!("(refused: {refusal:?})"));
        let failure = Failure::Refused { refusal, message: "no".to_owned() };
        pass.refused(&self.sides.policy, call, &failure, self.sides.now, 0).unwrap();
        self.sides.link = pass.link;
        self
    }

    /// Shows a case that a CreateCase without an answer has opened after L.
    pub fn double(&mut self) -> &mut Self {
        let mut pass = self.sides.observe();
        let mark = self.sides.link.memory.given_up_cases[0].mark.clone();
        let is_new = pass.see_double(&AccountId::new(ACCOUNT), &CaseId::new(DOUBLE), &mark, self.sides.now);
        assert!(is_new, "no double was seen");
        self.sides.record(pass);
        self
    }

    /// Looks for the first case without finding it, so that it is given up.
    pub fn give_up_case(&mut self) -> &mut Self {
        let mut pass = self.sides.observe();
        pass.settle_open_case(&self.sides.policy, None, self.sides.now);
        self.sides.link = pass.link;
        self
    }

    fn apply(&mut self, pass: &mut Pass, effect: &Effect) -> bool {
        let Effect::Call(call) = effect else { return self.sides.apply(pass, effect) };
        let (of_double, told) = match call {
            Call::AddCommunication { case_id, body, .. } => (case_id.as_str() == DOUBLE, self.on_one_line(body)),
            Call::ResolveCase { case_id, .. } => (case_id.as_str() == DOUBLE, "is resolved".to_owned()),
            Call::OpenCase { .. } => (false, String::new()),
        };
        if !of_double {
            return self.sides.apply(pass, effect);
        }
        pass.begin(effect, self.sides.now);
        self.line("AWS", &format!("double: {told}"));
        let done = match call {
            Call::AddCommunication { .. } => Done::CommunicationAdded,
            Call::ResolveCase { .. } => Done::CaseResolved { status: CaseStatus::new("resolved") },
            Call::OpenCase { .. } => Done::CaseOpened { case_id: CaseId::new(DOUBLE) },
        };
        pass.done(&self.sides.policy, done, self.sides.now).unwrap()
    }

    fn plan(&mut self, pass: &Pass) -> Plan {
        let plan = self.sides.plan(pass);
        let told = plan_lines(&plan);
        for line in told {
            let line = self.with_short_marks(&line);
            self.line("plan", &line);
        }
        plan
    }

    /// Adds what is new on both sides.
    fn look(&mut self) {
        let summary = self.sides.incident.summary.clone();
        for entry in self.sides.incident.entries.clone().iter().skip(self.told.entries) {
            let author = if entry.ours { "casebridge" } else { &entry.author };
            let text = self.on_one_line(&entry.text);
            self.line("ServiceNow", &format!("{author}: {text}"));
        }
        self.told.entries = self.sides.incident.entries.len();
        let incident = format!("{} is {:?}", summary.number, summary.state);
        let BridgeColumns { sync_status, last_error, .. } = &summary.columns;
        let status = if sync_status.is_empty() { "empty" } else { sync_status };
        let columns = format!("columns: {status} {last_error}");
        let communications: Vec<_> = self.sides.case.iter().flat_map(|case| case.communications.clone()).collect();
        for communication in communications.iter().skip(self.told.communications) {
            let text = self.on_one_line(&communication.body);
            let author = communication.submitted_by.split(" (").next().unwrap_or_default().to_owned();
            self.line("AWS", &format!("{author}: {text}"));
        }
        self.told.communications = communications.len();
        let case = self.sides.case.as_ref().map(|case| format!("case is {}", case.status)).unwrap_or_default();
        self.look_at("ServiceNow", incident, |told| &mut told.incident);
        self.look_at("ServiceNow", columns, |told| &mut told.columns);
        self.look_at("AWS", case, |told| &mut told.case);
    }

    /// Adds what one place shows, if that differs from what the story last showed of it.
    fn look_at(&mut self, place: &str, now: String, told: fn(&mut Told) -> &mut String) {
        if *told(&mut self.told) != now {
            self.line(place, now.trim_end());
            *told(&mut self.told) = now;
        }
    }

    fn line(&mut self, place: &str, what: &str) {
        let clock = clock(self.sides.now.duration_since(start()).as_secs());
        self.lines.push(format!("{clock}  {place:10}  {what}"));
    }

    /// Returns a text on one line, with short marks. If the text is cut, its length follows.
    fn on_one_line(&mut self, text: &str) -> String {
        let line = self.with_short_marks(text).replace("\n\n", " / ").replace('\n', " / ");
        if line.chars().count() <= SHOWN_CHARACTERS {
            return line;
        }
        let head: String = line.chars().take(SHOWN_CHARACTERS).collect();
        format!("{head}… ({} bytes)", text.len())
    }

    /// Returns the text with its marks numbered in the order in which the story shows them.
    fn with_short_marks(&mut self, text: &str) -> String {
        let mut short = text.to_owned();
        for mark in marks_in(text) {
            let known = self.marks.iter().position(|known| *known == mark);
            let number = known.unwrap_or_else(|| {
                self.marks.push(mark.clone());
                self.marks.len() - 1
            });
            short = short.replace(mark.as_str(), &(number + 1).to_string());
        }
        short
    }

    /// Returns the story so far.
    pub fn text(&self) -> String {
        self.lines.join("\n").trim_start().to_owned()
    }
}

/// Returns a number of things, in words.
fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn clock(seconds: i64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Returns a plan as lines for people, one for each effect or wait.
fn plan_lines(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan.effects.iter().map(effect_line).collect();
    lines.extend(plan.waits.iter().map(wait_line));
    if lines.is_empty() {
        lines.push("nothing to do".to_owned());
    }
    lines
}

fn effect_line(effect: &Effect) -> String {
    match effect {
        Effect::Call(Call::OpenCase { account, request, covers, remainder, mark, .. }) => {
            let comments =
                if covers.is_empty() { String::new() } else { format!(", with {}", counted(covers.len(), "comment")) };
            let rest = if remainder.is_some() { ", in part" } else { "" };
            let severity = &request.severity_code;
            format!("open a case in {account}, severity {severity}{comments}{rest} [ref {mark}]")
        }
        Effect::Call(Call::AddCommunication { case_id, content, part, mark, .. }) => {
            format!("write {}{} on {} [ref {mark}]", content_name(content), part_name(*part), case_name(case_id))
        }
        Effect::Call(Call::ResolveCase { case_id, .. }) => format!("resolve {}", case_name(case_id)),
        Effect::OpenIncident(incident) => format!("open the incident {:?}", incident.short_description),
        Effect::HandOver(to) => format!("hand the case over to {to}"),
        Effect::Deliver(delivery) => format!("deliver {}", delivery_name(delivery)),
        Effect::OrderFiles(_) => "order a transfer of files".to_owned(),
        Effect::WriteColumns => "write the columns".to_owned(),
    }
}

fn content_name(content: &Content) -> String {
    match content {
        Content::OpeningRemainder => "the rest of the description".to_owned(),
        Content::Entry { entry, .. } => format!("comment {entry}"),
        Content::ReopenNotice => "that the incident was reopened".to_owned(),
        Content::Files(_) => "files".to_owned(),
        Content::FileNotice(_) => "that a file stays".to_owned(),
        Content::DoubleNotice(_) => "that another case goes on".to_owned(),
    }
}

fn part_name(part: Part) -> String {
    let left_out = if part.left_out { " (left out)" } else { "" };
    if part.of == 1 { left_out.to_owned() } else { format!(", part {} of {}{left_out}", part.number, part.of) }
}

fn case_name(case_id: &CaseId) -> &'static str {
    match case_id.as_str() {
        CASE_ID => "the case",
        DOUBLE => "the double",
        _ => "an unknown case",
    }
}

fn delivery_name(delivery: &Delivery) -> String {
    let fields = &delivery.fields;
    let mut parts = Vec::new();
    if !delivery.messages.is_empty() {
        parts.push(counted(delivery.messages.len(), "message"));
    }
    for (name, value) in [
        ("state", &fields.state),
        ("hold reason", &fields.hold_reason),
        ("close code", &fields.close_code),
        ("close notes", &fields.close_notes),
    ] {
        if !value.is_empty() {
            parts.push(format!("{name} {value:?}"));
        }
    }
    parts.join(", ")
}

fn wait_line(wait: &Waiting) -> String {
    let until = wait.until().map(|until| format!(" until {}", clock(until.duration_since(start()).as_secs())));
    format!("wait: {}{}", wait.name(), until.unwrap_or_default())
}
