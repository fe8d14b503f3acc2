//! The environment of the functions: each variable is declared once, with its purpose.

use std::fmt;

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its content, for people.
    pub purpose: &'static str,
    /// The value if the variable is not set. `None` if it must be set.
    pub default: Option<&'static str>,
}

/// The ledger.
pub const TABLE_NAME: Variable =
    Variable { name: "CASEBRIDGE_TABLE_NAME", purpose: "the name of the ledger's DynamoDB table", default: None };
/// The queue of hints.
pub const QUEUE_URL: Variable =
    Variable { name: "CASEBRIDGE_QUEUE_URL", purpose: "the URL of the FIFO queue of hints", default: None };
/// The queue that wakes links.
pub const WAKE_QUEUE_URL: Variable = Variable {
    name: "CASEBRIDGE_WAKE_QUEUE_URL",
    purpose: "the URL of the queue that hands out hints later, at the times at which links are due",
    default: None,
};
/// The queue of transfers of files.
pub const FILE_QUEUE_URL: Variable = Variable {
    name: "CASEBRIDGE_FILE_QUEUE_URL",
    purpose: "the URL of the queue of files that move between both sides",
    default: None,
};
/// The ServiceNow instance.
pub const SERVICENOW_URL: Variable = Variable {
    name: "CASEBRIDGE_SERVICENOW_URL",
    purpose: "the address of the ServiceNow instance, `https://<instance>.service-now.com`",
    default: None,
};
/// Our credentials on the instance.
pub const SERVICENOW_SECRET_ID: Variable = Variable {
    name: "CASEBRIDGE_SERVICENOW_SECRET_ID",
    purpose: "the secret with `client_id` and `client_secret`, or with `username` and `password`, of the integration user",
    default: None,
};
/// The secret that signs webhooks.
pub const WEBHOOK_SECRET_ID: Variable = Variable {
    name: "CASEBRIDGE_WEBHOOK_SECRET_ID",
    purpose: "the secret that ServiceNow signs its webhooks with, as `whsec_<base64>`",
    default: None,
};
/// The accounts' credentials.
pub const ACCOUNT_SECRET_PREFIX: Variable = Variable {
    name: "CASEBRIDGE_ACCOUNT_SECRET_PREFIX",
    purpose: "what the names of the accounts' secrets begin with; the account's 12 digits follow",
    default: Some("casebridge/accounts/"),
};
/// The policy document.
pub const POLICY_PARAMETER: Variable = Variable {
    name: "CASEBRIDGE_POLICY_PARAMETER",
    purpose: "the name of the SSM parameter that holds the policy document",
    default: None,
};

/// All variables.
pub const VARIABLES: [Variable; 9] = [
    TABLE_NAME,
    QUEUE_URL,
    WAKE_QUEUE_URL,
    FILE_QUEUE_URL,
    SERVICENOW_URL,
    SERVICENOW_SECRET_ID,
    WEBHOOK_SECRET_ID,
    ACCOUNT_SECRET_PREFIX,
    POLICY_PARAMETER,
];

/// The variables that a function needs and its environment lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingVariables(Vec<Variable>);

impl fmt::Display for MissingVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the function's environment is incomplete; set")?;
        for variable in &self.0 {
            write!(formatter, " {} ({});", variable.name, variable.purpose)?;
        }
        Ok(())
    }
}

impl std::error::Error for MissingVariables {}

/// The settings of `servicenow-webhook`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// [`QUEUE_URL`]
    pub queue_url: String,
    /// [`TABLE_NAME`]
    pub table_name: String,
    /// [`WEBHOOK_SECRET_ID`]
    pub webhook_secret_id: String,
}

/// The settings of `aws-events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsSettings {
    /// [`QUEUE_URL`]
    pub queue_url: String,
    /// [`TABLE_NAME`]
    pub table_name: String,
}

/// The settings with which `case-poller` and `reconciler` reach both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BothSidesSettings {
    /// [`QUEUE_URL`]
    pub queue_url: String,
    /// [`TABLE_NAME`]
    pub table_name: String,
    /// [`SERVICENOW_URL`]
    pub servicenow_url: String,
    /// [`SERVICENOW_SECRET_ID`]
    pub servicenow_secret_id: String,
    /// [`ACCOUNT_SECRET_PREFIX`]
    pub account_secret_prefix: String,
    /// [`POLICY_PARAMETER`]
    pub policy_parameter: String,
}

/// The settings of `case-poller`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollerSettings {
    /// Both sides.
    pub sides: BothSidesSettings,
    /// [`WEBHOOK_SECRET_ID`]
    pub webhook_secret_id: String,
}

/// The settings of `catalog-sync`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogSettings {
    /// [`SERVICENOW_URL`]
    pub servicenow_url: String,
    /// [`SERVICENOW_SECRET_ID`]
    pub servicenow_secret_id: String,
    /// [`ACCOUNT_SECRET_PREFIX`]
    pub account_secret_prefix: String,
}

/// The settings of `reconciler`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcilerSettings {
    /// Both sides.
    pub sides: BothSidesSettings,
    /// [`WAKE_QUEUE_URL`]
    pub wake_queue_url: String,
    /// [`FILE_QUEUE_URL`]
    pub file_queue_url: String,
}

/// The settings of `attachments`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentsSettings {
    /// Both sides.
    pub sides: BothSidesSettings,
    /// [`FILE_QUEUE_URL`]
    pub file_queue_url: String,
}

/// Returns a variable of the process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads variables and collects the missing ones, so that the error names all of them.
struct Reader<L> {
    lookup: L,
    missing: Vec<Variable>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn new(lookup: L) -> Self {
        Self { lookup, missing: Vec::new() }
    }

    fn read(&mut self, variable: Variable) -> String {
        let value = (self.lookup)(variable.name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        value.or_else(|| variable.default.map(str::to_owned)).unwrap_or_else(|| {
            self.missing.push(variable);
            String::new()
        })
    }

    fn finish<S>(self, settings: S) -> Result<S, MissingVariables> {
        if self.missing.is_empty() { Ok(settings) } else { Err(MissingVariables(self.missing)) }
    }
}

impl WebhookSettings {
    /// Reads the settings with a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let settings = Self {
            queue_url: reader.read(QUEUE_URL),
            table_name: reader.read(TABLE_NAME),
            webhook_secret_id: reader.read(WEBHOOK_SECRET_ID),
        };
        reader.finish(settings)
    }
}

impl EventsSettings {
    /// Reads the settings by a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let settings = Self { queue_url: reader.read(QUEUE_URL), table_name: reader.read(TABLE_NAME) };
        reader.finish(settings)
    }
}

impl BothSidesSettings {
    fn of<L: Fn(&str) -> Option<String>>(reader: &mut Reader<L>) -> Self {
        Self {
            queue_url: reader.read(QUEUE_URL),
            table_name: reader.read(TABLE_NAME),
            servicenow_url: reader.read(SERVICENOW_URL),
            servicenow_secret_id: reader.read(SERVICENOW_SECRET_ID),
            account_secret_prefix: reader.read(ACCOUNT_SECRET_PREFIX),
            policy_parameter: reader.read(POLICY_PARAMETER),
        }
    }
}

impl CatalogSettings {
    /// Reads the settings by a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let settings = Self {
            servicenow_url: reader.read(SERVICENOW_URL),
            servicenow_secret_id: reader.read(SERVICENOW_SECRET_ID),
            account_secret_prefix: reader.read(ACCOUNT_SECRET_PREFIX),
        };
        reader.finish(settings)
    }
}

impl ReconcilerSettings {
    /// Reads the settings by a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let sides = BothSidesSettings::of(&mut reader);
        let settings =
            Self { sides, wake_queue_url: reader.read(WAKE_QUEUE_URL), file_queue_url: reader.read(FILE_QUEUE_URL) };
        reader.finish(settings)
    }
}

impl AttachmentsSettings {
    /// Reads the settings by a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let sides = BothSidesSettings::of(&mut reader);
        let settings = Self { sides, file_queue_url: reader.read(FILE_QUEUE_URL) };
        reader.finish(settings)
    }
}

impl PollerSettings {
    /// Reads the settings by a lookup of variables.
    ///
    /// # Errors
    /// If a variable without a default is missing or empty. The error names all of them.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut reader = Reader::new(lookup);
        let sides = BothSidesSettings::of(&mut reader);
        let settings = Self { sides, webhook_secret_id: reader.read(WEBHOOK_SECRET_ID) };
        reader.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(name: &str) -> Option<String> {
        VARIABLES.iter().any(|variable| variable.name == name).then(|| format!(" value of {name} "))
    }

    #[test]
    fn a_complete_environment_is_read_and_trimmed() {
        let settings = ReconcilerSettings::read(complete).unwrap();
        assert_eq!(settings.sides.queue_url, "value of CASEBRIDGE_QUEUE_URL");
        assert_eq!(settings.sides.policy_parameter, "value of CASEBRIDGE_POLICY_PARAMETER");
        assert_eq!(settings.file_queue_url, "value of CASEBRIDGE_FILE_QUEUE_URL");
        assert!(AttachmentsSettings::read(complete).is_ok());
        assert_eq!(settings.wake_queue_url, "value of CASEBRIDGE_WAKE_QUEUE_URL");
        assert!(WebhookSettings::read(complete).is_ok() && PollerSettings::read(complete).is_ok());
        assert!(EventsSettings::read(complete).is_ok() && CatalogSettings::read(complete).is_ok());
    }

    #[test]
    fn all_missing_variables_are_named_with_their_purpose() {
        let message = PollerSettings::read(|_| None).unwrap_err().to_string();
        for variable in
            [TABLE_NAME, QUEUE_URL, SERVICENOW_URL, SERVICENOW_SECRET_ID, POLICY_PARAMETER, WEBHOOK_SECRET_ID]
        {
            assert!(message.contains(variable.name) && message.contains(variable.purpose), "{message}");
        }
        assert!(!message.contains(ACCOUNT_SECRET_PREFIX.name), "it has a default");
    }

    #[test]
    fn an_empty_value_is_a_missing_one() {
        assert!(EventsSettings::read(|_| Some("  ".to_owned())).is_err());
    }
}
