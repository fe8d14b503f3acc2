//! The files of incidents, by the app's `files` resource.

use std::time::Duration;

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{FileId, LinkKey},
    servicenow::delivery::{FileAnswer, NewFile},
};
use casebridge_ports::{Clock, Content, IncidentFiles};
use casebridge_streams::{Received, SendError, send};
use reqwest::{
    Method, Response, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};

use crate::{
    answer::{Answer, Problem},
    client::{Client, unreachable_side},
    credentials::CredentialSource,
};

/// How long a file may take: two thirds of the 15 minutes of the function. ServiceNow's own quota rules may end a long
/// transaction earlier.
const FILE_TIMEOUT: Duration = Duration::from_mins(10);
/// The content type of every file on the way: the platform would parse a body of some types.
const BYTES: &str = "application/octet-stream";

/// The content of a file of an incident.
pub type FileContent = Received<fn(&reqwest::Error) -> Failure>;

/// Returns what a broken connection means.
fn broken(error: &reqwest::Error) -> Failure {
    unreachable_side(error).failure
}

impl<S: CredentialSource, C: Clock> Client<S, C> {
    fn file_url(&self, key: &LinkKey, file: Option<&FileId>) -> Result<Url, Failure> {
        let mut url = self.incident_url(&key.incident, "files")?;
        let Some(file) = file.map(FileId::as_str) else { return Ok(url) };
        let is_sys_id = !file.is_empty() && file.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let message = "the file's sys_id is not of ServiceNow's form".to_owned();
        let invalid = || Failure::Refused { refusal: Refusal::InvalidRequest, message: message.clone() };
        if !is_sys_id {
            return Err(invalid());
        }
        url.path_segments_mut().map_err(|()| invalid())?.push(file);
        Ok(url)
    }

    /// Asks for a file once. Returns `None` if the instance refuses the credentials.
    async fn file_once(&self, url: &Url, authorization: &HeaderValue) -> Result<Option<Response>, Problem> {
        let request = self.http.request(Method::GET, url.clone()).timeout(FILE_TIMEOUT);
        let request = request.header(AUTHORIZATION, authorization.clone()).header(ACCEPT, "*/*");
        let response = request.send().await.map_err(|error| unreachable_side(&error))?;
        if response.status() == reqwest::StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // An error, or a page for people, has another type.
        if response.status().is_success() && content_type.is_some_and(|value| value.starts_with(BYTES)) {
            return Ok(Some(response));
        }
        let answer = Answer { is_of_file: true, ..self.whole_answer(response, true).await? };
        let problem = answer.result::<serde_json::Value>().err();
        Err(problem.unwrap_or_else(|| {
            Problem::unavailable("ServiceNow answered with JSON where a file was expected", None, true)
        }))
    }
}

impl<S: CredentialSource, C: Clock> IncidentFiles for Client<S, C> {
    type Content = FileContent;

    async fn read_file(&self, key: &LinkKey, file: &FileId) -> Result<FileContent, Failure> {
        let url = self.file_url(key, Some(file))?;
        let known = self.authorization(None).await.map_err(|problem| problem.failure)?;
        let answer = self.file_once(&url, &known.header).await.map_err(|problem| problem.failure)?;
        if let Some(response) = answer {
            return Ok(Received::new(response, broken));
        }
        let renewed = self.authorization(Some(&known.header)).await.map_err(|problem| problem.failure)?;
        let answer = self.file_once(&url, &renewed.header).await.map_err(|problem| problem.failure)?;
        let response = answer.ok_or_else(|| Failure::Refused {
            refusal: Refusal::Credentials,
            message: "ServiceNow refuses the credentials of the integration user".to_owned(),
        })?;
        Ok(Received::new(response, broken))
    }

    async fn write_file(
        &self,
        key: &LinkKey,
        file: &NewFile,
        content: &mut impl Content,
    ) -> Result<FileAnswer, Failure> {
        let mut url = self.file_url(key, None)?;
        url.query_pairs_mut()
            .append_pair("external_id", file.external_id.as_str())
            .append_pair("file_name", &file.name)
            .append_pair("content_type", &file.content_type)
            .append_pair("size_bytes", &file.bytes.to_string());
        // The content is read once, so the credentials must be good before it is sent.
        let authorization = self.authorization(None).await.map_err(|problem| problem.failure)?;
        let request = self
            .http
            .request(Method::POST, url)
            .timeout(FILE_TIMEOUT)
            .header(AUTHORIZATION, authorization.header.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, BYTES);
        let response = match send(request, file.bytes, content).await {
            Ok(response) => response,
            Err(SendError::Content(failure)) => return Err(failure),
            Err(SendError::Request(error)) => return Err(broken(&error)),
        };
        let answer = self.whole_answer(response, false).await.map_err(|problem| problem.failure)?;
        let answer = Answer { is_of_file: true, ..answer };
        if answer.is_unauthorized() {
            // The next try has other credentials.
            self.authorization(Some(&authorization.header)).await.map_err(|problem| problem.failure)?;
        }
        answer.result().map_err(|problem| problem.failure)
    }
}

#[cfg(test)]
mod tests;
