#![doc = include_str!("../README.md")]

mod answer;
mod catalogue;
mod client;
mod credentials;
mod files;
mod token;

pub use catalogue::Written;
pub use client::{Changes, Client, ClientError, IncidentChange, MAXIMUM_CHANGES_PER_PAGE};
pub use credentials::{CredentialSource, Credentials, CredentialsError};
pub use files::FileContent;
