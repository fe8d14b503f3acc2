//! The policy document, from an SSM parameter.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use casebridge_core::policy::{Policy, PolicyErrors};
use casebridge_ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// How long a document is in force before the parameter is read again.
const LIFETIME: SignedDuration = SignedDuration::from_mins(3);
/// How many pages of former versions are read at most when a function starts with a document that is not valid: a parameter
/// keeps 100 versions, and a page has up to 50, often fewer.
const HISTORY_PAGES: usize = 20;

/// There is no policy to start with.
#[derive(Debug, thiserror::Error)]
pub enum PolicySourceError {
    /// The parameter can't be read.
    #[error("the policy parameter `{parameter}` can't be read: check that it exists and that the function may read it")]
    Unreadable {
        /// The parameter's name.
        parameter: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The document is not valid.
    #[error("the policy parameter `{parameter}` holds no valid policy: {errors}")]
    Invalid {
        /// The parameter's name.
        parameter: String,
        /// Every field that is wrong. The chain ends here: they are told in full above.
        errors: PolicyErrors,
    },
}

/// The policy in force.
pub struct PolicySource<C> {
    client: aws_sdk_ssm::Client,
    parameter: String,
    clock: C,
    known: Mutex<Known>,
}

#[derive(Clone)]
struct Known {
    policy: Arc<Policy>,
    read_at: Timestamp,
}

impl<C: Clock> PolicySource<C> {
    /// Reads the policy for the first time. Where the newest version of the document is not valid, the last one before it that
    /// is comes into force, as it is in a function that runs already. A function does not start without a valid one.
    pub async fn load(client: aws_sdk_ssm::Client, parameter: String, clock: C) -> Result<Self, PolicySourceError> {
        let newest = read(&client, &parameter).await?;
        let known = match newest.policy() {
            Ok(policy) => Known { policy: Arc::new(policy), read_at: clock.now() },
            Err(error) => {
                let Some(policy) = former(&client, &parameter, newest.version).await else { return Err(error) };
                // The newest version is read again at once, so that whoever asks is told.
                Known { policy: Arc::new(policy), read_at: Timestamp::MIN }
            }
        };
        Ok(Self { client, parameter, clock, known: Mutex::new(known) })
    }

    /// The policy in force as far as it was read.
    pub fn in_force(&self) -> Arc<Policy> {
        self.known().policy
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The policy in force, and whether a newer document had to be left aside because it can't be read.
    pub async fn current(&self) -> (Arc<Policy>, Result<(), PolicySourceError>) {
        let known = self.known();
        let now = self.clock.now();
        if now.duration_since(known.read_at) < LIFETIME {
            return (known.policy, Ok(()));
        }
        let newest = read(&self.client, &self.parameter).await.and_then(|document| document.policy());
        let (policy, outcome) = match newest {
            Ok(policy) => (Arc::new(policy), Ok(())),
            Err(error) => (known.policy, Err(error)),
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            Known { policy: Arc::clone(&policy), read_at: now };
        (policy, outcome)
    }
}

/// The last valid version before this one, if all versions can be read. Source: AWS Systems Manager API, GetParameterHistory.
async fn former(client: &aws_sdk_ssm::Client, parameter: &str, version: i64) -> Option<Policy> {
    let mut pages = client.get_parameter_history().name(parameter).into_paginator().send();
    let mut versions = Vec::new();
    // Their order is not documented: of a part of them the newest may be years old.
    let mut read = 0;
    while let Some(page) = pages.next().await {
        read += 1;
        versions.extend(page.ok().filter(|_| read <= HISTORY_PAGES)?.parameters.unwrap_or_default());
    }
    versions.sort_by_key(|shown| std::cmp::Reverse(shown.version));
    let texts = versions.into_iter().filter(|shown| shown.version < version).filter_map(|shown| shown.value);
    texts.map(|text| Policy::parse(&text)).find_map(Result::ok)
}

/// The newest version of the document.
struct Document {
    parameter: String,
    version: i64,
    text: String,
}

impl Document {
    fn policy(&self) -> Result<Policy, PolicySourceError> {
        let parameter = || self.parameter.clone();
        Policy::parse(&self.text).map_err(|errors| PolicySourceError::Invalid { parameter: parameter(), errors })
    }
}

async fn read(client: &aws_sdk_ssm::Client, parameter: &str) -> Result<Document, PolicySourceError> {
    let unreadable = |source: Box<dyn Error + Send + Sync>| PolicySourceError::Unreadable {
        parameter: parameter.to_owned(),
        source,
    };
    let answer = client.get_parameter().name(parameter).send().await.map_err(|error| unreadable(Box::new(error)))?;
    let shown = answer.parameter.ok_or_else(|| unreadable("the answer has no parameter".into()))?;
    let text = shown.value.ok_or_else(|| unreadable("the parameter has no value".into()))?;
    Ok(Document { parameter: parameter.to_owned(), version: shown.version, text })
}

#[cfg(test)]
mod tests;
