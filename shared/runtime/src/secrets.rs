//! Secrets, from Secrets Manager, kept for minutes and never printed.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_secretsmanager::{
    Client,
    error::ProvideErrorMetadata,
    types::{Filter, FilterNameStringType},
};
use casebridge_aws::{AccountCredentials, AccountSource};
use casebridge_core::{
    effect::{Failure, Refusal},
    identifiers::AccountId,
};
use casebridge_executor::ports::Clock;
use casebridge_servicenow::{CredentialSource, Credentials};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

/// How long a secret is kept.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// A secret that was read this short a time ago is not read again, whoever asks: wrong signatures must cost nothing.
const LEAST_AGE: SignedDuration = SignedDuration::from_secs(10);
/// How many pages of names are read: 100 names each.
const MAX_LIST_PAGES: usize = 100;
/// How many digits an account has.
const ACCOUNT_DIGITS: usize = 12;

/// A secret can't be had. No variant holds its text.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error("there is no secret `{id}`; create it")]
    Missing {
        /// The secret's name.
        id: String,
    },
    /// We may not read it.
    #[error("the function may not read the secret `{id}`; grant it secretsmanager:GetSecretValue, and its key")]
    Denied {
        /// The secret's name.
        id: String,
    },
    /// It holds bytes where text is expected.
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
        source: Box<dyn Error + Send + Sync>,
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

/// Which version of a secret.
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

/// What was read, and when. A version that is not there is remembered as well.
#[derive(Clone)]
struct Known {
    text: Option<SecretString>,
    read_at: Timestamp,
}

/// Secrets Manager, with what was read of it lately.
pub struct Secrets<C> {
    client: Client,
    clock: C,
    known: Mutex<BTreeMap<(String, Stage), Known>>,
}

impl<C: Clock> Secrets<C> {
    /// Nothing is read yet.
    pub fn new(client: Client, clock: C) -> Self {
        Self { client, clock, known: Mutex::new(BTreeMap::new()) }
    }

    /// The secret's text, read at most five minutes ago.
    pub async fn text(&self, id: &str) -> Result<SecretString, SecretError> {
        self.required(id, LIFETIME).await
    }

    /// The secret's text as it is now: what was known has been refused.
    pub async fn renewed_text(&self, id: &str) -> Result<SecretString, SecretError> {
        self.required(id, LEAST_AGE).await
    }

    async fn required(&self, id: &str, lifetime: SignedDuration) -> Result<SecretString, SecretError> {
        self.version(id, Stage::Current, lifetime).await?.ok_or_else(|| SecretError::Missing { id: id.to_owned() })
    }

    /// A version of the secret, none if there is none.
    async fn version(
        &self,
        id: &str,
        stage: Stage,
        lifetime: SignedDuration,
    ) -> Result<Option<SecretString>, SecretError> {
        let key = (id.to_owned(), stage);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let now = self.clock.now();
        if let Some(known) = &known
            && now.duration_since(known.read_at) < lifetime
        {
            return Ok(known.text.clone());
        }
        match (self.fetch(id, stage).await, known) {
            (Ok(text), _) => {
                let fresh = Known { text: text.clone(), read_at: now };
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, fresh);
                Ok(text)
            }
            // What is known may well be right still; work goes on with it until Secrets Manager answers.
            (Err(SecretError::Unavailable { .. }), Some(known)) => {
                tracing::warn!(secret = id, "Secrets Manager did not answer; the known version stays in use");
                Ok(known.text)
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn fetch(&self, id: &str, stage: Stage) -> Result<Option<SecretString>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(id).version_stage(stage.as_str()).send().await;
        let id = id.to_owned();
        match answer {
            Ok(answer) => match answer.secret_string {
                Some(text) => Ok(Some(SecretString::from(text))),
                None => Err(SecretError::NoText { id }),
            },
            Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
                Some("ResourceNotFoundException") => Ok(None),
                Some(code) if code.starts_with("AccessDenied") => Err(SecretError::Denied { id }),
                _ => Err(SecretError::Unavailable { id, source: Box::new(error) }),
            },
        }
    }

    /// The names of all secrets that begin with the prefix.
    async fn names(&self, prefix: &str) -> Result<Vec<String>, SecretError> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(prefix).build();
        let mut names = Vec::new();
        let mut pages = self.client.list_secrets().filters(filter).into_paginator().send();
        for _ in 0..MAX_LIST_PAGES {
            match pages.next().await {
                None => break,
                Some(Ok(page)) => {
                    names.extend(page.secret_list.unwrap_or_default().into_iter().filter_map(|secret| secret.name));
                }
                Some(Err(error)) => {
                    return Err(SecretError::Unavailable { id: prefix.to_owned(), source: Box::new(error) });
                }
            }
        }
        Ok(names)
    }
}

/// The accounts' credentials: one secret each, named by a prefix and the account's digits.
pub struct AccountSecrets<C> {
    secrets: Arc<Secrets<C>>,
    prefix: String,
}

impl<C: Clock> AccountSecrets<C> {
    /// The accounts whose secrets' names begin with the prefix.
    pub fn new(secrets: Arc<Secrets<C>>, prefix: String) -> Self {
        Self { secrets, prefix }
    }

    /// All accounts that have a secret, each once, in order.
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

/// Our credentials on the ServiceNow instance.
pub struct ServiceNowSecret<C> {
    secrets: Arc<Secrets<C>>,
    id: String,
}

impl<C: Clock> ServiceNowSecret<C> {
    /// The secret of this name.
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

/// What signs the webhook: the current version and the one before it, so that a rotation has no gap.
pub struct WebhookSecrets<C> {
    secrets: Arc<Secrets<C>>,
    id: String,
}

impl<C: Clock> WebhookSecrets<C> {
    /// The secret of this name.
    pub fn new(secrets: Arc<Secrets<C>>, id: String) -> Self {
        Self { secrets, id }
    }

    /// The versions that are valid, the current one first.
    pub async fn valid(&self) -> Result<Vec<SecretString>, SecretError> {
        self.versions(LIFETIME).await
    }

    /// The versions that are valid now: none of those that were known signed the webhook.
    pub async fn renewed(&self) -> Result<Vec<SecretString>, SecretError> {
        self.versions(LEAST_AGE).await
    }

    async fn versions(&self, lifetime: SignedDuration) -> Result<Vec<SecretString>, SecretError> {
        let current = self.secrets.required(&self.id, lifetime).await?;
        let previous = self.secrets.version(&self.id, Stage::Previous, lifetime).await?;
        Ok([Some(current), previous].into_iter().flatten().collect())
    }
}

fn refused(message: String) -> Failure {
    Failure::Refused { refusal: Refusal::Credentials, message }
}

#[cfg(test)]
mod tests;
