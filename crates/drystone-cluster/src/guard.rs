//! Requests of strangers are turned away before anything of their body is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use tonic::Status;

use crate::link::Refusal;
use crate::trust::{Trust, shows_token};

/// Whether a request of a connection has been admitted: each connection has one of its own, as
/// an extension of its requests. Who never had any does not keep its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission(Arc<AtomicBool>);

impl Admission {
    /// The connection of this request is one to keep.
    pub fn grant(request: &Request) {
        if let Some(Self(granted)) = request.extensions().get() {
            granted.store(true, Ordering::Relaxed);
        }
    }

    pub fn is_granted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Middleware of axum, to be the outermost layer: answers strangers with 401, or with gRPC's
/// status 16 if they speak gRPC.
pub(crate) async fn guard(
    State(trust): State<Arc<Trust>>,
    request: Request,
    next: Next,
) -> Response {
    // Browsers say where a page is from; none of ours is for pages, whomever is believed.
    if request.headers().contains_key(ORIGIN) || request.headers().contains_key("sec-fetch-site") {
        return StatusCode::FORBIDDEN.into_response();
    }
    if trust.admits(request.headers()) {
        Admission::grant(&request);
        return next.run(request).await;
    }
    let message = refusal(&trust, request.headers());
    if speaks_grpc(request.headers()) {
        return Status::unauthenticated(message).into_http();
    }
    let refusal = Refusal { error: message };
    let mut response = (StatusCode::UNAUTHORIZED, Json(refusal)).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn refusal(trust: &Trust, headers: &HeaderMap) -> String {
    match trust {
        Trust::Token(token) => {
            let file = token.file().display();
            match shows_token(headers) {
                true => format!(
                    "another token than the one in {file}: processes of its user read it by \
                     themselves, unless DRYSTONE_TOKEN_FILE names another file"
                ),
                false => format!(
                    "no token: the one in {file} is asked for here, which processes of its user \
                     read by themselves, without `--insecure`"
                ),
            }
        }
        Trust::Tls(_) | Trust::Insecure => "not admitted".to_owned(),
    }
}

fn speaks_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}
