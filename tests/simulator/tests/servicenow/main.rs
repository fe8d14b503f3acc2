//! A ServiceNow instance in-process: its APIs, and the built app's own scripts on it.

mod app;
mod hostile;
mod instance;
mod order;
mod paging;
mod support;
mod table_api;
