//! Watches the rotation of the webhook's secret: the previous one is accepted for a day from when it was replaced, and nobody
//! else tells when that was. The webhook function can't: it may not run for weeks.

use casebridge_core::rotation::{self, ROTATION, Rotation};
use casebridge_executor::ports::Support;
use casebridge_ledger::Ledger;
use casebridge_runtime::HintSink;

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick, Timer};

impl<L, Q, N, S, A, C> Poller<L, Q, N, S, A, C>
where
    L: Ledger,
    Q: HintSink,
    N: ChangeFeed,
    S: Support,
    A: SecretStore,
    C: Timer,
{
    /// Remembers when the current version of the webhook's secret was seen first.
    pub(crate) async fn watch_rotation(&self, tick: Tick) -> Result<(), PollError> {
        let version = self.secrets.webhook_version().await?;
        // A row that can't be read counts as none: the day begins anew.
        let row = self.ledger.watermark(ROTATION).await?;
        let known: Option<Rotation> = row.and_then(|row| serde_json::from_str(&row).ok());
        let Some(seen) = rotation::seen(known.as_ref(), &version, tick.now) else { return Ok(()) };
        let text = serde_json::to_string(&seen).map_err(PollError::watermark(ROTATION))?;
        Ok(self.ledger.set_watermark(ROTATION, &text).await?)
    }
}
