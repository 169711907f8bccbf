//! A server behind a `Gate` and a `guard`, and clients as the engine makes them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::transport::Endpoint;

use crate::dial::dial;
use crate::endpoint::secured;
use crate::guard::guard;
use crate::listener::Gate;
use crate::serve::serve_gate;
use crate::tls::{Authority, Holder, Identity, Validity, hint, init};
use crate::trust::Trust;

/// More than any refusal takes, so that a test that hangs fails.
pub const SOON: Duration = Duration::from_secs(9);

pub struct Server {
    pub address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(trust: &Trust) -> Self {
        Self::start_with(trust, |gate| gate).await
    }

    pub async fn start_with(trust: &Trust, set: impl FnOnce(Gate) -> Gate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let gate = Gate::new(listener, trust, move |line| lines.lock().unwrap().push(line.into()));
        let state = Arc::new(trust.clone());
        let router = Router::new()
            .route("/hello", get(async || "hello"))
            .route("/step", post(async |body: Bytes| body.len().to_string()))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn_with_state(state, guard));
        let gate = set(gate.unwrap());
        let task = tokio::spawn(async move { serve_gate(gate, router).await.unwrap() });
        Self { address, said, task }
    }

    /// What it said of a connection that it refused, once it has said so.
    pub async fn refusal(&self) -> String {
        let line = async {
            loop {
                if let Some(line) = self.said.lock().unwrap().last() {
                    return line.clone();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, line).await.expect("nothing was said")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request as the engine's clients make it: over an endpoint that went through the hook.
pub async fn grpc(trust: &Trust, address: SocketAddr, n_bytes: usize) -> Answer {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let endpoint = secured(trust)(endpoint).map_err(|error| error.to_string())?;
    over(&endpoint, n_bytes).await
}

/// The headers and the body, or an error in words.
pub type Answer = Result<(HeaderMap, String), String>;

pub async fn over(endpoint: &Endpoint, n_bytes: usize) -> Answer {
    let work = async {
        let mut channel = endpoint.connect().await.map_err(|error| explained(&error))?;
        let body = Body::new(Full::new(Bytes::from(vec![0; n_bytes])));
        let request = Request::post("/step").header("content-type", "application/grpc");
        let ready = std::future::poll_fn(|cx| channel.poll_ready(cx)).await;
        ready.map_err(|error| explained(&error))?;
        let answer = channel.call(request.body(body).unwrap()).await;
        let (parts, body) = answer.map_err(|error| explained(&error))?.into_parts();
        assert_eq!(parts.status, 200);
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok((parts.headers, String::from_utf8(body.to_vec()).unwrap()))
    };
    tokio::time::timeout(SOON, work).await.expect("the request hangs")
}

/// The answer to a request over HTTP/1.1.
pub async fn rest(trust: &Trust, address: SocketAddr) -> Result<Response<String>, String> {
    let work = async {
        let host = address.ip().to_string();
        let stream = dial(trust, &host, address.port()).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| explained(&error))?;
        let connection = tokio::spawn(connection);
        let mut request = Request::get("/hello").header("host", "x").body(Empty::<Bytes>::new());
        trust.show(request.as_mut().unwrap().headers_mut());
        let answer = sender.send_request(request.unwrap()).await;
        let (parts, body) = answer.map_err(|error| explained(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| explained(&error))?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap()))
    };
    tokio::time::timeout(SOON, work).await.expect("the request hangs")
}

/// An error with all below it, and what to do about it.
fn explained(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    let all: Vec<_> = all.map(ToString::to_string).collect();
    format!("{} [{}]", all.join(": "), hint(error).unwrap_or("no hint"))
}

/// What both ways of asking come to, which must be the same: an answer, or an error in words.
pub async fn both(trust: &Trust, address: SocketAddr) -> Result<(), String> {
    let (one, two) = (grpc(trust, address, 10).await, rest(trust, address).await);
    match (one, two) {
        (Ok((headers, body)), Ok(answer)) => {
            assert!(body == "10" && answer.body() == "hello", "{headers:?} {body} {answer:?}");
            Ok(())
        }
        (Err(one), Err(two)) => Err(format!("{one} | {two}")),
        (one, two) => panic!("{one:?}, but {two:?}"),
    }
}

/// The keys of hosts of one authority.
pub struct Keys(tempfile::TempDir);

impl Keys {
    pub fn of(hosts: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap();
        Self(dir)
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    pub fn identity(&self, name: &str) -> Identity {
        Identity::load(&self.dir().join(name)).unwrap()
    }

    pub fn trust(&self, name: &str) -> Trust {
        Trust::Tls(self.identity(name))
    }

    /// Writes other keys of the same authority in the place of a host's.
    pub fn replace(&self, name: &str, holder: &Holder<'_>, validity: Validity) {
        let read = |name: &str| std::fs::read_to_string(self.dir().join(name)).unwrap();
        let authority = Authority::of_files(&read("ca.key"), read("ca.pem")).unwrap();
        let signed = authority.sign(holder, validity).unwrap();
        std::fs::write(self.dir().join(name).join("cert.pem"), signed.cert).unwrap();
        std::fs::write(self.dir().join(name).join("key.pem"), signed.key).unwrap();
    }
}
