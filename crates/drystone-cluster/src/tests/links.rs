//! What a scheduler does with peers that are not what they should be. The engine's calls are
//! among them: whoever is admitted may still send anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::Ticket;
use arrow_flight::flight_service_client::FlightServiceClient;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::executor_grpc_client::ExecutorGrpcClient;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    ExecuteQueryParams, HeartBeatParams, LaunchMultiTaskParams, MultiTaskDefinition,
    PollWorkParams, RegisterExecutorParams, RemoveJobDataParams, TaskId,
};
use ballista_core::serde::scheduler::{Action as Fetch, ShuffleFileKind, ShuffleLayout};
use drystone_core::ErrorKind;
use hyper::body::Incoming;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::link::http::Connection;
use crate::link::lines::{Lines, Pen, written};
use crate::link::{DRIVER_PATH, FromDriver, FromWorker, ToWorker, WORKER_PATH, WorkerHello};
use crate::serve::{Stop, Stopper};
use crate::{Scheduler, SchedulerOptions, Trust, WorkerOptions, run_worker, state};

const PATIENCE: Duration = Duration::from_secs(20);

/// A scheduler in this process, which believes everybody.
async fn scheduler() -> (SocketAddr, Stopper) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = SchedulerOptions::new(Trust::Insecure);
    (options.bind, options.dashboard) = (any, any);
    options.worker_timeout = Duration::from_secs(2);
    let scheduler = Scheduler::bind(options, Arc::new(|_| {})).await.unwrap();
    let address = scheduler.address();
    let (stopper, stop) = Stop::new();
    tokio::spawn(scheduler.serve(stop));
    (address, stopper)
}

/// A port where connections are taken and nothing is said: where a worker could be.
async fn somewhere() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok(connection) = listener.accept().await {
            taken.push(connection);
        }
    });
    port
}

fn hello(port: u16) -> WorkerHello {
    WorkerHello {
        version: crate::link::VERSION.to_owned(),
        name: "w".to_owned(),
        host: "127.0.0.1".to_owned(),
        port,
        slots: 1,
        memory_budget: 1 << 20,
        pid: 1,
    }
}

async fn join(
    address: SocketAddr,
    hello: WorkerHello,
) -> drystone_core::Result<(Pen, Lines<Incoming>)> {
    let mut connection = Connection::open(&Trust::Insecure, &address.to_string()).await?;
    let (mut pen, body) = written();
    pen.write(&FromWorker::Hello(hello));
    let mut lines = Lines::new(connection.post(WORKER_PATH, body).await?);
    match lines.next(PATIENCE).await? {
        Some(ToWorker::Welcome { .. }) => Ok((pen, lines)),
        other => panic!("{other:?}"),
    }
}

async fn n_workers(address: SocketAddr) -> usize {
    state(&address.to_string(), &Trust::Insecure).await.unwrap().workers.len()
}

#[tokio::test]
async fn peers_of_another_version_hear_both() {
    let (address, _stopper) = scheduler().await;
    let old = WorkerHello { version: "0.0.9".to_owned(), ..hello(somewhere().await) };
    let error = join(address, old).await.err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Format { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("\"0.0.9\"") && text.contains(crate::link::VERSION), "{text}");
    let mut connection = Connection::open(&Trust::Insecure, &address.to_string()).await.unwrap();
    let (mut pen, body) = written();
    pen.write(&FromDriver::Hello { version: "9".to_owned(), name: "d".to_owned() });
    let text = connection.post(DRIVER_PATH, body).await.unwrap_err().to_string();
    assert!(text.contains("\"9\"") && text.contains(crate::link::VERSION), "{text}");
    assert_eq!(n_workers(address).await, 0);
}

#[tokio::test]
async fn workers_that_cannot_be_are_refused() {
    let (address, _stopper) = scheduler().await;
    let good = hello(somewhere().await);
    let name = |name: &str| WorkerHello { name: name.to_owned(), ..good.clone() };
    let host = |host: &str| WorkerHello { host: host.to_owned(), ..good.clone() };
    let slots = |slots| WorkerHello { slots, ..good.clone() };
    let cases = [
        name(""),
        name("a b"),
        name("../x"),
        name(&"n".repeat(300)),
        host(""),
        host("127.0.0.1/x"),
        host("user@127.0.0.1"),
        host(&"h".repeat(300)),
        slots(0),
        slots(usize::MAX),
        WorkerHello { port: 0, ..good.clone() },
        // Nobody listens there.
        WorkerHello { port: 1, ..good.clone() },
    ];
    for case in cases {
        let shown = format!("{case:?}");
        assert!(join(address, case).await.is_err(), "{shown}");
        assert_eq!(n_workers(address).await, 0, "{shown}");
    }
    let _one = join(address, good.clone()).await.unwrap();
    let text = join(address, good).await.err().unwrap().to_string();
    assert!(text.contains("there is a worker \"w\" already"), "{text}");
    assert_eq!(n_workers(address).await, 1);
}

#[tokio::test]
async fn a_worker_is_gone_when_its_connection_is_or_it_is_silent() {
    let (address, _stopper) = scheduler().await;
    let (pen, lines) = join(address, hello(somewhere().await)).await.unwrap();
    assert_eq!(n_workers(address).await, 1);
    drop((pen, lines));
    wait_for_none(address, Duration::from_secs(1)).await;
    let _silent = join(address, hello(somewhere().await)).await.unwrap();
    wait_for_none(address, Duration::from_secs(10)).await;
}

async fn wait_for_none(address: SocketAddr, at_most: Duration) {
    let started = tokio::time::Instant::now();
    while n_workers(address).await > 0 {
        assert!(started.elapsed() < at_most, "it is there after {at_most:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn lines_that_are_none() {
    let (address, _stopper) = scheduler().await;
    for path in [WORKER_PATH, DRIVER_PATH] {
        for line in ["", "{", "null", "{\"Hello\":{}}", "\"Leaving\"", "[[[[[[[[[[[[[[[["] {
            let mut connection =
                Connection::open(&Trust::Insecure, &address.to_string()).await.unwrap();
            let body = http_body_util::Full::new(bytes::Bytes::from(format!("{line}\n")));
            assert!(connection.post(path, body).await.is_err(), "{line}");
        }
        // A line without an end, of a body that never ends.
        let mut connection =
            Connection::open(&Trust::Insecure, &address.to_string()).await.unwrap();
        let endless = futures::stream::repeat_with(|| {
            Ok::<_, std::convert::Infallible>(hyper::body::Frame::data(bytes::Bytes::from_static(
                &[b'x'; 4096],
            )))
        });
        assert!(connection.post(path, http_body_util::StreamBody::new(endless)).await.is_err());
    }
    assert_eq!(n_workers(address).await, 0);
}

#[tokio::test]
async fn bytes_that_are_no_requests() {
    let (address, _stopper) = scheduler().await;
    let mut state_of = 0x9e37_79b9_u32;
    for round in 0..40 {
        let mut peer = tokio::net::TcpStream::connect(address).await.unwrap();
        let bytes: Vec<u8> = (0..round * 97)
            .map(|_| {
                state_of = state_of.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state_of >> 24) as u8
            })
            .collect();
        // Some speak HTTP/2 first.
        let preface: &[u8] = if round % 2 == 0 { b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" } else { b"" };
        let _ = peer.write_all(&[preface, &bytes].concat()).await;
        let _ = peer.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, peer.read_to_end(&mut answer)).await.unwrap();
    }
    assert_eq!(n_workers(address).await, 0);
}

#[tokio::test]
async fn a_scheduler_runs_steps_and_nothing_else() {
    let (address, _stopper) = scheduler().await;
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut engine = SchedulerGrpcClient::new(endpoint.connect().await.unwrap());
    let queries = [
        None,
        Some(Query::LogicalPlan(vec![1, 2, 3])),
        Some(Query::SubstraitPlan(Vec::new())),
        Some(Query::PhysicalPlan(Vec::new())),
        Some(Query::PhysicalPlan(vec![255; 100])),
    ];
    for query in queries {
        let shown = format!("{query:?}");
        let params = ExecuteQueryParams { query, ..Default::default() };
        let status = engine.execute_query_push(params.clone()).await.err().unwrap();
        assert_eq!(status.code(), Code::Unimplemented, "{shown}");
        assert_eq!(engine.execute_query(params).await.unwrap_err().code(), Code::Unimplemented);
    }
    let registered = engine.register_executor(RegisterExecutorParams::default()).await;
    let polled = engine.poll_work(PollWorkParams::default()).await;
    let beaten = engine.heart_beat_from_executor(HeartBeatParams::default()).await;
    assert_eq!(registered.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(polled.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(beaten.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_worker_runs_steps_and_serves_results_and_nothing_else() {
    let (address, _stopper) = scheduler().await;
    let options = WorkerOptions::new(address.to_string(), Trust::Insecure);
    let (_worker, stop) = Stop::new();
    tokio::spawn(run_worker(drystone_core::Registry::new(), options, stop, Arc::new(|_| {})));
    while n_workers(address).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let workers = state(&address.to_string(), &Trust::Insecure).await.unwrap().workers;
    let uri = format!("http://127.0.0.1:{}", workers[0].port);
    let channel = Endpoint::from_shared(uri).unwrap().connect().await.unwrap();
    let mut tasks = ExecutorGrpcClient::new(channel.clone());
    for (job_id, plan) in [
        ("job", vec![]),
        ("job", vec![255; 64]),
        ("../job", vec![]),
        ("/etc", vec![]),
        ("", vec![]),
    ] {
        let stage = MultiTaskDefinition {
            job_id: job_id.to_owned(),
            plan: plan.clone(),
            task_ids: vec![TaskId::default()],
            ..Default::default()
        };
        let params = LaunchMultiTaskParams {
            multi_tasks: vec![stage],
            scheduler_endpoint: "10.0.0.1:1".to_owned(),
        };
        let answer = tasks.launch_multi_task(params).await.unwrap().into_inner();
        assert_eq!(answer.failed_jobs, [job_id], "{plan:?}");
        let remove = RemoveJobDataParams { job_id: job_id.to_owned(), ..Default::default() };
        let removed = tasks.remove_job_data(remove).await;
        assert_eq!(removed.is_ok(), job_id == "job", "{job_id}");
    }
    let mut results = FlightServiceClient::new(channel);
    for job_id in ["../..", "/etc", "a/b", "job\0", ""] {
        let fetch = Fetch::FetchPartition {
            job_id: job_id.into(),
            stage_id: 1,
            partition_id: 0,
            host: String::new(),
            port: 1,
            file_id: None,
            layout: ShuffleLayout::Passthrough,
            file_kind: ShuffleFileKind::Data,
            byte_ranges: Vec::new(),
        };
        let fetch: ballista_core::serde::protobuf::Action = fetch.try_into().unwrap();
        let status = results.do_get(Ticket { ticket: fetch.encode_to_vec().into() }).await;
        assert_eq!(status.err().unwrap().code(), Code::InvalidArgument, "{job_id}");
    }
    let status = results.do_get(Ticket { ticket: vec![255; 30].into() }).await.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(results.list_flights(arrow_flight::Criteria::default()).await.is_err());
    // It is as good as before.
    assert_eq!(n_workers(address).await, 1);
}
