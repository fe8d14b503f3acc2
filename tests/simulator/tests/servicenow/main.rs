//! A ServiceNow instance in the process of the tests: its APIs, and the built app's own scripts on it.

mod accounts;
mod app;
mod business_rules;
mod catalogue;
mod claims;
mod files;
mod hostile;
mod instance;
mod links;
mod listing;
mod opening;
mod options;
mod order;
mod orders;
mod outbox;
mod paging;
mod requests;
mod roles;
mod served;
mod settings;
mod sharing;
mod shown;
mod stock;
mod support;
mod table_api;
mod undelete;
