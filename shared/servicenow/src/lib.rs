//! The ServiceNow side: a client of the app's Scripted REST resources `snapshot`, `changes` and `deliver`.
//!
//! The client authenticates as one user of the instance, by OAuth client credentials or by basic authentication, and
//! speaks https only. Certificates are checked against the system's own store, or `SSL_CERT_FILE` where it is set.
//!
//! What an answer means is decided in one place: certainly refused, or not available and worth a repeat. Every resource may
//! be repeated (`deliver` recognises its messages), so nothing here is ever in doubt.

mod answer;
mod client;
mod credentials;
mod token;

pub use client::{Changes, Client, ClientError, IncidentChange, MAX_CHANGES_PER_PAGE};
pub use credentials::{CredentialSource, Credentials, CredentialsError};
