//! Connections to schedulers; between schedulers and workers the engine makes its own (`endpoint`).

use std::io;
use std::time::Duration;

use drystone_core::{Error, ErrorKind, Result};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::stream::{Io, Stream};
use crate::tls::{Identity, hint, server_name};
use crate::trust::Trust;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);

/// Connects to `host`, whose name is checked if there is TLS.
///
/// # Errors
/// [`Parameter`](ErrorKind::Parameter) for a host that is none, or that a token must not be shown
/// to; [`Worker`](ErrorKind::Worker) when nobody answers within three seconds, or not in the way
/// that `trust` asks for.
pub(crate) async fn dial(trust: &Trust, host: &str, port: u16) -> Result<Stream> {
    trust.check_host("scheduler", host)?;
    let connection = timeout(CONNECT, connect(trust, host, port)).await;
    connection.unwrap_or_else(|_| Err(failed(host, port, io::ErrorKind::TimedOut.into())))
}

async fn connect(trust: &Trust, host: &str, port: u16) -> Result<Stream> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await;
    let stream = stream.map_err(|error| failed(host, port, error))?;
    // Now, and not before: who listens may have changed meanwhile.
    trust.check_listener(port)?;
    // A connection that this cannot be said of is gone already, which using it will show.
    let _ = stream.set_nodelay(true);
    Ok(Stream::new(match trust {
        Trust::Tls(identity) => encrypted(identity, stream, host, port).await?,
        Trust::Token(_) | Trust::Insecure => Io::Plain(stream),
    }))
}

async fn encrypted(identity: &Identity, stream: TcpStream, host: &str, port: u16) -> Result<Io> {
    let connector = TlsConnector::from(identity.client_config()?);
    let stream = connector.connect(server_name(host)?, stream).await;
    let stream = stream.map_err(|error| failed(host, port, error))?;
    Ok(Io::Tls(Box::new(TlsStream::Client(stream))))
}

fn failed(host: &str, port: u16, error: io::Error) -> Error {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut found = format!("{host}:{port} cannot be reached");
    let nobody = "nobody listens there: `drystone scheduler` starts a scheduler";
    let nobody = (error.kind() == io::ErrorKind::ConnectionRefused).then_some(nobody);
    if let Some(hint) = hint(&error).or(nobody) {
        found = format!("{found} ({hint})");
    }
    Error::from(ErrorKind::Worker { found }).caused_by(error)
}
