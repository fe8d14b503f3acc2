//! What people type into the columns for a new case: language, issue type and additional contacts.

use casebridge_core::servicenow::incident::CaseOptions;

use crate::{random::Random, world::ACCOUNTS};

/// What people type for the language, and the code that it stands for; empty if it stands for none.
const LANGUAGES: [(&str, &str); 5] = [("", ""), ("", ""), ("ja", "ja"), (" FR ", "fr"), ("jp", "")];
/// What people type for the issue type, and the code that it stands for; empty if it stands for none.
const ISSUE_TYPES: [(&str, &str); 4] =
    [("", ""), ("technical", "technical"), ("Customer-Service", "customer-service"), ("billing", "")];
/// What people type for the additional contacts, and the addresses that get copies of it.
const CONTACTS: [(&str, &[&str]); 5] = [
    ("", &[]),
    ("jane@example.com", &["jane@example.com"]),
    (
        " bob@example.com;Jane <jane@example.com>\r\nBOB@example.com,eve@example.com",
        &["bob@example.com", "eve@example.com"],
    ),
    ("the whole team", &[]),
    (
        "a@x.example,b@x.example,c@x.example,d@x.example,e@x.example,f@x.example,g@x.example,h@x.example,i@x.example,\
         j@x.example,k@x.example",
        &[
            "a@x.example",
            "b@x.example",
            "c@x.example",
            "d@x.example",
            "e@x.example",
            "f@x.example",
            "g@x.example",
            "h@x.example",
            "i@x.example",
            "j@x.example",
        ],
    ),
];

/// The only languages in which AWS handles cases of the second account, in worlds where people use these columns.
pub const SECOND_ACCOUNTS_LANGUAGES: [&str; 2] = ["en", "fr"];

/// What a case is to be opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The code of its language.
    pub language: String,
    /// Its issue type.
    pub issue_type: String,
    /// Who gets copies.
    pub copies: Vec<String>,
}

/// Draws what somebody types.
pub fn draw(random: &mut Random) -> CaseOptions {
    CaseOptions {
        additional_contacts: random.pick(&CONTACTS).0.to_owned(),
        language: random.pick(&LANGUAGES).0.to_owned(),
        issue_type: random.pick(&ISSUE_TYPES).0.to_owned(),
    }
}

/// Returns what a case in an account is to be opened with, if its incident and the account say this and the policy is the
/// default one.
pub fn meant(account: &str, of_incident: &CaseOptions, of_account: &CaseOptions) -> Meant {
    let code = |table: &[(&str, &'static str)], text: &str| {
        table.iter().find(|(typed, _)| *typed == text).map_or("", |(_, code)| *code)
    };
    let addresses =
        |text: &str| CONTACTS.iter().find(|(typed, _)| *typed == text).map_or(&[][..], |(_, addresses)| *addresses);
    let first = |first: &'static str, second: &'static str, third: &'static str| {
        [first, second, third].into_iter().find(|code| !code.is_empty()).unwrap_or_default()
    };
    let language = first(code(&LANGUAGES, &of_incident.language), code(&LANGUAGES, &of_account.language), "en");
    let issue_type =
        first(code(&ISSUE_TYPES, &of_incident.issue_type), code(&ISSUE_TYPES, &of_account.issue_type), "technical");
    let own = addresses(&of_incident.additional_contacts);
    let copies = if own.is_empty() { addresses(&of_account.additional_contacts) } else { own };
    let is_refused = account == ACCOUNTS[1].0 && !SECOND_ACCOUNTS_LANGUAGES.contains(&language);
    let (language, issue_type) = if is_refused { ("en", "technical") } else { (language, issue_type) };
    Meant {
        language: language.to_owned(),
        issue_type: issue_type.to_owned(),
        copies: copies.iter().map(|address| (*address).to_owned()).collect(),
    }
}
