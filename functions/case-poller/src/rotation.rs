//! Watches the rotation of the webhook's secret. The previous secret is accepted for a day after its replacement. The
//! poller records the time of the replacement, since the webhook function may not run for weeks.

use casebridge_core::rotation::{ROTATION, Rotation, seen};
use casebridge_ledger::Ledger;
use jiff::Timestamp;

use crate::{PollError, SecretStore};

/// Records when the current version of the webhook's secret was first seen. An unreadable row counts as missing, and
/// the day starts again.
pub(crate) async fn watch(ledger: &impl Ledger, secrets: &impl SecretStore, now: Timestamp) -> Result<(), PollError> {
    let version = secrets.webhook_version().await?;
    let known = Rotation::read(ledger.watermark(ROTATION).await?.as_deref());
    let Some(seen) = seen(known.as_ref(), &version, now) else { return Ok(()) };
    let text = serde_json::to_string(&seen).map_err(PollError::watermark(ROTATION))?;
    Ok(ledger.set_watermark(ROTATION, &text).await?)
}
