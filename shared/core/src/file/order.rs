//! Orders: which files a link wants moved, and the message that tells the function `attachments`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifiers::{AccountId, AttachmentId, ExternalId, FileId, LinkKey, TransferId};

/// A file of the incident that goes to the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingFile {
    /// The file.
    pub file: FileId,
    /// Its name at AWS.
    pub name: String,
    /// Its size in bytes, as the incident shows it.
    pub bytes: u64,
}

/// A file of the record that goes to the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingFile {
    /// The name under which ServiceNow takes it once.
    pub external_id: ExternalId,
    /// Its id at AWS, as last shown.
    pub attachment: AttachmentId,
    /// Its name in ServiceNow.
    pub name: String,
}

/// What one transfer moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cargo {
    /// Files that fit into one set of attachments, or one that is larger.
    ToRecord(Vec<OutgoingFile>),
    /// One file of the record.
    ToIncident(IncomingFile),
}

/// What a link orders: a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The transfer. A repeat of an order has the same.
    pub transfer: TransferId,
    /// The account that owns the record.
    pub account: AccountId,
    /// What is moved.
    pub cargo: Cargo,
    /// When it was ordered, by our clock.
    pub ordered_at: Timestamp,
}

/// The message on the queue of files, as JSON: ids only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferMessage {
    /// The link.
    pub link: LinkKey,
    /// The transfer.
    pub transfer: TransferId,
}
