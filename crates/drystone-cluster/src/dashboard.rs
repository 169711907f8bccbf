//! The page that shows people what a scheduler knows: read-only, on loopback, for those who have
//! its address with the token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap,
    HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use drystone_core::{Error, Result};
use tokio::net::TcpListener;

use crate::guard::Admission;
use crate::link::Refusal;
use crate::listener::Gate;
use crate::scheduler::Board;
use crate::serve;
use crate::token::Token;
use crate::trust::Trust;

/// The page loads nothing from elsewhere, runs no script but its own, and is in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page consists of: where each file is asked for, its type, and its text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("dashboard/index.html")),
    ("/page.css", CSS, include_str!("dashboard/page.css")),
    ("/page.js", SCRIPT, include_str!("dashboard/page.js")),
    ("/words.js", SCRIPT, include_str!("dashboard/words.js")),
    ("/dom.js", SCRIPT, include_str!("dashboard/dom.js")),
    ("/plot.js", SCRIPT, include_str!("dashboard/plot.js")),
    ("/curves.js", SCRIPT, include_str!("dashboard/curves.js")),
    ("/pace.js", SCRIPT, include_str!("dashboard/pace.js")),
    ("/workers.js", SCRIPT, include_str!("dashboard/workers.js")),
    ("/fit.js", SCRIPT, include_str!("dashboard/fit.js")),
    ("/fits.js", SCRIPT, include_str!("dashboard/fits.js")),
    ("/gate.js", SCRIPT, include_str!("dashboard/gate.js")),
];

/// A dashboard that listens, and does not answer yet.
pub(crate) struct Listening {
    listener: TcpListener,
    token: Token,
    /// Its address, with the token behind a `#`, where browsers keep it for themselves.
    pub url: String,
}

/// Takes the address, or a free port if that one is taken.
///
/// # Errors
/// [`Parameter`](drystone_core::ErrorKind::Parameter) for an address that other machines reach;
/// [`Io`](drystone_core::ErrorKind::Io) when no port is free.
pub(crate) async fn listen(address: SocketAddr) -> Result<Listening> {
    if !address.ip().is_loopback() {
        let expected = "an address of this machine alone, as 127.0.0.1; from elsewhere use \
                        `ssh -L`";
        return Err(Error::parameter("dashboard", expected, address));
    }
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((address.ip(), 0)).await,
    };
    let listener =
        listener.map_err(|error| Error::io(&format!("cannot listen on {address}"), error))?;
    let address = listener.local_addr();
    let address = address.map_err(|error| Error::io("cannot find the address", error))?;
    // For looking only, and for this scheduler only: who sees it can run nothing with it.
    let token = Token::random()?;
    let url = format!("http://{address}/#token={}", token.secret());
    Ok(Listening { listener, token, url })
}

struct Shown {
    board: Arc<Board>,
    token: Token,
}

impl Listening {
    /// Serves the page until the process ends.
    ///
    /// # Errors
    /// None that is known of.
    pub async fn serve(self, board: Arc<Board>) -> Result<()> {
        let shown = Arc::new(Shown { board, token: self.token });
        let mut routes = Router::new().route("/state.json", get(state));
        for &(path, kind, text) in FILES {
            routes = routes.route(path, get(([(CONTENT_TYPE, kind)], text)));
        }
        let routes = routes
            .fallback(nothing_else)
            .layer(axum::middleware::from_fn(only_for_loopback))
            .layer(axum::middleware::map_response(with_policy))
            .with_state(shown);
        let gate = Gate::new(self.listener, &Trust::Insecure, |_: &str| {})?;
        serve::serve_gate(gate, routes).await
    }
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(Refusal { error: error.to_owned() })).into_response()
}

async fn state(State(shown): State<Arc<Shown>>, headers: HeaderMap) -> Response {
    let given =
        headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if given.is_some_and(|given| shown.token.matches(given)) {
        return Json(shown.board.state()).into_response();
    }
    let error = "the address with the token is what the scheduler printed when it started, and \
                 what `drystone status` prints";
    refusal(StatusCode::UNAUTHORIZED, error)
}

/// Most often somebody took this port for the scheduler's.
async fn nothing_else(State(shown): State<Arc<Shown>>) -> Response {
    let error = format!("this is the dashboard; the scheduler is at {}", shown.board.address());
    refusal(StatusCode::NOT_FOUND, &error)
}

/// A page of another site whose name leads here must not read ours: browsers send that name.
async fn only_for_loopback(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    // HTTP/2 says it in the address.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let host = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if matches!(host, Some("127.0.0.1" | "localhost" | "[::1]")) {
        Admission::grant(&request);
        return next.run(request).await;
    }
    let error = "the dashboard answers to names of this machine only (127.0.0.1, localhost, \
                 [::1]); from elsewhere use `ssh -L`";
    refusal(StatusCode::MISDIRECTED_REQUEST, error)
}

async fn with_policy(mut response: Response) -> Response {
    let headers: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
