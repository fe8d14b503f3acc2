//! The Standard Webhooks signature: `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header that names the message; it stays over attempts.
pub(crate) const ID_HEADER: &str = "webhook-id";
/// The header with the moment of the attempt, in Unix seconds.
pub(crate) const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub(crate) const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far the sender's clock and ours may differ. Source: Standard Webhooks, verifying webhook timestamps.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// What stands before a secret's base64 text.
const SECRET_PREFIX: &str = "whsec_";
/// The version of a signature that is made with a shared secret.
const VERSION: &str = "v1";
/// How many signatures of one webhook are looked at.
const MAX_SIGNATURES: usize = 8;

/// What a webhook says of itself, and its body.
pub(crate) struct Signed<'request> {
    pub(crate) id: &'request str,
    pub(crate) timestamp: &'request str,
    pub(crate) signatures: &'request str,
    pub(crate) body: &'request [u8],
}

impl Signed<'_> {
    /// Whether the attempt was made within the tolerance of now.
    pub(crate) fn is_recent(&self, now: Timestamp) -> bool {
        let made_at = self.timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        made_at.is_some_and(|made_at| now.duration_since(made_at).abs() <= TOLERANCE)
    }

    /// Whether one of the signatures was made with one of the secrets.
    pub(crate) fn is_by_one_of(&self, secrets: &[SecretString]) -> bool {
        secrets.iter().filter_map(key_of).any(|key| self.is_by(&key))
    }

    fn is_by(&self, key: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body] {
            mac.update(part);
        }
        self.signatures
            .split(' ')
            .take(MAX_SIGNATURES)
            .filter_map(|signature| signature.split_once(','))
            .filter(|(version, _)| *version == VERSION)
            .filter_map(|(_, signature)| STANDARD.decode(signature).ok())
            // The comparison takes the same time wherever the two differ.
            .any(|signature| mac.clone().verify_slice(&signature).is_ok())
    }
}

/// The bytes of a secret. An unreadable one verifies nothing.
fn key_of(secret: &SecretString) -> Option<Vec<u8>> {
    let text = secret.expose_secret().trim();
    let key = STANDARD.decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text)).ok();
    let key = key.filter(|key| !key.is_empty());
    if key.is_none() {
        tracing::error!("a version of the webhook's secret is not of the form whsec_<base64>: correct or remove it");
    }
    key
}
