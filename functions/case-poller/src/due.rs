//! The links that are due: the poller claims each one and enqueues its hint.
//!
//! The claim comes before the hint. A poller that dies after the claim delays the link by ten minutes. Without a claim,
//! each poll would enqueue the hint again until a worker takes it.

use std::{
    future::ready,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
};

use casebridge_core::{
    hint::{Cause, Subject},
    identifiers::{ClaimId, LinkKey},
    poll,
};
use casebridge_ledger::{DueLink, Ledger};
use casebridge_ports::{Support, Timer};
use casebridge_runtime::{HintSink, metrics::Metric};
use futures_util::{StreamExt, stream};

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick};

/// The most due links of one poll: they take less than a second to claim. The next poll takes the others.
pub const MAXIMUM_DUE_LINKS: usize = 1_000;
/// The links that are claimed at once: a thousand claims of 10 milliseconds each take less than a second.
const CLAIMS_AT_ONCE: usize = 16;
/// The claimed links that are handed off together: as many as the queue takes with one call.
const HINTS_AT_ONCE: usize = 10;

impl<L, Q, N, S, A, C> Poller<L, Q, N, S, A, C>
where
    L: Ledger,
    Q: HintSink,
    N: ChangeFeed,
    S: Support,
    A: SecretStore,
    C: Timer,
{
    /// Hands off the due links, the longest due first. A link that was not claimed, for lack of time or after a
    /// failure, stays due.
    pub(crate) async fn poll_due(&self, tick: Tick) -> Result<(), PollError> {
        let due = self.ledger.due_links(tick.now, MAXIMUM_DUE_LINKS).await?;
        self.metrics.count(Metric::LinksDue, due.len());
        let failed = AtomicBool::new(false);
        let goes_on = || !failed.load(Ordering::Relaxed) && !self.is_time_up(tick);
        let claims = stream::iter(due)
            .take_while(|_| ready(goes_on()))
            .map(|due| self.claim(due))
            .buffered(CLAIMS_AT_ONCE)
            .chunks(HINTS_AT_ONCE);
        let mut claims = pin!(claims);
        let mut outcome = Ok(());
        // After a failure no further claim begins, and the links that are claimed by then are still handed off.
        while let Some(batch) = claims.next().await {
            let handed_off = self.hand_off_claimed(batch).await;
            failed.fetch_or(handed_off.is_err(), Ordering::Relaxed);
            outcome = outcome.and(handed_off);
        }
        outcome
    }

    /// Claims a due link. Returns `None` if another worker was faster or if the link is no longer due.
    async fn claim(&self, due: DueLink) -> Result<Option<(LinkKey, ClaimId)>, PollError> {
        let (claim, until) = poll::claim(due.due_at, self.clock.now());
        let claimed = self.ledger.claim_due(&due, &claim, until).await?;
        Ok(claimed.then_some((due.key, claim)))
    }

    async fn hand_off_claimed(
        &self,
        batch: Vec<Result<Option<(LinkKey, ClaimId)>, PollError>>,
    ) -> Result<(), PollError> {
        let mut outcome = Ok(());
        let mut hints = Vec::with_capacity(batch.len());
        for claimed in batch {
            match claimed {
                Ok(Some((key, claim))) => {
                    let occasion = claim.to_string();
                    hints.extend(self.hint(Subject::Link { key }, Cause::Due, Some(claim), &occasion));
                }
                Ok(None) => {}
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome.and(self.enqueue(hints).await)
    }
}
