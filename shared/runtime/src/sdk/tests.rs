use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_config::Region;
use aws_credential_types::Credentials;
use casebridge_aws::{AccountCredentials, AccountSource, SupportClient};
use casebridge_core::support::read::CaseQuery;
use casebridge_core::{
    failure::Failure,
    identifiers::{AccountId, CaseId},
};
use casebridge_ports::Support;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

/// The number of accounts, half of them with keys and half with a role.
const ACCOUNTS: u64 = 50;
/// The calls for all accounts. Each account makes three: STS once, for keys or for a role, and Support twice.
const CALLS: usize = 3 * 50;

/// The numbers of connections and calls that an AWS on a local port has received.
#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    calls: AtomicUsize,
}

async fn serve(listener: TcpListener, counts: Arc<Counts>) {
    while let Ok((stream, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(answer_all(stream, Arc::clone(&counts)));
    }
}

/// Answers the requests of one connection until it is closed.
async fn answer_all(stream: TcpStream, counts: Arc<Counts>) {
    let mut stream = BufReader::new(stream);
    while let Some((head, body)) = read(&mut stream).await {
        counts.calls.fetch_add(1, Ordering::Relaxed);
        let answer = answer(&head, &body);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

fn answer(head: &str, body: &str) -> String {
    if body.contains("Action=AssumeRole") {
        return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
            <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            .to_owned();
    }
    if body.contains("Action=GetCallerIdentity") {
        let key = head.split_once("Credential=AKIA").unwrap().1.split_once('/').unwrap().0;
        return format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{key}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
    }
    r#"{"cases":[]}"#.to_owned()
}

/// A source in which every other account has a role and the others have keys.
struct Accounts;

impl AccountSource for Accounts {
    async fn credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        let text = if account.as_str().ends_with(['0', '2', '4', '6', '8']) {
            format!(r#"{{"role_arn":"arn:aws:iam::{account}:role/casebridge"}}"#)
        } else {
            format!(r#"{{"access_key_id":"AKIA{account}","secret_access_key":"s"}}"#)
        };
        Ok(AccountCredentials::parse(&text).unwrap())
    }

    async fn renewed_credentials(&self, account: &AccountId) -> Result<AccountCredentials, Failure> {
        self.credentials(account).await
    }
}

#[tokio::test]
async fn the_clients_of_all_accounts_share_their_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let counts = Arc::new(Counts::default());
    tokio::spawn(serve(listener, Arc::clone(&counts)));
    let own = Credentials::new("AKIAHUB", "secret", None, None, "test");
    let hub = loader(Pace::Background)
        .region(Region::new("us-east-1"))
        .credentials_provider(own)
        .endpoint_url(endpoint)
        .load()
        .await;
    let support = SupportClient::new(hub, Accounts);
    for _ in 0..2 {
        for number in 0..ACCOUNTS {
            let account = AccountId::new(format!("{}", 111_122_223_300 + number));
            let query = CaseQuery::Ids(vec![CaseId::new("case-1")]);
            support.describe_cases(&account, &query).await.unwrap();
        }
    }
    assert_eq!(counts.calls.load(Ordering::Relaxed), CALLS);
    assert_eq!(counts.connections.load(Ordering::Relaxed), 1, "one call after the other needs one connection");
}
