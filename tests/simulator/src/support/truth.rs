//! What a case is in truth: without lag, oddities and quotas.

use serde_json::{Value, json};

use super::attachments::Attachment;
use super::model::{Case, Communication, format_milliseconds};

impl Case {
    /// Returns everything about the case, its communications oldest first.
    pub fn truth(&self) -> Value {
        let communications: Vec<Value> = self.communications.iter().map(Communication::truth).collect();
        json!({
            "account": self.account,
            "caseId": self.case_id,
            "displayId": self.display_id,
            "subject": self.subject,
            "status": self.status(),
            "serviceCode": self.service_code,
            "categoryCode": self.category_code,
            "severityCode": self.severity_code,
            "issueType": self.issue_type,
            "language": self.language,
            "submittedBy": self.submitted_by,
            "ccEmailAddresses": self.cc_email_addresses,
            "timeCreated": format_milliseconds(self.time_created),
            "resolvedAt": self.resolved_at().map(format_milliseconds),
            "communications": communications,
        })
    }
}

impl Communication {
    fn truth(&self) -> Value {
        let attachments: Vec<Value> = self.attachments.iter().map(|attachment| self.attachment(attachment)).collect();
        json!({
            "body": self.body,
            "submittedBy": self.submitted_by,
            "timeCreated": format_milliseconds(self.time_created),
            "origin": self.origin.as_str(),
            "attachments": attachments,
        })
    }

    /// Returns a file with the side that wrote it. `sha256` is null if the simulator can't read its file on disk.
    fn attachment(&self, attachment: &Attachment) -> Value {
        json!({
            "attachmentId": attachment.id,
            "fileName": attachment.name,
            "size": attachment.content.length(),
            "sha256": attachment.content.sha256().ok(),
            "origin": self.origin.as_str(),
            "throughApi": self.through_api,
        })
    }
}
