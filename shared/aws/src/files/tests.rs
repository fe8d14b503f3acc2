use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{body_bytes, header, method, path},
};

use super::*;
use crate::account::AccountCredentials;

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
}

struct Keys;

impl AccountSource for Keys {
    async fn credentials(&self, _: &AccountId) -> Result<AccountCredentials, Failure> {
        Ok(AccountCredentials::parse(r#"{"access_key_id": "AKIA", "secret_access_key": "s"}"#).unwrap())
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.credentials(account).await
    }
}

struct Pieces(Vec<&'static [u8]>);

impl Content for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok((!self.0.is_empty()).then(|| self.0.remove(0).to_vec()))
    }
}

/// Who the keys belong to, as STS says it.
const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/u</Arn>\
    <UserId>U</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";

fn account() -> AccountId {
    AccountId::new("111122223333")
}

fn event(status: u16, body: String) -> ReplayEvent {
    let request = http::Request::builder().uri("https://unused").body(SdkBody::empty()).unwrap();
    let answer = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
    ReplayEvent::new(request, answer)
}

/// Returns a client whose AWS Support gives these answers, after STS has said whose keys they are.
async fn client(endpoint: Option<&str>, answers: &[(u16, Value)]) -> FileClient<Keys, Now> {
    let mut events = vec![event(200, IDENTITY.to_owned())];
    events.extend(answers.iter().map(|(status, body)| event(*status, body.to_string())));
    let own = Credentials::new("AKIAHUB", "secret", None, None, "test");
    let hub: SdkConfig = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .http_client(StaticReplayClient::new(events))
        .load()
        .await;
    FileClient::new(SupportClient::new(hub, Keys), Now, endpoint).unwrap()
}

fn links(server: &str, index: u32) -> Value {
    let url = format!("{server}/part/{index}");
    json!({"uploadId": "u1", "partSizeBytes": 4, "totalParts": 2,
           "uploadUrls": [{"url": url, "partIndex": index, "expiryDate": "2027-01-15T09:00:00.000Z"}]})
}

fn download(server: &str) -> Value {
    let url = format!("{server}/file");
    json!({"fileName": "a.log", "downloadUrl": {"url": url, "expiryDate": "2027-01-15T09:00:00.000Z"}})
}

fn upload() -> Upload {
    Upload::begun("u1".to_owned(), 4, 2, 6, Now.now()).unwrap()
}

fn refusal(code: &str) -> Value {
    json!({"__type": format!("com.amazonaws.support#{code}"), "message": "in AWS's words"})
}

#[tokio::test]
async fn a_file_is_added_to_a_set_and_the_set_tells_its_end() {
    let set = json!({"attachmentSetId": "as-1", "expiryTime": "2020-05-14T17:04:40.790+0000"});
    let client = client(None, &[(200, set)]).await;
    let set = client.add_to_set(&account(), None, "a.log", b"content".to_vec()).await.unwrap();
    assert_eq!((set.id.as_str(), set.until.to_string().as_str()), ("as-1", "2020-05-14T17:04:40.79Z"));
}

#[tokio::test]
async fn what_aws_does_not_know_any_more_is_not_found_and_too_many_sets_wait() {
    for (code, name) in [
        ("AttachmentSetExpired", "refused_not_found"),
        ("AttachmentSetIdNotFound", "refused_not_found"),
        ("AttachmentLimitExceeded", "unavailable"),
        ("AttachmentSetSizeLimitExceeded", "refused_invalid_request"),
        ("InternalServerError", "in_doubt"),
    ] {
        let status = if code == "InternalServerError" { 500 } else { 400 };
        let client = client(None, &[(status, refusal(code))]).await;
        let failure = client.add_to_set(&account(), Some("as-1"), "a.log", vec![1]).await.unwrap_err();
        assert_eq!(failure.name(), name, "{code}");
    }
    let client = client(None, &[(400, refusal("UploadIdNotFound"))]).await;
    assert_eq!(client.upload_status(&account(), "u1").await.unwrap_err().name(), "refused_not_found");
}

#[tokio::test]
async fn a_part_goes_to_its_link_with_its_length() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(path("/part/2"))
        .and(header("content-length", "6"))
        .and(body_bytes(b"abcdef".to_vec()))
        .respond_with(ResponseTemplate::new(200).insert_header("etag", "\"tag\""))
        .mount(&server)
        .await;
    let client = client(Some(&server.uri()), &[(200, links(&server.uri(), 2))]).await;
    let mut content = Pieces(vec![b"abc", b"def"]);
    let sent = client.send_part(&account(), &upload(), "a.log", 2, 6, &mut content).await.unwrap();
    assert_eq!(sent, SentPart { index: 2, tag: "\"tag\"".to_owned() });
}

#[tokio::test]
async fn a_link_without_tls_is_used_only_where_aws_support_itself_has_none() {
    let server = MockServer::start().await;
    let answers = [(200, download(&server.uri()))];
    for endpoint in [None, Some("https://support.us-east-1.amazonaws.com")] {
        let client = client(endpoint, &answers).await;
        let failure = client.read_file(&account(), &AttachmentId::new("a")).await.unwrap_err();
        assert!(failure.message().contains("a link without TLS"), "{}", failure.message());
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_that_has_expired_is_asked_for_again_later_and_is_in_no_message() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let client = client(Some(&server.uri()), &[(200, download(&server.uri()))]).await;
    let failure = client.read_file(&account(), &AttachmentId::new("a")).await.unwrap_err();
    assert_eq!(failure.name(), "unavailable");
    assert!(!failure.message().contains("127.0.0.1"), "{}", failure.message());
}

/// Answers the first request with a redirect to elsewhere.
#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    Mock::given(method("GET")).and(path("/file")).respond_with(elsewhere).mount(&server).await;
    let client = client(Some(&server.uri()), &[(200, download(&server.uri()))]).await;
    assert_eq!(client.read_file(&account(), &AttachmentId::new("a")).await.unwrap_err().name(), "unavailable");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

/// A host that ends each answer after three bytes although it announced more.
struct Breaking(AtomicUsize);

impl Respond for Breaking {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.0.fetch_add(1, Ordering::Relaxed);
        let whole = b"abcdefgh";
        let range = request.headers.get("range").and_then(|range| range.to_str().ok()).unwrap_or("bytes=0-");
        let start: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        let template = if start == 0 { ResponseTemplate::new(200) } else { ResponseTemplate::new(206) };
        template
            .insert_header("etag", "\"tag\"")
            .insert_header("content-range", format!("bytes {start}-7/8"))
            .set_body_bytes(whole[start..].to_vec())
    }
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(Breaking(AtomicUsize::new(0))).mount(&server).await;
    let client = client(Some(&server.uri()), &[(200, download(&server.uri()))]).await;
    let OpenFile { bytes, mut content } = client.read_file(&account(), &AttachmentId::new("a")).await.unwrap();
    assert_eq!(bytes, 8);
    // The connection is gone after three bytes.
    content.response = None;
    content.read = 3;
    let mut rest = Vec::new();
    while let Some(piece) = content.next().await.unwrap() {
        rest.extend(piece);
    }
    assert_eq!(rest, b"defgh");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[1].headers.get("range").unwrap(), "bytes=3-");
    assert_eq!(requests[1].headers.get("if-match").unwrap(), "\"tag\"");
}

#[tokio::test]
async fn a_host_that_begins_anew_is_not_taken_for_one_that_goes_on() {
    let server = MockServer::start().await;
    let whole = ResponseTemplate::new(200).set_body_bytes(b"abcdefgh".to_vec());
    Mock::given(method("GET")).respond_with(whole).mount(&server).await;
    let client = client(Some(&server.uri()), &[(200, download(&server.uri()))]).await;
    let mut content = client.read_file(&account(), &AttachmentId::new("a")).await.unwrap().content;
    content.response = None;
    content.read = 3;
    assert_eq!(content.next().await.unwrap_err().name(), "unavailable");
}

#[tokio::test]
async fn an_upload_whose_parts_do_not_make_up_the_file_is_refused() {
    let mut odd = links("https://host", 1);
    odd["totalParts"] = json!(1);
    let client = client(None, &[(200, odd)]).await;
    assert!(client.begin_upload(&account(), "a.log", 6).await.is_err());
}
