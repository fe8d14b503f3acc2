//! A ServiceNow instance in-process: its APIs, and the built app's own scripts on it.

mod app;
mod instance;
mod support;
mod table_api;
