//! What the engine's gRPC clients connect with: it hands each endpoint to a hook before it
//! connects, and this is the hook.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ballista_core::utils::create_grpc_client_endpoint;
use drystone_core::Error;
use http::Uri;
use hyper_util::rt::TokioIo;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint};

use crate::dial::dial;
use crate::stream::Stream;
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

/// A channel to the engine's scheduler at `host:port`, whose connections are made when they are
/// needed, and again when they are lost.
pub(crate) fn to_scheduler(trust: &Trust, address: &str) -> Result<Channel, Error> {
    let endpoint = create_grpc_client_endpoint(format!("http://{address}"), None);
    let endpoint = secure(trust, endpoint.map_err(Error::external)?)?;
    Ok(match trust {
        Trust::Tls(_) => endpoint.connect_lazy(),
        Trust::Token(_) | Trust::Insecure => {
            endpoint.connect_with_connector_lazy(Dialer(trust.clone()))
        }
    })
}

/// Makes the connections of a channel with [`dial`], which looks each time who listens: a port
/// may be another user's by the time that a channel connects again.
struct Dialer(Trust);

impl Service<Uri> for Dialer {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let trust = self.0.clone();
        Box::pin(async move {
            let (host, port) = (to.host().unwrap_or_default(), to.port_u16().unwrap_or_default());
            dial(&trust, host, port).await.map(TokioIo::new)
        })
    }
}

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
    let uri = Uri::from_parts(parts).map_err(|error| refused(host, error))?;
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
