//! Serving requests to those whom we trust, and stopping.

use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use axum::{Extension, Router};
use drystone_core::Result;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::guard::{Admission, guard};
use crate::link::http::{PING, PONG};
use crate::listener::Gate;
use crate::trust::Trust;

/// How long a peer keeps its place without a request that is admitted.
const STRANGER: Duration = Duration::from_secs(10);
/// How long a peer may take over the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// The largest head of a request: names and a token.
const MAX_HEAD: u32 = 16 << 10;
/// The same of HTTP/1.1, with what is read ahead.
const MAX_BUFFER: usize = 64 << 10;

/// Where a process says, line by line, what it comes to.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Serves a router on a listener, to those whom we trust, until the process ends. A peer that
/// stands still without closing its connection is noticed within five seconds.
///
/// # Errors
/// [`Format`](drystone_core::ErrorKind::Format) for the identity of a client, which cannot serve.
pub(crate) async fn serve(
    listener: TcpListener,
    trust: &Trust,
    routes: Router,
    say: Say,
) -> Result<()> {
    let trusted = Arc::new(trust.clone());
    let routes = routes.layer(axum::middleware::from_fn_with_state(trusted, guard));
    let gate = Gate::new(listener, trust, move |line| say(line))?;
    serve_gate(gate, routes).await
}

/// The same, without asking who it is; the routes say whom to keep.
pub(crate) async fn serve_gate(mut gate: Gate, routes: Router) -> Result<()> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_BUFFER);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_header_list_size(MAX_HEAD);
    http2.keep_alive_interval(PING).keep_alive_timeout(PONG);
    loop {
        let (socket, _) = gate.accept().await;
        let (builder, admission) = (builder.clone(), Admission::default());
        let service = routes.clone().layer(Extension(admission.clone()));
        tokio::spawn(async move {
            let service = TowerToHyperService::new(service);
            let connection = builder.serve_connection(TokioIo::new(socket), service);
            tokio::pin!(connection);
            // A connection that fails is the peer's affair.
            if timeout(STRANGER, &mut connection).await.is_err() && admission.is_granted() {
                let _ = connection.await;
            }
        });
    }
}

/// Lets this process have as many files and connections open as its user may let it: what it may
/// have without asking is often 1024, which a few hundred workers use up. To be called early in
/// `main`; [`serve_worker`](crate::serve_worker) does.
pub fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Without it there are fewer connections, and each one that is missing is said.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Whether a process is to stop. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Stop(Receiver<u32>);

/// Asks a process to stop; when it is dropped, nobody will.
#[derive(Debug)]
pub struct Stopper(Sender<u32>);

impl Stopper {
    /// Asks to stop: the first time for finishing what was begun, the second for ending now.
    pub fn stop(&self) {
        self.0.send_modify(|times| *times += 1);
    }
}

impl Stop {
    /// A process that goes on until its stopper asks.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = channel(0);
        (Stopper(sender), Self(receiver))
    }

    /// Stops when the process gets SIGINT (Ctrl-C) or SIGTERM; at the second one at once.
    /// Within a tokio runtime only.
    #[must_use]
    pub fn on_signals() -> Self {
        let (stopper, stop) = Self::new();
        tokio::spawn(async move {
            loop {
                signal().await;
                stopper.stop();
            }
        });
        stop
    }

    /// Returns when it is asked to stop.
    pub async fn asked(&mut self) {
        self.asked_times(1).await;
    }

    /// Returns when it is asked once more.
    pub async fn asked_again(&mut self) {
        self.asked_times(2).await;
    }

    async fn asked_times(&mut self, times: u32) {
        if self.0.wait_for(|asked| *asked >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
