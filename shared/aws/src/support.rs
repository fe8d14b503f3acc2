//! The client of AWS Support for all accounts.

use std::{
    collections::BTreeMap,
    error::Error,
    future::Future,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_support::{
    Client,
    config::{Builder, IdentityCache, retry::RetryConfig, timeout::TimeoutConfig},
    operation::describe_cases::DescribeCasesOutput,
    types,
};
use aws_smithy_runtime_api::{client::result::SdkError, http::Response};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use casebridge_core::{
    failure::{Failure, Refusal},
    file::transfer::Carried,
    identifiers::{AccountId, AttachmentId, CaseId, DisplayId},
    support::{
        call::NewCase,
        case::{CaseFile, CaseStatus, RECENT_COMMUNICATIONS, RawCommunication},
        read::{CasePage, CaseQuery, CommunicationPage, DescribedCase},
        reading::Span,
    },
};
use casebridge_ports::Support;
use jiff::Timestamp;

use crate::{
    CONNECT_TIMEOUT,
    account::{Access, AccountCredentials, AccountSource},
    anonymous_config,
    failure::{CallKind, Problem, classify, is_answered, unreadable},
    identity::{self, Foreign},
};

/// How long one attempt of a read may take: two of them fit in [`READ_TIMEOUT`].
const READ_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a read may take with its repeats: less than the 25 seconds that the reconciler has for a call.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// The attempts of a read: the SDK's own number.
const READ_ATTEMPTS: u32 = 3;
/// The longest pause between two attempts of a read: three attempts must fit in the read's time.
const READ_PAUSE: Duration = Duration::from_secs(2);
/// How long a write may take: as long as the reconciler's time for a call allows, so that few writes end in doubt.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How many cases or communications a page has: the most that AWS allows. Source: AWS Support API, `maxResults`.
const PAGE_SIZE: i32 = 100;
/// The most pages of the answer for one list of ids: 100 ids, at least 10 on a page.
const MAXIMUM_PAGES_OF_IDS: usize = 10;

/// AWS Support of every account.
pub struct SupportClient<S> {
    hub: SdkConfig,
    accounts: S,
    access: Access,
    clients: Mutex<BTreeMap<AccountId, AccountClient>>,
    /// Whether AWS has refused the size of a page together with a list of ids.
    ids_without_page_size: AtomicBool,
}

/// The credentials of an account, and the client that was built with them, or the reason not to use them.
#[derive(Clone)]
struct AccountClient {
    credentials: AccountCredentials,
    client: Result<Client, Foreign>,
}

impl<S: AccountSource> SupportClient<S> {
    /// Creates a client with the endpoint, the HTTP client and the identity of the function's configuration.
    pub fn new(hub: SdkConfig, accounts: S) -> Self {
        Self::with_access(hub, accounts, Access::Whole)
    }

    /// Creates a client that only reads cases: where an account has a role, AWS refuses this client every other call.
    pub fn reading(hub: SdkConfig, accounts: S) -> Self {
        Self::with_access(hub, accounts, Access::Reading)
    }

    /// Creates a client that only reads what AWS Support offers: where an account has a role, AWS refuses this client every
    /// other call.
    pub fn for_catalogue(hub: SdkConfig, accounts: S) -> Self {
        Self::with_access(hub, accounts, Access::Catalogue)
    }

    fn with_access(hub: SdkConfig, accounts: S, access: Access) -> Self {
        Self { hub, accounts, access, clients: Mutex::default(), ids_without_page_size: AtomicBool::new(false) }
    }

    /// Returns the account's client with these credentials, after the check that they are the account's.
    async fn client(&self, account: &AccountId, credentials: &AccountCredentials) -> Result<Client, Problem> {
        let known = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned();
        let known = match known {
            Some(known) if known.credentials == *credentials => known,
            _ => {
                let checked = identity::check(&self.hub, account, credentials).await?;
                let client = match checked {
                    Ok(()) => Ok(self.build(credentials).await),
                    Err(foreign) => Err(foreign),
                };
                let built = AccountClient { credentials: credentials.clone(), client };
                let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
                clients.insert(account.clone(), built.clone());
                built
            }
        };
        known.client.map_err(|foreign| foreign.problem(account))
    }

    async fn build(&self, credentials: &AccountCredentials) -> Client {
        let config = Self::config(&self.hub)
            .credentials_provider(credentials.provider(&self.hub, self.access).await)
            // The hub's cache keeps the sessions of a few dozen roles. With more accounts it would drop some at random
            // and assume their roles again.
            .identity_cache(IdentityCache::lazy().build())
            .build();
        Client::from_conf(config)
    }

    /// Opens the connections to AWS Support and to STS that the first call needs, since a function has its full
    /// processor while it starts. The requests are unsigned: AWS refuses them, and they use no account's quota.
    ///
    /// # Errors
    /// `Unavailable` if AWS Support or STS does not answer.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let anonymous = anonymous_config(&self.hub);
        let support = Client::from_conf(Self::config(&anonymous).allow_no_auth().build());
        let (support, sts) = tokio::join!(support.describe_severity_levels().send(), identity::connect(&anonymous));
        if is_answered(&support) && sts {
            return Ok(());
        }
        let message = "AWS Support or STS could not be reached".to_owned();
        Err(Failure::Unavailable { message, retry_at: None })
    }

    /// Returns the configuration that the clients of all accounts share. Clients with equal timeouts share connections.
    fn config(hub: &SdkConfig) -> Builder {
        Builder::from(hub)
            .retry_config(RetryConfig::standard().with_max_attempts(READ_ATTEMPTS).with_max_backoff(READ_PAUSE))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(READ_ATTEMPT_TIMEOUT)
                    .operation_timeout(READ_TIMEOUT)
                    .build(),
            )
    }

    /// Drops the account's client, and with it the session of a role.
    fn forget(&self, account: &AccountId) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    /// Makes the call. Repeats it once with renewed credentials if AWS does not know the first ones or if they belong
    /// to another account: then nothing was applied.
    pub(crate) async fn call<T, E, F>(
        &self,
        account: &AccountId,
        call: CallKind,
        send: impl Fn(Client) -> F,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        let credentials = self.accounts.credentials(account).await?;
        let problem = match self.call_with(account, &credentials, call, &send).await {
            Ok(answer) => return Ok(answer),
            Err(problem) => problem,
        };
        tracing::warn!(account = %account, failure = problem.failure.name(), "a call to AWS Support failed");
        if !problem.stale_credentials {
            return Err(problem.failure);
        }
        let renewed = self.accounts.renewed_credentials(account).await?;
        // The session of a role may have ended early, so a new session is worth a try. The role's ARN stays the same.
        let has_session = matches!(&renewed, AccountCredentials::Role { .. }) && !self.is_foreign(account);
        if renewed == credentials && !has_session {
            return Err(problem.failure);
        }
        self.forget(account);
        self.call_with(account, &renewed, call, &send).await.map_err(|problem| problem.failure)
    }

    async fn call_with<T, E, F>(
        &self,
        account: &AccountId,
        credentials: &AccountCredentials,
        call: CallKind,
        send: impl Fn(Client) -> F,
    ) -> Result<T, Problem>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        let client = self.client(account, credentials).await?;
        send(client).await.map_err(|error| classify(call, &error))
    }

    /// Whether the account's credentials are known to belong to another account.
    fn is_foreign(&self, account: &AccountId) -> bool {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(account).is_some_and(|known| known.client.is_err())
    }
}

/// Returns the configuration of a write: one attempt.
fn once() -> Builder {
    once_within(WRITE_TIMEOUT)
}

/// Returns the configuration of a write that may take this long: one attempt.
pub(crate) fn once_within(timeout: Duration) -> Builder {
    aws_sdk_support::Config::builder().retry_config(RetryConfig::disabled()).timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(timeout)
            .operation_timeout(timeout)
            .build(),
    )
}

impl<S: AccountSource> Support for SupportClient<S> {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        let copies = Some(request.cc_email_addresses.clone()).filter(|addresses| !addresses.is_empty());
        let answer = self
            .call(account, CallKind::Write, |client| {
                client
                    .create_case()
                    .subject(&request.subject)
                    .communication_body(&request.body)
                    .service_code(&request.service_code)
                    .category_code(&request.category_code)
                    .severity_code(&request.severity_code)
                    .language(&request.language)
                    .issue_type(&request.issue_type)
                    .set_cc_email_addresses(copies.clone())
                    .customize()
                    .config_override(once())
                    .send()
            })
            .await?;
        let case_id = answer.case_id.map(CaseId::new).ok_or_else(|| Failure::InDoubt {
            message: "AWS Support answered CreateCase without the id of the case".to_owned(),
        })?;
        identity::log_case_of_another_account(account, &case_id);
        Ok(case_id)
    }

    async fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> Result<(), Failure> {
        let set = carried.and_then(|carried| carried.set.clone());
        let uploads = carried.map(|carried| carried.uploads.clone()).filter(|uploads| !uploads.is_empty());
        let answer = self
            .call(account, CallKind::Write, |client| {
                client
                    .add_communication_to_case()
                    .case_id(case_id.as_str())
                    .communication_body(body)
                    .set_attachment_set_id(set.clone())
                    .set_upload_ids(uploads.clone())
                    .customize()
                    .config_override(once())
                    .send()
            })
            .await?;
        if answer.result {
            return Ok(());
        }
        Err(Failure::InDoubt { message: "AWS Support did not confirm the communication".to_owned() })
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        let answer = self
            .call(account, CallKind::Write, |client| {
                client.resolve_case().case_id(case_id.as_str()).customize().config_override(once()).send()
            })
            .await?;
        answer.final_case_status.map(CaseStatus::new).ok_or_else(|| Failure::InDoubt {
            message: "AWS Support answered ResolveCase without the status of the case".to_owned(),
        })
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let page = self.cases(account, query).await?;
        // The reconciler's reads are enough: the poller reads every case in each round and would repeat the alarm.
        for case in page.cases.iter().filter(|_| self.access == Access::Whole) {
            identity::log_case_of_another_account(account, &case.case_id);
        }
        Ok(page)
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        let answer = self
            .call(account, CallKind::Read, |client| {
                client
                    .describe_communications()
                    .case_id(case_id.as_str())
                    .set_after_time(span.after.map(|after| after.to_string()))
                    .set_before_time(span.before.map(|before| before.to_string()))
                    .max_results(PAGE_SIZE)
                    .set_next_token(next.map(str::to_owned))
                    .send()
            })
            .await?;
        let communications = answer.communications.unwrap_or_default().into_iter().map(communication);
        Ok(CommunicationPage {
            communications: communications.collect::<Result<_, _>>()?,
            next: some_text(answer.next_token),
        })
    }
}

impl<S: AccountSource> SupportClient<S> {
    async fn cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        match query {
            CaseQuery::Ids(ids) => self.cases_by_id(account, ids).await,
            CaseQuery::DisplayId(display_id) => {
                let answer = self
                    .call(account, CallKind::Read, |client| {
                        client
                            .describe_cases()
                            .display_id(display_id.as_str())
                            .include_resolved_cases(true)
                            .include_communications(true)
                            .send()
                    })
                    .await?;
                Ok(CasePage { cases: described(answer.cases.unwrap_or_default())?, next: None })
            }
            CaseQuery::Since { after, next } => {
                let answer = self
                    .call(account, CallKind::Read, |client| {
                        client
                            .describe_cases()
                            .after_time(after.to_string())
                            .include_resolved_cases(true)
                            .include_communications(true)
                            .max_results(PAGE_SIZE)
                            .set_next_token(next.clone())
                            .send()
                    })
                    .await?;
                Ok(CasePage { cases: described(answer.cases.unwrap_or_default())?, next: some_text(answer.next_token) })
            }
        }
    }

    /// Returns all pages of the cases with these ids, since the query by id has no place to continue from.
    async fn cases_by_id(&self, account: &AccountId, ids: &[CaseId]) -> Result<CasePage, Failure> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut cases = Vec::with_capacity(ids.len());
        let mut next = None;
        for _ in 0..MAXIMUM_PAGES_OF_IDS {
            let answer = self.page_by_id(account, &ids, next).await?;
            cases.extend(described(answer.cases.unwrap_or_default())?);
            next = some_text(answer.next_token);
            if next.is_none() {
                break;
            }
        }
        Ok(CasePage { cases, next: None })
    }

    /// Returns one page of the cases with these ids.
    ///
    /// AWS does not document whether a list of ids may come with the size of a page. After a refusal of both, this
    /// client leaves the size out, in this call and in all later ones.
    async fn page_by_id(
        &self,
        account: &AccountId,
        ids: &[String],
        next: Option<String>,
    ) -> Result<DescribeCasesOutput, Failure> {
        let ask = |page_size| {
            let next = next.clone();
            self.call(account, CallKind::Read, move |client| {
                client
                    .describe_cases()
                    .set_case_id_list(Some(ids.to_vec()))
                    .include_resolved_cases(true)
                    .include_communications(true)
                    .set_max_results(page_size)
                    .set_next_token(next.clone())
                    .send()
            })
        };
        if self.ids_without_page_size.load(Ordering::Relaxed) {
            return ask(None).await;
        }
        match ask(Some(PAGE_SIZE)).await {
            Err(Failure::Refused { refusal: Refusal::InvalidRequest, .. }) => {
                let answer = ask(None).await?;
                self.ids_without_page_size.store(true, Ordering::Relaxed);
                Ok(answer)
            }
            answer => answer,
        }
    }
}

fn described(cases: Vec<types::CaseDetails>) -> Result<Vec<DescribedCase>, Failure> {
    cases.into_iter().map(described_case).collect()
}

fn described_case(case: types::CaseDetails) -> Result<DescribedCase, Failure> {
    let recent = case.recent_communications.unwrap_or_else(|| types::RecentCaseCommunications::builder().build());
    let communications = recent.communications.unwrap_or_default();
    // A full list may be a part of the whole even without a token: AWS documents the number and no token.
    let more_communications = some_text(recent.next_token).is_some() || communications.len() >= RECENT_COMMUNICATIONS;
    let communications = communications.into_iter().map(communication);
    Ok(DescribedCase {
        case_id: CaseId::new(case.case_id.ok_or_else(|| unreadable("a case without an id"))?),
        display_id: DisplayId::new(case.display_id.ok_or_else(|| unreadable("a case without a display id"))?),
        subject: case.subject.unwrap_or_default(),
        status: CaseStatus::new(case.status.ok_or_else(|| unreadable("a case without a status"))?),
        service_code: case.service_code.unwrap_or_default(),
        category_code: case.category_code.unwrap_or_default(),
        severity_code: case.severity_code.unwrap_or_default(),
        time_created: time(case.time_created.as_deref())?,
        recent: communications.collect::<Result<_, _>>()?,
        more_communications,
    })
}

fn communication(communication: types::Communication) -> Result<RawCommunication, Failure> {
    Ok(RawCommunication {
        time_created: time(communication.time_created.as_deref())?,
        submitted_by: communication.submitted_by.unwrap_or_default(),
        body: communication.body.unwrap_or_default(),
        attachments: case_files(communication.attachments, communication.attachment_set),
    })
}

/// Returns the files of a communication. `attachments` has all of them, and `attachmentSet` those of at most 5 MB, which an
/// older AWS shows alone. Source: AWS Support API, Communication.
fn case_files(
    all: Option<Vec<types::AttachmentDetails>>,
    small: Option<Vec<types::AttachmentDetails>>,
) -> Vec<CaseFile> {
    let shown = all.filter(|all| !all.is_empty()).or(small).unwrap_or_default().into_iter();
    let file = |details: types::AttachmentDetails| {
        let id = AttachmentId::new(details.attachment_id?);
        Some(CaseFile { id, name: details.file_name.unwrap_or_default() })
    };
    shown.filter_map(file).collect()
}

/// Reads a time of AWS: `2020-03-23T21:31:47.774Z`, in places with an offset without a colon.
pub(crate) fn time(text: Option<&str>) -> Result<Timestamp, Failure> {
    let text = text.ok_or_else(|| unreadable("a record without a time"))?;
    text.parse()
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text))
        .map_err(|_| unreadable(&format!("an unreadable time (`{text}`)")))
}

/// Returns a token. Returns `None` at the end of a list, where AWS leaves the token out or sends an empty one.
fn some_text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
