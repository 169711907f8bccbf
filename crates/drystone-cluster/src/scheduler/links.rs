//! The requests that workers and drivers keep open.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ballista_core::BALLISTA_PROTOCOL_VERSION;
use ballista_core::serde::protobuf::executor_resource::Resource;
use ballista_core::serde::protobuf::executor_status::Status as Activity;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc;
use ballista_core::serde::protobuf::{
    ExecutorOperatingSystemSpecification, ExecutorRegistration, ExecutorResource,
    ExecutorSpecification, ExecutorStatus, ExecutorStoppedParams, HeartBeatParams,
};
use drystone_core::Result;
use tonic::Request;

use super::board::Board;
use super::{SchedulerOptions, Server};
use crate::link::http::split_address;
use crate::link::lines::{Lines, Pen, written};
use crate::link::{
    DRIVER_PATH, FromDriver, FromWorker, MAX_NAME, Refusal, STATE_PATH, ToDriver, ToWorker,
    WORKER_PATH, WorkerHello, misfit,
};
use crate::serve::Say;
use crate::trust::Trust;

/// How long a peer may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);
/// A driver that is silent for so long is gone: it beats each second.
const DRIVER_SILENCE: Duration = Duration::from_secs(8);
/// How often the scheduler says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// Most slots of a worker.
const MAX_SLOTS: usize = 4096;
/// Tasks that wait at a worker for each one that runs: all of a step, and of steps of a few
/// drivers. Sending for each one when another has ended would cost some milliseconds every time.
const TASKS_PER_SLOT: usize = 16;

/// Answers workers and drivers.
#[derive(Clone)]
pub(super) struct Links(Arc<Inner>);

struct Inner {
    board: Arc<Board>,
    server: Server,
    worker_timeout: Duration,
    trust: Trust,
    say: Say,
}

impl Links {
    pub fn new(board: &Arc<Board>, server: &Server, options: &SchedulerOptions, say: &Say) -> Self {
        let (board, server, say) = (Arc::clone(board), server.clone(), Arc::clone(say));
        let SchedulerOptions { worker_timeout, trust, .. } = options.clone();
        Self(Arc::new(Inner { board, server, worker_timeout, trust, say }))
    }

    pub fn routes(&self) -> Router {
        Router::new()
            .route(WORKER_PATH, post(worker))
            .route(DRIVER_PATH, post(driver))
            .route(STATE_PATH, get(state))
            .with_state(self.clone())
    }
}

async fn state(State(links): State<Links>) -> Response {
    Json(links.0.board.state()).into_response()
}

fn refuse(status: StatusCode, error: String) -> Response {
    (status, Json(Refusal { error })).into_response()
}

async fn worker(State(links): State<Links>, body: Body) -> Response {
    let mut lines = Lines::new(body);
    let hello = match lines.next(HELLO).await {
        Ok(Some(FromWorker::Hello(hello))) => hello,
        Ok(_) => return refuse(StatusCode::BAD_REQUEST, "the first line is no hello".into()),
        Err(error) => return refuse(StatusCode::BAD_REQUEST, error.to_string()),
    };
    if let Some(why) = misfit("worker", &hello.version) {
        return refuse(StatusCode::UPGRADE_REQUIRED, why);
    }
    if let Err(why) = check(&hello, &links.0.trust) {
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let (mut pen, answer) = written();
    if let Err(why) = links.0.board.join(hello.clone(), pen.clone()) {
        return refuse(StatusCode::CONFLICT, why);
    }
    // From here on the worker is there, and has to be taken away again.
    if links.beat(&hello).await.is_err() {
        links.0.board.lost(&hello.name);
        // No more than that: what is there is not the worker's to know.
        let why = format!("nobody can be reached at {}:{}", hello.host, hello.port);
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let timeout_ms = links.0.worker_timeout.as_millis() as u64;
    pen.write(&ToWorker::Welcome { timeout_ms });
    let WorkerHello { name, host, port, slots, .. } = &hello;
    (links.0.say)(&format!("worker {name} is here: {slots} slots at {host}:{port}"));
    tokio::spawn(async move { links.keep_worker(hello, lines, pen).await });
    Body::new(answer).into_response()
}

/// Whether the engine can take the worker: it trusts what it is told.
fn check(hello: &WorkerHello, trust: &Trust) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if hello.name.is_empty() || hello.name.len() > MAX_NAME || !hello.name.chars().all(fits) {
        return Err("its name has to be of letters, digits, and - _ . only".to_owned());
    }
    if !(1..=MAX_SLOTS).contains(&hello.slots) {
        return Err(format!("it has {} slots, not 1 to {MAX_SLOTS}", hello.slots));
    }
    let host = hello.host.trim_start_matches('[').trim_end_matches(']');
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let address = format!("{}:{}", hello.host, hello.port);
    if host.is_empty() || host.len() > 255 || !host.chars().all(fits) || hello.port == 0 {
        return Err("it has no address".to_owned());
    }
    let checked = split_address(&address).and_then(|_| trust.check_host("host", &hello.host));
    checked.map_err(|error| error.to_string())
}

impl Links {
    /// Listens to a worker until it is gone.
    async fn keep_worker(&self, hello: WorkerHello, mut lines: Lines<Body>, mut pen: Pen) {
        let (board, name) = (&self.0.board, hello.name.as_str());
        let beats = beat(pen.clone(), || ToWorker::Beat);
        let why = tokio::select! {
            why = self.listen(&hello, &mut lines) => why,
            () = beats => "it reads nothing".to_owned(),
        };
        board.lost(name);
        (self.0.say)(&format!("worker {name} is gone: {why}"));
        pen.write(&ToWorker::Bye);
        let reason = "it is gone".to_owned();
        let stopped = ExecutorStoppedParams { executor_id: hello.name, reason };
        // It fails only when the engine has ended.
        let _ = SchedulerGrpc::executor_stopped(&self.0.server, Request::new(stopped)).await;
    }

    /// Takes in what a worker says, until it says no more; why that is.
    async fn listen(&self, hello: &WorkerHello, lines: &mut Lines<Body>) -> String {
        let (board, name) = (&self.0.board, hello.name.as_str());
        loop {
            match lines.next(self.0.worker_timeout).await {
                Ok(Some(FromWorker::Report(report))) => board.report(name, report),
                Ok(Some(FromWorker::Leaving)) => board.leaving(name),
                Ok(Some(FromWorker::Hello(_))) => return "it said hello twice".to_owned(),
                Ok(None) => return "it closed the connection".to_owned(),
                Err(error) => return error.to_string(),
            }
            if let Err(error) = self.beat(hello).await {
                return error;
            }
            if board.may_go(name) {
                return "it has left".to_owned();
            }
        }
    }

    /// Tells the engine that a worker lives; it is registered if it was not, or not any more.
    async fn beat(&self, hello: &WorkerHello) -> Result<(), String> {
        let beat = HeartBeatParams {
            executor_id: hello.name.clone(),
            metrics: Vec::new(),
            status: Some(ExecutorStatus { status: Some(Activity::Active(String::new())) }),
            metadata: Some(registration(hello)),
        };
        let told = SchedulerGrpc::heart_beat_from_executor(&self.0.server, Request::new(beat));
        match tokio::time::timeout(HELLO, told).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) => Err(status.message().to_owned()),
            Err(_) => Err("no answer".to_owned()),
        }
    }
}

pub(super) fn registration(hello: &WorkerHello) -> ExecutorRegistration {
    let slots = Resource::Vcores((hello.slots * TASKS_PER_SLOT) as u32);
    ExecutorRegistration {
        id: hello.name.clone(),
        host: Some(hello.host.clone()),
        port: u32::from(hello.port),
        grpc_port: u32::from(hello.port),
        specification: Some(ExecutorSpecification {
            resources: vec![ExecutorResource { resource: Some(slots) }],
        }),
        os_info: Some(ExecutorOperatingSystemSpecification::default()),
        ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
    }
}

/// Says that the scheduler lives, until nobody reads it.
async fn beat<T: serde::Serialize>(mut pen: Pen, line: impl Fn() -> T) {
    while pen.write(&line()) {
        tokio::time::sleep(BEAT).await;
    }
}

async fn driver(State(links): State<Links>, body: Body) -> Response {
    let mut lines = Lines::new(body);
    let (version, name) = match lines.next(HELLO).await {
        Ok(Some(FromDriver::Hello { version, name })) => (version, name),
        Ok(_) => return refuse(StatusCode::BAD_REQUEST, "the first line is no hello".into()),
        Err(error) => return refuse(StatusCode::BAD_REQUEST, error.to_string()),
    };
    if let Some(why) = misfit("driver", &version) {
        return refuse(StatusCode::UPGRADE_REQUIRED, why);
    }
    let (mut pen, answer) = written();
    pen.write(&ToDriver::Welcome);
    let number = links.0.board.driver(name.chars().take(MAX_NAME).collect(), pen.clone());
    tokio::spawn(async move { links.keep_driver(number, lines, pen).await });
    Body::new(answer).into_response()
}

impl Links {
    /// Listens to a driver until it is gone.
    async fn keep_driver(&self, number: u64, mut lines: Lines<Body>, pen: Pen) {
        let board = &self.0.board;
        let listening = async {
            while let Ok(Some(line)) = lines.next(DRIVER_SILENCE).await {
                match line {
                    FromDriver::Session { session, what } => board.news(number, session, what),
                    FromDriver::Beat => {}
                    FromDriver::Hello { .. } | FromDriver::Bye => break,
                }
            }
        };
        let line = || {
            let (slots, busy) = board.slots();
            ToDriver::Beat { slots, busy }
        };
        tokio::select! {
            () = listening => {}
            () = beat(pen, line) => {}
        }
        board.driver_gone(number);
    }
}
