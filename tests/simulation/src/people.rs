//! The people of a world: what they may do, and how likely each deed is. The rooms of the two sides carry the deeds
//! out.

pub mod files;
pub mod texts;

use crate::{random::Random, servicenow::people::CLOSED_AFTER, timeline::Place, world::World};

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Opens an incident in scope.
    Open,
    /// Opens an incident that is not in scope.
    OpenElsewhere,
    /// Comments.
    Comment,
    /// Writes a work note.
    WorkNote,
    /// Comments and resolves in one save.
    CommentAndResolve,
    /// Resolves.
    Resolve,
    /// Cancels.
    Cancel,
    /// Closes.
    Close,
    /// Reopens a resolved incident.
    Reopen,
    /// Puts on hold, or in progress.
    Move,
    /// Sets the priority, and in some worlds what the incident says of its case.
    Triage,
    /// Gives the incident to another group.
    Reassign,
    /// Deletes the incident.
    Delete,
    /// AWS replies.
    Reply,
    /// A customer writes in the console.
    Console,
    /// The customer writes in the console on the case of a closed incident.
    ConsoleAfterClosing,
    /// Somebody at AWS writes with our mark in it.
    Copy,
    /// AWS sets a status.
    Status,
    /// AWS resolves, or the customer in the console.
    ResolveCase,
    /// AWS replies and resolves.
    ReplyAndResolve,
    /// AWS reopens a resolved case without a text.
    ReopenCase,
    /// A case gets another language, which changes its id.
    Rename,
    /// The customer changes the severity in the console.
    Escalate,
    /// AWS writes several messages in the same moment.
    Burst,
    /// The platform's job closes what has been resolved.
    AutoClose,
    /// An agent copies an incident with all its columns.
    CopyIncident,
    /// An agent drafts the close code and the close notes of an open incident.
    Draft,
    /// An agent removes the service and category codes.
    LeaveScope,
    /// An administrator renames the integration user.
    RenameUser,
    /// An administrator restores an incident to an earlier record. Then an agent changes its priority.
    Restore,
    /// The next read of an incident comes from a node that lags.
    Lag,
    /// A query rule hides an incident from the integration user for some time.
    Hide,
    /// A rule of the customer aborts the next updates.
    Abort,
    /// Somebody opens a case at AWS.
    OpenOwnCase,
    /// An account loses its plan or its keys for a while.
    LoseAccess,
    /// The refused accounts get them back.
    RegainAccess,
    /// An administrator takes the next step of a rotation of the webhook's secret.
    RotateSecret,
}

/// All deeds, each with its weight in the draw.
const DEEDS: [(Deed, u64); 37] = [
    (Deed::Open, 6),
    (Deed::OpenElsewhere, 2),
    (Deed::Comment, 16),
    (Deed::WorkNote, 4),
    (Deed::CommentAndResolve, 4),
    (Deed::Resolve, 4),
    (Deed::Cancel, 1),
    (Deed::Close, 2),
    (Deed::Reopen, 4),
    (Deed::Move, 4),
    (Deed::Triage, 2),
    (Deed::Reassign, 4),
    (Deed::Delete, 1),
    (Deed::Reply, 14),
    (Deed::Console, 6),
    (Deed::ConsoleAfterClosing, 10),
    (Deed::Copy, 4),
    (Deed::Status, 6),
    (Deed::ResolveCase, 4),
    (Deed::ReplyAndResolve, 3),
    (Deed::ReopenCase, 2),
    (Deed::Rename, 1),
    (Deed::Escalate, 2),
    (Deed::Burst, 2),
    (Deed::AutoClose, 2),
    (Deed::CopyIncident, 1),
    (Deed::Draft, 2),
    (Deed::LeaveScope, 2),
    (Deed::RenameUser, 1),
    (Deed::Restore, 1),
    (Deed::Lag, 3),
    (Deed::Hide, 2),
    (Deed::Abort, 2),
    (Deed::OpenOwnCase, 2),
    (Deed::LoseAccess, 1),
    (Deed::RegainAccess, 2),
    (Deed::RotateSecret, 3),
];

impl Deed {
    /// Draws a deed.
    pub fn draw(random: &mut Random) -> Self {
        let all: u64 = DEEDS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = random.below(all);
        for (deed, weight) in DEEDS {
            if drawn < weight {
                return deed;
            }
            drawn -= weight;
        }
        Self::Comment
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open incident",
            Self::OpenElsewhere => "open incident out of scope",
            Self::Comment => "comment",
            Self::WorkNote => "work note",
            Self::CommentAndResolve => "comment and resolve in one save",
            Self::Resolve => "resolve incident",
            Self::Cancel => "cancel",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Move => "hold or go on",
            Self::Triage => "triage",
            Self::Reassign => "reassign",
            Self::Delete => "delete incident",
            Self::Reply => "AWS replies",
            Self::Console => "customer writes in the console",
            Self::ConsoleAfterClosing => "customer writes after the closing",
            Self::Copy => "text with our mark",
            Self::Status => "AWS sets status",
            Self::ResolveCase => "case resolved",
            Self::ReplyAndResolve => "reply and resolve",
            Self::ReopenCase => "case reopened",
            Self::Rename => "case in another language",
            Self::Escalate => "severity changed in the console",
            Self::Burst => "AWS writes several messages at once",
            Self::AutoClose => "job closes incidents",
            Self::CopyIncident => "incident copied",
            Self::Draft => "closing drafted",
            Self::LeaveScope => "codes taken away",
            Self::RenameUser => "integration user renamed",
            Self::Restore => "incident restored",
            Self::Lag => "node lags",
            Self::Hide => "incident hidden",
            Self::Abort => "rule aborts updates",
            Self::OpenOwnCase => "case opened at AWS",
            Self::LoseAccess => "account loses access",
            Self::RegainAccess => "account regains access",
            Self::RotateSecret => "webhook secret rotated",
        }
    }
}

impl World {
    /// Lets a person do a deed, if it is possible now. Counts it if it was done.
    pub fn do_deed(&mut self, deed: Deed, random: &mut Random) {
        let done = match deed {
            Deed::Open | Deed::OpenElsewhere => self.do_open(deed, random),
            Deed::Reply
            | Deed::Console
            | Deed::ConsoleAfterClosing
            | Deed::Copy
            | Deed::Status
            | Deed::ResolveCase
            | Deed::ReopenCase
            | Deed::ReplyAndResolve
            | Deed::Rename
            | Deed::Escalate
            | Deed::Burst => self.do_at_aws(deed, random),
            Deed::AutoClose => self.auto_close(CLOSED_AFTER),
            Deed::RenameUser => {
                let name = format!("casebridge.{}", random.below(1_000));
                self.note(Place::ServiceNow, || format!("the integration user is called {name} from now on"));
                self.servicenow.rename_integration_user(&name);
                true
            }
            Deed::Abort => {
                self.note(Place::ServiceNow, || "a rule aborts the next updates".to_owned());
                self.servicenow.abort_updates(random.below(3) + 1);
                true
            }
            Deed::OpenOwnCase => self.do_open_own_case(random),
            Deed::LoseAccess => {
                self.lose_access(random);
                true
            }
            Deed::RegainAccess => {
                let any = !self.refused_accounts.is_empty();
                self.refused_accounts.clear();
                any
            }
            Deed::RotateSecret => {
                self.rotate_secret();
                true
            }
            _ => self.do_on_incident(deed, random),
        };
        if done {
            *self.tally.deeds.entry(deed.name()).or_default() += 1;
        }
    }

    /// Takes the next of the two steps of a rotation: Secrets Manager gets a new version, or ServiceNow begins to sign
    /// with it.
    pub fn rotate_secret(&mut self) {
        let secret = &mut self.webhook_secret;
        if secret.signs == secret.newest {
            secret.newest += 1;
            self.note(Place::Bridge, || "the webhook's secret gets a new version".to_owned());
        } else {
            secret.signs = secret.newest;
            self.note(Place::ServiceNow, || "webhooks are signed with the new version from now on".to_owned());
        }
    }

    /// Completes a rotation that has begun. The receiver accepts webhooks that are signed with the previous version
    /// only for a day.
    pub fn end_rotation(&mut self) {
        if self.webhook_secret.signs != self.webhook_secret.newest {
            self.rotate_secret();
        }
    }
}
