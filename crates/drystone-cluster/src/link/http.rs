//! Requests to a scheduler, over one connection that says when the other side is gone.

use std::time::Duration;

use bytes::Bytes;
use drystone_core::{Error, ErrorKind, Result};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::de::DeserializeOwned;

use super::Refusal;
use crate::dial::dial;
use crate::trust::Trust;

/// How long connecting, and an answer, may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Between two questions whether the other side is there, and how long it may take to say so:
/// a process that was stopped keeps its connections open.
pub(crate) const PING: Duration = Duration::from_secs(2);
pub(crate) const PONG: Duration = Duration::from_secs(3);
/// The largest document that is read.
const MAX_DOCUMENT: usize = 16 << 20;

type RequestBody = BoxBody<Bytes, std::convert::Infallible>;

/// A connection to a scheduler.
pub(crate) struct Connection {
    address: String,
    trust: Trust,
    requests: SendRequest<RequestBody>,
}

/// The host and the port of `host:port`.
///
/// # Errors
/// [`Parameter`](ErrorKind::Parameter) for anything else.
pub(crate) fn split_address(address: &str) -> Result<(&str, u16)> {
    let parts = address.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port))
            if !host.is_empty()
                && !host.contains(['/', '@', ' '])
                && host.contains(':') == host.starts_with('[') =>
        {
            Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
        }
        _ => Err(Error::parameter(
            "scheduler",
            "an address, as in 127.0.0.1:8786 or [::1]:8786",
            address,
        )),
    }
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// [`Parameter`](ErrorKind::Parameter) for an address that is none;
    /// [`Worker`](ErrorKind::Worker) when nobody is there, or not one whom we trust.
    pub async fn open(trust: &Trust, address: &str) -> Result<Self> {
        let (host, port) = split_address(address)?;
        let opened = tokio::time::timeout(PATIENCE, Self::try_open(trust, address, host, port));
        opened.await.unwrap_or_else(|_| Err(failed(address, "it does not answer")))
    }

    async fn try_open(trust: &Trust, address: &str, host: &str, port: u16) -> Result<Self> {
        let secured = dial(trust, host, port).await.map_err(of_scheduler)?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        builder.keep_alive_interval(PING).keep_alive_timeout(PONG).keep_alive_while_idle(true);
        let connected = builder.handshake(TokioIo::new(secured)).await;
        let (requests, connection) =
            connected.map_err(|error| unexpected(trust, address, error))?;
        tokio::spawn(connection);
        Ok(Self { address: address.to_owned(), trust: trust.clone(), requests })
    }

    /// Opens a request whose body goes on; gives the body of the answer, which does too.
    ///
    /// # Errors
    /// [`Format`](ErrorKind::Format) when the scheduler will never admit this process: it is of
    /// another version, or does not have the token; [`Worker`](ErrorKind::Worker) with what the
    /// scheduler says when it refuses for now, or when it does not answer.
    pub async fn post(
        &mut self,
        path: &str,
        body: impl Body<Data = Bytes, Error = std::convert::Infallible> + Send + Sync + 'static,
    ) -> Result<Incoming> {
        let answer = self.request(Method::POST, path, BoxBody::new(body)).await?;
        Ok(answer.into_body())
    }

    /// A document.
    ///
    /// # Errors
    /// As for [`post`](Self::post).
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let answer = self.request(Method::GET, path, BoxBody::new(Empty::new())).await?;
        self.document(answer.into_body()).await
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: RequestBody,
    ) -> Result<Response<Incoming>> {
        let uri = format!("{}://{}{path}", self.trust.scheme(), self.address);
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(CONTENT_TYPE, "application/x-ndjson").body(body);
        let mut request = request.map_err(|error| self.unexpected(error))?;
        self.trust.show(request.headers_mut());
        let answer = tokio::time::timeout(PATIENCE, self.requests.send_request(request)).await;
        let answer = answer.map_err(|_| failed(&self.address, "it does not answer"))?;
        let answer = answer.map_err(|error| self.unexpected(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let refusal: Result<Refusal> = self.document(answer.into_body()).await;
        let why = refusal.map_or_else(|_| status.to_string(), |refusal| refusal.error);
        let expected = format!("admission by the scheduler at {}", self.address);
        Err(match status {
            StatusCode::UPGRADE_REQUIRED | StatusCode::UNAUTHORIZED => Error::format(expected, why),
            _ => failed(&self.address, &format!("it refuses: {why}")),
        })
    }

    async fn document<T: DeserializeOwned>(&self, body: Incoming) -> Result<T> {
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, MAX_DOCUMENT).collect());
        let body = body.await.map_err(|_| failed(&self.address, "it does not answer"))?;
        let body = body.map_err(|error| {
            let found = format!("the scheduler at {}: its answer broke off", self.address);
            Error::from(ErrorKind::Worker { found }).caused_by(error)
        })?;
        let document = serde_json::from_slice(&body.to_bytes());
        document.map_err(|error| self.unexpected(error))
    }

    fn unexpected(&self, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
        unexpected(&self.trust, &self.address, cause)
    }
}

/// An error of a connection, of which the user only knows that it leads to a scheduler.
fn of_scheduler(error: Error) -> Error {
    let ErrorKind::Worker { found } = error.kind() else { return error };
    let named = Error::from(ErrorKind::Worker { found: format!("the scheduler at {found}") });
    match std::error::Error::source(&error) {
        Some(cause) => named.caused_by(cause.to_string()),
        None => named,
    }
}

fn failed(address: &str, what: &str) -> Error {
    ErrorKind::Worker { found: format!("the scheduler at {address}: {what}") }.into()
}

fn unexpected(
    trust: &Trust,
    address: &str,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    // What refuses plain connections says so in words of HTTP/1.1, which HTTP/2 cannot read.
    let hint =
        if trust.is_tls() { "" } else { " (if it was started with --tls, use that here too)" };
    let what = format!("it does not answer as a scheduler of drystone{hint}");
    failed(address, &what).caused_by(cause)
}
