//! How the simulated AWS Support handles files: what AWS decides and does not document.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The largest part. Source: AWS Support API, `partSizeBytes`.
pub const MAXIMUM_PART_BYTES: u64 = 104_857_600;
/// The part size unless it is set: small enough that a file of 150 MB takes two answers with links.
pub const PART_BYTES: u64 = 8 * 1024 * 1024;
/// How long a scan takes unless it is set. AWS says only that it is not immediate.
const SCAN_SECONDS: u32 = 5;
/// How long a link is valid unless it is set. AWS documents no length; S3 links of a console last minutes.
const LINK_SECONDS: u32 = 300;
/// The longest link: S3's own limit, seven days. Source: Amazon S3 User Guide, "presigned URLs".
const MAXIMUM_LINK_SECONDS: u32 = 7 * 24 * 3600;
/// The longest scan: longer than an unsubmitted file lives is the same as never.
const MAXIMUM_SCAN_SECONDS: u32 = 24 * 3600;
/// The endings of file names that are refused unless they are set: programs, which mail systems refuse, too.
const REFUSED_FILE_TYPES: [&str; 6] = ["bat", "cmd", "com", "exe", "msi", "scr"];

/// The rules for files. A key that is missing has its default value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct FileRules {
    /// The size of the parts of new uploads, in bytes.
    pub part_size_bytes: u64,
    /// How long the scan of an upload takes.
    pub scan_seconds: u32,
    /// How long a link is valid.
    pub link_seconds: u32,
    /// The endings of the file names that are refused, in lower case and without the dot.
    pub refused_file_types: Vec<String>,
}

impl Default for FileRules {
    fn default() -> Self {
        Self {
            part_size_bytes: PART_BYTES,
            scan_seconds: SCAN_SECONDS,
            link_seconds: LINK_SECONDS,
            refused_file_types: REFUSED_FILE_TYPES.map(ToOwned::to_owned).to_vec(),
        }
    }
}

impl FileRules {
    /// Fails with the field that is out of its range.
    pub(super) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("partSizeBytes", self.part_size_bytes, 1, MAXIMUM_PART_BYTES),
            ("scanSeconds", self.scan_seconds.into(), 0, MAXIMUM_SCAN_SECONDS.into()),
            ("linkSeconds", self.link_seconds.into(), 1, MAXIMUM_LINK_SECONDS.into()),
        ];
        for (field, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(format!("'{field}' must be between {least} and {most}"));
            }
        }
        Ok(())
    }

    pub(super) fn scan(&self) -> SignedDuration {
        SignedDuration::from_secs(self.scan_seconds.into())
    }

    pub(super) fn link_life(&self) -> SignedDuration {
        SignedDuration::from_secs(self.link_seconds.into())
    }

    pub(super) fn refuses(&self, file_name: &str) -> bool {
        let Some((_, ending)) = file_name.rsplit_once('.') else { return false };
        self.refused_file_types.iter().any(|refused| refused.eq_ignore_ascii_case(ending))
    }
}

/// Scans that fail on order, as if the file were infected.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailingScans {
    /// Only files with this text in their name.
    #[serde(default)]
    pub containing: String,
    /// How many scans fail.
    #[serde(default = "once")]
    pub count: u32,
}

fn once() -> u32 {
    1
}

/// The hosts of the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHosts {
    /// Where parts are uploaded: scheme and host.
    pub upload: String,
    /// Where files are downloaded: scheme and host.
    pub download: String,
}

impl Default for FileHosts {
    /// Returns the documented hosts. AWS says that their prefixes may change.
    fn default() -> Self {
        let host = |prefix| format!("https://{prefix}.attachments.support.us-east-1.amazonaws.com");
        Self { upload: host("uploadv1"), download: host("downloadv1") }
    }
}
