//! The client: authenticates, makes calls, and repeats them for a few seconds.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{IncidentId, JournalEntryId, LinkKey},
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome, NewIncident},
        incident::Incident,
    },
    time,
};
use casebridge_ports::{Clock, ServiceNow};
use jiff::Timestamp;
use reqwest::{
    Method, Response, Url,
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

/// The most changes on one page. The app refuses a request for more.
pub const MAXIMUM_CHANGES_PER_PAGE: u32 = 200;

/// The base path of the app's Scripted REST API.
const INCIDENTS_PATH: [&str; 5] = ["api", "x_casebridge_aws", "v1", "incidents", ""];
/// The path of the token endpoint.
const TOKEN_PATH: &str = "oauth_token.do";
/// How long a connection may take: TCP sends a lost packet again after one second and after two more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take: less than the 25 seconds that the reconciler has for a call. ServiceNow itself ends a REST
/// transaction after 60 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// The most repeats of a call. Their pauses double, and together they stay within [`REPEAT_BUDGET`].
const MAXIMUM_REPEATS: usize = 3;
/// The first pause before a repeat, long enough for a dropped connection. Each further pause is twice as long, with
/// jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause before a repeat, and the longest `Retry-After` that the client waits out. A longer wait goes to
/// the ledger.
const MAXIMUM_PAUSE: Duration = Duration::from_secs(2);
/// The client repeats no call after this time: the ledger's wake-ups have more time than a function.
const REPEAT_BUDGET: Duration = Duration::from_secs(6);
/// The largest answer that the client reads, in bytes: a page of comments has some megabytes at most, and a function
/// has 128 MB or more.
const MAXIMUM_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The most pages of comments in one snapshot: some megabytes. The next read continues from there.
const MAXIMUM_ENTRY_PAGES: usize = 20;
/// The client begins no further page after this time: the function needs the rest for the case and for the writes.
const PAGES_BUDGET: Duration = Duration::from_secs(20);

/// An error of [`Client::new`].
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
    /// When it was last updated, by ServiceNow's clock, to the second. If it is here for a file: when that was attached.
    #[serde(with = "time::servicenow_form")]
    pub sys_updated_on: Timestamp,
    /// Whether it is here for a file, which changes no update count.
    #[serde(default)]
    pub attached: bool,
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
    pub(crate) http: reqwest::Client,
    credentials: S,
    pub(crate) clock: C,
    authorization: Mutex<Option<Authorization>>,
}

/// The start of a page of comments: the moment `since`, or behind the comment `after` of that moment. The first comment
/// of all if both are `None`.
struct EntriesFrom<'a> {
    since: Option<Timestamp>,
    after: Option<&'a JournalEntryId>,
}

/// The body of a request that writes.
#[derive(Serialize)]
struct Order<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    order: &'a T,
}

/// One call, for its first attempt and all repeats.
pub(crate) struct RepeatableRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Vec<u8>>,
}

impl<S: CredentialSource, C: Clock> Client<S, C> {
    /// Creates a client of the instance at this address.
    ///
    /// # Errors
    /// If the address is not an https URL, if it holds a user, a password or a query, or if TLS can't be set up.
    pub fn new(instance: &str, credentials: S, clock: C) -> Result<Self, ClientError> {
        let url = Url::parse(instance).map_err(|error| ClientError::Url(format!("no URL: {error}")))?;
        let has_secret = !url.username().is_empty() || url.password().is_some();
        if url.scheme() != "https" || url.host_str().is_none() || has_secret || url.query().is_some() {
            // The rest of the URL may be a secret.
            return Err(ClientError::Url(format!("one of the origin `{}`", url.origin().ascii_serialization())));
        }
        Self::with_instance(url, credentials, clock)
    }

    pub(crate) fn with_instance(instance: Url, credentials: S, clock: C) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            // A redirect leads to a login page. To follow it would turn a refusal into a success.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("casebridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Tls)?;
        Ok(Self { instance, http, credentials, clock, authorization: Mutex::new(None) })
    }

    /// Connects and fetches a token ahead of the first call, since a function has its full processor while it starts.
    /// Basic authentication has no token: then a request without credentials opens the connection.
    ///
    /// # Errors
    /// If the instance can't be reached, or if it refuses the credentials.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let authorization = self.authorization(None).await.map_err(|problem| problem.failure)?;
        if authorization.is_basic() {
            let connected = self.http.head(self.instance.clone()).send().await;
            connected.map_err(|error| unreachable_side(&error).failure)?;
        }
        Ok(())
    }

    /// Returns a page of the incidents that are linked or in scope and have changed since that moment.
    ///
    /// With `after`, the page starts behind that incident at that moment.
    ///
    /// # Errors
    /// `Unavailable` if the instance does not answer as expected; `Refused` if it refuses the request or the
    /// credentials.
    pub async fn changes(&self, since: Timestamp, after: Option<&IncidentId>, limit: u32) -> Result<Changes, Failure> {
        let mut url = self.incidents_url(&["changes"])?;
        url.query_pairs_mut()
            .append_pair("since", &time::format_servicenow(since))
            .append_pair("after", after.map_or("", IncidentId::as_str))
            .append_pair("limit", &limit.clamp(1, MAXIMUM_CHANGES_PER_PAGE).to_string());
        self.repeatedly(&RepeatableRequest { method: Method::GET, url, body: None })
            .await
            .map_err(|problem| problem.failure)
    }

    /// Returns one page of a snapshot: the first comments from a start on, oldest first.
    async fn snapshot_page(&self, key: &LinkKey, from: &EntriesFrom<'_>) -> Result<Incident, Problem> {
        let mut url = self.incident_url(&key.incident, "snapshot").map_err(refused)?;
        url.query_pairs_mut().append_pair("kind", key.kind.as_str());
        if let Some(since) = from.since {
            url.query_pairs_mut().append_pair("entries_since", &time::format_servicenow(since));
        }
        if let Some(after) = from.after {
            url.query_pairs_mut().append_pair("entries_after", after.as_str());
        }
        self.repeatedly(&RepeatableRequest { method: Method::GET, url, body: None }).await
    }

    /// Returns the snapshot with its comments since a moment, within the bounds on pages and time. If there are more
    /// comments, the newest are left out and `entries_complete` is false. The incident's fields are those of the first
    /// page, the oldest read.
    async fn snapshot_in_pages(&self, key: &LinkKey, since: Option<Timestamp>) -> Result<Incident, Problem> {
        let began = self.clock.now();
        let mut snapshot = self.snapshot_page(key, &EntriesFrom { since, after: None }).await?;
        snapshot.entries_since = since;
        for _ in 1..MAXIMUM_ENTRY_PAGES {
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

    pub(crate) fn incidents_url(&self, segments: &[&str]) -> Result<Url, Failure> {
        let mut url = self.instance.clone();
        url.path_segments_mut()
            .map_err(|()| invalid("the ServiceNow URL can't hold a path"))?
            .pop_if_empty()
            .extend(INCIDENTS_PATH)
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    pub(crate) fn incident_url(&self, incident: &IncidentId, resource: &str) -> Result<Url, Failure> {
        let id = incident.as_str();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid("the incident's sys_id is not of ServiceNow's form"));
        }
        self.incidents_url(&[id, resource])
    }

    /// Asks a resource of the incident to write. The request may be repeated.
    async fn order<T: DeserializeOwned>(
        &self,
        key: &LinkKey,
        resource: &str,
        order: &impl Serialize,
    ) -> Result<T, Failure> {
        let url = self.incident_url(&key.incident, resource)?;
        let order = Order { kind: key.kind.as_str(), order };
        let body = serde_json::to_vec(&order).map_err(|error| invalid(&error.to_string()))?;
        let call = RepeatableRequest { method: Method::POST, url, body: Some(body) };
        self.repeatedly(&call).await.map_err(|problem| problem.failure)
    }

    /// Makes the call, and repeats it for a few seconds while a repeat may succeed.
    pub(crate) async fn repeatedly<T: DeserializeOwned>(&self, call: &RepeatableRequest) -> Result<T, Problem> {
        let started = self.clock.now();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(MAXIMUM_PAUSE)
            .with_max_times(MAXIMUM_REPEATS)
            .with_jitter();
        let worth_it = |problem: &Problem| {
            let now = self.clock.now();
            let asked_wait = asked_wait(&problem.failure, now).unwrap_or_default();
            let spent = Duration::try_from(now.duration_since(started)).unwrap_or_default();
            problem.repeat && asked_wait <= MAXIMUM_PAUSE && spent < REPEAT_BUDGET
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

    /// Makes the call once, and a second time with renewed credentials if the instance refuses the first ones.
    async fn once<T: DeserializeOwned>(&self, call: &RepeatableRequest) -> Result<T, Problem> {
        let authorization = self.authorization(None).await?;
        let answer = self.exchange(call, &authorization.header).await?;
        if !answer.is_unauthorized() {
            return answer.result();
        }
        let renewed = self.authorization(Some(&authorization.header)).await?;
        self.exchange(call, &renewed.header).await?.result()
    }

    /// Returns the `Authorization` header to use: the cached one, unless it has expired or is the `refused` one.
    pub(crate) async fn authorization(&self, refused: Option<&HeaderValue>) -> Result<Authorization, Problem> {
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
        let credentials = credentials.map_err(problem_of_secret)?;
        let fresh = match self.authorize(&credentials, now).await {
            // The secret may have been rotated since the cache read it.
            Err(problem) if is_credentials(&problem) && refused.is_none() => {
                let renewed = self.credentials.renewed_credentials().await.map_err(problem_of_secret)?;
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

    async fn exchange(&self, call: &RepeatableRequest, authorization: &HeaderValue) -> Result<Answer, Problem> {
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
        let response = request.send().await.map_err(|error| unreachable_side(&error))?;
        self.whole_answer(response, is_read).await
    }

    /// Reads an answer to its end.
    pub(crate) async fn whole_answer(&self, mut response: Response, is_read: bool) -> Result<Answer, Problem> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_side(&error))? {
            if body.len() + chunk.len() > MAXIMUM_ANSWER_BYTES {
                let message = format!("ServiceNow's answer is larger than {MAXIMUM_ANSWER_BYTES} bytes");
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

    async fn open(&self, key: &LinkKey, incident: &NewIncident) -> Result<Incident, Failure> {
        self.order(key, "open", incident).await
    }

    async fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let answer: DeliveryAnswer = self.order(key, "deliver", delivery).await?;
        if answer.fields == FieldsOutcome::Applied && !answer.field_error.is_empty() {
            tracing::warn!(incident = %key.incident, problem = answer.field_error, "ServiceNow applied all but this");
        }
        Ok(answer)
    }
}

/// Returns the problem of a failed connection, a timeout or an incomplete body. The message does not repeat the error's
/// own text.
pub(crate) fn unreachable_side(error: &reqwest::Error) -> Problem {
    let what = if error.is_timeout() {
        "ServiceNow did not answer in time"
    } else if error.is_connect() {
        "ServiceNow can't be reached: check its URL and the network"
    } else {
        "the connection to ServiceNow broke"
    };
    Problem::unavailable(what, None, true)
}

/// Returns the problem of a page that shows no comment and says that there are more: the client can't continue.
fn without_entries() -> Problem {
    let message = "ServiceNow shows no comment of the incident and says that there are some: update the app";
    Problem::unavailable(message, None, false)
}

/// Returns the wait that the failure asks for. Returns `None` if it asks for none.
fn asked_wait(failure: &Failure, now: Timestamp) -> Option<Duration> {
    match failure {
        Failure::Unavailable { retry_at: Some(moment), .. } => {
            Some(Duration::try_from(moment.duration_since(now)).unwrap_or_default())
        }
        _ => None,
    }
}

pub(crate) fn invalid(message: &str) -> Failure {
    Failure::Refused { refusal: Refusal::InvalidRequest, message: message.to_owned() }
}

fn refused(failure: Failure) -> Problem {
    Problem { failure, repeat: false }
}

/// Returns the problem of a secret that is not available. A repeat may succeed if the store did not answer.
fn problem_of_secret(failure: Failure) -> Problem {
    let repeat = matches!(failure, Failure::Unavailable { .. });
    Problem { failure, repeat }
}

fn is_credentials(problem: &Problem) -> bool {
    matches!(problem.failure, Failure::Refused { refusal: Refusal::Credentials, .. })
}

#[cfg(test)]
mod tests;
