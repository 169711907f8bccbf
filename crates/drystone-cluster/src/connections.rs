//! Connections to workers that results are fetched over, kept for the next step: making one
//! takes longer than a fetch, and with TLS many times so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::BallistaError;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;

use crate::MAX_MESSAGE;
use crate::endpoint::secured;
use crate::trust::Trust;

/// Attempts at fetching: what fails is tried again by who wanted it.
const FETCHES: u8 = 1;
/// Connections that nobody used for so long are closed,
const IDLE: Duration = Duration::from_secs(60);
/// and so are those that were used longest ago when there are more.
const MAX_IDLE: usize = 256;

/// The connections of one process.
#[derive(Debug)]
pub(crate) struct Connections {
    trust: Trust,
    /// Those that are not in use, the latest last.
    idle: Arc<Mutex<Vec<Idle>>>,
}

struct Idle {
    host: String,
    port: u16,
    client: BallistaClient,
    since: Instant,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} idle for {:?}", self.host, self.port, self.since.elapsed())
    }
}

impl Connections {
    pub fn new(trust: Trust) -> Self {
        Self { trust, idle: Arc::default() }
    }

    /// A connection to a worker, which nobody else uses until it is dropped; whoever finds it
    /// broken discards it.
    ///
    /// # Errors
    /// When there is none yet, and none can be made.
    pub async fn to(&self, host: &str, port: u16) -> Result<PooledClient, BallistaError> {
        let client = match self.take(host, port) {
            Some(client) => client,
            None => self.connect(host, port).await?,
        };
        let (idle, host) = (Arc::clone(&self.idle), host.to_owned());
        let keep = move |client| put(&idle, Idle { host, port, client, since: Instant::now() });
        Ok(PooledClient::new(client, Box::new(keep)))
    }

    fn take(&self, host: &str, port: u16) -> Option<BallistaClient> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|idle| idle.port == port && idle.host == host)?;
        Some(idle.remove(at).client)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<BallistaClient, BallistaError> {
        let endpoint = Arc::new(BallistaConfigGrpcEndpoint::new(secured(&self.trust)));
        let (size, tls) = (MAX_MESSAGE as usize, self.trust.is_tls());
        BallistaClient::try_new(host, port, size, tls, Some(endpoint), FETCHES, 0, 0, 0).await
    }
}

fn put(idle: &Mutex<Vec<Idle>>, latest: Idle) {
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    idle.retain(|idle| idle.since.elapsed() < IDLE);
    if idle.len() >= MAX_IDLE {
        idle.remove(0);
    }
    idle.push(latest);
}

#[async_trait]
impl BallistaClientPool for Connections {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        _: &GrpcClientConfig,
        _: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient, BallistaError> {
        self.to(host, port).await
    }

    async fn evict_idle(&self) {
        // Whoever puts one back does.
    }
}
