//! What a case is opened with besides its codes: its language, its issue type, and who gets copies.
//!
//! Each is what the incident says, or else its account, or else the policy. What can't be used is told to agents, and the
//! case is opened all the same. AWS Support has no call that changes any of them later, so a change on the incident counts
//! for its next case alone. A communication takes addresses, too, but only for itself, and AWS copies those of the case
//! anyway. Source: AWS Support API, CreateCase and AddCommunicationToCase.

use serde::{Deserialize, Serialize};

use crate::{
    identifiers::AccountId,
    link::mark::without_marks,
    policy::{ISSUE_TYPES, LANGUAGES, MAXIMUM_CC_EMAIL_ADDRESSES, Policy},
    servicenow::incident::{CaseOptions, Incident},
    support::{
        Pass,
        call::{CaseCodes, NewCase},
        render,
    },
};

/// The longest e-mail address, in characters. Source: RFC 5321, 4.5.3.1.3.
const MAXIMUM_ADDRESS_CHARACTERS: usize = 254;
/// What the part of an address before its `@` may have besides letters and digits. Source: RFC 5322, 3.2.3 and 3.4.1.
const ADDRESS_SIGNS: &str = "!#$%&'*+-/=?^_`{|}~.";
/// What stands between the addresses of a list.
const SEPARATORS: [char; 4] = [',', ';', '\n', '\r'];
/// How many values of a kind a note names. It counts the others, so that it fits a work note.
const VALUES_NAMED: usize = 20;
/// How much of a value a note repeats, in characters: the longest common addresses.
const NAMED_CHARACTERS: usize = 80;

/// A language and an issue type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The code of the language.
    pub language: String,
    /// The issue type.
    pub issue_type: String,
}

impl Choices {
    fn of_policy(policy: &Policy) -> Self {
        Self { language: policy.language.clone(), issue_type: policy.issue_type.clone() }
    }
}

/// The options that casebridge asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedOptions {
    /// The language and the issue type for CreateCase.
    pub choices: Choices,
    /// The addresses for CreateCase: each is an e-mail address, none is there twice, and they are at most 10.
    pub cc_email_addresses: Vec<String>,
    /// The language and the issue type before AWS refused them.
    pub wanted: Choices,
    /// What agents are told if anything is left out.
    pub note: Option<String>,
}

/// What a CreateCase is tried without after AWS refused it, in this order: AWS's answer does not name the value that it
/// refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Without {
    /// The policy's language and issue type take the place of others.
    Choices,
    /// Nobody gets copies.
    Copies,
    /// Both.
    ChoicesAndCopies,
}

/// A CreateCase that AWS refused and that is tried without some of its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedOptions {
    /// The values that were wanted. With other values all options are tried.
    pub codes: CaseCodes,
    /// What is left out next.
    pub without: Without,
    /// AWS's reason.
    pub reason: String,
}

/// Returns the options that the case of an incident is opened with, without those that AWS has refused.
pub fn asked(policy: &Policy, incident: &Incident, refused: Option<&RefusedOptions>) -> AskedOptions {
    let language = Choice::of(policy, incident, &LANGUAGE);
    let issue_type = Choice::of(policy, incident, &ISSUE_TYPE);
    let copies = Copies::of(policy, incident);
    let wanted = Choices { language: language.code.clone(), issue_type: issue_type.code.clone() };
    let mut choices = wanted.clone();
    let mut cc_email_addresses = copies.addresses.clone();
    match refused.map(|refused| refused.without) {
        None => {}
        Some(Without::Choices) => choices = Choices::of_policy(policy),
        Some(Without::Copies) => cc_email_addresses.clear(),
        Some(Without::ChoicesAndCopies) => {
            choices = Choices::of_policy(policy);
            cc_email_addresses.clear();
        }
    }
    let mut notes = Vec::new();
    notes.extend(language.note(&LANGUAGE, &choices.language));
    notes.extend(issue_type.note(&ISSUE_TYPE, &choices.issue_type));
    notes.extend(copies.notes());
    if let Some(refused) = refused {
        let uncopied: &[String] = if cc_email_addresses.is_empty() { &copies.addresses } else { &[] };
        notes.push(refused_note(&wanted, &choices, uncopied, &refused.reason));
    }
    let note = (!notes.is_empty()).then(|| notes.join(" "));
    AskedOptions { choices, cc_email_addresses, wanted, note }
}

/// Returns the language and the issue type that are wanted for the case of an incident, whatever AWS says of them.
pub fn wanted(policy: &Policy, incident: &Incident) -> Choices {
    Choices {
        language: Choice::of(policy, incident, &LANGUAGE).code,
        issue_type: Choice::of(policy, incident, &ISSUE_TYPE).code,
    }
}

/// Returns what agents are told of a case that AWS refused to open as it was wanted.
fn refused_note(wanted: &Choices, choices: &Choices, uncopied: &[String], reason: &str) -> String {
    let mut changes = Vec::new();
    for (name, before, after) in [
        (LANGUAGE.name, &wanted.language, &choices.language),
        (ISSUE_TYPE.name, &wanted.issue_type, &choices.issue_type),
    ] {
        if before != after {
            changes.push(format!("with {name} {after} instead of {before}"));
        }
    }
    if !uncopied.is_empty() {
        changes.push(format!("without copies to {}", named(uncopied)));
    }
    let changes = changes.join(" and ");
    format!("The AWS Support case is opened {changes}, because AWS Support refused an earlier request: {reason}")
}

/// A choice among codes of AWS Support.
struct ChoiceOf {
    /// What people call it.
    name: &'static str,
    known: &'static [&'static str],
    typed: fn(&CaseOptions) -> &str,
    default: fn(&Policy) -> &str,
}

const LANGUAGE: ChoiceOf = ChoiceOf {
    name: "language",
    known: &LANGUAGES,
    typed: |options| &options.language,
    default: |policy| &policy.language,
};

const ISSUE_TYPE: ChoiceOf = ChoiceOf {
    name: "issue type",
    known: &ISSUE_TYPES,
    typed: |options| &options.issue_type,
    default: |policy| &policy.issue_type,
};

/// The first code of incident, account and policy that can be used.
struct Choice {
    code: String,
    /// Those before it, which AWS Support does not have.
    unknown: Vec<String>,
}

impl Choice {
    /// The policy's own code is left to AWS.
    fn of(policy: &Policy, incident: &Incident, choice: &ChoiceOf) -> Self {
        let mut unknown = Vec::new();
        for options in levels(incident) {
            let typed = (choice.typed)(options).trim();
            if let Some(code) = choice.known.iter().find(|code| code.eq_ignore_ascii_case(typed)) {
                return Self { code: (*code).to_owned(), unknown };
            }
            if !typed.is_empty() {
                unknown.push(typed.to_owned());
            }
        }
        Self { code: (choice.default)(policy).to_owned(), unknown }
    }

    fn note(&self, choice: &ChoiceOf, used: &str) -> Option<String> {
        let (name, known) = (choice.name, choice.known.join(", "));
        let told = || {
            let unknown = named(&self.unknown);
            format!(
                "The AWS Support case is opened with {name} {used} instead of {unknown}. AWS Support accepts {known}."
            )
        };
        (!self.unknown.is_empty()).then(told)
    }
}

/// Returns what the incident says, and then its account.
fn levels(incident: &Incident) -> impl Iterator<Item = &CaseOptions> {
    [Some(&incident.options), incident.account.as_ref().map(|account| &account.options)].into_iter().flatten()
}

/// Who gets copies, and who does not.
#[derive(Default)]
struct Copies {
    addresses: Vec<String>,
    /// What is no e-mail address.
    malformed: Vec<String>,
    /// Addresses beyond the tenth.
    surplus: Vec<String>,
}

impl Copies {
    /// The first list counts that has an address. The caller, if their account asks for that, comes last.
    fn of(policy: &Policy, incident: &Incident) -> Self {
        let mut copies = Self::default();
        for options in levels(incident) {
            copies.add(options.additional_contacts.split(SEPARATORS));
            if !copies.addresses.is_empty() {
                break;
            }
        }
        if copies.addresses.is_empty() {
            copies.add(policy.cc_email_addresses.iter().map(String::as_str));
        }
        copies.add([incident.caller_email.as_str()]);
        copies.surplus = copies.addresses.split_off(copies.addresses.len().min(MAXIMUM_CC_EMAIL_ADDRESSES));
        copies
    }

    fn add<'a>(&mut self, list: impl IntoIterator<Item = &'a str>) {
        for text in list.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            let kind = if is_address(text) { &mut self.addresses } else { &mut self.malformed };
            if !kind.iter().any(|known| known.eq_ignore_ascii_case(text)) {
                kind.push(text.to_owned());
            }
        }
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let malformed = (!self.malformed.is_empty()).then(|| {
            format!(
                "AWS Support sends no copies of the case to these, which are no e-mail addresses: {}.",
                named(&self.malformed)
            )
        });
        let surplus = (!self.surplus.is_empty()).then(|| {
            format!(
                "AWS Support sends copies of the case to {MAXIMUM_CC_EMAIL_ADDRESSES} addresses at most. These get none: {}.",
                named(&self.surplus)
            )
        });
        malformed.into_iter().chain(surplus)
    }
}

/// Whether a text is an e-mail address as AWS can send mail to: characters of ASCII around one `@`, and at least one dot in
/// what follows it.
fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || ADDRESS_SIGNS.contains(letter);
    let is_host = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_host);
    let has_name = !name.is_empty() && name.chars().all(is_name);
    text.len() <= MAXIMUM_ADDRESS_CHARACTERS && has_name && host.contains('.') && host.split('.').all(is_label)
}

/// Returns the values in one line, for a note: the first of them by name, and how many others there are.
fn named(values: &[String]) -> String {
    let name = |value: &String| render::one_line(&without_marks(value), NAMED_CHARACTERS);
    let mut names: Vec<String> = values.iter().take(VALUES_NAMED).map(name).collect();
    if let Some(others) = values.len().checked_sub(VALUES_NAMED).filter(|others| *others > 0) {
        names.push(format!("{others} more"));
    }
    names.join(", ")
}

impl Pass {
    /// Takes in that AWS refused to open a case with these values, and decides which options are left out next. Returns
    /// false if nothing is left to leave out: the options are not what AWS refuses, so the next try has all of them.
    pub(super) fn leave_out_options(
        &mut self,
        policy: &Policy,
        account: &AccountId,
        request: &NewCase,
        wanted: &Choices,
        reason: &str,
    ) -> bool {
        let codes = CaseCodes::of(account, request, wanted);
        let before = self.link.memory.refused_options.take().filter(|refused| refused.codes == codes);
        let has_choices = *wanted != Choices::of_policy(policy);
        let has_copies = !request.cc_email_addresses.is_empty();
        let without = match before.map(|refused| refused.without) {
            None if has_choices => Without::Choices,
            None | Some(Without::Choices) if has_copies => Without::Copies,
            Some(Without::Copies) if has_choices => Without::ChoicesAndCopies,
            None | Some(_) => return false,
        };
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        self.link.memory.refused_options = Some(RefusedOptions { codes, without, reason });
        true
    }
}
