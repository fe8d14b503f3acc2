//! What must never be in a plan: one name for each fault, with its severity and the rule of the design that it breaks.

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does no harm that is known, but the planner should not make it.
    Odd,
    /// It costs a call that does nothing.
    Wasteful,
    /// It breaks a promise: something is lost, doubled, disclosed or overwritten.
    Fatal,
}

/// Something that must never be in a plan. Each check says why, and names the rule of the design that it guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    // Bounds.
    /// More effects than [`casebridge_core::link::plan::EFFECTS_PER_PLAN`]. Rule 12: everything has a bound.
    TooManyEffects,
    /// More messages in a delivery than [`casebridge_core::link::planner::MESSAGES_PER_DELIVERY`]. Rule 12.
    TooManyMessages,
    /// More writes than the loop breaker lets through, but for the report that it has tripped. Rule 12.
    BeyondLoopBreaker,
    /// The loop breaker lets nothing through and the plan does not wait for it. Rule 12: it defers and says so.
    SilentLoopBreaker,

    // What holds every write back.
    /// An effect for an incident that is gone. "Fresh", rule 9: nothing is written for a record that a read did not find.
    WriteToGoneIncident,
    /// An effect for an incident that ServiceNow serves to nobody: it is none of ours. Rule 13.
    WriteToUnservedIncident,
    /// A call, or fields, while an intent is in doubt. Rule 4: nothing follows an effect in doubt.
    WriteWhileInDoubt,
    /// A call, or fields, while the link pauses. "What people own": a paused link sends nothing.
    WriteWhilePaused,
    /// A call, or fields, while the case was not read to its end. Rule 9: who writes blindly overtakes what he has not seen.
    WriteWhileBlindToCase,
    /// A call other than the first comments, or fields, while the incident was not read to its newest comment. Rule 9.
    WriteWhileBlindToIncident,
    /// A write to a side that throttles or does not answer, before the time of the next try. Rule 10.
    WriteToRestingSide,
    /// A request that was refused, before the time of the next try. Rule 11: a refused request waits as that request.
    RefusedRequestRepeated,

    // The case.
    /// CreateCase for a link that has a case, or twice in a plan. Rule 4: a double.
    SecondCase,
    /// CreateCase for an incident that names a case which nobody knows. Rule 4: another one might double it.
    CaseNamedByColumns,
    /// CreateCase for an incident that has ended, or has no active account, service or category. Scope decides linking.
    CaseOutOfScope,
    /// CreateCase while another incident is next in line for the account's quota. Rule 10: it would be refused.
    OpenedOutOfTurn,
    /// A call in another account than that of the incident or of the case. Rule 15.
    CallInWrongAccount,
    /// A call to a case that is neither the link's nor one that was opened twice and still open. Rule 6.
    CallToUnknownCase,
    /// A text of the link's case for another one, or the reverse. Rule 6.
    TextForAnotherCase,
    /// A note on a case that was opened twice and has that note. Rule 4.
    DoubleToldAgain,
    /// A text, or a resolution, behind the resolution of the same case. Rule 8: send, then resolve.
    CallAfterResolution,
    /// The resolution of a case that is resolved, with no text before it. Rule 8: it is not resolved again.
    ResolutionOfResolved,
    /// The resolution of the case of an incident that is open, or is with this plan. Rule 8.
    ResolutionOfOpenIncident,
    /// The resolution of a case that AWS has reopened since both sides had ended. Rule 8.
    ResolutionAgainstReopening,
    /// A note that reopens a case that is open, or is reopened by another text, or of an incident that has ended. Rule 8.
    NeedlessReopenNotice,

    // The texts that go out.
    /// A text with more bytes than a communication holds. Rule 11: AWS refuses it for good.
    TextTooLong,
    /// A subject with more bytes than a case's subject holds. Rule 11.
    SubjectTooLong,
    /// A text without the mark of its call. Rule 3: it could not be recognised.
    TextWithoutMark,
    /// A text with a mark that its call does not have. Rule 3: foreign marks are defused.
    ForeignMark,
    /// Two calls with one mark, or a call with a mark that the link has used. Rule 3: one mark per intent.
    MarkUsedTwice,

    // The comments that go out.
    /// A comment that no read of this pass showed. Rule 9: what is sent is what was read.
    UnknownEntry,
    /// A comment of casebridge's own, of unclear origin, or a work note. Rule 13: whose words.
    PrivateEntry,
    /// A comment that needs nothing more. Rule 8: it would be doubled.
    SettledEntry,
    /// A comment that the journal keeps at home: written after the closing, or the platform's own. Rules 13 and 14.
    EntryKeptAtHome,
    /// A comment from after the end of work, while the incident stays ended. Rule 8: it reopens the incident first.
    EntryOnEndedIncident,
    /// A text that is sent whole and begun again in one plan. Rule 8.
    TextSentTwice,
    /// Comments that are not in the order of their writing, or before the rest of the description. Rule 8.
    EntriesOutOfOrder,
    /// A comment, or the resolution, before an older comment that goes out. Rule 8.
    EntryOvertaken,
    /// Parts that do not follow each other, or something behind a part whose rest has to follow. Rules 8 and 11.
    PartsOutOfOrder,

    // What is put on the incident.
    /// A delivery without messages and fields. It costs a call; the columns alone are a report.
    DeliveryOfNothing,
    /// One message twice in a plan. Rule 7: a repeat does nothing.
    MessageTwice,
    /// A message that is on the incident. Rule 7.
    MessageDeliveredAgain,
    /// A message about a communication of another link or case, or that no read of this pass showed. Rule 6.
    UnknownMessage,
    /// A text of ours, put on the incident. Rule 3: it comes back.
    OwnTextDelivered,
    /// A text of which it is not known whether it is ours. Rule 3: that stays open until L.
    UndecidedTextDelivered,
    /// Messages that are not in the order of their writing, or leave out an older one. Rule 8.
    MessagesOutOfOrder,
    /// A message with a mark in it. Rule 3: texts that come in lose theirs.
    MarkInMessage,
    /// A message as a comment where policy asks for a work note, or the reverse. Comments may mail the caller.
    WrongMessageKind,
    /// A delivery that is bound to another update count than the one that the plan was made from. Rule 7.
    StaleExpectation,
    /// Columns that name another case than the link's. No link writes another's columns.
    ColumnsOfAnotherCase,
    /// Fields before messages. Rule 8: what AWS wrote before the end is on the incident before the end.
    FieldsBeforeMessages,
    /// A state for an incident that is closed or cancelled. Rule 14: the end for good is the closing.
    StateOfClosedIncident,
    /// A state that the incident has, or an end of what has ended. It costs a call.
    StateAlreadyThere,
    /// An incident in progress that goes back to New. "What people own": that never happens.
    BackToNew,
    /// A close code or close notes where an agent has written some. "What people own".
    AgentsWordsOverwritten,
    /// The end of an incident whose case is open. Rule 8.
    EndOfOpenCase,
    /// The end of an incident with a comment that has to go out. Rule 8: it would count as a reaction.
    EndBeforeComments,

    // The columns.
    /// An effect after the report of the columns. It may change them: a second report follows.
    EffectAfterReport,
    /// A report beside a delivery that carries the same columns. It costs a call.
    ReportBesideDelivery,
    /// A report of what the incident shows, with no call before it that changes it.
    NeedlessReport,

    // What is waited for.
    /// A wait whose time has come, but for those that a pass may outlive: an intent in doubt, and a full read. Rule 10: the
    /// link would be looked at again and again.
    WaitIsOver,
    /// One wait twice.
    WaitTwice,
    /// An intent in doubt that the plan does not wait for. Rule 10: a wait is a wake-up.
    DoubtNotWaitedFor,
    /// Nothing to do, something left open, and no time at which to look again. Rule 11.
    NothingWakesIt,
    /// A comment that has to go out, in a plan that neither sends it nor waits. Nothing is lost.
    ForgottenComment,
    /// A communication that has to be put on the incident, in a plan that neither does nor waits. Nothing is lost.
    ForgottenReply,
}

impl Check {
    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::WaitTwice | Self::NeedlessReport => Severity::Odd,
            Self::WriteToRestingSide
            | Self::RefusedRequestRepeated
            | Self::OpenedOutOfTurn
            | Self::DoubleToldAgain
            | Self::ResolutionOfResolved
            | Self::NeedlessReopenNotice
            | Self::DeliveryOfNothing
            | Self::MessageTwice
            | Self::MessageDeliveredAgain
            | Self::StateAlreadyThere
            | Self::EffectAfterReport
            | Self::ReportBesideDelivery
            | Self::WaitIsOver => Severity::Wasteful,
            _ => Severity::Fatal,
        }
    }
}

/// All of them.
pub const CHECKS: [Check; 66] = [
    Check::TooManyEffects,
    Check::TooManyMessages,
    Check::BeyondLoopBreaker,
    Check::SilentLoopBreaker,
    Check::WriteToGoneIncident,
    Check::WriteToUnservedIncident,
    Check::WriteWhileInDoubt,
    Check::WriteWhilePaused,
    Check::WriteWhileBlindToCase,
    Check::WriteWhileBlindToIncident,
    Check::WriteToRestingSide,
    Check::RefusedRequestRepeated,
    Check::SecondCase,
    Check::CaseNamedByColumns,
    Check::CaseOutOfScope,
    Check::OpenedOutOfTurn,
    Check::CallInWrongAccount,
    Check::CallToUnknownCase,
    Check::TextForAnotherCase,
    Check::DoubleToldAgain,
    Check::CallAfterResolution,
    Check::ResolutionOfResolved,
    Check::ResolutionOfOpenIncident,
    Check::ResolutionAgainstReopening,
    Check::NeedlessReopenNotice,
    Check::TextTooLong,
    Check::SubjectTooLong,
    Check::TextWithoutMark,
    Check::ForeignMark,
    Check::MarkUsedTwice,
    Check::UnknownEntry,
    Check::PrivateEntry,
    Check::SettledEntry,
    Check::EntryKeptAtHome,
    Check::EntryOnEndedIncident,
    Check::TextSentTwice,
    Check::EntriesOutOfOrder,
    Check::EntryOvertaken,
    Check::PartsOutOfOrder,
    Check::DeliveryOfNothing,
    Check::MessageTwice,
    Check::MessageDeliveredAgain,
    Check::UnknownMessage,
    Check::OwnTextDelivered,
    Check::UndecidedTextDelivered,
    Check::MessagesOutOfOrder,
    Check::MarkInMessage,
    Check::WrongMessageKind,
    Check::StaleExpectation,
    Check::ColumnsOfAnotherCase,
    Check::FieldsBeforeMessages,
    Check::StateOfClosedIncident,
    Check::StateAlreadyThere,
    Check::BackToNew,
    Check::AgentsWordsOverwritten,
    Check::EndOfOpenCase,
    Check::EndBeforeComments,
    Check::EffectAfterReport,
    Check::ReportBesideDelivery,
    Check::NeedlessReport,
    Check::WaitIsOver,
    Check::WaitTwice,
    Check::DoubtNotWaitedFor,
    Check::NothingWakesIt,
    Check::ForgottenComment,
    Check::ForgottenReply,
];
