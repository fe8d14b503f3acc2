use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::support::attachments::content::Content;
use crate::support::attachments::{MAXIMUM_SMALL_FILE_BYTES, NamedFile};
use crate::support::model::{ATTACHMENT_READS_PER_MINUTE, ATTACHMENT_SETS_PER_MINUTE, AttachmentDetails};
use crate::support::oddities::AttachmentSetReuse;
use crate::support::request::{AddAttachmentsToSet, DescribeAttachment, GetAttachmentDownloadLink, NewAttachment};

fn attachment(name: &str, content: Content) -> NewAttachment {
    NewAttachment { file_name: Some(name.to_owned()), data: Some(content) }
}

fn addition(set: Option<&str>, attachments: Vec<NewAttachment>) -> AddAttachmentsToSet {
    AddAttachmentsToSet { attachment_set_id: set.map(ToOwned::to_owned), attachments, dry_run: false }
}

fn log() -> NewAttachment {
    attachment("kernel.log", Content::bytes(*b"panic"))
}

fn new_set(support: &mut Support, now: Timestamp) -> String {
    support.add_attachments_to_set(now, ACCOUNT, &addition(None, vec![log()])).unwrap().attachment_set_id
}

fn with_set(case_id: &str, set: &str) -> AddCommunicationToCase {
    AddCommunicationToCase { attachment_set_id: Some(set.to_owned()), ..message(case_id, "See the log.") }
}

pub(super) fn shown(support: &mut Support, now: Timestamp, case_id: &str) -> Vec<AttachmentDetails> {
    let page = support.describe_cases(now, ACCOUNT, &by_ids(&[case_id])).unwrap();
    page.cases[0].recent_communications.as_ref().unwrap().communications[0].attachments.clone()
}

pub(super) fn read(id: &str) -> DescribeAttachment {
    DescribeAttachment { attachment_id: Some(id.to_owned()), dry_run: false }
}

#[test]
fn a_set_brings_its_files_to_a_case_and_to_a_reply() {
    let mut support = support();
    let set = new_set(&mut support, start());
    let more = attachment("disk.txt", Content::bytes(*b"full"));
    let answer = support.add_attachments_to_set(after(60), ACCOUNT, &addition(Some(&set), vec![more])).unwrap();
    assert_eq!(answer.attachment_set_id, set);
    assert_eq!(answer.expiry_time, "2026-11-20T22:14:05.000+0000", "an addition does not prolong it");

    let request = CreateCase { attachment_set_id: Some(set), ..creation() };
    let case_id = support.create_case(after(61), ACCOUNT, &request).unwrap();
    let attachments = shown(&mut support, after(62), &case_id);
    let names: Vec<&str> = attachments.iter().map(|attachment| attachment.file_name.as_str()).collect();
    assert_eq!(names, ["kernel.log", "disk.txt"]);
    let file = support.describe_attachment(after(62), ACCOUNT, &read(&attachments[1].attachment_id)).unwrap();
    assert_eq!((file.file_name.as_str(), file.data), ("disk.txt", STANDARD.encode("full")));

    let set = new_set(&mut support, after(70));
    support.add_communication_to_case(after(71), ACCOUNT, &with_set(&case_id, &set)).unwrap();
    let again = shown(&mut support, after(72), &case_id);
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].attachment_id, attachments[0].attachment_id);
    let request = DescribeCommunications { case_id: Some(case_id), ..DescribeCommunications::default() };
    let page = support.describe_communications(after(72), ACCOUNT, &request).unwrap();
    assert_eq!(page.communications[0].attachment_set[0].attachment_id, again[0].attachment_id);
}

#[test]
fn a_set_has_limits_and_an_hour_and_an_account() {
    let mut support = support();
    let set = new_set(&mut support, start());
    let full = addition(Some(&set), vec![log(), log(), log()]);
    let code = |answer: Result<_, SupportError>| answer.map(|_| ()).unwrap_err().code();
    assert_eq!(code(support.add_attachments_to_set(start(), ACCOUNT, &full)), "AttachmentSetSizeLimitExceeded");
    let sized = |size| addition(None, vec![attachment("dump", Content::generated(size, 1))]);
    assert!(support.add_attachments_to_set(start(), ACCOUNT, &sized(MAXIMUM_SMALL_FILE_BYTES)).is_ok());
    for (size, expected) in
        [(MAXIMUM_SMALL_FILE_BYTES + 1, "AttachmentSetSizeLimitExceeded"), (0, "ValidationException")]
    {
        assert_eq!(code(support.add_attachments_to_set(start(), ACCOUNT, &sized(size))), expected);
    }
    let program = addition(None, vec![attachment("tool.EXE", Content::bytes(*b"MZ"))]);
    assert_eq!(code(support.add_attachments_to_set(start(), ACCOUNT, &program)), "InvalidParameterValueException");
    assert_eq!(code(support.add_attachments_to_set(start(), ACCOUNT, &addition(None, vec![]))), "ValidationException");

    let add = addition(Some(&set), vec![log()]);
    let other = support.add_attachments_to_set(start(), OTHER_ACCOUNT, &add);
    assert_eq!(code(other), "AttachmentSetIdNotFound");
    assert_eq!(code(support.add_attachments_to_set(after(3600), ACCOUNT, &add)), "AttachmentSetExpired");
    let request = CreateCase { attachment_set_id: Some(set.clone()), ..creation() };
    assert_eq!(support.create_case(after(3600), ACCOUNT, &request).unwrap_err().code(), "AttachmentSetExpired");
    assert_eq!(code(support.add_attachments_to_set(after(90_000), ACCOUNT, &add)), "AttachmentSetIdNotFound");
    let dry = AddAttachmentsToSet { dry_run: true, ..addition(None, vec![log()]) };
    assert_eq!(code(support.add_attachments_to_set(start(), ACCOUNT, &dry)), "DryRunOperationException");
}

#[test]
fn a_set_that_was_used_is_refused_or_attached_again() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let set = new_set(&mut support, start());
    let dry = AddCommunicationToCase { dry_run: true, ..with_set(&case_id, &set) };
    let error = support.add_communication_to_case(start(), ACCOUNT, &dry).unwrap_err();
    assert_eq!(error, SupportError::DryRunOperation);
    support.add_communication_to_case(start(), ACCOUNT, &with_set(&case_id, &set)).unwrap();
    let error = support.add_communication_to_case(start(), ACCOUNT, &with_set(&case_id, &set)).unwrap_err();
    assert_eq!(error, SupportError::AttachmentSetIdNotFound(set.clone()));
    support.set_oddities(Oddities { attachment_set_reuse: AttachmentSetReuse::AttachedAgain, ..Oddities::default() });
    support.add_communication_to_case(start(), ACCOUNT, &with_set(&case_id, &set)).unwrap();
    let case = support.case(&case_id).unwrap();
    assert_eq!(case.communications.iter().filter(|text| text.attachments.len() == 1).count(), 2);
}

#[test]
fn new_sets_and_reads_of_files_are_limited() {
    let mut support = with_quotas(Quotas { calls_per_second: None, ..Quotas::default() });
    for _ in 0..ATTACHMENT_SETS_PER_MINUTE {
        new_set(&mut support, start());
    }
    let error = support.add_attachments_to_set(after(59), ACCOUNT, &addition(None, vec![log()])).unwrap_err();
    assert_eq!(error.code(), "AttachmentLimitExceeded");
    new_set(&mut support, after(60));

    for _ in 0..ATTACHMENT_READS_PER_MINUTE {
        let error = support.describe_attachment(after(60), ACCOUNT, &read("attachment-1")).err().unwrap();
        assert_eq!(error.code(), "AttachmentIdNotFound");
    }
    let error = support.describe_attachment(after(60), ACCOUNT, &read("attachment-1")).err().unwrap();
    assert_eq!(error.code(), "DescribeAttachmentLimitExceeded");
}

#[test]
fn large_files_are_shown_apart_and_need_a_link() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let small = NamedFile { name: "a.txt".to_owned(), content: Content::bytes(*b"a") };
    let large = NamedFile { name: "b.bin".to_owned(), content: Content::generated(MAXIMUM_SMALL_FILE_BYTES + 1, 3) };
    support.communicate_with_files(after(1), &case_id, "Look.", None, vec![small, large]).unwrap();
    let page = support.describe_cases(after(1), ACCOUNT, &by_ids(&[&case_id])).unwrap();
    let reply = &page.cases[0].recent_communications.as_ref().unwrap().communications[0];
    assert_eq!((reply.attachments.len(), reply.attachment_set.len()), (2, 1));
    let large = reply.attachments[1].attachment_id.clone();
    let error = support.describe_attachment(after(1), ACCOUNT, &read(&large)).err().unwrap();
    assert_eq!(error.code(), "InvalidParameterValueException");
    let error = support.describe_attachment(after(1), OTHER_ACCOUNT, &read(&large)).err().unwrap();
    assert_eq!(error.code(), "AttachmentIdNotFound");

    let request = GetAttachmentDownloadLink { attachment_id: Some(large), dry_run: false };
    let link = support.get_attachment_download_link(after(1), ACCOUNT, &request).unwrap();
    assert!(link.download_url.url.starts_with("https://downloadv1.attachments.support.us-east-1.amazonaws.com/"));
    let truth = support.case(&case_id).unwrap().truth();
    let told = &truth["communications"][1]["attachments"][1];
    assert_eq!((&told["size"], &told["origin"]), (&(MAXIMUM_SMALL_FILE_BYTES + 1).into(), &"AWS".into()));

    let too_many = vec![NamedFile { name: "c".to_owned(), content: Content::bytes(*b"c") }; 11];
    assert!(support.communicate_with_files(after(1), &case_id, "More.", None, too_many).is_err());
}

#[test]
fn ids_change_and_names_are_sanitised_when_told_to() {
    let mut support = support();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let file = NamedFile { name: "../päth to:x.txt".to_owned(), content: Content::bytes(*b"x") };
    support.communicate_with_files(start(), &case_id, "Look.", None, vec![file]).unwrap();
    let plain = shown(&mut support, start(), &case_id).remove(0);
    assert_eq!(plain.file_name, "../päth to:x.txt");
    support.set_oddities(Oddities {
        attachment_ids_change_after_seconds: Some(10),
        file_names_sanitised: true,
        ..Oddities::default()
    });
    assert!(support.describe_attachment(start(), ACCOUNT, &read(&plain.attachment_id)).is_err());
    let first = shown(&mut support, start(), &case_id).remove(0);
    let second = shown(&mut support, after(10), &case_id).remove(0);
    assert_eq!(first.file_name, ".._p_th_to_x.txt");
    assert_ne!(first.attachment_id, second.attachment_id);
    assert!(support.describe_attachment(after(10), ACCOUNT, &read(&first.attachment_id)).is_ok());
    assert!(support.describe_attachment(after(20), ACCOUNT, &read(&first.attachment_id)).is_err());
    assert!(support.describe_attachment(after(20), ACCOUNT, &read(&second.attachment_id)).is_ok());
}

#[test]
fn content_reads_the_same_however_it_is_cut() {
    let whole = Content::generated(200_000, 9);
    let bytes = whole.to_vec().unwrap();
    let parts: Vec<Content> = bytes.chunks(70_001).map(|part| Content::bytes(part.to_vec())).collect();
    let joined = Content::joined(&parts);
    assert_eq!((joined.length(), joined.sha256().unwrap()), (200_000, whole.sha256().unwrap()));
    assert_eq!(joined.read(69_999).unwrap(), bytes[69_999..70_001]);
    assert_eq!(whole.read(100_003).unwrap()[..5], bytes[100_003..100_008]);
    assert!(joined.read(200_000).unwrap().is_empty());
    assert_eq!(format!("{joined:?}"), "Content(200000 bytes)");
}
