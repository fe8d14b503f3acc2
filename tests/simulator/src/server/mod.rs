//! The simulator on the network: one port for http and https, for ServiceNow, AWS Support and the control API.

mod control;
mod exchange;
mod files;
mod servicenow;
mod simulator;
mod sts;
mod support;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::{AccountConfig, Config};
use crate::publisher::Publisher;
use crate::servicenow::{Configuration, Instance};
use crate::support::Support;
use crate::support::attachments::rules::FileHosts;
use crate::{outbound, tls};
use files::FilesFolder;
use simulator::Simulator;

/// The first byte of every TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;
/// The time that a client has to begin and to send its headers, so that a silent client does not hold a connection for
/// ever.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause between two runs of the instance's jobs. It is short, since webhooks wait for it.
const JOBS_INTERVAL: Duration = Duration::from_millis(100);
/// The pause after a failure to accept a connection, for example because file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A failure to start the server.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A simulator that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    ca_file: PathBuf,
    simulator: Arc<Simulator>,
}

impl Server {
    /// Builds the simulator and starts to listen.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (acceptor, ca_file) = tls::acceptor(&config.directory)?;
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        // Ids differ from run to run, so that a client that remembers an earlier run does not find its ids again.
        let seed = u64::from_ne_bytes(crate::clock::now().as_microsecond().to_ne_bytes());
        let accounts = config.accounts.iter().map(AccountConfig::account);
        let mut support = Support::new(seed, config.support.quotas(), accounts);
        // AWS's links have https only.
        let host = format!("https://{address}");
        support.set_file_hosts(FileHosts { upload: host.clone(), download: host });
        let files = FilesFolder::create(&config.directory)?;
        let instance = instance(config.servicenow, config.app.as_deref(), seed, address)?;
        let network = outbound::Network::new(Handle::current(), &config.resolve)?;
        let (publisher, queue) = Publisher::new(config.events);
        let publisher = Arc::new(publisher);
        let client = reqwest::Client::builder().no_proxy().build()?;
        tokio::spawn({
            let publisher = publisher.clone();
            async move { publisher.run(queue, client).await }
        });
        let simulator = Arc::new(Simulator::new(support, instance, network, publisher, files));
        Ok(Self { listener, address, acceptor, ca_file, simulator })
    }

    /// Returns the addresses that clients need.
    pub fn description(&self) -> Value {
        let url = format!("http://{}", self.address);
        json!({
            "url": url,
            "https_url": format!("https://{}", self.address),
            "ca_file": self.ca_file,
            "support": { "endpoint": url },
            "ssm_incidents": { "endpoint": url },
            "control": { "url": format!("{url}{}", control::PREFIX) },
        })
    }

    /// Returns the path of the authority's certificate.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Serves until the task is dropped.
    pub async fn serve(self) {
        // A set ends its tasks when it is dropped: then nothing holds the simulator and its files any more.
        let mut jobs = JoinSet::new();
        jobs.spawn(run_jobs(self.simulator.clone()));
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, self.acceptor.clone(), self.simulator.clone()));
                }
                Err(error) => {
                    eprintln!("a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Creates the instance with its app. If the configuration names no address, the instance gets this server's.
fn instance(
    mut configuration: Configuration,
    app: Option<&Path>,
    seed: u64,
    address: SocketAddr,
) -> Result<Instance, StartError> {
    if configuration.seed == 0 {
        configuration.seed = seed;
    }
    configuration.url.get_or_insert_with(|| format!("https://{address}"));
    let mut instance = Instance::new(configuration);
    if let Some(app) = app {
        instance.load_app(app).map_err(|error| format!("the app in {} can't be loaded: {error}", app.display()))?;
    }
    Ok(instance)
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, simulator: Arc<Simulator>) {
    // A client that leaves, or stays silent, does not affect other clients.
    let _ = serve_connection(stream, acceptor, simulator).await;
}

async fn serve_connection(stream: TcpStream, acceptor: TlsAcceptor, simulator: Arc<Simulator>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    let length = tokio::time::timeout(BEGIN_TIMEOUT, stream.peek(&mut first)).await??;
    if length == 1 && first[0] == TLS_HANDSHAKE {
        let stream = tokio::time::timeout(BEGIN_TIMEOUT, acceptor.accept(stream)).await??;
        answer_requests(stream, simulator).await;
    } else {
        answer_requests(stream, simulator).await;
    }
    Ok(())
}

async fn answer_requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, simulator: Arc<Simulator>) {
    let service = service_fn(move |request| exchange::answer(simulator.clone(), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(BEGIN_TIMEOUT);
    // A fault that withholds the answer also ends here, as an error that closes the connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// Runs the instance's rules and scheduled jobs.
async fn run_jobs(simulator: Arc<Simulator>) {
    let mut interval = tokio::time::interval(JOBS_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let simulator = simulator.clone();
        // Scripts take processor time and wait for webhooks, so they must not run on a thread that serves connections.
        if let Err(error) = tokio::task::spawn_blocking(move || servicenow::run_jobs(&simulator)).await {
            eprintln!("the jobs of the instance failed: {error}");
        }
    }
}
