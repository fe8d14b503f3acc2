//! The ledger in memory, for simulation: the same rows, conditions and answers as the table's.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use casebridge_core::{
    file::transfer::Transfer,
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey, TransferId},
    link::{
        Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
    },
};
use jiff::Timestamp;

use crate::{
    changes::{IntentRow, RowChange, changes, hand_over_changes},
    error::LedgerError,
    ledger::{
        DueLink, HandOver, Lease, LeaseAnswer, Ledger, ReleaseAnswer, RowPage, TransferAnswer, TransferLease,
        TransferLedger,
    },
    row::{self, LinkRow, RefusedWrite, Summary},
    transfer::{self, TransferRow},
};

/// What a ledger has read and written so far, for checks of what a link costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The bytes of links' states that it has returned with a lease.
    pub read_bytes: usize,
    /// How many states of links were written under a lease.
    pub writes: usize,
    /// Their bytes.
    pub written_bytes: usize,
    /// How many rows beside a link's own these writes have put or deleted.
    pub rows: usize,
}

impl Traffic {
    /// Returns what was read and written since an earlier look.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            read_bytes: self.read_bytes - earlier.read_bytes,
            writes: self.writes - earlier.writes,
            written_bytes: self.written_bytes - earlier.written_bytes,
            rows: self.rows - earlier.rows,
        }
    }
}

/// A ledger in memory, for one thread. A clone is an independent copy, to which a simulation can return.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    tables: RefCell<Tables>,
}

/// The rows, by their keys.
#[derive(Debug, Clone, Default)]
struct Tables {
    links: BTreeMap<LinkKey, MemoryLink>,
    intents: BTreeMap<(LinkKey, u64), IntentRow>,
    rows: BTreeMap<RowKey, Row>,
    counts: BTreeMap<(AccountId, &'static str, i64), u32>,
    watermarks: BTreeMap<String, String>,
    transfers: BTreeMap<(LinkKey, TransferId), MemoryTransfer>,
    traffic: Traffic,
}

/// A transfer's row.
#[derive(Debug, Clone)]
struct MemoryTransfer {
    row: TransferRow,
    lease_until: i64,
}

/// The link's row.
#[derive(Debug, Clone, Default)]
struct MemoryLink {
    row: LinkRow,
    lease_until: i64,
    dirty: bool,
    due_at: Option<i64>,
    mod_count: Option<u64>,
}

impl MemoryLink {
    /// Returns the row of a link that is recorded for the first time and due at `now`.
    fn first<K: Remembered>(state: String, link: &Link<K>, now: Timestamp) -> Self {
        let row = LinkRow { state: Some(state), revision: row::FIRST_REVISION, ..LinkRow::default() };
        let mod_count = Summary::of(link).mod_count;
        Self { row, due_at: Some(now.as_millisecond()), mod_count, ..Self::default() }
    }
}

/// What becomes of the lease with a write.
enum LeaseChange {
    Keep,
    KeepAndClearDirty,
    Free { due_at: Option<i64>, keeps_claim: bool },
    Forget,
}

impl MemoryLedger {
    /// Creates an empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how many links it remembers.
    pub fn link_count(&self) -> usize {
        self.tables.borrow().links.len()
    }

    /// Returns what it remembers of a link, leased or not. Returns `None` if it has no such link. For checks.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if the link's state can't be read.
    pub fn link<K: Remembered>(&self, key: &LinkKey) -> Result<Option<Link<K>>, LedgerError> {
        match self.tables.borrow().links.get(key) {
            Some(link) => row::decode(key, &link.row).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the number of each intent that a link has had, with the word for how it ended: `None` while it has no
    /// outcome. For checks.
    pub fn intent_ends(&self, key: &LinkKey) -> Vec<(u64, Option<&'static str>)> {
        let first = (key.clone(), 0);
        let tables = self.tables.borrow();
        let intents = tables.intents.range(first..).take_while(|((link, _), _)| link == key);
        intents.map(|((_, sequence), row)| (*sequence, row.ending.as_ref().map(|ending| ending.end))).collect()
    }

    /// Returns what it has read and written so far.
    pub fn traffic(&self) -> Traffic {
        self.tables.borrow().traffic
    }

    /// Returns the links that it remembers. For checks.
    pub fn link_keys(&self) -> Vec<LinkKey> {
        self.tables.borrow().links.keys().cloned().collect()
    }
}

impl Tables {
    fn take_lease<K: Remembered>(
        &mut self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        if claim.is_some() && self.links.get(key).and_then(|link| link.row.claim.as_ref()) != claim {
            return Ok(LeaseAnswer::Unclaimed);
        }
        let link = self.links.entry(key.clone()).or_default();
        let held_by_another = link.row.lease_owner.as_ref().is_some_and(|owner| owner != attempt);
        if held_by_another && link.lease_until > now.as_millisecond() {
            link.dirty = true;
            return Ok(LeaseAnswer::Deferred);
        }
        let due = link.due_at.and_then(|due_at| Timestamp::from_millisecond(due_at).ok());
        let answer = row::taken(&link.row, key, attempt, until, due);
        self.traffic.read_bytes += link.row.state.as_ref().map_or(0, String::len);
        link.row.lease_owner = Some(attempt.clone());
        link.lease_until = until.as_millisecond();
        link.due_at = Some(until.as_millisecond());
        answer
    }

    fn claim_due(&mut self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> bool {
        let Some(link) = self.links.get_mut(&due.key) else { return false };
        if link.due_at == Some(due.due_at.as_millisecond()) {
            link.row.claim = Some(claim.clone());
            link.due_at = Some(until.as_millisecond());
        }
        link.row.claim.as_ref() == Some(claim)
    }

    fn wake(&mut self, key: &LinkKey, now: Timestamp) {
        let Some(link) = self.links.get_mut(key) else { return };
        let now = now.as_millisecond();
        if link.row.lease_owner.is_some() && link.lease_until > now {
            link.dirty = true;
        } else {
            link.due_at = Some(now);
        }
    }

    /// Returns why a write under the lease would be refused. `Held` means that it would not.
    fn refused(&self, lease: &Lease, state: &str) -> RefusedWrite {
        row::refused(self.links.get(&lease.key).map(|link| &link.row), lease, state)
    }

    fn is_dirty(&self, key: &LinkKey) -> bool {
        self.links.get(key).is_some_and(|link| link.dirty)
    }

    fn write<K: Remembered>(
        &mut self,
        lease: &Lease,
        after: &Link<K>,
        state: String,
        rows: Vec<RowChange>,
        lease_change: &LeaseChange,
    ) {
        self.traffic.writes += 1;
        self.traffic.written_bytes += state.len();
        self.traffic.rows += rows.len();
        for change in rows {
            self.apply(change);
        }
        if matches!(lease_change, LeaseChange::Forget) {
            self.links.remove(&lease.key);
            return;
        }
        let link = self.links.entry(lease.key.clone()).or_default();
        link.row.state = Some(state);
        link.row.revision = lease.revision + 1;
        link.mod_count = Summary::of(after).mod_count;
        match lease_change {
            LeaseChange::Keep | LeaseChange::Forget => {}
            LeaseChange::KeepAndClearDirty => link.dirty = false,
            LeaseChange::Free { due_at, keeps_claim } => {
                link.row.released_by = link.row.lease_owner.take();
                link.due_at = *due_at;
                link.row.claim = link.row.claim.take().filter(|_| *keeps_claim);
            }
        }
    }

    fn apply(&mut self, change: RowChange) {
        match change {
            RowChange::PutIntent(intent) => {
                self.intents.insert((intent.link.clone(), intent.sequence), intent);
            }
            RowChange::Put(index_row) => {
                self.rows.insert(index_row.row.key.clone(), index_row.row);
            }
            RowChange::Delete(key) => {
                self.rows.remove(&key);
            }
        }
    }

    /// Returns the rows with the prefix, in the order of their sort texts: those after the row `behind`, with which a
    /// page ended, or all.
    fn under(&self, prefix: &RowPrefix, behind: Option<&str>) -> impl Iterator<Item = &Row> {
        let start = behind.map_or(Included(prefix.row("")), |rest| Excluded(prefix.row(rest)));
        let rows = self.rows.range((start, Unbounded));
        rows.take_while(|(key, _)| prefix.rest(key).is_some()).map(|(_, row)| row)
    }
}

impl Ledger for MemoryLedger {
    async fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        self.tables.borrow_mut().take_lease(key, attempt, now, until, claim)
    }

    async fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> Result<Lease, LedgerError> {
        let state = row::encode(&lease.key, after)?;
        let mut tables = self.tables.borrow_mut();
        match tables.refused(lease, &state) {
            RefusedWrite::Held => {
                tables.write(lease, after, state, changes(&lease.key, before, after, now), &LeaseChange::Keep);
                Ok(row::next(lease))
            }
            RefusedWrite::AlreadyWritten => Ok(row::next(lease)),
            RefusedWrite::AlreadyReleased | RefusedWrite::Absent | RefusedWrite::Lost => {
                Err(LedgerError::LeaseLost { key: lease.key.clone() })
            }
        }
    }

    async fn hand_over<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        to: &LinkKey,
        successor: &Link<K>,
        now: Timestamp,
    ) -> Result<HandOver, LedgerError> {
        let (state, successor_state) = (row::encode(&lease.key, after)?, row::encode(to, successor)?);
        let mut tables = self.tables.borrow_mut();
        match tables.refused(lease, &state) {
            RefusedWrite::Held => {}
            RefusedWrite::AlreadyWritten => return Ok(HandOver::Done { lease: row::next(lease) }),
            RefusedWrite::AlreadyReleased | RefusedWrite::Absent | RefusedWrite::Lost => {
                return Err(LedgerError::LeaseLost { key: lease.key.clone() });
            }
        }
        if tables.links.get(to).is_some_and(|link| link.row.state.is_some()) {
            return Ok(HandOver::Occupied);
        }
        let rows = hand_over_changes(&lease.key, before, after, to, successor, now);
        tables.write(lease, after, state, rows, &LeaseChange::Keep);
        tables.links.insert(to.clone(), MemoryLink::first(successor_state, successor, now));
        Ok(HandOver::Done { lease: row::next(lease) })
    }

    async fn release<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        due: Option<Timestamp>,
        even_if_dirty: bool,
        now: Timestamp,
    ) -> Result<ReleaseAnswer, LedgerError> {
        let state = row::encode(&lease.key, after)?;
        let forgotten = row::is_forgotten(after, due);
        let mut tables = self.tables.borrow_mut();
        let refused = tables.refused(lease, &state);
        if refused != RefusedWrite::Held {
            return row::late_release(refused, lease, forgotten);
        }
        let dirty = tables.is_dirty(&lease.key);
        let free = |due: Option<Timestamp>| LeaseChange::Free {
            due_at: due.map(Timestamp::as_millisecond),
            keeps_claim: even_if_dirty,
        };
        let (lease_change, answer) = match (dirty, even_if_dirty) {
            (false, _) if forgotten => (LeaseChange::Forget, ReleaseAnswer::Released),
            (false, _) => (free(due), ReleaseAnswer::Released),
            (true, true) => (free(Some(now)), ReleaseAnswer::Released),
            (true, false) => (LeaseChange::KeepAndClearDirty, ReleaseAnswer::Dirty { lease: row::next(lease) }),
        };
        tables.write(lease, after, state, changes(&lease.key, before, after, now), &lease_change);
        Ok(answer)
    }

    async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        match self.tables.borrow().rows.get(row) {
            Some(found) => Ok(Some(found.link()?.clone())),
            None => Ok(None),
        }
    }

    async fn last_between(&self, span: &RowSpan) -> Result<Option<Row>, LedgerError> {
        if span.is_empty() {
            return Ok(None);
        }
        let key = |sort: &str| RowKey { account: span.account.clone(), sort: sort.to_owned() };
        let tables = self.tables.borrow();
        Ok(tables.rows.range(key(&span.first)..=key(&span.last)).next_back().map(|(_, row)| row.clone()))
    }

    async fn first_link_under(&self, prefix: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        Ok(self.tables.borrow().under(prefix, None).find_map(|row| row.link.clone()))
    }

    async fn page_under(&self, prefix: &RowPrefix, from: Option<&str>, limit: usize) -> Result<RowPage, LedgerError> {
        let tables = self.tables.borrow();
        let mut under = tables.under(prefix, from);
        let rows: Vec<Row> = under.by_ref().take(limit).cloned().collect();
        let last = under.next().and(rows.last());
        let next = last.and_then(|row| prefix.rest(&row.key)).map(str::to_owned);
        Ok(RowPage { rows, next })
    }

    async fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> Result<u32, LedgerError> {
        let mut tables = self.tables.borrow_mut();
        tables.counts.retain(|(_, _, counted), _| row::count_expires_at(*counted) > now.as_second());
        let count = tables.counts.entry((account.clone(), name, row::minute(now))).or_default();
        *count += 1;
        Ok(*count)
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        let tables = self.tables.borrow();
        let due = tables.links.iter().filter_map(|(key, link)| {
            let due_at = link.due_at.filter(|due_at| *due_at <= now.as_millisecond())?;
            Some(DueLink { key: key.clone(), due_at: Timestamp::from_millisecond(due_at).ok()? })
        });
        Ok(row::oldest(due.collect(), limit))
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        Ok(self.tables.borrow_mut().claim_due(due, claim, until))
    }

    async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        self.tables.borrow_mut().wake(key, now);
        Ok(())
    }

    async fn remembered_mod_counts(&self, links: &[LinkKey]) -> Result<Vec<Option<u64>>, LedgerError> {
        let tables = self.tables.borrow();
        Ok(links.iter().map(|key| tables.links.get(key)?.mod_count).collect())
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.tables.borrow().watermarks.get(name).cloned())
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.tables.borrow_mut().watermarks.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

impl TransferLedger for MemoryLedger {
    async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        let state = transfer::encode(link, transfer)?;
        let key = (link.clone(), transfer.order.transfer.clone());
        let row = TransferRow { state, revision: 0, lease_owner: None };
        self.tables.borrow_mut().transfers.entry(key).or_insert(MemoryTransfer { row, lease_until: 0 });
        Ok(())
    }

    async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        let tables = self.tables.borrow();
        let found = tables.transfers.get(&(link.clone(), id.clone()));
        found.map(|found| transfer::decode(link, id, &found.row)).transpose()
    }

    async fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TransferAnswer, LedgerError> {
        let mut tables = self.tables.borrow_mut();
        let Some(found) = tables.transfers.get_mut(&(link.clone(), id.clone())) else {
            return Ok(TransferAnswer::Absent);
        };
        let is_anothers = found.row.lease_owner.as_ref().is_some_and(|owner| owner != attempt);
        if is_anothers && found.lease_until > now.as_millisecond() {
            return Ok(TransferAnswer::Held);
        }
        found.row.lease_owner = Some(attempt.clone());
        found.lease_until = until.as_millisecond();
        transfer::taken(&found.row, link, id, attempt)
    }

    async fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> Result<TransferLease, LedgerError> {
        let state = transfer::encode(&lease.link, transfer)?;
        let mut tables = self.tables.borrow_mut();
        let found = tables.transfers.get_mut(&(lease.link.clone(), lease.transfer.clone()));
        let Some(found) = found else { return Err(transfer::lost(lease)) };
        if transfer::is_written(&found.row, lease, &state) {
            return Ok(transfer::next(lease));
        }
        if found.row.lease_owner.as_ref() != Some(&lease.attempt) || found.row.revision != lease.revision {
            return Err(transfer::lost(lease));
        }
        found.row.state = state;
        found.row.revision += 1;
        if is_released {
            found.row.lease_owner = None;
        }
        Ok(transfer::next(lease))
    }
}
