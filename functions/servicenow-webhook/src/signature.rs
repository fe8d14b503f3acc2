//! The Standard Webhooks signature: `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header with the message's id, the same in all attempts.
pub(crate) const ID_HEADER: &str = "webhook-id";
/// The header with the moment of the attempt, in Unix seconds.
pub(crate) const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub(crate) const SIGNATURE_HEADER: &str = "webhook-signature";

/// The greatest difference between the sender's clock and ours. Source: Standard Webhooks, verifying webhook
/// timestamps.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// The prefix of a secret's base64 text.
const SECRET_PREFIX: &str = "whsec_";
/// The version of signatures with a shared secret.
const VERSION: &str = "v1";
/// The most signatures of one webhook that are checked: a rotation needs two, and each check costs processor time.
const MAXIMUM_SIGNATURES: usize = 8;
/// The least length of a key, in bytes. Source: Standard Webhooks, signature scheme.
const MINIMUM_KEY_BYTES: usize = 24;

/// A version of the secret that can't be used. The error does not repeat the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum UnusableSecret {
    #[error("is not of the form whsec_<base64>: correct or remove it")]
    Unreadable,
    #[error("has {0} bytes, which can be guessed: store at least {MINIMUM_KEY_BYTES} random bytes as whsec_<base64>")]
    TooShort(usize),
}

/// The signed parts of a webhook, and its signatures.
pub(crate) struct Signed<'request> {
    pub(crate) id: &'request str,
    pub(crate) timestamp: &'request str,
    pub(crate) signatures: &'request str,
    pub(crate) body: &'request [u8],
}

impl Signed<'_> {
    /// Whether the time of the attempt differs from `now` by at most the tolerance.
    pub(crate) fn is_recent(&self, now: Timestamp) -> bool {
        let made_at = self.timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        made_at.is_some_and(|made_at| now.duration_since(made_at).abs() <= TOLERANCE)
    }

    /// Whether the key made one of the signatures.
    pub(crate) fn is_by(&self, key: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body] {
            mac.update(part);
        }
        self.signatures
            .split(' ')
            .take(MAXIMUM_SIGNATURES)
            .filter_map(|signature| signature.split_once(','))
            .filter(|(version, _)| *version == VERSION)
            .filter_map(|(_, signature)| STANDARD.decode(signature).ok())
            // The comparison takes constant time, so that its duration reveals nothing about the signature.
            .any(|signature| mac.clone().verify_slice(&signature).is_ok())
    }
}

/// Returns the key of a version of the secret. Logs an unusable version and returns `None`.
pub(crate) fn key_of(secret: &SecretString) -> Option<Vec<u8>> {
    let told = |error: &UnusableSecret| tracing::error!("a version of the webhook's secret {error}");
    read_key(secret).inspect_err(told).ok()
}

fn read_key(secret: &SecretString) -> Result<Vec<u8>, UnusableSecret> {
    let text = secret.expose_secret().trim();
    let text = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
    let key = STANDARD.decode(text).map_err(|_| UnusableSecret::Unreadable)?;
    if key.len() < MINIMUM_KEY_BYTES { Err(UnusableSecret::TooShort(key.len())) } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: usize) -> Result<Vec<u8>, UnusableSecret> {
        read_key(&SecretString::from(format!("{SECRET_PREFIX}{}", STANDARD.encode(vec![7; bytes]))))
    }

    #[test]
    fn a_key_has_24_bytes_at_least() {
        assert_eq!(key(24).unwrap().len(), 24);
        assert_eq!(key(23), Err(UnusableSecret::TooShort(23)));
        assert_eq!(key(0), Err(UnusableSecret::TooShort(0)));
        assert_eq!(read_key(&SecretString::from("whsec_hunter2")), Err(UnusableSecret::Unreadable));
    }

    #[test]
    fn a_secret_that_can_not_be_used_says_what_to_do_and_is_not_repeated() {
        let words = UnusableSecret::TooShort(12).to_string();
        assert_eq!(words, "has 12 bytes, which can be guessed: store at least 24 random bytes as whsec_<base64>");
        assert!(UnusableSecret::Unreadable.to_string().ends_with("correct or remove it"));
    }
}
