use std::time::Duration;

use aws_sdk_support::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_support::error::ProvideErrorMetadata;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Server;

mod files;
mod sts;

/// A running server, its folder and its description.
struct Running {
    description: Value,
    folder: std::path::PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    async fn start(name: &str, more: Value) -> Self {
        let folder = std::env::temp_dir().join(format!("casebridge-simulator-{}-{name}", std::process::id()));
        let mut config = json!({
            "directory": folder,
            "accounts": [
                {"id": "111122223333", "access_key_id": "AKIAONE", "email": "one@example.com"},
                {"id": "444455556666", "access_key_id": "AKIATWO", "email": "two@example.com", "support_plan": false}
            ]
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let server = Server::start(serde_json::from_value(config).unwrap()).await.unwrap();
        let description = server.description();
        Self { description, folder, task: tokio::spawn(server.serve()) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.description["control"]["url"].as_str().unwrap())
    }

    fn support(&self, access_key_id: &str) -> aws_sdk_support::Client {
        let config = aws_sdk_support::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(access_key_id, "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(2)).build())
            .endpoint_url(self.description["support"]["endpoint"].as_str().unwrap())
            .build();
        aws_sdk_support::Client::from_conf(config)
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = plain_client().request(method, self.url(path)).body(body.to_string());
        let answer = request.send().await.unwrap();
        (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    async fn fault(&self, rule: Value) {
        let (status, body) = self.control(reqwest::Method::POST, "/faults", rule).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn truth(&self) -> Vec<Value> {
        let (_, body) = self.control(reqwest::Method::GET, "/support/cases", Value::Null).await;
        body["cases"].as_array().unwrap().clone()
    }
}

fn plain_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn create(client: &aws_sdk_support::Client) -> Result<String, String> {
    let sent = client.create_case().subject("Disk is full").communication_body("It is.").send().await;
    match sent {
        Ok(output) => Ok(output.case_id.unwrap()),
        Err(error) => Err(error.code().unwrap_or("no answer").to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_creates_reads_and_resolves_a_case() {
    let running = Running::start("sdk", json!({"support": {"calls_per_second": null}})).await;
    let client = running.support("AKIAONE");
    let case_id = create(&client).await.unwrap();
    client.add_communication_to_case().case_id(&case_id).communication_body("Still.").send().await.unwrap();

    let path = format!("/support/cases/{case_id}/communications");
    let (status, body) = running.control(reqwest::Method::POST, &path, json!({"body": "We look into it."})).await;
    assert_eq!((status, &body["communications"][2]["submittedBy"]), (StatusCode::OK, &json!("Amazon Web Services")));

    let cases = client.describe_cases().case_id_list(&case_id).send().await.unwrap().cases.unwrap();
    let recent = cases[0].recent_communications().unwrap().communications();
    assert_eq!(recent.len(), 3);
    assert_eq!(recent[0].body(), Some("We look into it."));
    let resolution = client.resolve_case().case_id(&case_id).send().await.unwrap();
    assert_eq!(resolution.final_case_status(), Some("resolved"));
    let levels = client.describe_severity_levels().send().await.unwrap().severity_levels.unwrap();
    assert_eq!(levels.len(), 5);

    let error = client.resolve_case().case_id("case-1").send().await.unwrap_err().into_service_error();
    assert!(error.is_case_id_not_found());
    let error = client.create_case().subject("x").communication_body("y").dry_run(true).send().await.unwrap_err();
    assert!(error.into_service_error().is_dry_run_operation_exception());
    assert_eq!(create(&running.support("AKIATWO")).await, Err("SubscriptionRequiredException".to_owned()));
    assert_eq!(create(&running.support("AKIANOBODY")).await, Err("UnrecognizedClientException".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_break_calls_in_their_order_and_calls_are_counted() {
    let running = Running::start("faults", json!({"support": {"calls_per_second": null}})).await;
    let client = running.support("AKIAONE");
    for kind in ["throttle", "error", "apply_then_drop"] {
        running.fault(json!({"target": "support", "operation": "CreateCase", "count": 1, "kind": kind})).await;
    }
    let limit = "CaseCreationLimitExceeded";
    running.fault(json!({"target": "support", "account": "111122223333", "kind": "error", "error": limit})).await;
    running.fault(json!({"target": "support", "kind": "timeout"})).await;
    assert_eq!(create(&client).await, Err("ThrottlingException".to_owned()));
    assert_eq!(create(&client).await, Err("InternalServerError".to_owned()));
    assert!(running.truth().await.is_empty());
    assert_eq!(create(&client).await, Err("no answer".to_owned()));
    assert_eq!(running.truth().await.len(), 1, "the answer was lost, not the case");
    assert_eq!(create(&client).await, Err(limit.to_owned()));
    assert_eq!(create(&client).await, Err("no answer".to_owned()));
    assert_eq!(running.truth().await.len(), 1);
    create(&client).await.unwrap();

    let (_, calls) = running.control(reqwest::Method::GET, "/calls", Value::Null).await;
    assert_eq!(calls["support"], json!({"CreateCase": 6}));
    assert_eq!(calls["log"][2]["fault"], "apply_then_drop");
    assert_eq!(calls["log"][2]["status"], Value::Null);
    assert_eq!(calls["log"][5]["account"], "111122223333");
    running.control(reqwest::Method::DELETE, "/calls", Value::Null).await;
    let (_, calls) = running.control(reqwest::Method::GET, "/calls", Value::Null).await;
    assert_eq!(calls["support"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_says_what_is_wrong() {
    let running = Running::start("control", json!({})).await;
    let case_id = create(&running.support("AKIAONE")).await.unwrap();
    let display_id = running.truth().await[0]["displayId"].as_str().unwrap().to_owned();
    let path = format!("/support/cases/{}/status", case_id.replace('-', "%2D"));
    let (status, body) =
        running.control(reqwest::Method::POST, &path, json!({"status": "pending-amazon-action"})).await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("pending-amazon-action")));
    let path = format!("/support/cases/{display_id}/status");
    let (status, _) = running.control(reqwest::Method::POST, &path, json!({"status": "resolved"})).await;
    assert_eq!(status, 200);

    let refused = [
        (reqwest::Method::POST, "/support/cases/nowhere/status", json!({"status": "opened"}), 404, "nowhere"),
        (reqwest::Method::POST, "/faults", json!({"target": "support", "kind": "explode"}), 400, "explode"),
        (reqwest::Method::POST, "/faults", json!({"target": "support"}), 400, "kind"),
        (reqwest::Method::PATCH, "/calls", Value::Null, 405, "PATCH"),
        (reqwest::Method::POST, "/incidents/arn/resolve", Value::Null, 404, "/control/incidents"),
    ];
    for (method, path, body, expected, named) in refused {
        let (status, body) = running.control(method, path, body).await;
        assert_eq!(status, expected, "{body}");
        assert!(body["error"]["message"].as_str().unwrap().contains(named), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oddities_are_switched_on_and_off() {
    let running = Running::start("oddities", json!({})).await;
    let case_id = create(&running.support("AKIAONE")).await.unwrap();
    let odd = json!({"earlier_ids_unknown": true, "length": "utf16_units", "authors_change_after_seconds": 5});
    let (status, body) = running.control(reqwest::Method::POST, "/support/oddities", odd).await;
    assert_eq!(
        (status, &body["length"], &body["reflowed_texts"]),
        (StatusCode::OK, &json!("utf16_units"), &json!(false))
    );
    let path = format!("/support/cases/{case_id}/language");
    let (status, body) = running.control(reqwest::Method::POST, &path, json!({"language": "ja"})).await;
    assert_eq!((status, &body["caseId"]), (StatusCode::OK, &json!(case_id.replace("-muen-", "-muja-"))));
    let answer = running.support("AKIAONE").resolve_case().case_id(&case_id).send().await;
    assert!(answer.unwrap_err().into_service_error().is_case_id_not_found());
    let (status, body) = running.control(reqwest::Method::DELETE, "/support/oddities", Value::Null).await;
    assert_eq!((status, &body["earlier_ids_unknown"]), (StatusCode::OK, &json!(false)));
    running.support("AKIAONE").resolve_case().case_id(&case_id).send().await.unwrap();
    let misspelt = json!({"reflowed": true});
    let (status, _) = running.control(reqwest::Method::POST, "/support/oddities", misspelt).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_come_later() {
    let running = Running::start("account", json!({})).await;
    assert_eq!(create(&running.support("AKIATHREE")).await, Err("UnrecognizedClientException".to_owned()));
    let account = json!({"id": "777788889999", "access_key_id": "AKIATHREE", "email": "three@example.com"});
    let (status, body) = running.control(reqwest::Method::POST, "/support/accounts", account).await;
    assert_eq!((status, &body["id"]), (StatusCode::OK, &json!("777788889999")));
    assert!(create(&running.support("AKIATHREE")).await.unwrap().starts_with("case-777788889999-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_renames_a_user_and_the_stock_job_closes_an_incident() {
    let users = json!([{"user_name": "agent", "password": "password", "roles": ["itil"]}]);
    let running = Running::start("life", json!({"servicenow": {"users": users}})).await;
    let (_, _, body) = create_incident(&running).await.unwrap();
    let incident: Value = serde_json::from_str(&body).unwrap();
    let path = format!("/servicenow/incidents/{}/auto-close", incident["result"]["sys_id"].as_str().unwrap());
    // The data policy requires a close code first.
    let (status, _) = running.control(reqwest::Method::POST, &path, json!({"days": 7})).await;
    assert_eq!(status, StatusCode::CONFLICT);

    let renamed = json!({"user_name": "smith"});
    let (status, _) = running.control(reqwest::Method::POST, "/servicenow/users/agent/rename", renamed.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(create_incident(&running).await.unwrap().0, StatusCode::UNAUTHORIZED);
    let (status, _) = running.control(reqwest::Method::POST, "/servicenow/users/agent/rename", renamed).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_port_speaks_https_too() {
    let running = Running::start("https", json!({})).await;
    let authority = std::fs::read(running.description["ca_file"].as_str().unwrap()).unwrap();
    let certificate = reqwest::Certificate::from_pem(&authority).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    let url = format!("{}/control/calls", running.description["https_url"].as_str().unwrap());
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    let answer = plain_client().get(running.url("/calls")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_the_bus_in_the_name_of_their_account_and_in_order() {
    let bus = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::start("events", json!({})).await;
    let settings = json!({
        "events_endpoint": format!("http://{}", bus.local_addr().unwrap()),
        "event_bus_arn": "arn:aws:events:us-east-1:000000000000:event-bus/casebridge",
        "region": "us-east-1"
    });
    let (status, _) = running.control(reqwest::Method::PUT, "/events", settings).await;
    assert_eq!(status, 200);
    let client = running.support("AKIAONE");
    let case_id = create(&client).await.unwrap();
    client.resolve_case().case_id(&case_id).send().await.unwrap();

    // The first attempt fails and the second is refused. The event is sent again before the next one.
    let mut names = Vec::new();
    for (status, refused) in [("503 Service Unavailable", 0), ("200 OK", 1), ("200 OK", 0), ("200 OK", 0)] {
        let (mut stream, _) = bus.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        let head = request.to_lowercase();
        assert!(head.contains("authorization: aws4-hmac-sha256 credential=111122223333/"), "{request}");
        assert!(head.contains("x-amz-target: awsevents.putevents"), "{request}");
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let entry = &serde_json::from_str::<Value>(body).unwrap()["Entries"][0];
        assert_eq!((&entry["Source"], &entry["DetailType"]), (&json!("aws.support"), &json!("Support Case Update")));
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        assert_eq!(detail["case-id"], case_id);
        names.push(detail["event-name"].as_str().unwrap().to_owned());
        let body = json!({"FailedEntryCount": refused, "Entries": []}).to_string();
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    assert_eq!(names, ["CreateCase", "CreateCase", "CreateCase", "ResolveCase"]);
}

/// Reads one request with a `content-length`.
async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the request ended early: {request}");
        request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let lowercase = head.to_lowercase();
        let (_, rest) = lowercase.split_once("content-length: ").unwrap();
        let expected: usize = rest.lines().next().unwrap().trim().parse().unwrap();
        if body.len() >= expected {
            return request;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_reaches_names_that_lead_here_and_keeps_the_host_header() {
    use crate::wire::{Outbound, Request};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = "abc.lambda-url.us-east-1.on.aws";
    let names = std::collections::BTreeMap::from([(host.to_owned(), address)]);
    let network = crate::outbound::Network::new(tokio::runtime::Handle::current(), &names).unwrap();
    let network = std::sync::Arc::new(network);
    for (url, expected) in [
        (format!("https://{host}/"), format!("host: {host}\r\n")),
        (format!("http://{host}:4566/path"), format!("host: {host}:4566\r\n")),
    ] {
        let request = Request { method: "POST".to_owned(), body: b"hello".to_vec(), ..Request::default() };
        let network = network.clone();
        let sent = tokio::task::spawn_blocking(move || network.send(&url, &request, 2000));
        let (mut stream, _) = listener.accept().await.unwrap();
        let received = read_request(&mut stream).await;
        assert!(received.to_lowercase().contains(&expected), "{received}");
        let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(answer).await.unwrap();
        let answer = sent.await.unwrap().unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (202, b"{}".as_slice()));
    }
}

/// Creates an incident as an agent does.
async fn create_incident(running: &Running) -> Result<(StatusCode, String, String), reqwest::Error> {
    let url = format!("{}/api/now/table/incident", running.description["url"].as_str().unwrap());
    let request = plain_client().post(url).basic_auth("agent", Some("password")).header("accept", "application/json");
    let request = request.header("content-type", "application/json");
    let answer = request.body(json!({"short_description": "Disk is full"}).to_string()).send().await?;
    let content_type = answer.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    Ok((answer.status(), content_type, answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn servicenow_answers_and_fails_in_its_own_ways() {
    let users = json!([{"user_name": "agent", "password": "password", "roles": ["itil"]}]);
    let running = Running::start("servicenow", json!({"servicenow": {"users": users}})).await;
    for rule in [
        json!({"target": "servicenow", "operation": "deliver", "kind": "error"}),
        json!({"target": "servicenow", "operation": "table", "kind": "error"}),
        json!({"target": "servicenow", "operation": "table.post", "kind": "error", "error": "503"}),
        json!({"target": "servicenow", "kind": "error", "error": "semaphore"}),
        json!({"target": "servicenow", "kind": "error", "error": "html"}),
        json!({"target": "servicenow", "kind": "stop", "after_commits": 0}),
    ] {
        running.fault(rule).await;
    }
    let mut answers = Vec::new();
    for _ in 0..6 {
        let (status, content_type, _) = create_incident(&running).await.unwrap();
        answers.push((status.as_u16(), content_type.split(';').next().unwrap().to_owned()));
    }
    assert_eq!(answers[..4].iter().map(|(status, _)| *status).collect::<Vec<_>>(), [500, 503, 429, 200]);
    assert_eq!((answers[2].1.as_str(), answers[3].1.as_str()), ("text/plain", "text/html"));
    assert!(answers[4].0 >= 500, "the instance died: {:?}", answers[4]);
    assert_eq!(answers[5].0, 201, "and is up again");

    running.fault(json!({"target": "servicenow", "kind": "error", "error": "truncated"})).await;
    let (status, _, body) = create_incident(&running).await.unwrap();
    assert!(status.is_success() && serde_json::from_str::<Value>(&body).is_err(), "{status} {body}");
    running.fault(json!({"target": "servicenow", "kind": "apply_then_drop"})).await;
    assert!(create_incident(&running).await.is_err());

    let url = format!("{}/api/now/table/incident", running.description["url"].as_str().unwrap());
    let request = plain_client().get(&url).basic_auth("agent", Some("password"));
    let body: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(body["result"].as_array().unwrap().len(), 3, "one whole, one truncated, one unanswered");

    running.fault(json!({"target": "servicenow", "kind": "throttle"})).await;
    let answer = plain_client().get(&url).basic_auth("agent", Some("password")).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after") && answer.headers().contains_key("x-ratelimit-rule"));
    let (_, calls) = running.control(reqwest::Method::GET, "/calls", Value::Null).await;
    assert_eq!(calls["servicenow"], json!({"table.get": 2, "table.post": 8}));
    let (_, faults) = running.control(reqwest::Method::GET, "/faults", Value::Null).await;
    assert_eq!(faults["faults"].as_array().unwrap().len(), 1, "no call was a delivery");
}
