//! What people type into the columns for a new case: language, issue type and additional contacts.

use casebridge_core::servicenow::incident::CaseOptions;

use crate::{random::Random, world::ACCOUNTS};

/// What people type for the language, and the code that it stands for; empty if it stands for none.
const LANGUAGES: [(&str, &str); 5] = [("", ""), ("", ""), ("ja", "ja"), (" FR ", "fr"), ("jp", "")];
/// What people type for the issue type, and the code that it stands for; empty if it stands for none.
const ISSUE_TYPES: [(&str, &str); 4] =
    [("", ""), ("technical", "technical"), ("Customer-Service", "customer-service"), ("billing", "")];
/// What people type for the additional contacts.
#[derive(Debug, Clone, Copy)]
struct Contacts {
    text: &'static str,
    /// The addresses that get copies of it.
    addresses: &'static [&'static str],
    /// Whether it has more than that.
    left_out: bool,
}

const CONTACTS: [Contacts; 5] = [
    Contacts { text: "", addresses: &[], left_out: false },
    Contacts { text: "jane@example.com", addresses: &["jane@example.com"], left_out: false },
    Contacts {
        text: " bob@example.com;Jane <jane@example.com>\r\nBOB@example.com,eve@example.com",
        addresses: &["bob@example.com", "eve@example.com"],
        left_out: true,
    },
    Contacts { text: "the whole team", addresses: &[], left_out: true },
    Contacts {
        text: "a@x.example,b@x.example,c@x.example,d@x.example,e@x.example,f@x.example,g@x.example,h@x.example,\
               i@x.example,j@x.example,k@x.example",
        addresses: &[
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
        left_out: true,
    },
];

/// The service for which AWS handles cases of the second account in some languages alone, in worlds where people use these
/// columns.
pub const LIMITED_SERVICE: &str = "aws-lambda";
/// The only languages in which AWS handles those cases.
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
    /// Whether something of what people typed has no effect, so that agents have to be told.
    pub is_partial: bool,
}

/// Draws what somebody types.
pub fn draw(random: &mut Random) -> CaseOptions {
    CaseOptions {
        additional_contacts: random.pick(&CONTACTS).text.to_owned(),
        language: random.pick(&LANGUAGES).0.to_owned(),
        issue_type: random.pick(&ISSUE_TYPES).0.to_owned(),
    }
}

/// Returns what a case of a service in an account is to be opened with, if its incident and the account say this and the policy is the
/// default one.
pub fn meant(account: &str, service: &str, of_incident: &CaseOptions, of_account: &CaseOptions) -> Meant {
    let (language, no_language) = choice(&LANGUAGES, &of_incident.language, &of_account.language, "en");
    let (issue_type, no_type) = choice(&ISSUE_TYPES, &of_incident.issue_type, &of_account.issue_type, "technical");
    let (of_incident, of_account) =
        (contacts(&of_incident.additional_contacts), contacts(&of_account.additional_contacts));
    let own_count = !of_incident.addresses.is_empty();
    let copies = if own_count { of_incident } else { of_account };
    let no_copy = of_incident.left_out || (!own_count && of_account.left_out);
    let is_limited = account == ACCOUNTS[1].0 && service == LIMITED_SERVICE;
    let is_refused = is_limited && !SECOND_ACCOUNTS_LANGUAGES.contains(&language);
    let (language, issue_type) = if is_refused { ("en", "technical") } else { (language, issue_type) };
    Meant {
        language: language.to_owned(),
        issue_type: issue_type.to_owned(),
        copies: copies.addresses.iter().map(|address| (*address).to_owned()).collect(),
        is_partial: no_language || no_type || no_copy || is_refused,
    }
}

/// Returns the first code, and whether a text before it stands for none.
fn choice(
    table: &[(&str, &'static str)],
    of_incident: &str,
    of_account: &str,
    default: &'static str,
) -> (&'static str, bool) {
    let mut has_unknown = false;
    for text in [of_incident, of_account] {
        let code = table.iter().find(|(typed, _)| *typed == text).map_or("", |(_, code)| *code);
        if !code.is_empty() {
            return (code, has_unknown);
        }
        has_unknown |= !text.is_empty();
    }
    (default, has_unknown)
}

fn contacts(text: &str) -> Contacts {
    CONTACTS.into_iter().find(|contacts| contacts.text == text).unwrap_or(CONTACTS[0])
}
