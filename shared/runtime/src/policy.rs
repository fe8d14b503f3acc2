//! The policy document, from an SSM parameter.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use casebridge_core::policy::{Policy, PolicyErrors};
use casebridge_ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// How long a document is in force before the parameter is read again: a change takes effect within minutes, and a busy
/// function makes few calls to SSM.
const LIFETIME: SignedDuration = SignedDuration::from_mins(3);
/// The most pages of earlier versions that a function reads when it starts with an invalid document. A parameter keeps
/// 100 versions, and a page has up to 50, often fewer.
const HISTORY_PAGES: usize = 20;

/// The newest policy document can't be used.
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
        /// Every field that is wrong. The error's text names them all, so this is not its source.
        errors: PolicyErrors,
    },
}

/// The source of the policy in force.
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
    /// Reads the policy for the first time. If the newest version of the document is invalid, the last valid version
    /// comes into force. It is also in force in the functions that run already.
    ///
    /// # Errors
    /// If the parameter can't be read, or if no version of it is valid. The function must not start then.
    pub async fn load(client: aws_sdk_ssm::Client, parameter: String, clock: C) -> Result<Self, PolicySourceError> {
        let newest = read(&client, &parameter).await?;
        let known = match newest.policy() {
            Ok(policy) => Known { policy: Arc::new(policy), read_at: clock.now() },
            Err(error) => {
                let Some(policy) = former(&client, &parameter, newest.version).await else { return Err(error) };
                // The first call of `current` reads the newest version again and reports its error.
                Known { policy: Arc::new(policy), read_at: Timestamp::MIN }
            }
        };
        Ok(Self { client, parameter, clock, known: Mutex::new(known) })
    }

    /// Returns the policy that was read last.
    pub fn in_force(&self) -> Arc<Policy> {
        self.known().policy
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the policy in force, after a new read if the last one is too old.
    ///
    /// # Errors
    /// The second value is an error if the newest document can't be read or is invalid. The first value is then the
    /// last valid policy.
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

/// Returns the last valid version before this one. Returns `None` if there is none, if a page of versions can't be
/// read, or if there are more than [`HISTORY_PAGES`]. Source: AWS Systems Manager API, GetParameterHistory.
async fn former(client: &aws_sdk_ssm::Client, parameter: &str, version: i64) -> Option<Policy> {
    let mut pages = client.get_parameter_history().name(parameter).into_paginator().send();
    let mut versions = Vec::new();
    // AWS does not document their order, so the newest of some pages may be years old: read all pages or use none.
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
