use reqwest::header::{CONTENT_RANGE, ETAG, RANGE};
use sha2::{Digest, Sha256};

use super::*;

/// The rules for files in these tests: small parts, and no wait for the scan.
const RULES: &str = r#"{"partSizeBytes": 3000000, "scanSeconds": 0}"#;
const LENGTH: usize = 7_000_001;
const NAME: &str = "heap dump.bin";

async fn started(name: &str) -> (Running, reqwest::Client) {
    let running = Running::start(name, json!({"support": {"calls_per_second": null}})).await;
    let rules = serde_json::from_str(RULES).unwrap();
    let (status, body) = running.control(reqwest::Method::POST, "/support/files", rules).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let authority = std::fs::read(running.description["ca_file"].as_str().unwrap()).unwrap();
    let certificate = reqwest::Certificate::from_pem(&authority).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    (running, client)
}

fn bytes() -> Vec<u8> {
    (0..LENGTH).map(|place| u8::try_from(place % 251).unwrap()).collect()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

async fn links(client: &aws_sdk_support::Client) -> (String, Vec<String>) {
    let size = i64::try_from(LENGTH).unwrap();
    let answer = client.get_attachment_upload_links().file_name(NAME).file_size_bytes(size).send().await.unwrap();
    assert_eq!((answer.total_parts(), answer.next_index()), (3, 0));
    let urls = answer.upload_urls().iter().map(|link| link.url().to_owned()).collect();
    (answer.upload_id().to_owned(), urls)
}

async fn put(client: &reqwest::Client, url: &str, index: usize) -> reqwest::Result<reqwest::Response> {
    let part = bytes().chunks(3_000_000).nth(index).unwrap().to_vec();
    client.put(url).body(part).send().await
}

/// Uploads the file. Returns the upload's id.
async fn upload(support: &aws_sdk_support::Client, client: &reqwest::Client) -> String {
    let (id, urls) = links(support).await;
    let mut completion = support.complete_attachment_upload().upload_id(&id);
    for (index, url) in urls.iter().enumerate() {
        let answer = put(client, url, index).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let e_tag = answer.headers()[ETAG].to_str().unwrap();
        assert!(e_tag.starts_with('"') && e_tag.ends_with('"'));
        let part = aws_sdk_support::types::CompletedUpload::builder()
            .part_index(i32::try_from(index + 1).unwrap())
            .e_tag(e_tag)
            .build()
            .unwrap();
        completion = completion.completed_uploads(part);
    }
    assert_eq!(completion.send().await.unwrap().upload_status().as_str(), "attachment-ready");
    id
}

/// Creates a case with the file. Returns the case's id and a link to the file.
async fn link_to_file(support: &aws_sdk_support::Client, client: &reqwest::Client) -> (String, String) {
    let id = upload(support, client).await;
    let new = support.create_case().subject("Out of memory").communication_body("See the dump.").upload_ids(id);
    let case_id = new.send().await.unwrap().case_id.unwrap();
    let page = support.describe_communications().case_id(&case_id).send().await.unwrap();
    let communication = &page.communications()[0];
    assert!(communication.attachment_set().is_empty(), "it is larger than 5 MB");
    let attachment = communication.attachments()[0].attachment_id().unwrap();
    let answer = support.get_attachment_download_link().attachment_id(attachment).send().await.unwrap();
    assert_eq!(answer.file_name(), NAME);
    (case_id, answer.download_url().unwrap().url().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_up_in_parts_and_comes_down_whole_or_in_ranges() {
    let (running, client) = started("upload").await;
    let support = running.support("AKIAONE");
    let (case_id, url) = link_to_file(&support, &client).await;
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!((answer.status(), answer.content_length()), (StatusCode::OK, Some(LENGTH as u64)));
    let e_tag = answer.headers()[ETAG].clone();
    assert_eq!(digest(&answer.bytes().await.unwrap()), digest(&bytes()));

    // The range crosses the border between two parts.
    let answer =
        client.get(&url).header(RANGE, "bytes=2999998-3000001").header("if-match", &e_tag).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.headers()[CONTENT_RANGE], format!("bytes 2999998-3000001/{LENGTH}"));
    assert_eq!(answer.bytes().await.unwrap(), bytes()[2_999_998..3_000_002]);
    let answer = client.get(&url).header(RANGE, "bytes=9000000-").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let answer = client.get(&url).header("if-match", "\"other\"").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PRECONDITION_FAILED);

    let truth = running.truth().await;
    let case = truth.iter().find(|case| case["caseId"] == *case_id).unwrap();
    let told = &case["communications"][0]["attachments"][0];
    assert_eq!(
        (&told["size"], &told["origin"], &told["throughApi"]),
        (&json!(LENGTH), &json!("CUSTOMER"), &json!(true))
    );
    assert_eq!(told["sha256"], digest(&bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_refused_as_s3_refuses_them() {
    let (running, client) = started("links").await;
    let support = running.support("AKIAONE");
    let (_, urls) = links(&support).await;
    let refused = async |request: reqwest::RequestBuilder, status: u16, code: &str| {
        let answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (status, &"application/xml".parse().unwrap())
        );
        let text = answer.text().await.unwrap();
        assert!(text.contains(&format!("<Code>{code}</Code>")), "{text}");
    };
    refused(client.get(&urls[0]), 403, "SignatureDoesNotMatch").await;
    refused(client.put(urls[0].replace("partNumber=1", "partNumber=2")).body("x"), 403, "SignatureDoesNotMatch").await;
    let (bare, _) = urls[0].split_once('?').unwrap();
    refused(client.put(bare).body("x"), 403, "AccessDenied").await;
    refused(client.put(&urls[2]).body(vec![0; 1_000_002]), 400, "EntityTooLarge").await;

    let rules = json!({"linkSeconds": 1});
    running.control(reqwest::Method::POST, "/support/files", rules).await;
    let (_, urls) = links_of(&support).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    refused(client.put(&urls[0]).body("x"), 403, "AccessDenied").await;
}

async fn links_of(client: &aws_sdk_support::Client) -> (String, Vec<String>) {
    let answer = client.get_attachment_upload_links().file_name(NAME).file_size_bytes(1).send().await.unwrap();
    (answer.upload_id().to_owned(), answer.upload_urls().iter().map(|link| link.url().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_strike_uploads_and_downloads_too() {
    let (running, client) = started("file-faults").await;
    let support = running.support("AKIAONE");
    let (_, url) = link_to_file(&support, &client).await;
    let (_, urls) = links(&support).await;
    for (operation, kind) in [
        ("UploadPart", "error"),
        ("UploadPart", "throttle"),
        ("UploadPart", "apply_then_drop"),
        ("DownloadFile", "error"),
        ("DownloadFile", "apply_then_drop"),
    ] {
        running.fault(json!({"target": "support", "operation": operation, "kind": kind, "containing": "dump"})).await;
    }
    assert_eq!(put(&client, &urls[0], 0).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(put(&client, &urls[0], 0).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(put(&client, &urls[0], 0).await.is_err(), "the part is stored and the answer lost");
    assert_eq!(put(&client, &urls[0], 0).await.unwrap().status(), StatusCode::OK);
    assert_eq!(client.get(&url).send().await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    let broken = client.get(&url).send().await.unwrap();
    assert_eq!(broken.status(), StatusCode::OK);
    assert!(broken.bytes().await.is_err(), "the connection breaks in the middle");
    assert_eq!(client.get(&url).send().await.unwrap().bytes().await.unwrap().len(), LENGTH);

    running.fault(json!({"target": "support", "operation": "AddAttachmentsToSet", "kind": "throttle"})).await;
    let blob = aws_sdk_support::primitives::Blob::new("text");
    let attachment = aws_sdk_support::types::Attachment::builder().file_name("a.txt").data(blob).build();
    let add = || support.add_attachments_to_set().attachments(attachment.clone()).send();
    assert_eq!(add().await.unwrap_err().code(), Some("ThrottlingException"));
    add().await.unwrap();
    let (_, calls) = running.control(reqwest::Method::GET, "/calls", Value::Null).await;
    assert_eq!((&calls["support"]["UploadPart"], &calls["support"]["DownloadFile"]), (&json!(7), &json!(3)));
    assert_eq!(calls["support"]["AddAttachmentsToSet"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_add_files_and_the_folder_goes_with_the_server() {
    let (running, client) = started("people-files").await;
    let support = running.support("AKIAONE");
    let file = json!({"fileName": "a.txt", "data": "YQ=="});
    let new = json!({"subject": "Hello", "body": "From the console", "attachments": [file]});
    let path = "/support/accounts/111122223333/cases";
    let (status, case) = running.control(reqwest::Method::POST, path, new).await;
    assert_eq!(status, StatusCode::OK, "{case}");
    assert_eq!(case["communications"][0]["attachments"][0]["size"], 1);
    let id = case["caseId"].as_str().unwrap();
    let path = format!("/support/cases/{id}/communications");
    let large = json!({"body": "A dump", "attachments": [{"fileName": "b.bin", "size": 157_286_400}]});
    let (status, case) = running.control(reqwest::Method::POST, &path, large).await;
    assert_eq!((status, &case["communications"][1]["attachments"][0]["size"]), (StatusCode::OK, &json!(157_286_400)));
    for wrong in
        [json!({"fileName": "c"}), json!({"fileName": "c", "size": 157_286_401}), json!({"fileName": "c", "data": "?"})]
    {
        let (status, _) =
            running.control(reqwest::Method::POST, &path, json!({"body": "x", "attachments": [wrong]})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let path = format!("/support/cases/{id}/severity");
    let (status, case) = running.control(reqwest::Method::POST, &path, json!({"severityCode": "urgent"})).await;
    assert_eq!((status, &case["severityCode"]), (StatusCode::OK, &json!("urgent")));
    let path = "/support/accounts/111122223333/catalogue";
    let change = json!({"removedServices": ["aws-lambda"], "severities": ["low"]});
    let (status, catalogue) = running.control(reqwest::Method::POST, path, change).await;
    assert_eq!((status, &catalogue["severities"]), (StatusCode::OK, &json!(["low"])));
    let (status, _) = running.control(reqwest::Method::GET, "/support/accounts/9/catalogue", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    upload(&support, &client).await;
    let folder = running.folder.join("files");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    drop((client, support));
    running.task.abort();
    for _ in 0..50 {
        if !folder.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the folder is still there");
}

/// The bytes of a file that is larger than any body in memory.
const LARGE_LENGTH: usize = 26 * 1024 * 1024 + 1;

#[tokio::test(flavor = "multi_thread")]
async fn files_of_incidents_are_streamed_in_and_out_and_break_on_order() {
    let users = json!([{"user_name": "agent", "password": "p", "roles": ["itil"]}]);
    let running = Running::start("instance-files", json!({"servicenow": {"users": users}})).await;
    let (client, base) = (plain_client(), running.description["url"].as_str().unwrap().to_owned());
    let incidents = format!("{base}/api/now/table/incident");
    let created = client.post(incidents).basic_auth("agent", Some("p")).body(r#"{"short_description": "Look"}"#);
    let created = created.header("content-type", "application/json").send().await.unwrap();
    let created: Value = serde_json::from_slice(&created.bytes().await.unwrap()).unwrap();
    let incident = created["result"]["sys_id"].as_str().unwrap();

    let bytes: Vec<u8> = (0..LARGE_LENGTH).map(|place| u8::try_from(place % 251).unwrap()).collect();
    let url =
        format!("{base}/api/now/attachment/file?table_name=incident&table_sys_id={incident}&file_name=heap%20dump.bin");
    let post = || client.post(&url).basic_auth("agent", Some("p")).header("content-type", "application/x-dump");
    // A fault may name the file, which is in the query.
    running.fault(json!({"target": "servicenow", "containing": "heap dump", "kind": "error", "error": "503"})).await;
    assert_eq!(post().body(bytes.clone()).send().await.unwrap().status(), 503);
    let answer = post().body(bytes.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let file = &answer["result"];
    assert_eq!((&file["size_bytes"], &file["hash"]), (&json!(LARGE_LENGTH.to_string()), &json!(digest(&bytes))));

    let url = format!("{base}/api/now/attachment/{}/file", file["sys_id"].as_str().unwrap());
    let get = || client.get(&url).basic_auth("agent", Some("p")).send();
    for order in [json!({"kind": "apply_then_drop"}), json!({"kind": "error", "error": "truncated"})] {
        let mut rule = order;
        rule["target"] = json!("servicenow");
        running.fault(rule).await;
        let broken = get().await.unwrap();
        assert_eq!(broken.status(), StatusCode::OK);
        assert!(broken.bytes().await.is_err(), "the connection breaks in the middle");
    }
    let whole = get().await.unwrap();
    assert_eq!(
        (whole.content_length(), &whole.headers()["content-type"]),
        (None, &"application/x-dump".parse().unwrap())
    );
    assert_eq!(digest(&whole.bytes().await.unwrap()), digest(&bytes));
}
