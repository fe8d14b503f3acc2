//! Presigned links to the parts of uploads and to files. A link is valid for one method and until it expires.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::content::hexadecimal;

/// The path of all links.
pub const PREFIX: &str = "/support-files/";
const UPLOADS: &str = "uploads";
const DOWNLOADS: &str = "downloads";
/// How S3 writes the time of a signature.
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// What a link gives access to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// PUT of one part of an upload.
    Part {
        /// The upload's id.
        upload_id: String,
        /// The part's index, from 1.
        index: u32,
    },
    /// GET of a file.
    File {
        /// The attachment's lasting id.
        attachment_id: String,
    },
}

impl Aim {
    /// Returns the HTTP method of the link.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Part { .. } => "PUT",
            Self::File { .. } => "GET",
        }
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The account whose file it is.
    pub account: String,
    /// What it gives access to.
    pub aim: Aim,
    pub(super) signed_at: Timestamp,
    pub(super) valid_for: SignedDuration,
    pub(super) signature: String,
}

impl Link {
    /// Signs a link. The time is cut to whole seconds, as in S3.
    pub(super) fn sign(key: u64, account: &str, aim: Aim, now: Timestamp, valid_for: SignedDuration) -> Self {
        let signed_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let mut link = Self { account: account.to_owned(), aim, signed_at, valid_for, signature: String::new() };
        link.signature = link.expected_signature(key);
        link
    }

    /// Reads a link from its address. Returns `None` if it is not one.
    pub fn parse(path: &str, query: &[(String, String)]) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix(PREFIX)?.split('/').collect();
        let [kind, account, id] = segments.as_slice() else { return None };
        let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let aim = match *kind {
            UPLOADS => Aim::Part { upload_id: (*id).to_owned(), index: parameter("partNumber")?.parse().ok()? },
            DOWNLOADS => Aim::File { attachment_id: (*id).to_owned() },
            _ => return None,
        };
        let signed_at = jiff::civil::DateTime::strptime(DATE_FORMAT, parameter("X-Amz-Date")?).ok()?;
        Some(Self {
            account: (*account).to_owned(),
            aim,
            signed_at: signed_at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
            valid_for: SignedDuration::from_secs(parameter("X-Amz-Expires")?.parse::<u32>().ok()?.into()),
            signature: parameter("X-Amz-Signature")?.to_owned(),
        })
    }

    /// Reads a link from the URL that an answer has. Returns `None` if it is not one.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = url::Url::parse(url).ok()?;
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        Self::parse(url.path(), &query)
    }

    /// Returns the URL on a host, for example `https://downloadv1.attachments.support.us-east-1.amazonaws.com`.
    pub(super) fn url(&self, host: &str) -> String {
        let (kind, id, part) = match &self.aim {
            Aim::Part { upload_id, index } => (UPLOADS, upload_id, format!("partNumber={index}&")),
            Aim::File { attachment_id } => (DOWNLOADS, attachment_id, String::new()),
        };
        let (account, date, seconds) = (&self.account, self.date(), self.valid_for.as_secs());
        let signed = format!("X-Amz-Date={date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host");
        format!("{host}{PREFIX}{kind}/{account}/{id}?{part}{signed}&X-Amz-Signature={}", self.signature)
    }

    /// Returns when the link ends.
    pub fn expires_at(&self) -> Timestamp {
        self.signed_at + self.valid_for
    }

    /// Whether this key signed it.
    pub(super) fn is_signed(&self, key: u64) -> bool {
        self.signature == self.expected_signature(key)
    }

    fn date(&self) -> String {
        self.signed_at.strftime(DATE_FORMAT).to_string()
    }

    fn expected_signature(&self, key: u64) -> String {
        let signed = format!("{key}\n{}\n{:?}\n{}\n{}", self.account, self.aim, self.date(), self.valid_for.as_secs());
        hexadecimal(&Sha256::digest(signed))
    }
}
