//! The configuration of the server: one JSON file.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use crate::publisher::EventBus;
use crate::servicenow;
use crate::support::catalogue::SEVERITY_LEVELS;
use crate::support::model::DEFAULT_PRINCIPAL;
use crate::support::{Account, Quotas, Role};

/// The configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on; by default a free port of this machine.
    #[serde(default = "free_port")]
    pub listen: SocketAddr,
    /// The folder for `ca.pem`.
    pub directory: PathBuf,
    /// The folder of the built app; without it the instance has none.
    #[serde(default)]
    pub app: Option<PathBuf>,
    /// The ServiceNow instance.
    #[serde(default)]
    pub servicenow: servicenow::Configuration,
    /// AWS Support as a whole.
    #[serde(default)]
    pub support: SupportConfig,
    /// The AWS accounts.
    #[serde(default)]
    pub accounts: Vec<AccountConfig>,
    /// The event bus that Support events are forwarded to; without it they are lost until one is set.
    #[serde(default)]
    pub events: Option<EventBus>,
    /// Host names and the addresses they lead to.
    #[serde(default)]
    pub resolve: BTreeMap<String, SocketAddr>,
}

/// The quotas of each account. A key that is missing means the default quota, `null` means no quota.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupportConfig {
    /// Calls in one second.
    pub calls_per_second: Option<usize>,
    /// New cases in one hour.
    pub cases_per_hour: Option<usize>,
    /// New sets of attachments in one minute.
    pub attachment_sets_per_minute: Option<usize>,
    /// Calls of DescribeAttachment in one minute.
    pub attachment_reads_per_minute: Option<usize>,
}

impl Default for SupportConfig {
    fn default() -> Self {
        let Quotas { calls_per_second, cases_per_hour, attachment_sets_per_minute, attachment_reads_per_minute } =
            Quotas::default();
        Self { calls_per_second, cases_per_hour, attachment_sets_per_minute, attachment_reads_per_minute }
    }
}

impl SupportConfig {
    /// Returns the quotas.
    pub fn quotas(&self) -> Quotas {
        Quotas {
            calls_per_second: self.calls_per_second,
            cases_per_hour: self.cases_per_hour,
            attachment_sets_per_minute: self.attachment_sets_per_minute,
            attachment_reads_per_minute: self.attachment_reads_per_minute,
        }
    }
}

/// An AWS account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// The twelve digits.
    pub id: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret. Signatures are not verified; the secret is here so that one file describes the account.
    #[serde(default)]
    pub secret_access_key: Option<SecretString>,
    /// The ARN of a role by which others may act in it.
    #[serde(default)]
    pub role_arn: Option<String>,
    /// The external id that a caller must name to assume the role.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The account's e-mail address.
    pub email: String,
    /// The principal of its API calls, for example `AdminRole (Role)`.
    #[serde(default = "default_principal")]
    pub principal: String,
    /// Whether its support plan includes the API.
    #[serde(default = "yes")]
    pub support_plan: bool,
    /// The severities its plan offers; by default all.
    #[serde(default)]
    pub severities: Option<Vec<String>>,
}

impl AccountConfig {
    /// Returns the account as AWS Support knows it.
    pub fn account(&self) -> Account {
        let all = || SEVERITY_LEVELS.iter().map(|level| level.code.to_owned()).collect();
        let role = |arn: &String| Role { arn: arn.clone(), external_id: self.external_id.clone() };
        Account {
            id: self.id.clone(),
            access_key_ids: vec![self.access_key_id.clone()],
            role: self.role_arn.as_ref().map(role),
            email: self.email.clone(),
            principal: self.principal.clone(),
            has_plan: self.support_plan,
            severities: self.severities.clone().unwrap_or_else(all),
        }
    }
}

fn free_port() -> SocketAddr {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()
}

fn default_principal() -> String {
    DEFAULT_PRINCIPAL.to_owned()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn quotas_are_as_documented_unless_set() {
        assert_eq!(config(r#"{"directory":"."}"#).support.quotas(), Quotas::default());
        let json = r#"{"directory":".","support":{"calls_per_second":null}}"#;
        let quotas = config(json).support.quotas();
        assert_eq!(quotas, Quotas { calls_per_second: None, ..Quotas::default() });
    }

    #[test]
    fn an_account_has_every_severity_unless_told() {
        let json = r#"{"directory":".","accounts":[
            {"id":"111122223333","access_key_id":"AKIAONE","secret_access_key":"hidden","email":"one@example.com"},
            {"id":"444455556666","access_key_id":"AKIATWO","email":"two@example.com","severities":["low"],
             "support_plan":false}]}"#;
        let config = config(json);
        assert!(!format!("{config:?}").contains("hidden"));
        let [first, second] = config.accounts.as_slice() else { panic!("two accounts") };
        assert_eq!(first.account().severities.len(), SEVERITY_LEVELS.len());
        assert_eq!(second.account().severities, ["low"]);
        assert!(!second.account().has_plan);
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"directory":".","acounts":[]}"#).is_err());
    }
}
