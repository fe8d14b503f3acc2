//! `casebridge-simulator --config <file>`: serves until SIGTERM or SIGINT.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use casebridge_simulator::config::Config;
use casebridge_simulator::server::{Server, StartError};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: casebridge-simulator --config <json file>";
/// The time that running calls get when the process is told to stop. It is long enough for an answer, and short enough
/// for `make down`.
const FAREWELL: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
            let outcome = runtime.block_on(run());
            runtime.shutdown_timeout(FAREWELL);
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("casebridge-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(read_config()?).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", server.description())?;
    stdout.flush()?;
    tokio::select! {
        () = server.serve() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn read_config() -> Result<Config, StartError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [flag, path] = arguments.as_slice() else { return Err(USAGE.into()) };
    if flag != "--config" {
        return Err(USAGE.into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path} can't be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{path} is not a configuration: {error}").into())
}
