//! Scripted REST: the app's scripts answer `/api/<scope>/...`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Instance,
    app::{App, RestOperation},
    engine::{self, Script, ScriptError},
    errors,
    records::{Actor, Session},
};
use crate::wire::{Outbound, Request, Response};

/// Returns the resource that a request names, and the parameters in its path. Returns `None` if there is no such
/// resource.
pub fn find<'a>(app: &'a App, request: &Request) -> Option<(&'a RestOperation, BTreeMap<String, String>)> {
    app.operations.iter().filter(|operation| operation.method == request.method).find_map(|operation| {
        let parameters = operation.paths.iter().find_map(|path| match_path(path, &request.path))?;
        Some((operation, parameters))
    })
}

/// Whether any resource answers under the path, with any method.
pub fn knows_path(app: &App, path: &str) -> bool {
    app.operations.iter().flat_map(|operation| &operation.paths).any(|known| match_path(known, path).is_some())
}

fn match_path(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let template: Vec<&str> = template.split('/').collect();
    let path: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    if template.len() != path.len() {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for (expected, actual) in template.iter().zip(path) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !actual.is_empty() => {
                parameters.insert(name.to_owned(), actual.to_owned());
            }
            None if *expected == actual => {}
            _ => return None,
        }
    }
    Some(parameters)
}

impl Instance {
    pub(super) fn scripted_rest(
        &mut self,
        now: Timestamp,
        request: &Request,
        actor: Option<Actor>,
        outbound: &dyn Outbound,
    ) -> Response {
        let app = self.app.clone();
        let Some((operation, parameters)) = find(&app, request) else {
            return errors::method_not_supported(&request.method);
        };
        let actor = match actor {
            Some(actor) => actor,
            None if operation.requires_authentication => return errors::not_authenticated(),
            None => Actor { user_name: "guest".to_owned(), name: "Guest".to_owned(), ..Actor::default() },
        };
        let admitted = operation.controls.iter().all(|sys_id| {
            let control = app.controls.iter().find(|control| control.sys_id == *sys_id);
            control.is_some_and(|control| control.admits(&actor))
        });
        if !admitted {
            return errors::envelope(403, "User Not Authorized", Some("Failed API level ACL Validation"));
        }
        let body = request.content();
        if body.length() > 0 && !consumes(operation, request) {
            return errors::envelope(415, "Unsupported media type", Some("The resource does not consume this type"));
        }
        let given = describe_request(request, &parameters, body.length() > 0);
        let mut session = Session { app: &app, state: &mut self.state, actor, now };
        let script = Script::Operation { name: &operation.name, source: &operation.script, request: given, body };
        match engine::run(&mut session, outbound, self.engine, &script) {
            Ok(answer) => self.respond(&answer),
            Err(ScriptError::Stopped) => errors::stopped(),
            Err(ScriptError::Failed(message)) => {
                self.state.log(now, "error", format!("{}: {message}", operation.name));
                errors::envelope(500, &message, Some("The script failed"))
            }
        }
    }

    fn respond(&self, answer: &Value) -> Response {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let error = &answer["error"];
        if !error.is_null() {
            let status = error["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
            return errors::envelope(status, &text(&error["message"]), Some(&text(&error["detail"])));
        }
        let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        let file = answer["stream"].as_str().and_then(|sys_id| self.state.files.get(sys_id)).cloned();
        let mut response = match answer.get("body") {
            _ if file.is_some() => Response { status, file, ..Response::default() },
            Some(body) => Response::json(status, &json!({"result": body})),
            None => Response { status, ..Response::default() },
        };
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            response.headers.insert(name.clone(), text(value));
        }
        response
    }
}

/// Whether the resource takes a body of this type.
fn consumes(operation: &RestOperation, request: &Request) -> bool {
    let given = request.header("content-type").unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_lowercase();
    operation.consumes.contains(&kind)
}

fn describe_request(request: &Request, parameters: &BTreeMap<String, String>, has_body: bool) -> Value {
    let mut query: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &request.query {
        query.entry(name).or_default().push(value);
    }
    let query_string: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "path": request.path, "url": request.path, "path_parameters": parameters, "query_parameters": query,
        "query_string": query_string.join("&"), "headers": request.headers, "has_body": has_body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_parameters_match_segment_by_segment() {
        let template = "/api/x/v1/incidents/{sys_id}/snapshot";
        assert_eq!(match_path(template, "/api/x/v1/incidents/abc/snapshot").unwrap()["sys_id"], "abc");
        assert!(match_path(template, "/api/x/v1/incidents//snapshot").is_none());
        assert!(match_path(template, "/api/x/v1/incidents/abc/other").is_none());
        assert!(match_path(template, "/api/x/v1/incidents/abc").is_none());
    }
}
