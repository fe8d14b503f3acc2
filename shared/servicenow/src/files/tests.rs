use std::{
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
};

use casebridge_core::{
    identifiers::{ExternalId, IncidentId},
    servicenow::delivery::FileOutcome,
};
use jiff::Timestamp;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_bytes, header, method, path, query_param},
};

use super::*;
use crate::credentials::Credentials;

const INCIDENT: &str = "9d385017c611228701d22104cc95c371";
const FILE: &str = "0123456789abcdef0123456789abcdef";

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
}

/// Credentials that are renewed once.
struct Rotated(Rc<AtomicUsize>);

impl CredentialSource for Rotated {
    async fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials::parse(r#"{"username":"u","password":"old"}"#).unwrap())
    }

    async fn renewed_credentials(&self) -> Result<Credentials, Failure> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Credentials::parse(r#"{"username":"u","password":"new"}"#).unwrap())
    }
}

struct Pieces(Vec<&'static [u8]>, Option<Failure>);

impl Content for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.0.is_empty() {
            return self.1.take().map_or(Ok(None), Err);
        }
        Ok(Some(self.0.remove(0).to_vec()))
    }
}

fn key() -> LinkKey {
    LinkKey::support_case(IncidentId::new(INCIDENT))
}

async fn client() -> (MockServer, Client<Rotated, Now>, Rc<AtomicUsize>) {
    let server = MockServer::start().await;
    let renewals = Rc::new(AtomicUsize::new(0));
    let client = Client::with_instance(Url::parse(&server.uri()).unwrap(), Rotated(Rc::clone(&renewals)), Now).unwrap();
    (server, client, renewals)
}

async fn whole(mut content: FileContent) -> Result<Vec<u8>, Failure> {
    let mut whole = Vec::new();
    while let Some(piece) = content.next().await? {
        whole.extend(piece);
    }
    Ok(whole)
}

fn new_file(bytes: u64) -> NewFile {
    NewFile {
        external_id: ExternalId::new("0123456789abcdef-1795208400-0123456789abcdef-0a-f0"),
        name: "log & more.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        bytes,
    }
}

#[tokio::test]
async fn a_file_is_read_as_bytes() {
    let (server, client, _) = client().await;
    let bytes = ResponseTemplate::new(200).set_body_raw(vec![0_u8, 255, 7], BYTES);
    let at = format!("/api/x_casebridge_aws/v1/incidents/{INCIDENT}/files/{FILE}");
    Mock::given(method("GET")).and(path(at)).respond_with(bytes).mount(&server).await;
    let content = client.read_file(&key(), &FileId::new(FILE)).await.unwrap();
    assert_eq!(whole(content).await.unwrap(), [0, 255, 7]);
}

#[tokio::test]
async fn only_the_word_on_the_file_says_that_it_is_gone() {
    for (status, message, name) in [
        (404, "No such file", "refused_not_found"),
        (404, "No such incident", "unavailable"),
        (403, "Incident not served", "refused_not_served"),
        (503, "The app is silent", "unavailable"),
    ] {
        let (server, client, _) = client().await;
        let answer = ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message}}));
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let failure = client.read_file(&key(), &FileId::new(FILE)).await.unwrap_err();
        assert_eq!(failure.name(), name, "{status} {message}");
    }
}

#[tokio::test]
async fn a_page_for_people_is_no_file() {
    let (server, client, _) = client().await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>Log in</html>", "text/html");
    Mock::given(method("GET")).respond_with(page).mount(&server).await;
    assert_eq!(client.read_file(&key(), &FileId::new(FILE)).await.unwrap_err().name(), "unavailable");
}

#[tokio::test]
async fn a_file_is_read_with_renewed_credentials() {
    let (server, client, renewals) = client().await;
    let refused = ResponseTemplate::new(401).set_body_json(json!({"error": {"message": "User Not Authenticated"}}));
    Mock::given(header("authorization", "Basic dTpvbGQ=")).respond_with(refused).mount(&server).await;
    let bytes = ResponseTemplate::new(200).set_body_raw("new", BYTES);
    Mock::given(header("authorization", "Basic dTpuZXc=")).respond_with(bytes).mount(&server).await;
    let content = client.read_file(&key(), &FileId::new(FILE)).await.unwrap();
    assert_eq!((whole(content).await.unwrap(), renewals.load(Ordering::Relaxed)), (b"new".to_vec(), 1));
}

#[tokio::test]
async fn a_file_is_written_with_its_size_and_its_names_in_the_address() {
    let (server, client, _) = client().await;
    let answer =
        json!({"result": {"external_id": "x", "outcome": "applied", "attachment": FILE, "error": "", "sha256": ""}});
    Mock::given(method("POST"))
        .and(path(format!("/api/x_casebridge_aws/v1/incidents/{INCIDENT}/files")))
        .and(query_param("file_name", "log & more.txt"))
        .and(query_param("content_type", "text/plain"))
        .and(query_param("size_bytes", "5"))
        .and(query_param("external_id", "0123456789abcdef-1795208400-0123456789abcdef-0a-f0"))
        .and(header("content-type", BYTES))
        .and(header("content-length", "5"))
        .and(body_bytes(b"ab\0cd".to_vec()))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    let mut content = Pieces(vec![b"ab\0", b"cd"], None);
    let written = client.write_file(&key(), &new_file(5), &mut content).await.unwrap();
    assert_eq!((written.outcome, written.error.as_str()), (FileOutcome::Applied, ""));
}

#[tokio::test]
async fn a_content_that_fails_is_its_own_failure() {
    let (_server, client, _) = client().await;
    let failure = Failure::Unavailable { message: "AWS broke off".to_owned(), retry_at: None };
    let mut content = Pieces(vec![b"ab"], Some(failure.clone()));
    assert_eq!(client.write_file(&key(), &new_file(5), &mut content).await, Err(failure));
}

#[tokio::test]
async fn a_write_under_way_and_a_refusal_are_told_apart() {
    for (status, message, name) in [
        (409, "A file is being written by another request", "unavailable"),
        (400, "Content not accepted", "refused_invalid_request"),
        (400, "Invalid request", "unavailable"),
        (404, "No such incident", "unavailable"),
    ] {
        let (server, client, _) = client().await;
        let answer = ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message}}));
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let mut content = Pieces(vec![b"abcde"], None);
        let failure = client.write_file(&key(), &new_file(5), &mut content).await.unwrap_err();
        assert_eq!(failure.name(), name, "{status} {message}");
    }
}

#[tokio::test]
async fn a_sys_id_of_another_form_leads_nowhere() {
    let (server, client, _) = client().await;
    assert_eq!(
        client.read_file(&key(), &FileId::new("../changes")).await.unwrap_err().name(),
        "refused_invalid_request"
    );
    assert!(server.received_requests().await.unwrap().is_empty());
}
