//! The client: authenticates, calls, and repeats for a few seconds what may be repeated.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{IncidentId, JournalEntryId, LinkKey},
    servicenow::{
        delivery::{Delivery, DeliveryAnswer},
        incident::Incident,
    },
    time,
};
use casebridge_ports::{Clock, ServiceNow};
use jiff::Timestamp;
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::{
    answer::{Answer, Problem},
    credentials::{CredentialSource, Credentials},
    token::Authorization,
};

/// The most changes that one page may hold; the app refuses more.
pub const MAX_CHANGES_PER_PAGE: u32 = 200;

/// The base path of the app's Scripted REST API.
const INCIDENTS_PATH: [&str; 5] = ["api", "x_casebridge_aws", "v1", "incidents", ""];
/// The path of the token endpoint.
const TOKEN_PATH: &str = "oauth_token.do";
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take. ServiceNow itself ends a REST transaction after 60 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a call is repeated at once.
const MAX_REPEATS: usize = 3;
/// The first pause before a repeat; each one after it is twice as long, and jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause, and the longest wait asked for by ServiceNow that is waited out at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// After this long a call is not repeated any more: the ledger's wake-ups have more time than a function.
const REPEAT_BUDGET: Duration = Duration::from_secs(6);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How many pages of comments one snapshot is made of at most: some megabytes. What is left is read from where this ended.
const MAX_ENTRY_PAGES: usize = 20;
/// After this long no further page is begun: a function has more to do than to read one incident.
const PAGES_BUDGET: Duration = Duration::from_secs(20);

/// The client can't be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is unreadable or not https.
    #[error(
        "the ServiceNow URL must be of the form `https://<instance>.service-now.com`, without a user, a password or a \
         query; found {0}"
    )]
    Url(String),
    /// TLS can't be set up.
    #[error("TLS for ServiceNow can't be set up; check the certificates that SSL_CERT_FILE names")]
    Tls(#[source] reqwest::Error),
}

/// One incident that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IncidentChange {
    /// The incident.
    pub sys_id: IncidentId,
    /// Counts the incident's updates.
    pub sys_mod_count: u64,
    /// When it was last updated, by ServiceNow's clock, to the second.
    #[serde(with = "time::servicenow_form")]
    pub sys_updated_on: Timestamp,
}

/// A page of incidents that have changed, oldest change first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Changes {
    /// ServiceNow's clock.
    #[serde(with = "time::servicenow_form")]
    pub now: Timestamp,
    /// The incidents.
    pub incidents: Vec<IncidentChange>,
    /// Whether there are more after these.
    pub more: bool,
}

/// A client of the app on one instance.
pub struct Client<S, C> {
    instance: Url,
    http: reqwest::Client,
    credentials: S,
    clock: C,
    authorization: Mutex<Option<Authorization>>,
}

/// From where on a page shows comments: at this moment, or at this moment after this comment.
struct EntriesFrom<'a> {
    since: Option<Timestamp>,
    after: Option<&'a JournalEntryId>,
}

/// The body of a request to `deliver`.
#[derive(Serialize)]
struct Order<'a> {
    kind: &'static str,
    #[serde(flatten)]
    delivery: &'a Delivery,
}

/// One call, as often as it is made.
struct Call {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
}

impl<S: CredentialSource, C: Clock> Client<S, C> {
    /// A client of the instance at this address, which must be https.
    pub fn new(instance: &str, credentials: S, clock: C) -> Result<Self, ClientError> {
        let url = Url::parse(instance).map_err(|error| ClientError::Url(format!("no URL: {error}")))?;
        let has_secret = !url.username().is_empty() || url.password().is_some();
        if url.scheme() != "https" || url.host_str().is_none() || has_secret || url.query().is_some() {
            // What it holds besides may be a secret.
            return Err(ClientError::Url(format!("one of the origin `{}`", url.origin().ascii_serialization())));
        }
        Self::with_instance(url, credentials, clock)
    }

    fn with_instance(instance: Url, credentials: S, clock: C) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            // A login page answers with a redirect; following it would turn a refusal into a success.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("casebridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Tls)?;
        Ok(Self { instance, http, credentials, clock, authorization: Mutex::new(None) })
    }

    /// Connects and fetches a token ahead of the first call: a function has its full processor while it starts. Where there is
    /// no token to fetch, a request without credentials opens the connection.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let authorization = self.authorization(None).await.map_err(|problem| problem.failure)?;
        if authorization.is_basic() {
            let connected = self.http.head(self.instance.clone()).send().await;
            connected.map_err(|error| unreachable_side(&error).failure)?;
        }
        Ok(())
    }

    /// A page of the incidents that are linked or in scope and have changed since.
    ///
    /// With `after`, those behind that incident at that moment; without, all at that moment and later.
    pub async fn changes(&self, since: Timestamp, after: Option<&IncidentId>, limit: u32) -> Result<Changes, Failure> {
        let mut url = self.incidents_url(&["changes"])?;
        url.query_pairs_mut()
            .append_pair("since", &time::format_servicenow(since))
            .append_pair("after", after.map_or("", IncidentId::as_str))
            .append_pair("limit", &limit.clamp(1, MAX_CHANGES_PER_PAGE).to_string());
        self.repeatedly(&Call { method: Method::GET, url, body: None }).await.map_err(|problem| problem.failure)
    }

    /// One page of a snapshot: the first comments after a point, oldest first.
    async fn snapshot_page(&self, key: &LinkKey, from: &EntriesFrom<'_>) -> Result<Incident, Problem> {
        let mut url = self.incident_url(&key.incident, "snapshot").map_err(refused)?;
        url.query_pairs_mut().append_pair("kind", key.kind.as_str());
        if let Some(since) = from.since {
            url.query_pairs_mut().append_pair("entries_since", &time::format_servicenow(since));
        }
        if let Some(after) = from.after {
            url.query_pairs_mut().append_pair("entries_after", after.as_str());
        }
        self.repeatedly(&Call { method: Method::GET, url, body: None }).await
    }

    /// The snapshot with its comments since a moment, as many as some pages hold within some time: where there are more,
    /// the newest are left out and `entries_complete` is false. Its own fields are those of the first page, the oldest
    /// read.
    async fn snapshot_in_pages(&self, key: &LinkKey, since: Option<Timestamp>) -> Result<Incident, Problem> {
        let began = self.clock.now();
        let mut snapshot = self.snapshot_page(key, &EntriesFrom { since, after: None }).await?;
        snapshot.entries_since = since;
        for _ in 1..MAX_ENTRY_PAGES {
            let spent = Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
            if snapshot.entries_complete || spent >= PAGES_BUDGET {
                break;
            }
            let Some(newest) = snapshot.entries.last() else { return Err(without_entries()) };
            let from = EntriesFrom { since: Some(newest.created_on), after: Some(&newest.sys_id) };
            let page = self.snapshot_page(key, &from).await?;
            if page.entries.is_empty() && !page.entries_complete {
                return Err(without_entries());
            }
            snapshot.entries_complete = page.entries_complete;
            snapshot.entries.extend(page.entries);
        }
        if !snapshot.entries_complete {
            tracing::warn!(incident = %key.incident, entries = snapshot.entries.len(), "there are more comments than were read");
        }
        Ok(snapshot)
    }

    fn incidents_url(&self, segments: &[&str]) -> Result<Url, Failure> {
        let mut url = self.instance.clone();
        url.path_segments_mut()
            .map_err(|()| invalid("the ServiceNow URL can't hold a path"))?
            .pop_if_empty()
            .extend(INCIDENTS_PATH)
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    fn incident_url(&self, incident: &IncidentId, resource: &str) -> Result<Url, Failure> {
        let id = incident.as_str();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid("the incident's sys_id is not of ServiceNow's form"));
        }
        self.incidents_url(&[id, resource])
    }

    /// Makes the call, and again for a few seconds while its answer is worth a repeat.
    async fn repeatedly<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Problem> {
        let started = self.clock.now();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(MAX_REPEATS)
            .with_jitter();
        let worth_it = |problem: &Problem| {
            let now = self.clock.now();
            let asked_wait = asked_wait(&problem.failure, now).unwrap_or_default();
            let spent = Duration::try_from(now.duration_since(started)).unwrap_or_default();
            problem.repeat && asked_wait <= LONGEST_PAUSE && spent < REPEAT_BUDGET
        };
        (|| self.once(call))
            .retry(pauses)
            .when(worth_it)
            .adjust(|problem, pause| {
                let asked = asked_wait(&problem.failure, self.clock.now());
                pause.map(|pause| asked.map_or(pause, |asked| pause.max(asked)))
            })
            .notify(|problem, pause| {
                tracing::warn!(
                    failure = problem.failure.name(),
                    pause_ms = pause.as_millis(),
                    "calling ServiceNow again"
                );
            })
            .await
    }

    /// Makes the call once; with renewed credentials once more if the instance refuses those that we had.
    async fn once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Problem> {
        let authorization = self.authorization(None).await?;
        let answer = self.exchange(call, &authorization.header).await?;
        if !answer.is_unauthorized() {
            return answer.result();
        }
        let renewed = self.authorization(Some(&authorization.header)).await?;
        self.exchange(call, &renewed.header).await?.result()
    }

    /// The `Authorization` header to use: the cached one while it is valid and not the `refused` one.
    async fn authorization(&self, refused: Option<&HeaderValue>) -> Result<Authorization, Problem> {
        let mut cached = self.authorization.lock().await;
        let now = self.clock.now();
        if let Some(known) = cached.as_ref()
            && known.is_valid(now)
            && refused != Some(&known.header)
        {
            return Ok(known.clone());
        }
        *cached = None;
        let credentials = match refused {
            None => self.credentials.credentials().await,
            Some(_) => self.credentials.renewed_credentials().await,
        };
        let credentials = credentials.map_err(refused_or_later)?;
        let fresh = match self.authorize(&credentials, now).await {
            // The secret may have been rotated since the cache read it.
            Err(problem) if is_credentials(&problem) && refused.is_none() => {
                let renewed = self.credentials.renewed_credentials().await.map_err(refused_or_later)?;
                self.authorize(&renewed, now).await?
            }
            other => other?,
        };
        Ok(cached.insert(fresh).clone())
    }

    async fn authorize(&self, credentials: &Credentials, now: Timestamp) -> Result<Authorization, Problem> {
        let (client_id, client_secret) = match credentials {
            Credentials::Basic { username, password } => return Authorization::basic(username, password, now),
            Credentials::OAuthClient { client_id, client_secret } => (client_id.as_str(), client_secret),
        };
        let url =
            self.instance.join(TOKEN_PATH).map_err(|_| refused(invalid("the ServiceNow URL can't hold a path")))?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret.expose_secret()),
        ];
        let request = self.http.post(url).header(ACCEPT, "application/json").form(&form);
        Authorization::bearer(&self.answer_to(request, false).await?, now)
    }

    async fn exchange(&self, call: &Call, authorization: &HeaderValue) -> Result<Answer, Problem> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .header(AUTHORIZATION, authorization.clone())
            .header(ACCEPT, "application/json");
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        self.answer_to(request, call.method == Method::GET).await
    }

    async fn answer_to(&self, request: reqwest::RequestBuilder, is_read: bool) -> Result<Answer, Problem> {
        let mut response = request.send().await.map_err(|error| unreachable_side(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_side(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let message = format!("ServiceNow's answer is larger than {MAX_ANSWER_BYTES} bytes");
                return Err(Problem::unavailable(message, None, false));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(response.status(), response.headers(), body, self.clock.now(), is_read))
    }
}

impl<S: CredentialSource, C: Clock> ServiceNow for Client<S, C> {
    async fn snapshot(&self, key: &LinkKey, entries_since: Option<Timestamp>) -> Result<Option<Incident>, Failure> {
        match self.snapshot_in_pages(key, entries_since).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(problem) if problem.is_not_found() => Ok(None),
            Err(problem) => Err(problem.failure),
        }
    }

    async fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let url = self.incident_url(&key.incident, "deliver")?;
        let order = Order { kind: key.kind.as_str(), delivery };
        let body = serde_json::to_vec(&order).map_err(|error| invalid(&error.to_string()))?;
        let call = Call { method: Method::POST, url, body: Some(body) };
        self.repeatedly(&call).await.map_err(|problem| problem.failure)
    }
}

/// A connection that failed, a timeout, a body that was cut off. The error's own words name the host, never a secret.
fn unreachable_side(error: &reqwest::Error) -> Problem {
    let what = if error.is_timeout() {
        "ServiceNow did not answer in time"
    } else if error.is_connect() {
        "ServiceNow can't be reached: check its URL and the network"
    } else {
        "the connection to ServiceNow broke"
    };
    Problem::unavailable(what, None, true)
}

/// A page that says that there are more comments and shows none leads nowhere.
fn without_entries() -> Problem {
    let message = "ServiceNow shows no comment of the incident and says that there are some: update the app";
    Problem::unavailable(message, None, false)
}

/// How long the failure asks to wait.
fn asked_wait(failure: &Failure, now: Timestamp) -> Option<Duration> {
    match failure {
        Failure::Unavailable { retry_at: Some(moment), .. } => {
            Some(Duration::try_from(moment.duration_since(now)).unwrap_or_default())
        }
        _ => None,
    }
}

fn invalid(message: &str) -> Failure {
    Failure::Refused { refusal: Refusal::InvalidRequest, message: message.to_owned() }
}

fn refused(failure: Failure) -> Problem {
    Problem { failure, repeat: false }
}

/// A failure to get at the secret: worth a repeat when the store was not available.
fn refused_or_later(failure: Failure) -> Problem {
    let repeat = matches!(failure, Failure::Unavailable { .. });
    Problem { failure, repeat }
}

fn is_credentials(problem: &Problem) -> bool {
    matches!(problem.failure, Failure::Refused { refusal: Refusal::Credentials, .. })
}

#[cfg(test)]
mod tests;
