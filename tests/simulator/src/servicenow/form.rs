//! How the Table API shows records: which columns, in which order, as values or as names.

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    UserRequest,
    acl::{self, Operation},
    schema::ColumnKind,
    store::field,
    view::View,
};

/// The text that a client sees in place of a secret.
const MASK: &str = "********";

/// `sysparm_display_value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Values,
    Names,
    Both,
}

/// The form that a request asks for.
pub struct Form<'a> {
    display: Display,
    links: bool,
    fields: Option<Vec<&'a str>>,
    url: &'a str,
    zone: TimeZone,
}

/// A record in that form. The columns keep the order of `sysparm_fields`.
pub struct Shown<'a>(Vec<(&'a str, Value)>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'a> Form<'a> {
    /// Reads the form from the parameters of the request. Links begin with `url`.
    pub fn of(call: &UserRequest<'_, 'a>, url: &'a str) -> Self {
        let request = call.request;
        let display = match request.parameter("sysparm_display_value") {
            Some("true") => Display::Names,
            Some("all") => Display::Both,
            _ => Display::Values,
        };
        let fields = request.parameter("sysparm_fields").filter(|fields| !fields.is_empty());
        Self {
            display,
            links: request.parameter("sysparm_exclude_reference_link") != Some("true"),
            fields: fields.map(named_once),
            url,
            zone: call.session.zone(),
        }
    }

    /// Returns one record in this form, without the columns that the user may not read.
    pub fn show<'b>(&'b self, call: &UserRequest<'_, '_>, view: &View<'b>) -> Shown<'b> {
        let (app, actor, table) = (call.session.app, &call.session.actor, view.table);
        let readable = |path: &&str| {
            let column = path.split('.').next().unwrap_or(path);
            view.kind(path).is_some() && acl::allows_column(app, actor, &table.name, column, Operation::Read)
        };
        let names: Vec<&str> = match &self.fields {
            Some(fields) => fields.clone(),
            None => table.columns.keys().map(String::as_str).collect(),
        };
        Shown(names.into_iter().filter(readable).map(|path| (path, self.show_field(view, path))).collect())
    }

    fn show_field(&self, view: &View<'_>, path: &str) -> Value {
        let column = view.schema.column_at(&view.table.name, path);
        let kind = view.kind(path).unwrap_or(ColumnKind::Text);
        let mut value = view.value(path).into_owned();
        if kind == ColumnKind::Password || is_secret_property(view, path) {
            value = if value.is_empty() { value } else { MASK.to_owned() };
        }
        let link = column.filter(|column| column.kind == ColumnKind::Reference && !value.is_empty() && self.links);
        let link = link.map(|column| format!("{}/api/now/table/{}/{value}", self.url, column.reference));
        let display = || if value == MASK { MASK.to_owned() } else { view.display_in(path, &self.zone) };
        match (self.display, link) {
            (Display::Values, None) => json!(value),
            (Display::Values, Some(link)) => json!({"link": link, "value": value}),
            (Display::Names, None) => json!(display()),
            (Display::Names, Some(link)) => json!({"display_value": display(), "link": link}),
            (Display::Both, None) => json!({"display_value": display(), "value": value}),
            (Display::Both, Some(link)) => json!({"display_value": display(), "link": link, "value": value}),
        }
    }
}

/// Returns the names in a list with commas, each at its first place.
fn named_once(list: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for name in list.split(',').map(str::trim) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn is_secret_property(view: &View<'_>, path: &str) -> bool {
    view.table.name == "sys_properties" && path == "value" && field(view.row, "type").starts_with("password")
}
