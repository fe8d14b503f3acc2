//! The reads of a pass.

use casebridge_core::link::{
    kind::Kind,
    pass::{Look, Read, Seen},
};
use casebridge_ledger::LedgerError;
use casebridge_ports::{Randomness, ServiceNow};
use futures_util::future::join_all;

use crate::{carrier::Carrier, error::ReconcileError, ports::Ports, work::Work};

impl<P: Ports, K: Kind, C: Carrier<K>> Work<'_, P, K, C> {
    /// Makes the reads that the pass asks for, in rounds. The reads of a round are made concurrently. Stops after a
    /// round if too little time is left for another one: the next pass reads what is unread, after a wait.
    pub(crate) async fn look(&mut self, look: Look) -> Result<(), ReconcileError> {
        self.pass.look(look, self.now());
        let mut is_first = true;
        loop {
            let reads = self.pass.next_reads();
            if reads.is_empty() {
                return Ok(());
            }
            if !std::mem::take(&mut is_first) && self.is_out_of_time() {
                let (now, spread) = (self.now(), self.ports.randomness.spread());
                self.pass.stop_looking(self.policy, now, spread);
                return Ok(());
            }
            let answers = join_all(reads.into_iter().map(|read| self.read(read))).await;
            for seen in answers {
                let (now, spread) = (self.now(), self.ports.randomness.spread());
                if let Some((side, failure)) = self.pass.see(self.policy, seen?, now, spread)? {
                    self.report.failed(side, &failure);
                }
            }
        }
    }

    async fn read(&self, read: Read<K::Read>) -> Result<Seen<K>, LedgerError> {
        Ok(match read {
            Read::Incident { entries_since } => {
                Seen::Incident(self.ports.servicenow.snapshot(&self.pass.key, entries_since).await)
            }
            Read::Record(read) => {
                let answer = self.carrier.read(&read).await?;
                Seen::Record(read, answer)
            }
        })
    }
}
