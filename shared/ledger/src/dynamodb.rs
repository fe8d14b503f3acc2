//! The ledger on DynamoDB.

mod rows;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::AsyncSleep,
    operation::{
        delete_item::DeleteItemError,
        query::builders::QueryFluentBuilder,
        transact_write_items::{TransactWriteItemsError, builders::TransactWriteItemsFluentBuilder},
        update_item::UpdateItemError,
    },
    types::{
        AttributeValue, CancellationReason, Delete, KeysAndAttributes, Put, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    },
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
    changes::{MAXIMUM_ITEMS, changes, hand_over_changes},
    dynamodb::{
        rows::{DUE_INDEX, DUE_SHARDS, Item, ItemChange, Keys, Reader, due_shard, first_link_item, number, text},
        write::{
            ConditionalWrite, DUE_AS_SEEN, FREE, FREE_AND_CLAIMED, NEW, THERE_AND_FREE, THERE_AND_TAKEABLE,
            UNDER_CLEAN_LEASE, UNDER_LEASE, WITHOUT_STATE,
        },
    },
    error::LedgerError,
    ledger::{
        DueLink, HandOver, Lease, LeaseAnswer, Ledger, ReleaseAnswer, RowPage, TransferAnswer, TransferLease,
        TransferLedger,
    },
    row::{self, LinkRow, RefusedWrite, Summary, account_partition},
    transfer,
};

/// How many times the ledger tries to take a lease, or to wake a link, while the lease changes hands. It changes hands
/// between two calls, so within milliseconds. That seldom happens twice in a row, and after the third time the hint
/// comes again.
const TAKE_ROUNDS: u32 = 3;
/// How many rows it reads to find the first that leads to a link: more than one, since a row may be unreadable. Ten
/// small rows cost hardly more than one, and a list that begins with more unreadable rows needs people.
const FIRST_ROWS: i32 = 10;
/// How many times a write is tried while another transaction is in the way. A transaction takes some tens of
/// milliseconds, and the four pauses between the tries take 375 together.
const CONFLICT_ROUNDS: u32 = 5;
/// After how many answers in a row without any row a batch read fails. DynamoDB gives such answers while it throttles.
/// The four pauses before the fifth take 750 milliseconds together; then the read is left to the poll of the next
/// minute.
const EMPTY_BATCH_ROUNDS: u32 = 5;
/// The first pause between two rounds: about as long as the transaction of another worker takes. Each next pause is
/// twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The reasons for which a transaction is cancelled and may be repeated. Source: DynamoDB API, CancellationReason.
const PASSING_REASONS: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
/// Stands for an account and for a count that do not exist.
const NONE: &str = "none";
/// How many items one TransactWriteItems accepts. Source: DynamoDB API, TransactWriteItems.
const ITEMS_PER_TRANSACTION: usize = 100;
const _: () = assert!(MAXIMUM_ITEMS <= ITEMS_PER_TRANSACTION);
/// How many keys one BatchGetItem accepts. Source: DynamoDB API, BatchGetItem.
const KEYS_PER_BATCH: usize = 100;

/// The ledger on one DynamoDB table.
///
/// The client's own retries stay on: the ledger recognises a repeated write, or the write may be repeated.
///
/// The table counts remote calls, without the client's own retries. A conditional write counts once. While another
/// transaction is in its way, the ledger sends it up to five times.
///
/// | operation | usually | otherwise |
/// |---|---|---|
/// | take a lease, wake a link | 1 | 2 if another worker holds it, up to 6 while it changes hands |
/// | record | 1 | 1 |
/// | hand over | 2 | 2 |
/// | release | 1 | 2 if the link is dirty |
/// | the link that a row leads to, the last row of a span, read or move a watermark | 1 | 1 |
/// | count an event in its minute | 1 | 1 |
/// | claim a due link | 1 | 1 |
/// | order, read, take or record a transfer | 1 | 1 |
/// | a page of rows, the first link under a prefix | 1 | 1 |
/// | due links | 4, one for each shard | 4 |
/// | remembered counts | 1 for each 100 links | more while the table throttles; fails after 5 answers without rows |
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

/// The outcome of a conditional write.
enum Written {
    /// It was applied. Holds the row if it was asked for.
    Applied(Option<Item>),
    /// Its condition did not hold. Holds the row as it is, `None` if there is no row.
    Refused(Option<Item>),
}

/// Why a write has no answer.
enum WriteError {
    /// Another transaction is in the way, or the table throttles: a repeat may succeed.
    Conflict(BoxError),
    /// The table did not carry out the write, or did not answer.
    Unavailable(BoxError),
}

/// The source of a [`LedgerError`].
type BoxError = Box<dyn Error + Send + Sync>;

impl DynamoLedger {
    /// Creates a ledger on this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Connects before the first call, because a function has a full processor while it starts. Reads a row that never
    /// exists and that every function may read.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer.
    pub async fn warm_up(&self) -> Result<(), LedgerError> {
        self.get("connecting", &Keys::count(&AccountId::new(NONE), NONE, 0)).await.map(drop)
    }

    /// Makes one conditional write to a link's row and unconditional writes to the rows beside it, all or none.
    async fn write(
        &self,
        doing: &'static str,
        write: &ConditionalWrite,
        beside: Vec<ItemChange>,
        returned: ReturnValue,
    ) -> Result<Written, LedgerError> {
        let mut transaction = None;
        if !beside.is_empty() {
            transaction = Some(self.transaction(write, beside).map_err(|source| unavailable(doing, source))?);
        }
        let mut round = 0;
        loop {
            let answer = match transaction.clone() {
                Some(transaction) => transact(transaction).await,
                None if write.deletes() => self.delete(write).await,
                None => self.update(write, returned.clone()).await,
            };
            match answer {
                Ok(written) => return Ok(written),
                Err(WriteError::Conflict(_)) if round + 1 < CONFLICT_ROUNDS => self.pause(round).await,
                Err(WriteError::Conflict(source) | WriteError::Unavailable(source)) => {
                    return Err(LedgerError::Unavailable { doing, source });
                }
            }
            round += 1;
        }
    }

    async fn update(&self, write: &ConditionalWrite, returned: ReturnValue) -> Result<Written, WriteError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(write.keys()))
            .update_expression(write.update_expression())
            .condition_expression(write.condition())
            .set_expression_attribute_names(Some(write.names()))
            .set_expression_attribute_values(Some(write.values()))
            .return_values(returned)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(answer) => Ok(Written::Applied(answer.attributes)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Written::Refused(refused.item.clone()))
                }
                Some(UpdateItemError::TransactionConflictException(_)) => Err(WriteError::Conflict(error.into())),
                _ => Err(WriteError::Unavailable(error.into())),
            },
        }
    }

    async fn delete(&self, write: &ConditionalWrite) -> Result<Written, WriteError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(write.keys()))
            .condition_expression(write.condition())
            .set_expression_attribute_names(Some(write.names()))
            .set_expression_attribute_values(Some(write.values()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Written::Applied(None)),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Written::Refused(refused.item.clone()))
                }
                Some(DeleteItemError::TransactionConflictException(_)) => Err(WriteError::Conflict(error.into())),
                _ => Err(WriteError::Unavailable(error.into())),
            },
        }
    }

    /// Returns the transaction of a link's write and the changes beside it. The link's write comes first.
    fn transaction(
        &self,
        write: &ConditionalWrite,
        beside: Vec<ItemChange>,
    ) -> Result<TransactWriteItemsFluentBuilder, aws_sdk_dynamodb::error::BuildError> {
        let first = if write.deletes() {
            TransactWriteItem::builder().delete(write.to_delete(&self.table)?)
        } else {
            TransactWriteItem::builder().update(write.to_update(&self.table)?)
        };
        let mut transaction = self.client.transact_write_items().transact_items(first.build());
        for change in beside {
            let item = TransactWriteItem::builder();
            let item = match change {
                ItemChange::Put(row) => item.put(Put::builder().table_name(&self.table).set_item(Some(row)).build()?),
                ItemChange::Create(row) => {
                    let put = Put::builder().table_name(&self.table).set_item(Some(row));
                    let put = put.condition_expression(WITHOUT_STATE).expression_attribute_names("#state", "state");
                    item.put(put.build()?)
                }
                ItemChange::Delete(keys) => {
                    item.delete(Delete::builder().table_name(&self.table).set_key(Some(keys.attributes())).build()?)
                }
            };
            transaction = transaction.transact_items(item.build());
        }
        Ok(transaction)
    }

    /// Pauses before the next round. Does not pause if the client has no clock.
    async fn pause(&self, round: u32) {
        if let Some(clock) = self.client.config().sleep_impl() {
            clock.sleep(FIRST_PAUSE * 2_u32.saturating_pow(round)).await;
        }
    }

    /// Marks the link dirty while `holder` has its lease. Returns false if `holder` no longer has it.
    async fn mark_dirty(&self, key: &LinkKey, holder: &AttemptId) -> Result<bool, LedgerError> {
        let write = ConditionalWrite::new(Keys::link(key), "#lease_owner = :holder")
            .bind(":holder", text(holder))
            .set("dirty", AttributeValue::Bool(true));
        let written = self.write("leaving word with a lease's holder", &write, Vec::new(), ReturnValue::None).await?;
        Ok(matches!(written, Written::Applied(_)))
    }

    /// Marks the link dirty for the holder of the lease that this row names. Returns false if the row names none, or if
    /// the lease has changed hands since.
    async fn mark_dirty_for_holder(&self, key: &LinkKey, item: &Item) -> Result<bool, LedgerError> {
        let holder = Reader::new(Keys::link(key).name(), item).optional_text("lease_owner")?.map(AttemptId::new);
        match holder {
            Some(holder) => self.mark_dirty(key, &holder).await,
            None => Ok(false),
        }
    }

    /// Returns the answer to an attempt that has taken the lease. The claim of an unreadable link stays, so that its
    /// message fails again and people see it.
    async fn lease_taken<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        until: Timestamp,
        item: &Item,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        let reader = Reader::new(Keys::link(key).name(), item);
        let row = reader.link_row().and_then(|row| Ok((row, reader.optional_moment("due_at")?)));
        let answer = row.and_then(|(row, due)| row::taken(&row, key, attempt, until, due));
        if matches!(answer, Err(LedgerError::Corrupt { .. })) {
            self.park(key, attempt).await?;
        }
        answer
    }

    /// Releases a link whose row is unreadable and removes its due time: it waits for a person, not for the poller.
    async fn park(&self, key: &LinkKey, attempt: &AttemptId) -> Result<(), LedgerError> {
        let write = ConditionalWrite::new(Keys::link(key), "#lease_owner = :holder")
            .bind(":holder", text(attempt))
            .remove("lease_owner")
            .remove("lease_until")
            .remove("due_shard")
            .remove("due_at");
        self.write("letting go of an unreadable link", &write, Vec::new(), ReturnValue::None).await.map(drop)
    }

    async fn get(&self, doing: &'static str, keys: &Keys) -> Result<Option<Item>, LedgerError> {
        let request =
            self.client.get_item().table_name(&self.table).set_key(Some(keys.attributes())).consistent_read(true);
        Ok(request.send().await.map_err(|error| unavailable(doing, error))?.item)
    }

    /// Returns a query for the rows of an account with a prefix, in the order of their sort keys.
    fn under(&self, prefix: &RowPrefix) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query
            .key_condition_expression("pk = :account AND begins_with(sk, :prefix)")
            .expression_attribute_values(":account", text(&account_partition(&prefix.account)))
            .expression_attribute_values(":prefix", text(&prefix.sort))
    }

    async fn due_links_of_shard(&self, shard: u32, now: Timestamp, limit: i32) -> Result<Vec<DueLink>, LedgerError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(DUE_INDEX)
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(&shard))
            .expression_attribute_values(":now", number(&now.as_millisecond()))
            .limit(limit);
        let answer = request.send().await.map_err(|error| unavailable("listing due links", error))?;
        let due_link = |item: &Item| {
            let reader = Reader::of_listed(item);
            Ok(DueLink { key: reader.link_of_partition()?, due_at: reader.moment("due_at")? })
        };
        Ok(answer.items().iter().filter_map(|item| readable(due_link(item))).collect())
    }

    /// Reads the update counts of at most [`KEYS_PER_BATCH`] links. Asks again for what the table leaves out.
    async fn mod_counts(&self, links: &[LinkKey]) -> Result<Vec<(LinkKey, u64)>, LedgerError> {
        let doing = "reading remembered counts";
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(links.iter().map(|key| Keys::link(key).attributes()).collect()))
            .projection_expression("pk, sk, mod_count")
            .build()
            .map_err(|error| unavailable(doing, error))?;
        let mut wanted = Some(wanted);
        let mut counts = Vec::new();
        let mut empty_rounds = 0;
        while let Some(keys) = wanted.take() {
            let request = self.client.batch_get_item().request_items(&self.table, keys);
            let answer = request.send().await.map_err(|error| unavailable(doing, error))?;
            let items = answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default();
            for item in &items {
                let reader = Reader::of_listed(item);
                let count = readable(reader.optional_number("mod_count")).flatten();
                counts.extend(readable(reader.link_of_partition()).zip(count));
            }
            wanted = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
            if wanted.is_some() && items.is_empty() {
                empty_rounds += 1;
                if empty_rounds == EMPTY_BATCH_ROUNDS {
                    return Err(unavailable(doing, "the table answers with no row at all, again and again"));
                }
                self.pause(empty_rounds).await;
            }
        }
        Ok(counts)
    }
}

async fn transact(request: TransactWriteItemsFluentBuilder) -> Result<Written, WriteError> {
    let Err(error) = request.send().await else { return Ok(Written::Applied(None)) };
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Err(WriteError::Unavailable(error.into()));
    };
    let reasons = cancelled.cancellation_reasons();
    // The link's write comes first. Beside it, only a link that is created has a condition: one that was created since
    // the caller looked is no answer, and the next try sees it.
    if let Some(refused) = reasons.first().filter(|reason| reason.code() == Some("ConditionalCheckFailed")) {
        return Ok(Written::Refused(refused.item.clone()));
    }
    let passes = |reason: &CancellationReason| reason.code().is_some_and(|code| PASSING_REASONS.contains(&code));
    if reasons.iter().any(passes) {
        return Err(WriteError::Conflict(error.into()));
    }
    Err(WriteError::Unavailable(error.into()))
}

/// Returns a listed row. Logs an unreadable one and returns `None`, so that it does not hide the others: a worker that
/// acts on it reads it by its key and fails.
fn readable<T>(row: Result<T, LedgerError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!(%error, "an unreadable row was left out of a list")).ok()
}

fn unavailable(doing: &'static str, source: impl Into<BoxError>) -> LedgerError {
    LedgerError::Unavailable { doing, source: source.into() }
}

fn lost(lease: &Lease) -> LedgerError {
    LedgerError::LeaseLost { key: lease.key.clone() }
}

/// Returns a write of the state under the lease, on this condition.
fn write_under<K: Remembered>(
    lease: &Lease,
    condition: &'static str,
    after: &Link<K>,
    state: &str,
) -> ConditionalWrite {
    let summary = Summary::of(after);
    ConditionalWrite::new(Keys::link(&lease.key), condition)
        .bind(":holder", text(&lease.attempt))
        .bind(":expected", number(&lease.revision))
        .set("state", text(state))
        .set("revision", number(&(lease.revision + 1)))
        .set_or_remove("mod_count", summary.mod_count.as_ref().map(number))
        .set_or_remove("number", summary.number.as_ref().map(text))
        .set_or_remove("account", summary.account.as_ref().map(text))
}

/// Whether a release keeps the link's claim.
#[derive(Clone, Copy)]
enum ClaimAfter {
    Kept,
    Gone,
}

/// Adds to a write that it releases the lease and makes the link due at `due`, or not due if that is `None`.
fn let_go(write: ConditionalWrite, lease: &Lease, due: Option<Timestamp>, claim: ClaimAfter) -> ConditionalWrite {
    let write = match claim {
        ClaimAfter::Kept => write,
        ClaimAfter::Gone => write.remove("claim"),
    };
    write
        .set("released_by", text(&lease.attempt))
        .remove("lease_owner")
        .remove("lease_until")
        .set_or_remove("due_shard", due.map(|_| text(&due_shard(&lease.key))))
        .set_or_remove("due_at", due.map(|due| number(&due.as_millisecond())))
}

/// Returns why a write under the lease was refused, from the row that came with the refusal.
fn refused(lease: &Lease, state: &str, item: Option<&Item>) -> Result<RefusedWrite, LedgerError> {
    let row: Option<LinkRow> =
        item.map(|item| Reader::new(Keys::link(&lease.key).name(), item).link_row()).transpose()?;
    Ok(row::refused(row.as_ref(), lease, state))
}

impl Ledger for DynamoLedger {
    async fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        let write = match claim {
            None => ConditionalWrite::new(Keys::link(key), FREE),
            Some(claim) => ConditionalWrite::new(Keys::link(key), FREE_AND_CLAIMED).bind(":claim", text(claim)),
        };
        let write = write
            .bind(":now", number(&now.as_millisecond()))
            .set_once("revision", number(&0))
            .set("lease_owner", text(attempt))
            .set("lease_until", number(&until.as_millisecond()))
            .set("due_shard", text(&due_shard(key)))
            .set("due_at", number(&until.as_millisecond()));
        for _ in 0..TAKE_ROUNDS {
            // The row as it was before the write shows whether its last holder released it. The write changes nothing
            // else that is read here.
            let item = match self.write("taking a lease", &write, Vec::new(), ReturnValue::AllOld).await? {
                Written::Applied(item) => {
                    return self.lease_taken(key, attempt, until, &item.unwrap_or_default()).await;
                }
                Written::Refused(item) => item.unwrap_or_default(),
            };
            if claim.is_some() && Reader::new(Keys::link(key).name(), &item).claim()?.as_ref() != claim {
                return Ok(LeaseAnswer::Unclaimed);
            }
            if self.mark_dirty_for_holder(key, &item).await? {
                return Ok(LeaseAnswer::Deferred);
            }
        }
        Err(LedgerError::Contended { key: key.clone() })
    }

    async fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> Result<Lease, LedgerError> {
        let state = row::encode(&lease.key, after)?;
        let write = write_under(lease, UNDER_LEASE, after, &state);
        let beside = changes(&lease.key, before, after, now).into_iter().map(ItemChange::from).collect();
        match self.write("recording a link", &write, beside, ReturnValue::None).await? {
            Written::Applied(_) => Ok(row::next(lease)),
            Written::Refused(item) => match refused(lease, &state, item.as_ref())? {
                RefusedWrite::AlreadyWritten => Ok(row::next(lease)),
                RefusedWrite::Held | RefusedWrite::AlreadyReleased | RefusedWrite::Absent | RefusedWrite::Lost => {
                    Err(lost(lease))
                }
            },
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
        let (state, keys) = (row::encode(&lease.key, after)?, Keys::link(to));
        let there = self.get("looking whether a link remembers something", &keys).await?;
        if there
            .map(|item| Reader::new(keys.name(), &item).link_row())
            .transpose()?
            .is_some_and(|row| row.state.is_some())
        {
            return Ok(HandOver::Occupied);
        }
        let created = ItemChange::Create(first_link_item(to, successor, &row::encode(to, successor)?, now));
        let changed =
            hand_over_changes(&lease.key, before, after, to, successor, now).into_iter().map(ItemChange::from);
        let write = write_under(lease, UNDER_LEASE, after, &state);
        let beside = changed.chain([created]).collect();
        match self.write("handing a record over", &write, beside, ReturnValue::None).await? {
            Written::Applied(_) => Ok(HandOver::Done { lease: row::next(lease) }),
            Written::Refused(item) => match refused(lease, &state, item.as_ref())? {
                RefusedWrite::AlreadyWritten => Ok(HandOver::Done { lease: row::next(lease) }),
                RefusedWrite::Held | RefusedWrite::AlreadyReleased | RefusedWrite::Absent | RefusedWrite::Lost => {
                    Err(lost(lease))
                }
            },
        }
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
        let doing = "letting go of a link";
        let state = row::encode(&lease.key, after)?;
        let forgotten = row::is_forgotten(after, due);
        let claim = if even_if_dirty { ClaimAfter::Kept } else { ClaimAfter::Gone };
        let beside = || changes(&lease.key, before, after, now).into_iter().map(ItemChange::from).collect();
        let clean = if forgotten {
            ConditionalWrite::new(Keys::link(&lease.key), UNDER_CLEAN_LEASE)
                .bind(":holder", text(&lease.attempt))
                .bind(":expected", number(&lease.revision))
                .delete()
        } else {
            let_go(write_under(lease, UNDER_CLEAN_LEASE, after, &state), lease, due, claim)
        };
        let item = match self.write(doing, &clean, beside(), ReturnValue::None).await? {
            Written::Applied(_) => return Ok(ReleaseAnswer::Released),
            Written::Refused(item) => item,
        };
        let why = refused(lease, &state, item.as_ref())?;
        if why != RefusedWrite::Held {
            return row::late_release(why, lease, forgotten);
        }
        let write = write_under(lease, UNDER_LEASE, after, &state);
        let (write, answer) = if even_if_dirty {
            (let_go(write, lease, Some(now), claim), ReleaseAnswer::Released)
        } else {
            (write.remove("dirty"), ReleaseAnswer::Dirty { lease: row::next(lease) })
        };
        match self.write(doing, &write, beside(), ReturnValue::None).await? {
            Written::Applied(_) => Ok(answer),
            Written::Refused(item) => row::late_release(refused(lease, &state, item.as_ref())?, lease, false),
        }
    }

    async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        let keys = Keys::row(row);
        let item = self.get("looking for a link", &keys).await?;
        item.map(|item| Reader::new(keys.name(), &item).link("link")).transpose()
    }

    async fn last_between(&self, span: &RowSpan) -> Result<Option<Row>, LedgerError> {
        // DynamoDB refuses a span whose first key is behind its last one.
        if span.is_empty() {
            return Ok(None);
        }
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :account AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":account", text(&account_partition(&span.account)))
            .expression_attribute_values(":first", text(&span.first))
            .expression_attribute_values(":last", text(&span.last))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1);
        let answer = request.send().await.map_err(|error| unavailable("looking for the last row of a span", error))?;
        answer.items().first().map(|item| Reader::of_listed(item).row(&span.account)).transpose()
    }

    async fn first_link_under(&self, prefix: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        let request = self.under(prefix).consistent_read(true).limit(FIRST_ROWS);
        let answer = request.send().await.map_err(|error| unavailable("looking for the first of a list", error))?;
        let link = |item: &Item| Reader::of_listed(item).link("link");
        Ok(answer.items().iter().find_map(|item| readable(link(item))))
    }

    async fn page_under(&self, prefix: &RowPrefix, from: Option<&str>, limit: usize) -> Result<RowPage, LedgerError> {
        let request = self
            .under(prefix)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from.map(|rest| Keys::row(&prefix.row(rest)).attributes()));
        let answer = request.send().await.map_err(|error| unavailable("listing rows of an account", error))?;
        let last = answer.last_evaluated_key.as_ref().map(|last| Reader::of_listed(last).row(&prefix.account));
        let next = last.transpose()?.and_then(|last| prefix.rest(&last.key).map(str::to_owned));
        let row = |item: &Item| Reader::of_listed(item).row(&prefix.account);
        let rows = answer.items().iter().filter_map(|item| readable(row(item))).collect();
        Ok(RowPage { rows, next })
    }

    async fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> Result<u32, LedgerError> {
        let minute = row::minute(now);
        let keys = Keys::count(account, name, minute);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys.attributes()))
            .update_expression("SET #expires_at = :expires_at ADD #count :one")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_names("#count", name)
            .expression_attribute_values(":expires_at", number(&row::count_expires_at(minute)))
            .expression_attribute_values(":one", number(&1))
            .return_values(ReturnValue::UpdatedNew);
        let answer = request.send().await.map_err(|error| unavailable("counting an event", error))?;
        let item = answer.attributes.unwrap_or_default();
        Ok(Reader::new(keys.name(), &item).optional_number(name)?.unwrap_or(u32::MAX))
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        let limit_of_shard = i32::try_from(limit).unwrap_or(i32::MAX);
        let mut due = Vec::new();
        for shard in 0..DUE_SHARDS {
            due.extend(self.due_links_of_shard(shard, now, limit_of_shard).await?);
        }
        Ok(row::oldest(due, limit))
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        let write = ConditionalWrite::new(Keys::link(&due.key), DUE_AS_SEEN)
            .bind(":seen", number(&due.due_at.as_millisecond()))
            .set("claim", text(claim))
            .set("due_at", number(&until.as_millisecond()));
        match self.write("claiming a due link", &write, Vec::new(), ReturnValue::None).await? {
            Written::Applied(_) => Ok(true),
            Written::Refused(None) => Ok(false),
            Written::Refused(Some(item)) => {
                let claimed = Reader::new(Keys::link(&due.key).name(), &item).claim()?;
                Ok(claimed.as_ref() == Some(claim))
            }
        }
    }

    async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        let write = ConditionalWrite::new(Keys::link(key), THERE_AND_FREE)
            .bind(":now", number(&now.as_millisecond()))
            .set("due_shard", text(&due_shard(key)))
            .set("due_at", number(&now.as_millisecond()));
        for _ in 0..TAKE_ROUNDS {
            match self.write("waking a link", &write, Vec::new(), ReturnValue::None).await? {
                Written::Applied(_) | Written::Refused(None) => return Ok(()),
                Written::Refused(Some(item)) if self.mark_dirty_for_holder(key, &item).await? => return Ok(()),
                Written::Refused(Some(_)) => {}
            }
        }
        Err(LedgerError::Contended { key: key.clone() })
    }

    async fn remembered_mod_counts(&self, links: &[LinkKey]) -> Result<Vec<Option<u64>>, LedgerError> {
        let asked: BTreeSet<LinkKey> = links.iter().cloned().collect();
        let asked: Vec<LinkKey> = asked.into_iter().collect();
        let mut counts = BTreeMap::new();
        for batch in asked.chunks(KEYS_PER_BATCH) {
            counts.extend(self.mod_counts(batch).await?);
        }
        Ok(links.iter().map(|key| counts.get(key).copied()).collect())
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        let keys = Keys::watermark(name);
        let item = self.get("reading a watermark", &keys).await?;
        item.map(|item| Reader::new(keys.name(), &item).text("value").map(str::to_owned)).transpose()
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        let mut item = Keys::watermark(name).attributes();
        item.insert("value".to_owned(), text(value));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(|error| unavailable("moving a watermark", error))?;
        Ok(())
    }
}

impl TransferLedger for DynamoLedger {
    async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        let id = &transfer.order.transfer;
        let expires_at = transfer.order.ordered_at.saturating_add(transfer::KEPT_FOR).unwrap_or(Timestamp::MAX);
        let write = ConditionalWrite::new(Keys::transfer(link, id), NEW)
            .set("state", text(&transfer::encode(link, transfer)?))
            .set("revision", number(&0))
            .set("expires_at", number(&expires_at.as_second()));
        self.write("ordering a transfer", &write, Vec::new(), ReturnValue::None).await.map(drop)
    }

    async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        let keys = Keys::transfer(link, id);
        let Some(item) = self.get("reading a transfer", &keys).await? else { return Ok(None) };
        let row = Reader::new(keys.name(), &item).transfer_row()?;
        transfer::decode(link, id, &row).map(Some)
    }

    async fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TransferAnswer, LedgerError> {
        let keys = Keys::transfer(link, id);
        let write = ConditionalWrite::new(keys.clone(), THERE_AND_TAKEABLE)
            .bind(":now", number(&now.as_millisecond()))
            .set("lease_owner", text(attempt))
            .set("lease_until", number(&until.as_millisecond()));
        match self.write("taking a transfer", &write, Vec::new(), ReturnValue::AllNew).await? {
            Written::Applied(item) => {
                let row = Reader::new(keys.name(), &item.unwrap_or_default()).transfer_row()?;
                transfer::taken(&row, link, id, attempt)
            }
            Written::Refused(None) => Ok(TransferAnswer::Absent),
            Written::Refused(Some(_)) => Ok(TransferAnswer::Held),
        }
    }

    async fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> Result<TransferLease, LedgerError> {
        let keys = Keys::transfer(&lease.link, &lease.transfer);
        let state = transfer::encode(&lease.link, transfer)?;
        let write = ConditionalWrite::new(keys.clone(), UNDER_LEASE)
            .bind(":holder", text(&lease.attempt))
            .bind(":expected", number(&lease.revision))
            .set("state", text(&state))
            .set("revision", number(&(lease.revision + 1)));
        let write = if is_released { write.remove("lease_owner").remove("lease_until") } else { write };
        match self.write("recording a transfer", &write, Vec::new(), ReturnValue::None).await? {
            Written::Applied(_) => Ok(transfer::next(lease)),
            Written::Refused(None) => Err(transfer::lost(lease)),
            Written::Refused(Some(item)) => {
                let row = Reader::new(keys.name(), &item).transfer_row()?;
                if transfer::is_written(&row, lease, &state) {
                    Ok(transfer::next(lease))
                } else {
                    Err(transfer::lost(lease))
                }
            }
        }
    }
}
