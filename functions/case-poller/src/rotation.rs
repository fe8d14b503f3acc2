//! Watches the rotation of the webhook's secret: the previous one is accepted for a day from when it was replaced, and nobody
//! else tells when that was. The webhook function can't: it may not run for weeks.

use casebridge_core::rotation::{ROTATION, Rotation, seen};
use casebridge_ledger::Ledger;
use jiff::Timestamp;

use crate::{PollError, SecretStore};

/// Remembers when the current version of the webhook's secret was seen first. A row that can't be read counts as none: the
/// day begins anew.
pub(crate) async fn watch(ledger: &impl Ledger, secrets: &impl SecretStore, now: Timestamp) -> Result<(), PollError> {
    let version = secrets.webhook_version().await?;
    let known = Rotation::read(ledger.watermark(ROTATION).await?.as_deref());
    let Some(seen) = seen(known.as_ref(), &version, now) else { return Ok(()) };
    let text = serde_json::to_string(&seen).map_err(PollError::watermark(ROTATION))?;
    Ok(ledger.set_watermark(ROTATION, &text).await?)
}
