//! What must never be in a plan: one name for each fault, with its severity and the reason why it is a fault.

/// How bad a fault is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does no known harm, but the planner should not do it.
    Odd,
    /// It costs a call that does nothing.
    Wasteful,
    /// It breaks a promise: something is lost, doubled, disclosed or overwritten.
    Fatal,
}

/// Something that must never be in a plan. Each check says why. A rule with a number is one of the rules that
/// `tests/simulation/tests/rules.rs` tells stories of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    // Bounds.
    /// More effects than [`casebridge_core::link::plan::EFFECTS_PER_PLAN`]. Everything has a bound (rule 12).
    TooManyEffects,
    /// More messages in a delivery than [`casebridge_core::link::planner::MESSAGES_PER_DELIVERY`]. Everything has a
    /// bound (rule 12).
    TooManyMessages,
    /// More writes than the loop breaker allows, except for the report that it has tripped (rule 12).
    BeyondLoopBreaker,
    /// The loop breaker allows no write and the plan does not wait for it. It defers writes and says so (rule 12).
    SilentLoopBreaker,

    // What must hold a write back.
    /// An effect for an incident that is gone. casebridge writes nothing for an incident that a read did not find.
    WriteToGoneIncident,
    /// An effect for an incident that the app does not serve: it is neither linked nor in scope.
    WriteToUnservedIncident,
    /// A call, or fields, while an intent is in doubt. Nothing follows a call in doubt (rule 4).
    WriteWhileInDoubt,
    /// A call, or fields, while the link pauses. A paused link sends nothing to AWS and changes no state.
    WriteWhilePaused,
    /// A call, or fields, while the case was not read to its end. It would overtake what casebridge has not seen.
    WriteWithUnreadCase,
    /// A call, or fields, while the incident was not read to its newest comment. Comments that were read may be sent,
    /// also with a new case.
    WriteWithUnreadIncident,
    /// A write to a side that throttles or does not answer, before the time of the next try. A failed side is a wait
    /// (rule 10).
    WriteToRestingSide,
    /// A request that was refused, before the time of the next try. A refusal holds back that request (rule 11).
    RefusedRequestRepeated,

    // The case.
    /// CreateCase for a link that has a case, or twice in a plan. It would open a double (rule 4).
    SecondCase,
    /// CreateCase for an incident whose columns name a case that no link has. The new case might be a double (rule 4).
    CaseNamedByColumns,
    /// CreateCase for an incident that has ended, or has no active account, service or category. Only an incident in
    /// scope gets a case.
    CaseOutOfScope,
    /// CreateCase while another incident is next in line for the account's quota. AWS would refuse it (rule 10).
    OpenedOutOfTurn,
    /// A call in another account than that of the incident or of the case. No account gets another account's texts.
    CallInWrongAccount,
    /// A call to a case that is neither the link's case nor an open double of it. Every record has its own identity
    /// (rule 6).
    CallToUnknownCase,
    /// A text for the link's case that goes to another one, or the reverse (rule 6).
    TextForAnotherCase,
    /// A note on a double that has the note already (rule 4).
    DoubleToldAgain,
    /// A text, or a resolution, after the resolution of the same case. Texts are sent first, then the case is resolved
    /// (rule 8).
    CallAfterResolution,
    /// The resolution of a case that is resolved, with no text before it that reopens it. It is not resolved again
    /// (rule 8).
    ResolutionOfResolved,
    /// The resolution of a case whose incident is open, or is open after the effects before it (rule 8).
    ResolutionOfOpenIncident,
    /// The resolution of a case that AWS has reopened since both sides had ended (rule 8).
    ResolutionAgainstReopening,
    /// A note that reopens a case, while the case is open, another text of the plan reopens it, or the incident has
    /// ended (rule 8).
    NeedlessReopenNotice,

    // The incident of a case that somebody opened at AWS.
    /// An incident for a link that has none to open, or after another effect. It is opened once, and first.
    SecondIncident,
    /// A write before the incident is open. There is nothing to write to, and nobody to answer.
    WriteBeforeIncident,
    /// An incident that names another case, or another account, than the link's (rule 6).
    IncidentOfAnotherCase,
    /// A description that holds another text than an earlier try recorded. That try may have opened the incident, and a
    /// text would be lost (rule 2).
    OtherTextCovered,
    /// A hand-over of the case of an incident that is not closed, or of no case. The incident is reopened instead.
    HandOverOfOpenIncident,
    /// A hand-over while a text of one side is not on the other. Nobody would send it, or it would come twice (rule 14).
    HandOverBeforeTexts,
    /// A call in the plan of a hand-over, or a delivery after it. The case belongs to another link then.
    EffectBesideHandOver,

    // The texts that go out.
    /// A text with more bytes than a communication may have. AWS refuses it for good (rule 11).
    TextTooLong,
    /// A subject with more bytes than the subject of a case may have. AWS refuses it for good (rule 11).
    SubjectTooLong,
    /// A text without the mark of its call. It could not be recognised as ours (rule 3).
    TextWithoutMark,
    /// A text with a mark that is not its call's. Marks in people's texts are removed (rule 3).
    ForeignMark,
    /// Two calls with one mark, or a call with a mark that the link has used. Each intent has a mark of its own (rule
    /// 3).
    MarkUsedTwice,

    // The comments that go out.
    /// A comment that no read of this pass showed. Only what was read is sent.
    UnknownEntry,
    /// A comment that casebridge wrote, a comment of unclear origin, or a work note. Only people's comments are sent.
    PrivateEntry,
    /// A settled comment. It would be doubled (rule 8).
    SettledEntry,
    /// A comment that is not meant for AWS: written after the closing, or by the platform itself.
    EntryNotForAws,
    /// A comment that was written after the incident's end, while the incident stays ended. The incident is reopened
    /// first (rule 8).
    EntryOnEndedIncident,
    /// A text that is sent whole and begun again in the same plan (rule 8).
    TextSentTwice,
    /// Comments in another order than they were written in, or before the rest of the description (rule 8).
    EntriesOutOfOrder,
    /// A comment, or the resolution, before an older comment that has to be sent (rule 8).
    EntryOvertaken,
    /// Parts of a text that do not follow each other, or another text between two parts (rules 8 and 11).
    PartsOutOfOrder,

    // What is written to the incident.
    /// A delivery without messages and fields. It costs a call, and the columns alone have an effect of their own.
    DeliveryOfNothing,
    /// One message twice in a plan. The app ignores a repeat (rule 7).
    MessageTwice,
    /// A message that was delivered already. The app ignores a repeat (rule 7).
    MessageDeliveredAgain,
    /// A message for a communication of another link or case, or for one that no read of this pass showed (rule 6).
    UnknownMessage,
    /// A text of ours that comes back to the incident (rule 3).
    OwnTextDelivered,
    /// A text that may be ours. This is undecided until L at most (rule 3).
    UndecidedTextDelivered,
    /// Messages in another order than they were written in, or that leave out an older one (rule 8).
    MessagesOutOfOrder,
    /// A message with a mark in it. Marks are removed from what is delivered (rule 3).
    MarkInMessage,
    /// A comment although the policy asks for a work note, or the reverse. ServiceNow may mail a comment to the caller.
    WrongMessageKind,
    /// A delivery that is bound to another update count than that of the incident which the plan was made from (rule
    /// 7).
    StaleExpectation,
    /// Columns that name another case than the link's. No link writes another link's columns.
    ColumnsOfAnotherCase,
    /// Fields before messages. What AWS wrote before the end must be on the incident before the end (rule 8).
    FieldsBeforeMessages,
    /// A state for an incident that is closed or cancelled. Such an incident is never reopened.
    StateOfClosedIncident,
    /// A state that the incident has already, or an end of an incident that has ended. It costs a call.
    StateAlreadyThere,
    /// The state New for an incident in progress.
    BackToNew,
    /// A close code or close notes although an agent has written some.
    AgentsWordsOverwritten,
    /// The end of an incident whose case is open (rule 8).
    EndOfOpenCase,
    /// The end of an incident before a comment that has to be sent. The comment would count as a reaction (rule 8).
    EndBeforeComments,

    // The columns.
    /// An effect after the write of the columns. It may change them, so that a second write follows.
    EffectAfterColumns,
    /// A write of the columns beside a delivery that carries the same columns. It costs a call.
    ColumnsBesideDelivery,
    /// A write of columns that the incident shows already, with no call before it that changes them.
    NeedlessColumns,

    // What the plan waits for.
    /// A wait whose time has passed: the link would be looked at again and again (rule 10). Waits for a call in doubt
    /// and for a full read are excepted, since their time may pass during a pass.
    WaitIsOver,
    /// The same wait twice.
    WaitTwice,
    /// An intent in doubt that the plan does not wait for. Every wait has a time of the next look (rule 10).
    DoubtNotWaitedFor,
    /// No effect and no time of the next look, although something is left to do (rule 11).
    OpenWorkWithoutDueTime,
    /// A comment that has to be sent, in a plan that neither sends it nor waits. It would be lost.
    ForgottenComment,
    /// A communication that has to be delivered, in a plan that neither delivers it nor waits. It would be lost.
    ForgottenReply,
}

impl Check {
    /// Returns how bad the fault is.
    pub fn severity(self) -> Severity {
        match self {
            Self::WaitTwice | Self::NeedlessColumns => Severity::Odd,
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
            | Self::EffectAfterColumns
            | Self::ColumnsBesideDelivery
            | Self::WaitIsOver => Severity::Wasteful,
            _ => Severity::Fatal,
        }
    }
}

/// All checks, in order.
pub const CHECKS: [Check; 73] = [
    Check::TooManyEffects,
    Check::TooManyMessages,
    Check::BeyondLoopBreaker,
    Check::SilentLoopBreaker,
    Check::WriteToGoneIncident,
    Check::WriteToUnservedIncident,
    Check::WriteWhileInDoubt,
    Check::WriteWhilePaused,
    Check::WriteWithUnreadCase,
    Check::WriteWithUnreadIncident,
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
    Check::SecondIncident,
    Check::WriteBeforeIncident,
    Check::IncidentOfAnotherCase,
    Check::OtherTextCovered,
    Check::HandOverOfOpenIncident,
    Check::HandOverBeforeTexts,
    Check::EffectBesideHandOver,
    Check::TextTooLong,
    Check::SubjectTooLong,
    Check::TextWithoutMark,
    Check::ForeignMark,
    Check::MarkUsedTwice,
    Check::UnknownEntry,
    Check::PrivateEntry,
    Check::SettledEntry,
    Check::EntryNotForAws,
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
    Check::EffectAfterColumns,
    Check::ColumnsBesideDelivery,
    Check::NeedlessColumns,
    Check::WaitIsOver,
    Check::WaitTwice,
    Check::DoubtNotWaitedFor,
    Check::OpenWorkWithoutDueTime,
    Check::ForgottenComment,
    Check::ForgottenReply,
];
