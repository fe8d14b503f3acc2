use super::files::{read, shown};
use super::*;
use crate::support::attachments::content::Content;
use crate::support::attachments::link::Link;
use crate::support::attachments::rules::{FailingScans, FileRules};
use crate::support::attachments::s3::{LinkError, range};
use crate::support::request::{
    CompleteAttachmentUpload, CompletedUpload, DescribeAttachmentUploadStatus, GetAttachmentDownloadLink,
    GetAttachmentUploadLinks, UploadRange,
};

const PART: u64 = 1000;
const LENGTH: u64 = 12_500;

fn with_small_parts() -> Support {
    let mut support = support();
    support.set_file_rules(FileRules { part_size_bytes: PART, ..FileRules::default() }).unwrap();
    support
}

fn beginning(name: &str, length: u64) -> GetAttachmentUploadLinks {
    GetAttachmentUploadLinks {
        file_name: Some(name.to_owned()),
        file_size_bytes: i64::try_from(length).ok(),
        ..GetAttachmentUploadLinks::default()
    }
}

fn part_of(content: &Content, index: u32) -> Content {
    let bytes = content.to_vec().unwrap();
    let part = bytes.chunks(usize::try_from(PART).unwrap()).nth(index as usize - 1).unwrap();
    Content::bytes(part.to_vec())
}

/// Begins an upload and puts its parts. Returns its id and the parts with their ETags.
fn put_all(support: &mut Support, now: Timestamp, name: &str, content: &Content) -> (String, Vec<CompletedUpload>) {
    let mut request = beginning(name, content.length());
    let mut completed = Vec::new();
    loop {
        let links = support.get_attachment_upload_links(now, ACCOUNT, &request).unwrap();
        for shown in &links.upload_urls {
            let link = Link::of_url(&shown.url).unwrap();
            let part = part_of(content, shown.part_index);
            assert!(support.admit_part(now, "PUT", &link).unwrap() >= part.length());
            let e_tag = support.put_part(now, &link, part).unwrap();
            completed.push(CompletedUpload { part_index: shown.part_index, e_tag });
        }
        let Some(next) = links.next_index else { return (links.upload_id, completed) };
        request.upload_id = Some(links.upload_id);
        request.upload_range = Some(UploadRange { start_index: next, end_index: None });
    }
}

fn complete(
    support: &mut Support,
    now: Timestamp,
    id: &str,
    parts: &[CompletedUpload],
) -> Result<serde_json::Value, SupportError> {
    let request =
        CompleteAttachmentUpload { upload_id: Some(id.to_owned()), completed_uploads: parts.to_vec(), dry_run: false };
    support.complete_attachment_upload(now, ACCOUNT, &request).map(|status| serde_json::to_value(status).unwrap())
}

fn status(support: &mut Support, now: Timestamp, id: &str) -> serde_json::Value {
    let request = DescribeAttachmentUploadStatus { upload_id: Some(id.to_owned()), dry_run: false };
    serde_json::to_value(support.describe_attachment_upload_status(now, ACCOUNT, &request).unwrap()).unwrap()
}

fn with_upload(case_id: &str, id: &str) -> AddCommunicationToCase {
    AddCommunicationToCase { upload_ids: vec![id.to_owned()], ..message(case_id, "See the file.") }
}

#[test]
fn an_upload_goes_part_by_part_and_is_attached_once() {
    let mut support = with_small_parts();
    let content = Content::generated(LENGTH, 5);
    let (id, parts) = put_all(&mut support, start(), "core.dump", &content);
    assert_eq!(parts.len(), 13);
    assert_eq!(complete(&mut support, start(), &id, &parts[..6]).unwrap(), "attachment-not-ready");
    let progress = serde_json::json!({"totalParts": 13, "completedPartsCount": 6});
    let seen = status(&mut support, after(60), &id);
    assert_eq!((&seen["uploadStatus"], &seen["uploadProgress"]), (&"attachment-not-ready".into(), &progress));
    let unquoted = |part: &CompletedUpload| CompletedUpload {
        part_index: part.part_index,
        e_tag: part.e_tag.trim_matches('"').to_owned(),
    };
    let rest: Vec<_> = parts[6..].iter().map(unquoted).collect();
    assert_eq!(complete(&mut support, start(), &id, &rest).unwrap(), "attachment-not-ready", "the scan goes on");

    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    let reply = with_upload(&case_id, &id);
    let error = support.add_communication_to_case(after(4), ACCOUNT, &reply).unwrap_err();
    assert_eq!(error.code(), "InvalidParameterValueException");
    assert_eq!(status(&mut support, after(5), &id)["uploadStatus"], "attachment-ready");
    assert_eq!(complete(&mut support, after(5), &id, &parts).unwrap(), "attachment-ready");
    support.add_communication_to_case(after(5), ACCOUNT, &reply).unwrap();
    let error = support.add_communication_to_case(after(6), ACCOUNT, &reply).unwrap_err();
    assert_eq!(error.code(), "InvalidParameterValueException");
    assert_eq!(status(&mut support, after(6), &id)["uploadStatus"], "attachment-ready", "the status does not tell");

    let attachment = shown(&mut support, after(6), &case_id).remove(0);
    let request = GetAttachmentDownloadLink { attachment_id: Some(attachment.attachment_id.clone()), dry_run: false };
    let link = support.get_attachment_download_link(after(6), ACCOUNT, &request).unwrap().download_url;
    assert_eq!(link.expiry_date, "2026-11-20T21:19:11.000Z");
    let link = Link::of_url(&link.url).unwrap();
    let download = support.download(after(6), "GET", &link).unwrap();
    assert_eq!(download.content.sha256().unwrap(), content.sha256().unwrap());
    assert_eq!(support.download(after(306), "GET", &link).unwrap_err(), LinkError::Expired);
    assert_eq!(support.download(after(6), "HEAD", &link).unwrap_err(), LinkError::SignatureDoesNotMatch);
    // The file outlives its upload.
    let late = after(90_000);
    assert!(support.describe_attachment(late, ACCOUNT, &read(&attachment.attachment_id)).is_ok());
    assert_eq!(complete(&mut support, late, &id, &parts).unwrap_err().code(), "UploadIdNotFound");
}

#[test]
fn ranges_of_links_are_checked() {
    let mut support = with_small_parts();
    let links = support.get_attachment_upload_links(start(), ACCOUNT, &beginning("core.dump", LENGTH)).unwrap();
    let indexes = |links: &[attachments::UploadUrl]| -> Vec<u32> { links.iter().map(|link| link.part_index).collect() };
    assert_eq!((links.total_parts, links.part_size_bytes, links.next_index), (13, PART, Some(5)));
    assert_eq!(indexes(&links.upload_urls), [1, 2, 3, 4]);
    let id = links.upload_id;
    assert!(id.len() > 255);
    let asked = |start_index, end_index| GetAttachmentUploadLinks {
        upload_id: Some(id.clone()),
        upload_range: Some(UploadRange { start_index, end_index }),
        ..beginning("core.dump", LENGTH)
    };
    let links = support.get_attachment_upload_links(start(), ACCOUNT, &asked(2, Some(4))).unwrap();
    assert_eq!((indexes(&links.upload_urls), links.next_index), (vec![2, 3], Some(4)));
    let links = support.get_attachment_upload_links(start(), ACCOUNT, &asked(5, None)).unwrap();
    assert_eq!((indexes(&links.upload_urls).len(), links.next_index), (9, None));
    for (first, end) in [(0, None), (14, None), (3, Some(3)), (1, Some(12))] {
        let error = support.get_attachment_upload_links(start(), ACCOUNT, &asked(first, end)).unwrap_err();
        assert_eq!(error.code(), "ValidationException", "{first} {end:?}");
    }
    let error = support.get_attachment_upload_links(start(), OTHER_ACCOUNT, &asked(1, None)).unwrap_err();
    assert_eq!(error.code(), "UploadIdNotFound");
    for size in [0, 157_286_401] {
        let error = support.get_attachment_upload_links(start(), ACCOUNT, &beginning("x", size)).unwrap_err();
        assert_eq!(error.code(), "ValidationException");
    }
    assert!(support.get_attachment_upload_links(start(), ACCOUNT, &beginning("x", 157_286_400)).is_ok());
    let dry = GetAttachmentUploadLinks { dry_run: true, ..beginning("x", 1) };
    let error = support.get_attachment_upload_links(start(), ACCOUNT, &dry).unwrap_err();
    assert_eq!(error, SupportError::DryRunOperation);
}

#[test]
fn parts_that_are_not_right_do_not_complete() {
    let mut support = with_small_parts();
    let content = Content::generated(1500, 5);
    let (id, mut parts) = put_all(&mut support, start(), "core.dump", &content);
    let links = support
        .get_attachment_upload_links(
            start(),
            ACCOUNT,
            &GetAttachmentUploadLinks { upload_id: Some(id.clone()), ..beginning("core.dump", 1500) },
        )
        .unwrap();
    let link = Link::of_url(&links.upload_urls[0].url).unwrap();
    let too_large = support.put_part(start(), &link, Content::generated(PART + 1, 1)).unwrap_err();
    assert_eq!(too_large, LinkError::EntityTooLarge);
    assert_eq!(support.admit_part(after(301), "PUT", &link), Err(LinkError::Expired));
    assert_eq!(support.admit_part(start(), "GET", &link), Err(LinkError::SignatureDoesNotMatch));
    let mut forged = link.clone();
    forged.account = OTHER_ACCOUNT.to_owned();
    assert_eq!(support.admit_part(start(), "PUT", &forged), Err(LinkError::SignatureDoesNotMatch));

    // Another content takes the place of the first part.
    support.put_part(start(), &link, Content::generated(PART, 1)).unwrap();
    let refused = |answer: Result<_, SupportError>| answer.unwrap_err().code();
    assert_eq!(refused(complete(&mut support, start(), &id, &parts)), "InvalidParameterValueException");
    parts[0].e_tag = support.put_part(start(), &link, Content::generated(PART - 1, 1)).unwrap();
    assert_eq!(refused(complete(&mut support, start(), &id, &parts)), "InvalidParameterValueException");
    parts[0].part_index = 3;
    assert_eq!(refused(complete(&mut support, start(), &id, &parts)), "InvalidParameterValueException");
    assert_eq!(refused(complete(&mut support, start(), "unknown", &parts)), "UploadIdNotFound");
}

#[test]
fn a_scan_refuses_infected_files_and_programs() {
    let mut support = with_small_parts();
    let content = Content::bytes(*b"content");
    support.fail_scans(FailingScans { containing: "infected".to_owned(), count: 1 }).unwrap();
    let case_id = support.create_case(start(), ACCOUNT, &creation()).unwrap();
    for (name, expected) in [
        ("infected.doc", "failed"),
        ("infected.doc", "attachment-ready"),
        ("setup.exe", "failed"),
        ("a.txt", "attachment-ready"),
    ] {
        let (id, parts) = put_all(&mut support, start(), name, &content);
        complete(&mut support, start(), &id, &parts).unwrap();
        assert_eq!(status(&mut support, after(10), &id)["uploadStatus"], expected, "{name}");
        let attached = support.add_communication_to_case(after(10), ACCOUNT, &with_upload(&case_id, &id));
        assert_eq!(attached.is_ok(), expected == "attachment-ready", "{name}");
    }
    let (id, parts) = put_all(&mut support, start(), "a.txt", &content);
    complete(&mut support, start(), &id, &parts).unwrap();
    let theirs = support.create_case(start(), OTHER_ACCOUNT, &creation()).unwrap();
    let error = support.add_communication_to_case(after(10), OTHER_ACCOUNT, &with_upload(&theirs, &id)).unwrap_err();
    assert_eq!(error, SupportError::UploadIdNotFound(id.clone()));
    let twice = AddCommunicationToCase { upload_ids: vec![id.clone(), id], ..message(&case_id, "Twice.") };
    assert!(support.add_communication_to_case(after(10), ACCOUNT, &twice).is_err());
    let eleven = AddCommunicationToCase { upload_ids: vec![String::new(); 11], ..message(&case_id, "Many.") };
    let error = support.add_communication_to_case(after(10), ACCOUNT, &eleven).unwrap_err();
    assert_eq!(error.code(), "ValidationException");
}

#[test]
fn rules_out_of_range_are_refused() {
    let mut support = support();
    for wrong in [
        FileRules { part_size_bytes: 0, ..FileRules::default() },
        FileRules { part_size_bytes: 104_857_601, ..FileRules::default() },
        FileRules { link_seconds: 0, ..FileRules::default() },
    ] {
        assert!(support.set_file_rules(wrong).is_err());
    }
    assert_eq!(*support.file_rules(), FileRules::default());
    assert!(support.fail_scans(FailingScans { containing: String::new(), count: 0 }).is_err());
}

#[test]
fn ranges_of_a_file_are_read_as_s3_reads_them() {
    for (header, expected) in [
        (None, Ok(None)),
        (Some("bytes=0-0"), Ok(Some((0, 1)))),
        (Some("bytes=5-"), Ok(Some((5, 10)))),
        (Some("bytes=8-99"), Ok(Some((8, 10)))),
        (Some("bytes=-3"), Ok(Some((7, 10)))),
        (Some("bytes=-99"), Ok(Some((0, 10)))),
        (Some("bytes=0-1,4-5"), Ok(None)),
        (Some("bytes=5-2"), Ok(None)),
        (Some("lines=1-2"), Ok(None)),
        (Some("bytes=10-"), Err(LinkError::InvalidRange)),
    ] {
        assert_eq!(range(header, 10), expected, "{header:?}");
    }
}
