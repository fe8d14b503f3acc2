//! Runs the app's scripts in an embedded JavaScript engine, with the clock, the user and the records of a session.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Function, Runtime, Value as ScriptValue, context::EvalOptions,
};
use serde_json::{Value, json};
use thiserror::Error;

use super::{host::Host, jobs::Job, records::Session, rules::Rule, store::Row};
use crate::{support::attachments::content::Content, wire::Outbound};

/// The shim that gives scripts the platform's classes.
const GLIDE: &str = include_str!("glide.js");
/// The most memory of one script, in bytes. A script that fills it is out of control.
const MAXIMUM_MEMORY_BYTES: usize = 128 * 1024 * 1024;
/// The most stack of one script, in bytes. It must fit the stack of its thread.
const MAXIMUM_STACK_BYTES: usize = 768 * 1024;
/// The most interrupts of one script. The engine interrupts every few thousand steps, so a script with more is out of
/// control.
const MAXIMUM_INTERRUPTS: u32 = 50_000;

/// A failure of a script.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScriptError {
    /// It threw, exceeded its steps or exceeded its memory.
    #[error("{0}")]
    Failed(String),
    /// The instance died while it ran.
    #[error("the instance stopped")]
    Stopped,
}

/// How scripts are run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Engine {
    /// Keeps one prepared context per thread instead of preparing one for each script. Faster, but what a script leaves
    /// in the global scope is there for the next.
    pub reuse_contexts: bool,
}

/// A script to run, with its context.
#[derive(Debug)]
pub enum Script<'a> {
    /// An asynchronous business rule.
    Rule {
        /// The rule.
        rule: &'a Rule,
        /// The job that queued it.
        job: &'a Job,
        /// The record as it is now.
        current: &'a Row,
    },
    /// A scheduled job.
    Scheduled {
        /// Its name.
        name: &'a str,
        /// Its script.
        source: &'a str,
        /// The script that decides whether it runs.
        condition: Option<&'a str>,
    },
    /// A resource of a Scripted REST API.
    Operation {
        /// Its name.
        name: &'a str,
        /// Its script.
        source: &'a str,
        /// The request as the script sees it.
        request: Value,
        /// The body of the request, which the script may take as a stream.
        body: Content,
    },
    /// The `condition` scripts of rules whose records have been written.
    Decide,
    /// The rules that run before a record is written.
    Before {
        /// The record's table.
        table: &'a str,
        /// `insert`, `update` or `delete`.
        operation: &'a str,
        /// The record before the write.
        previous: &'a Row,
        /// The values to write.
        values: &'a Row,
    },
    /// A separate script. Its value is returned as a text.
    Plain {
        /// The script.
        source: &'a str,
    },
}

impl Script<'_> {
    fn describe(&self) -> Value {
        match self {
            Self::Rule { rule, job, current } => json!({
                "kind": "rule", "name": rule.name, "script": rule.script, "rule_scope": rule.scope, "table": job.table, "operation": job.operation,
                "current": current,
            }),
            Self::Scheduled { name, source, condition } => {
                json!({"kind": "scheduled", "name": name, "script": source, "condition": condition})
            }
            Self::Operation { name, source, request, .. } => {
                json!({"kind": "operation", "name": name, "script": source, "request": request})
            }
            Self::Decide => json!({"kind": "decide"}),
            Self::Before { table, operation, previous, values } => json!({
                "kind": "before", "table": table, "operation": operation, "previous": previous, "values": values,
            }),
            Self::Plain { source } => json!({"kind": "plain", "name": "script", "script": source}),
        }
    }
}

/// What a running script calls on the instance.
pub trait HostCalls {
    /// Does one operation. Its argument and its answer are JSON.
    fn call(&mut self, operation: &str, argument: &str) -> Result<String, String>;
}

scoped_tls_hkt::scoped_thread_local! {
    /// The instance that the script on this thread works on.
    static mut HOST: for<'a> &'a mut (dyn HostCalls + 'a)
}

/// A context with the shim and the app's includes, and its count of interrupts.
struct Prepared {
    app: u64,
    context: Context,
    interrupts: Rc<Cell<u32>>,
}

thread_local! {
    static KEPT: RefCell<Option<Prepared>> = const { RefCell::new(None) };
}

/// Runs a script to its end and returns its answer.
pub fn run(
    session: &mut Session<'_>,
    outbound: &dyn Outbound,
    engine: Engine,
    script: &Script<'_>,
) -> Result<Value, ScriptError> {
    let app = session.app;
    let mut description = script.describe();
    description["now"] = json!(session.now.as_millisecond());
    description["random_seed"] = json!(session.state.next_random_seed());
    description["scope"] = json!(app.scope);
    let actor = &session.actor;
    description["user"] = json!({"sys_id": actor.sys_id, "user_name": actor.user_name, "name": actor.name});
    let kept = if engine.reuse_contexts { KEPT.take().filter(|kept| kept.app == app.identity) } else { None };
    let body = if let Script::Operation { body, .. } = script { Some(body.clone()) } else { None };
    let mut host = Host { session, outbound, undecided: None, scope: app.scope.clone(), body };
    let (outcome, prepared) = HOST.set(&mut host, || {
        let prepared = match kept {
            Some(kept) => kept,
            None => match prepare(app) {
                Ok(prepared) => prepared,
                Err(error) => return (Err(error), None),
            },
        };
        prepared.interrupts.set(0);
        (call(&prepared.context, "__main", description.to_string()), Some(prepared))
    });
    if session.state.stopped {
        return Err(ScriptError::Stopped);
    }
    // A context whose script failed may be broken, for example if it ran out of memory.
    if engine.reuse_contexts && outcome.is_ok() {
        KEPT.set(prepared);
    }
    let answer = outcome.map_err(ScriptError::Failed)?;
    serde_json::from_str(&answer).map_err(|error| ScriptError::Failed(error.to_string()))
}

fn prepare(app: &super::app::App) -> Result<Prepared, String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.set_memory_limit(MAXIMUM_MEMORY_BYTES);
    runtime.set_max_stack_size(MAXIMUM_STACK_BYTES);
    let interrupts = Rc::new(Cell::new(0));
    let count = interrupts.clone();
    runtime.set_interrupt_handler(Some(Box::new(move || {
        count.set(count.get() + 1);
        count.get() > MAXIMUM_INTERRUPTS
    })));
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    context.with(|ctx| {
        let globals = ctx.globals();
        let define = || {
            globals.set("__host", Function::new(ctx.clone(), call_host)?)?;
            globals.set("__evaluate", Function::new(ctx.clone(), evaluate)?)?;
            evaluate(ctx.clone(), GLIDE.to_owned(), "glide".to_owned())
        };
        define().catch(&ctx).map(|_| ()).map_err(|error| describe(&error))
    })?;
    let includes: Vec<&String> = app.includes.keys().collect();
    call(&context, "__prepare", json!({"scope": app.scope, "includes": includes}).to_string())?;
    Ok(Prepared { app: app.identity, context, interrupts })
}

fn call(context: &Context, function: &str, argument: String) -> Result<String, String> {
    context.with(|ctx| {
        let call = || {
            let function: Function<'_> = ctx.globals().get(function)?;
            let answer: Option<String> = function.call((argument,))?;
            Ok(answer.unwrap_or_else(|| "null".to_owned()))
        };
        call().catch(&ctx).map_err(|error| describe(&error))
    })
}

fn describe(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => {
            let message = exception.message().unwrap_or_default();
            let stack = exception.stack().unwrap_or_default();
            format!("{message}\n{stack}").trim().to_owned()
        }
        CaughtError::Value(value) => {
            value.as_string().and_then(|text| text.to_string().ok()).unwrap_or_else(|| format!("{value:?}"))
        }
        CaughtError::Error(error) => error.to_string(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]
fn call_host(ctx: Ctx<'_>, operation: String, argument: String) -> rquickjs::Result<String> {
    let answer = HOST.with(|host| host.call(&operation, &argument));
    answer.map_err(|error| rquickjs::Exception::throw_message(&ctx, &error))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]
fn evaluate(ctx: Ctx<'_>, source: String, name: String) -> rquickjs::Result<ScriptValue<'_>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name);
    ctx.eval_with_options(source, options)
}
