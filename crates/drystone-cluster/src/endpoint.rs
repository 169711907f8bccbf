//! What the engine's gRPC clients connect with: it hands each endpoint to a hook before it
//! connects, and this is the hook.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use drystone_core::Error;
use tonic::transport::Endpoint;

use crate::trust::Trust;

/// The engine's `EndpointOverrideFn`, by another name.
pub(crate) type Override =
    Arc<dyn Fn(Endpoint) -> Result<Endpoint, Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// While requests are open, the other side is asked so often whether it is still there,
const PING: Duration = Duration::from_secs(2);
/// and has so long to answer. Together: a process that stands still, with its machine answering
/// for it, is found out within five seconds. Answers come from tokio's threads, so that these
/// must not be kept busy by jobs.
const PONG: Duration = Duration::from_secs(3);
/// The engine's own sizes of flow control, which cannot be read off an endpoint.
const STREAM_WINDOW: u32 = 16 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Has each endpoint of the engine connect as `trust` asks for. Deadlines of requests are those
/// that the engine sets, but for TLS, where there are none.
pub(crate) fn secured(trust: &Trust) -> Override {
    let trust = trust.clone();
    Arc::new(move |endpoint| secure(&trust, endpoint).map_err(Into::into))
}

fn secure(trust: &Trust, endpoint: Endpoint) -> Result<Endpoint, Error> {
    let host = endpoint.uri().host().unwrap_or_default().to_owned();
    trust.check_host("host", &host)?;
    trust.check_listener(endpoint.uri().port_u16().unwrap_or_default())?;
    let endpoint = match trust {
        Trust::Tls(identity) => https(&endpoint)?.tls_config(identity.client_tls(None)),
        Trust::Token(_) | Trust::Insecure => Ok(endpoint),
    };
    let endpoint = endpoint.map_err(|error| refused(&host, error))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .keep_alive_while_idle(false);
    match trust.agent() {
        Some(agent) => endpoint.user_agent(agent).map_err(|error| refused(&host, error)),
        None => Ok(endpoint),
    }
}

/// The same endpoint with the scheme `https`: without it tonic ignores what it is told of TLS.
/// The scheme of an endpoint cannot be changed, so it is made again, with what can be read of it
/// and with the engine's usual windows.
fn https(endpoint: &Endpoint) -> Result<Endpoint, Error> {
    let mut parts = endpoint.uri().clone().into_parts();
    let host = endpoint.uri().host().unwrap_or_default();
    parts.scheme = Some(http::uri::Scheme::HTTPS);
    parts.path_and_query.get_or_insert(http::uri::PathAndQuery::from_static("/"));
    let uri = http::Uri::from_parts(parts).map_err(|error| refused(host, error))?;
    Ok(Endpoint::from(uri)
        .tcp_keepalive(endpoint.get_tcp_keepalive())
        .tcp_keepalive_interval(endpoint.get_tcp_keepalive_interval())
        .tcp_keepalive_retries(endpoint.get_tcp_keepalive_retries())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW))
}

fn refused(host: &str, error: impl StdError + Send + Sync + 'static) -> Error {
    let expected = "a host name or an IP address";
    Error::parameter("host", expected, format!("{host:?}")).caused_by(error)
}
