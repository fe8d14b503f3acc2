//! Secrets from Secrets Manager, cached for minutes and never printed.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Filter, FilterNameStringType},
};
use aws_smithy_runtime_api::http::Response;
use casebridge_aws::{AccountCredentials, AccountSource};
use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::AccountId,
};
use casebridge_ports::Clock;
use casebridge_servicenow::{CredentialSource, Credentials};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

/// How long a secret is used before it is read again: a change takes effect within minutes.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long a secret is used while Secrets Manager does not answer: longer than its outages last, and short enough that
/// a withdrawn secret soon stops working.
const MAXIMUM_USE: SignedDuration = SignedDuration::from_hours(1);
/// Codes of an answer that says nothing about the secret: throttling, the function's own expired session, an internal
/// error of the service. Source: Secrets Manager API, GetSecretValue and common errors.
const PASSING: [&str; 9] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "InternalServiceError",
    "InternalFailure",
    "ServiceUnavailable",
    "ExpiredTokenException",
    "RequestExpired",
];
/// The least time between two reads of a secret: anybody can send wrong signatures, and these must not cost a call
/// each.
const MINIMUM_AGE: SignedDuration = SignedDuration::from_secs(10);
/// How long the error of a failed read is returned again without a new read. Anybody may call the webhook, and each
/// call would be one more read of a secret that is not available.
const FAILURE_LASTS: SignedDuration = SignedDuration::from_secs(1);
/// The most pages of names that are read. A page has 100 names, so these are 10,000 accounts.
const MAXIMUM_LIST_PAGES: usize = 100;
/// The digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;

/// A secret is not available. No variant holds its text.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// The secret does not exist.
    #[error("there is no secret `{id}`; create it")]
    Missing {
        /// The secret's name.
        id: String,
    },
    /// The function lacks the permission to read the secret.
    #[error("the function may not read the secret `{id}`; grant it secretsmanager:GetSecretValue, and its key")]
    Denied {
        /// The secret's name.
        id: String,
    },
    /// The secret exists and can't be used: its deletion is scheduled, or the key that encrypts it is disabled.
    #[error("the secret `{id}` is withdrawn ({code}): restore it, or enable its key")]
    Withdrawn {
        /// The secret's name.
        id: String,
        /// The code of Secrets Manager.
        code: String,
    },
    /// The secret holds bytes instead of text.
    #[error("the secret `{id}` holds no text; store it as a string")]
    NoText {
        /// The secret's name.
        id: String,
    },
    /// Secrets Manager did not answer.
    #[error("Secrets Manager did not answer for `{id}`; it is asked again")]
    Unavailable {
        /// The secret's name, or the prefix of several.
        id: String,
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let message = error.to_string();
        match error {
            SecretError::Unavailable { .. } => Self::Unavailable { message, retry_at: None },
            _ => Self::Refused { refusal: Refusal::Credentials, message },
        }
    }
}

/// The stage of a secret's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Current,
    Previous,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Previous => "AWSPREVIOUS",
        }
    }
}

/// A version of a secret.
#[derive(Clone)]
struct Version {
    id: String,
    text: SecretString,
    created_at: Option<Timestamp>,
}

/// What was read, and when. `None` records that there is no such version.
#[derive(Clone)]
struct Known {
    version: Option<Version>,
    read_at: Timestamp,
}

/// A client of Secrets Manager with a cache.
pub struct Secrets<C> {
    client: Client,
    clock: C,
    known: Mutex<BTreeMap<(String, Stage), Known>>,
    failed: Mutex<BTreeMap<(String, Stage), (SecretError, Timestamp)>>,
}

impl<C: Clock> Secrets<C> {
    /// Creates the client. It reads nothing yet.
    pub fn new(client: Client, clock: C) -> Self {
        Self { client, clock, known: Mutex::default(), failed: Mutex::default() }
    }

    /// Returns the secret's text, read at most five minutes ago. While Secrets Manager does not answer, returns the
    /// last known text for an hour.
    ///
    /// # Errors
    /// If the secret is not available, see [`SecretError`].
    pub async fn text(&self, id: &str) -> Result<SecretString, SecretError> {
        self.required(id, LIFETIME).await
    }

    /// Returns the secret's text, read at most ten seconds ago, after the known text was refused.
    ///
    /// # Errors
    /// As [`Secrets::text`].
    pub async fn renewed_text(&self, id: &str) -> Result<SecretString, SecretError> {
        self.required(id, MINIMUM_AGE).await
    }

    async fn required(&self, id: &str, lifetime: SignedDuration) -> Result<SecretString, SecretError> {
        Ok(self.current(id, lifetime).await?.text)
    }

    async fn current(&self, id: &str, lifetime: SignedDuration) -> Result<Version, SecretError> {
        self.version(id, Stage::Current, lifetime).await?.ok_or_else(|| SecretError::Missing { id: id.to_owned() })
    }

    /// Returns a version of the secret. Returns `None` if it does not exist.
    async fn version(&self, id: &str, stage: Stage, lifetime: SignedDuration) -> Result<Option<Version>, SecretError> {
        let key = (id.to_owned(), stage);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let now = self.clock.now();
        if let Some(known) = &known
            && now.duration_since(known.read_at) < lifetime
        {
            return Ok(known.version.clone());
        }
        match (self.fetch_unless_failed(&key, now).await, known) {
            (Ok(version), _) => {
                let fresh = Known { version: version.clone(), read_at: now };
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, fresh);
                Ok(version)
            }
            // The known version is probably still valid.
            (Err(SecretError::Unavailable { .. }), Some(known)) if now.duration_since(known.read_at) < MAXIMUM_USE => {
                tracing::warn!(secret = id, "Secrets Manager did not answer; the known version stays in use");
                Ok(known.version)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Reads a version of the secret, or returns the error of a read a moment ago.
    async fn fetch_unless_failed(&self, key: &(String, Stage), now: Timestamp) -> Result<Option<Version>, SecretError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some((error, _)) = failed.filter(|(_, at)| now.duration_since(*at) < FAILURE_LASTS) {
            return Err(error);
        }
        let outcome = self.fetch(&key.0, key.1).await;
        if let Err(error) = &outcome {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), (error.clone(), now));
        }
        outcome
    }

    async fn fetch(&self, id: &str, stage: Stage) -> Result<Option<Version>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(id).version_stage(stage.as_str()).send().await;
        let id = id.to_owned();
        match answer {
            Ok(answer) => match answer.secret_string {
                Some(text) => {
                    let created = answer.created_date.and_then(|created| Timestamp::from_second(created.secs()).ok());
                    let id = answer.version_id.unwrap_or_default();
                    Ok(Some(Version { id, text: SecretString::from(text), created_at: created }))
                }
                None => Err(SecretError::NoText { id }),
            },
            Err(error) => failure_of(&id, error),
        }
    }

    /// Returns the id of the secret's current version. Needs no permission to read the text.
    ///
    /// # Errors
    /// If Secrets Manager does not describe the secret, see [`SecretError`].
    pub async fn current_version(&self, id: &str) -> Result<String, SecretError> {
        let answer = self.client.describe_secret().secret_id(id).send().await;
        let missing = || SecretError::Missing { id: id.to_owned() };
        let versions = match answer {
            Ok(answer) => answer.version_ids_to_stages.unwrap_or_default(),
            Err(error) => return failure_of(id, error)?.ok_or_else(missing),
        };
        let is_current = |stages: &Vec<String>| stages.iter().any(|stage| stage == Stage::Current.as_str());
        versions.into_iter().find(|(_, stages)| is_current(stages)).map(|(version, _)| version).ok_or_else(missing)
    }

    /// Returns the names of all secrets that begin with the prefix.
    async fn names(&self, prefix: &str) -> Result<Vec<String>, SecretError> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(prefix).build();
        let mut names = Vec::new();
        let mut pages = self.client.list_secrets().filters(filter).into_paginator().send();
        for _ in 0..MAXIMUM_LIST_PAGES {
            match pages.next().await {
                None => break,
                Some(Ok(page)) => {
                    names.extend(page.secret_list.unwrap_or_default().into_iter().filter_map(|secret| secret.name));
                }
                Some(Err(error)) => {
                    return Err(SecretError::Unavailable { id: prefix.to_owned(), source: Arc::new(error) });
                }
            }
        }
        Ok(names)
    }
}

/// Classifies a failed call about a secret. Returns `None` for a secret that does not exist.
fn failure_of<T, E>(id: &str, error: SdkError<E, Response>) -> Result<Option<T>, SecretError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let id = id.to_owned();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ResourceNotFoundException") => Ok(None),
        Some(code) if code.starts_with("AccessDenied") => Err(SecretError::Denied { id }),
        // Any other refusal lasts until a person acts.
        Some(code) if (400..500).contains(&status) && status != 429 && !PASSING.contains(&code) => {
            Err(SecretError::Withdrawn { id, code: code.to_owned() })
        }
        _ => Err(SecretError::Unavailable { id, source: Arc::new(error) }),
    }
}

/// The accounts' credentials: one secret each, named by a prefix and the account's digits.
pub struct AccountSecrets<C> {
    secrets: Arc<Secrets<C>>,
    prefix: String,
}

impl<C: Clock> AccountSecrets<C> {
    /// Creates the source for the secrets whose names begin with the prefix.
    pub fn new(secrets: Arc<Secrets<C>>, prefix: String) -> Self {
        Self { secrets, prefix }
    }

    /// Returns all accounts that have a secret, each once, in order.
    ///
    /// # Errors
    /// If Secrets Manager does not list the secrets.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        let names = self.secrets.names(&self.prefix).await?;
        let mut accounts: Vec<AccountId> = names
            .iter()
            .filter_map(|name| name.strip_prefix(&self.prefix))
            .filter(|digits| digits.len() == ACCOUNT_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .map(AccountId::new)
            .collect();
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    fn id(&self, account: &AccountId) -> String {
        format!("{}{account}", self.prefix)
    }
}

fn parse_account(text: &SecretString) -> Result<AccountCredentials, Failure> {
    AccountCredentials::parse(text.expose_secret()).map_err(|error| refused(error.to_string()))
}

impl<C: Clock> AccountSource for AccountSecrets<C> {
    async fn credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        parse_account(&self.secrets.text(&self.id(account)).await?)
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        parse_account(&self.secrets.renewed_text(&self.id(account)).await?)
    }
}

/// The source of the credentials on the ServiceNow instance.
pub struct ServiceNowSecret<C> {
    secrets: Arc<Secrets<C>>,
    id: String,
}

impl<C: Clock> ServiceNowSecret<C> {
    /// Creates the source for the secret of this name.
    pub fn new(secrets: Arc<Secrets<C>>, id: String) -> Self {
        Self { secrets, id }
    }
}

fn parse_servicenow(text: &SecretString) -> Result<Credentials, Failure> {
    Credentials::parse(text.expose_secret()).map_err(|error| refused(error.to_string()))
}

impl<C: Clock> CredentialSource for ServiceNowSecret<C> {
    async fn credentials(&self) -> Result<Credentials, Failure> {
        parse_servicenow(&self.secrets.text(&self.id).await?)
    }

    async fn renewed_credentials(&self) -> Result<Credentials, Failure> {
        parse_servicenow(&self.secrets.renewed_text(&self.id).await?)
    }
}

/// The secrets that may sign a webhook.
#[derive(Debug, Clone)]
pub struct WebhookKeys {
    /// The current version's text.
    pub current: SecretString,
    /// The current version's id.
    pub version: String,
    /// When the current version was created, if Secrets Manager says so. It may have become the current one much later.
    pub created_at: Option<Timestamp>,
    /// The text of the version before it, so that a rotation has no gap. The ledger says for how long it is accepted.
    pub previous: Option<SecretString>,
}

/// The source of the secrets that may sign a webhook: the current version and the one before it.
pub struct WebhookSecrets<C> {
    secrets: Arc<Secrets<C>>,
    id: String,
}

impl<C: Clock> WebhookSecrets<C> {
    /// Creates the source for the secret of this name.
    pub fn new(secrets: Arc<Secrets<C>>, id: String) -> Self {
        Self { secrets, id }
    }

    /// Returns the versions, read at most five minutes ago.
    ///
    /// # Errors
    /// If the current version is not available, see [`SecretError`].
    pub async fn known(&self) -> Result<WebhookKeys, SecretError> {
        self.keys(LIFETIME).await
    }

    /// Returns the versions, read at most ten seconds ago, after none of the known ones had signed a webhook.
    ///
    /// # Errors
    /// As [`WebhookSecrets::known`].
    pub async fn renewed(&self) -> Result<WebhookKeys, SecretError> {
        self.keys(MINIMUM_AGE).await
    }

    async fn keys(&self, lifetime: SignedDuration) -> Result<WebhookKeys, SecretError> {
        let current = self.secrets.current(&self.id, lifetime).await?;
        let previous = self.secrets.version(&self.id, Stage::Previous, lifetime).await?;
        let previous = previous.map(|previous| previous.text);
        let Version { id: version, text, created_at } = current;
        Ok(WebhookKeys { current: text, version, created_at, previous })
    }
}

fn refused(message: String) -> Failure {
    Failure::Refused { refusal: Refusal::Credentials, message }
}

#[cfg(test)]
mod tests;
