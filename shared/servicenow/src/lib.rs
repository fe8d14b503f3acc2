#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod credentials;
mod token;

pub use client::{Changes, Client, ClientError, IncidentChange, MAXIMUM_CHANGES_PER_PAGE};
pub use credentials::{CredentialSource, Credentials, CredentialsError};
