//! The policy document, from an SSM parameter.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use casebridge_core::policy::{Policy, PolicyErrors};
use casebridge_executor::ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// How long a document is in force before the parameter is read again.
const LIFETIME: SignedDuration = SignedDuration::from_mins(3);

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
    /// Reads the policy for the first time. A function does not start without a valid one.
    pub async fn load(client: aws_sdk_ssm::Client, parameter: String, clock: C) -> Result<Self, PolicySourceError> {
        let policy = Arc::new(read(&client, &parameter).await?);
        let known = Mutex::new(Known { policy, read_at: clock.now() });
        Ok(Self { client, parameter, clock, known })
    }

    /// The policy in force, and whether a newer document had to be left aside because it can't be read.
    pub async fn current(&self) -> (Arc<Policy>, Result<(), PolicySourceError>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now();
        if now.duration_since(known.read_at) < LIFETIME {
            return (known.policy, Ok(()));
        }
        let (policy, outcome) = match read(&self.client, &self.parameter).await {
            Ok(policy) => (Arc::new(policy), Ok(())),
            Err(error) => (known.policy, Err(error)),
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            Known { policy: Arc::clone(&policy), read_at: now };
        (policy, outcome)
    }
}

async fn read(client: &aws_sdk_ssm::Client, parameter: &str) -> Result<Policy, PolicySourceError> {
    let unreadable = |source: Box<dyn Error + Send + Sync>| PolicySourceError::Unreadable {
        parameter: parameter.to_owned(),
        source,
    };
    let answer = client.get_parameter().name(parameter).send().await.map_err(|error| unreadable(Box::new(error)))?;
    let document = answer
        .parameter
        .and_then(|parameter| parameter.value)
        .ok_or_else(|| unreadable("the parameter has no value".into()))?;
    Policy::parse(&document).map_err(|errors| PolicySourceError::Invalid { parameter: parameter.to_owned(), errors })
}

#[cfg(test)]
mod tests;
