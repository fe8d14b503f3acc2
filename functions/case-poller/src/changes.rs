//! The poll of ServiceNow: incidents that changed since the watermark.

use casebridge_core::{
    hint::Cause,
    identifiers::LinkKey,
    policy::Policy,
    poll::{self, Position, Watermark, has_incident_changed},
    time::seconds,
};
use casebridge_ledger::Ledger;
use casebridge_ports::{Support, Timer};
use casebridge_runtime::{HintSink, metrics::Metric};
use casebridge_servicenow::{IncidentChange, MAXIMUM_CHANGES_PER_PAGE};

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick};

/// The name of the watermark in the ledger.
pub const WATERMARK: &str = "servicenow_changes";
/// The most pages that one poll reads: 10,000 incidents. The next poll continues. With half a second each they take
/// the 25 seconds that the function has before its reserve.
const MAXIMUM_PAGES: usize = 50;

impl<L, Q, N, S, A, C> Poller<L, Q, N, S, A, C>
where
    L: Ledger,
    Q: HintSink,
    N: ChangeFeed,
    S: Support,
    A: SecretStore,
    C: Timer,
{
    pub(crate) async fn poll_changes(&self, policy: &Policy, tick: Tick) -> Result<(), PollError> {
        let watermark = if let Some(text) = self.ledger.watermark(WATERMARK).await? {
            serde_json::from_str(&text).map_err(PollError::watermark(WATERMARK))?
        } else {
            let first = poll::first(tick.now);
            self.remember(&first).await?;
            first
        };
        let mut position = poll::start(&watermark, seconds(policy.poll_overlap_seconds));
        let mut began_at = None;
        let mut outcome = Ok(());
        let mut finished = false;
        for _ in 0..MAXIMUM_PAGES {
            if self.is_time_up(tick) {
                break;
            }
            let page = match self
                .servicenow
                .changes(position.since, position.after.as_ref(), MAXIMUM_CHANGES_PER_PAGE)
                .await
            {
                Ok(page) => page,
                Err(failure) => {
                    self.metrics.failure(&failure);
                    outcome = Err(PollError::side("ServiceNow", &failure));
                    break;
                }
            };
            self.hand_off_changed(&page.incidents, tick).await?;
            began_at.get_or_insert(page.now);
            let Some(last) = page.incidents.last().filter(|_| page.more) else {
                finished = true;
                break;
            };
            position = Position { since: last.sys_updated_on, after: Some(last.sys_id.clone()) };
        }
        // Move the watermark only now, when the hints up to the position are on the queue.
        if let Some(began_at) = began_at {
            let stopped_at = if finished { None } else { Some(position) };
            self.remember(&poll::advance(&watermark, began_at, stopped_at)).await?;
        }
        outcome
    }

    async fn remember(&self, watermark: &Watermark) -> Result<(), PollError> {
        let text = serde_json::to_string(watermark).map_err(PollError::watermark(WATERMARK))?;
        Ok(self.ledger.set_watermark(WATERMARK, &text).await?)
    }

    async fn hand_off_changed(&self, changes: &[IncidentChange], tick: Tick) -> Result<(), PollError> {
        self.metrics.count(Metric::IncidentsPolled, changes.len());
        let links_of = |change: &IncidentChange| {
            let (count, attached) = (change.sys_mod_count, change.attached);
            LinkKey::all_of(&change.sys_id).map(move |link| ((count, attached), link))
        };
        let (counts, links): (Vec<(u64, bool)>, Vec<LinkKey>) = changes.iter().flat_map(links_of).unzip();
        let remembered = self.ledger.remembered_mod_counts(&links).await?;
        let drifted = counts
            .into_iter()
            .zip(remembered)
            .zip(links)
            // A file changes no update count, so the incident of a new one is looked at in any case.
            .filter(|(((count, attached), remembered), _)| *attached || has_incident_changed(*count, *remembered))
            .map(|(_, link)| link);
        self.hand_off(drifted, Cause::ServicenowPoll, tick).await
    }
}
