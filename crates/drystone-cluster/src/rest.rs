//! What a scheduler says of itself: small JSON documents over HTTP.

use std::time::Duration;

use drystone_core::{Error, ErrorKind, Result};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest document that is read.
const MAX_BYTES: usize = 16 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker as its scheduler knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// Its name, which no other worker has.
    pub name: String,
    /// Its host.
    pub host: String,
    /// The port that it serves partials on.
    pub port: u16,
    /// Tasks that it runs at a time.
    pub slots: usize,
}

/// The workers that a scheduler knows, by name.
///
/// # Errors
/// [`Worker`](ErrorKind::Worker) when there is no answer within five seconds, or one that no
/// scheduler gives.
pub(crate) async fn workers(scheduler: &str) -> Result<Vec<WorkerInfo>> {
    let document = get(scheduler, "/api/executors").await?;
    let all = document.as_array().ok_or_else(|| unexpected(scheduler))?;
    let mut workers = Vec::with_capacity(all.len());
    for worker in all {
        workers.push(info(worker).ok_or_else(|| unexpected(scheduler))?);
    }
    workers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(workers)
}

fn info(worker: &Value) -> Option<WorkerInfo> {
    Some(WorkerInfo {
        name: worker["id"].as_str()?.to_owned(),
        host: worker["host"].as_str()?.to_owned(),
        port: u16::try_from(worker["port"].as_u64()?).ok()?,
        slots: usize::try_from(worker["specification"]["vcores"].as_u64()?).ok()?,
    })
}

async fn get(scheduler: &str, path: &str) -> Result<Value> {
    let answer = tokio::time::timeout(PATIENCE, request(scheduler, path)).await;
    let bytes = answer.map_err(|_| failed(scheduler, "it does not answer"))??;
    serde_json::from_slice(&bytes).map_err(|_| unexpected(scheduler))
}

async fn request(scheduler: &str, path: &str) -> Result<Bytes> {
    let address = format!("http://{scheduler}{path}").parse().map_err(|_| {
        Error::parameter("scheduler", "an address, as in 127.0.0.1:8786", scheduler)
    })?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let gone = |error| failed(scheduler, "it cannot be reached").caused_by(error);
    let answer = client.get(address).await.map_err(gone)?;
    if !answer.status().is_success() {
        return Err(unexpected(scheduler));
    }
    let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
    body.map(|body| body.to_bytes()).map_err(|_| unexpected(scheduler))
}

fn failed(scheduler: &str, what: &str) -> Error {
    ErrorKind::Worker { found: format!("the scheduler at {scheduler}: {what}") }.into()
}

fn unexpected(scheduler: &str) -> Error {
    failed(scheduler, "it does not answer as a scheduler of drystone")
}
