//! Hints: the one kind of message on the queues. A hint says that a link may have drifted, but not how: it carries ids
//! and times, no text and no state. Both sides are read before anything is written.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identifiers::{AccountId, CaseId, CaseKey, ClaimId, LinkKey};

/// What the hint is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Subject {
    /// A link, by its key.
    Link {
        /// The link.
        key: LinkKey,
    },
    /// A case for which the sender found no link.
    Case {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
    },
}

/// What triggered a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// ServiceNow's signed webhook.
    ServicenowWebhook,
    /// A Support Case Update event.
    SupportEvent,
    /// The poller found the link due: a wait is over or a lease has expired.
    Due,
    /// The message that was sent ahead for the time at which the link is due.
    Wake,
    /// The poller saw a change in ServiceNow.
    ServicenowPoll,
    /// The poller saw a change of a case.
    CasePoll,
    /// A transfer of files of the link has ended.
    FileMoved,
    /// An operator asked for it.
    Replay,
}

impl Cause {
    /// Whether the trigger reports a change of the AWS side. The incident need not be read for it.
    pub fn is_from_aws(self) -> bool {
        match self {
            Self::SupportEvent | Self::CasePoll => true,
            Self::ServicenowWebhook
            | Self::Due
            | Self::Wake
            | Self::ServicenowPoll
            | Self::FileMoved
            | Self::Replay => false,
        }
    }

    /// Returns the word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServicenowWebhook => "servicenow_webhook",
            Self::SupportEvent => "support_event",
            Self::Due => "due",
            Self::Wake => "wake",
            Self::ServicenowPoll => "servicenow_poll",
            Self::CasePoll => "case_poll",
            Self::FileMoved => "file_moved",
            Self::Replay => "replay",
        }
    }
}

/// The message on the FIFO queue or on the queue for wakes, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// What may have drifted.
    pub subject: Subject,
    /// What triggered a hint.
    pub cause: Cause,
    /// When the trigger was received, by our clock. For a wake it is the due time that the wake was sent for: a wake
    /// acts only while the link is due at exactly that time.
    pub received_at: Timestamp,
    /// The claim under which the poller enqueued a due link. The hint acts only while the link still has the claim.
    /// `None` for other hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimId>,
}

impl Hint {
    /// Returns the queue's message group. Hints of one group are handled one after the other.
    pub fn group_id(&self) -> String {
        match &self.subject {
            Subject::Link { key } => key.to_string(),
            Subject::Case { account, case_id, .. } => CaseKey::new(account.clone(), case_id).to_string(),
        }
    }
}

/// The wait before an unreadable message comes again. A deployment under way may make it readable. Otherwise it is
/// parked within two minutes, so that it does not block its group for longer.
const UNREADABLE_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(15);
/// The first wait after a failure of the ledger. Most failures pass at once.
const LEDGER_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// The factor by which each further wait is longer. The queue hands a message out seven times, so there are six waits:
/// 2, 10, 50, 250, 360 and 360 seconds. So a ledger may fail for 17 minutes before a message is parked.
const LEDGER_WAIT_FACTOR: i32 = 5;
/// The longest wait after a failure of the ledger: the visibility timeout of the queue (`infra/aws/template.yaml`),
/// after which the message of a worker that died comes again.
const MAXIMUM_LEDGER_WAIT: SignedDuration = SignedDuration::from_mins(6);

/// Why a message was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unhandled {
    /// This version can't read it as a hint.
    Unreadable,
    /// The ledger failed.
    LedgerFailed,
    /// Another worker holds the link, which has not recorded the record that the hint names.
    RecordUntold,
    /// No time was left to begin with it.
    NotBegun,
}

impl Unhandled {
    /// Returns the wait before the queue hands the message out again. `receives` is how often it was handed out so far.
    pub fn retry_delay(self, receives: u32) -> SignedDuration {
        match self {
            Self::Unreadable => UNREADABLE_AGAIN_AFTER,
            Self::NotBegun => SignedDuration::ZERO,
            // A worker holds a link for seconds, and for a little over a minute if it dies.
            Self::LedgerFailed | Self::RecordUntold => {
                let grown = LEDGER_WAIT_FACTOR.checked_pow(receives.saturating_sub(1));
                let wait = grown.and_then(|grown| LEDGER_AGAIN_AFTER.checked_mul(grown));
                wait.unwrap_or(SignedDuration::MAX).min(MAXIMUM_LEDGER_WAIT)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::IncidentId;

    #[test]
    fn a_message_that_was_not_handled_comes_again_in_its_time() {
        let seconds = |reason: Unhandled| [0, 1, 2, 3, 4, 5, 99].map(|receives| reason.retry_delay(receives).as_secs());
        assert_eq!(seconds(Unhandled::LedgerFailed), [2, 2, 10, 50, 250, 360, 360]);
        assert_eq!(seconds(Unhandled::RecordUntold), [2, 2, 10, 50, 250, 360, 360]);
        assert_eq!(seconds(Unhandled::Unreadable), [15; 7]);
        assert_eq!(seconds(Unhandled::NotBegun), [0; 7]);
    }

    #[test]
    fn a_ledger_may_fail_for_a_quarter_of_an_hour_before_a_message_is_parked() {
        // The queue hands a message out seven times: `maxReceiveCount` in infra/aws/template.yaml.
        let waits = |reason: Unhandled| (1..7).map(|receives| reason.retry_delay(receives).as_secs()).sum::<i64>();
        assert_eq!(waits(Unhandled::LedgerFailed), 1_032);
        assert_eq!(waits(Unhandled::Unreadable), 90);
    }

    #[test]
    fn a_cause_is_one_word_in_logs_and_on_the_queue() {
        for (cause, word) in [
            (Cause::ServicenowWebhook, "servicenow_webhook"),
            (Cause::SupportEvent, "support_event"),
            (Cause::Due, "due"),
            (Cause::Wake, "wake"),
            (Cause::ServicenowPoll, "servicenow_poll"),
            (Cause::CasePoll, "case_poll"),
            (Cause::FileMoved, "file_moved"),
            (Cause::Replay, "replay"),
        ] {
            assert_eq!(cause.as_str(), word);
            assert_eq!(serde_json::to_value(cause).unwrap(), word);
        }
    }

    fn group_id(subject: Subject) -> String {
        let received_at = Timestamp::from_second(0).unwrap();
        Hint { subject, cause: Cause::Replay, received_at, claim: None }.group_id()
    }

    #[test]
    fn hints_on_one_link_or_one_case_are_in_one_group() {
        let key = LinkKey::support_case(IncidentId::new("0123456789abcdef0123456789abcdef"));
        assert_eq!(group_id(Subject::Link { key }), "support_case:0123456789abcdef0123456789abcdef");
        for case_id in ["case-111122223333-muen-2022-7118885805350839", "case-111122223333-mufr-2022-7118885805350839"]
        {
            let account = AccountId::new("111122223333");
            let subject = Subject::Case { account, case_id: CaseId::new(case_id) };
            assert_eq!(group_id(subject), "111122223333:2022-7118885805350839");
        }
    }
}
