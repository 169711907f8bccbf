//! Peers that are slow, silent or many do not keep others waiting.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Keys, SOON, Server, both, rest};
use crate::link::http::Connection;
use crate::listener::MAX_GREETINGS;
use crate::trust::Trust;
use crate::trust::tests::with_token;

/// Waits until the server closes a connection.
async fn closed(stream: &mut TcpStream, within: Duration) {
    let mut rest = Vec::new();
    // How it is closed is all the same.
    let _ = tokio::time::timeout(within, stream.read_to_end(&mut rest)).await.expect("it is kept");
}

async fn each_way(check: impl AsyncFn(&Trust, &Server)) {
    let keys = Keys::of(&["127.0.0.1"]);
    let (tls, token) = (keys.trust("127.0.0.1"), with_token());
    let (one, two) = (Server::start(&tls).await, Server::start(&token).await);
    tokio::join!(check(&tls, &one), check(&token, &two));
}

#[tokio::test]
async fn others_are_served_while_a_peer_says_nothing() {
    each_way(async |trust, server| {
        let mut silent = TcpStream::connect(server.address).await.unwrap();
        let started = Instant::now();
        both(trust, server.address).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(3));
        // And the silent one is not kept for ever.
        closed(&mut silent, Duration::from_secs(15)).await;
        assert!(server.refusal().await.ends_with("not a word within 10 s"));
    })
    .await;
}

#[tokio::test]
async fn others_are_served_while_a_crowd_says_nothing() {
    each_way(async |trust, server| {
        let mut crowd = Vec::new();
        for _ in 0..MAX_GREETINGS + 100 {
            crowd.push(TcpStream::connect(server.address).await.unwrap());
        }
        let started = Instant::now();
        both(trust, server.address).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(3));
        // The oldest of the crowd had to give way.
        closed(&mut crowd[0], Duration::from_secs(3)).await;
    })
    .await;
}

#[tokio::test]
async fn others_are_served_while_a_peer_drips() {
    let keys = Keys::of(&["127.0.0.1"]);
    let trust = keys.trust("127.0.0.1");
    let server = Server::start(&trust).await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let started = Instant::now();
    let drip = async {
        // A record of TLS that never ends.
        let _ = slow.write_all(&[0x16, 3, 1, 0x10, 0]).await;
        while slow.write_all(&[1]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (served, ended) = tokio::join!(
        both(&trust, server.address),
        tokio::time::timeout(Duration::from_secs(15), drip)
    );
    served.unwrap();
    ended.expect("it is kept");
    assert!(started.elapsed() > SOON, "it was not the deadline that ended it");
}

#[tokio::test]
async fn who_is_never_admitted_does_not_keep_its_place() {
    let trust = with_token();
    let server = Server::start(&trust).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let no_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let stranger = |bytes: Vec<u8>| async move {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        closed(&mut stream, Duration::from_secs(15)).await;
    };
    let again = async |connection: &mut Connection| {
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"x"));
        drop(connection.post("/step", body).await.unwrap());
    };
    let admitted = async {
        let address = server.address.to_string();
        let mut connection = Connection::open(&trust, &address).await.unwrap();
        again(&mut connection).await;
        tokio::time::sleep(Duration::from_secs(12)).await;
        again(&mut connection).await;
    };
    tokio::join!(
        stranger(preface[..16].to_vec()),
        stranger([&preface[..], &no_settings].concat()),
        stranger(b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        admitted
    );
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let trust = with_token();
    let server = Server::start_with(&trust, |gate| gate.with_places(2)).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        open.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let waiting = rest(&trust, server.address);
    let free = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        open.pop();
        Instant::now()
    };
    let (served, freed) = tokio::join!(async { (waiting.await, Instant::now()) }, free);
    assert_eq!(served.0.unwrap().body(), "hello");
    assert!(served.1 > freed);
}

/// The files of a process are used up by others' connections: it is well again once they are
/// closed. In a process of its own, since the limit is of processes.
#[tokio::test]
async fn a_lack_of_files_passes() {
    let program = std::env::current_exe().unwrap();
    let limit = "ulimit -n 40; exec \"$0\" --exact --ignored --nocapture tests::crowds::serves";
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", limit])
        .arg(program)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut after = async |text: &str| loop {
        let line = lines.next_line().await.unwrap().expect("it has ended");
        if let Some((_, rest)) = line.split_once(text) {
            break rest.to_owned();
        }
    };
    let address = after("serving at ").await.parse().unwrap();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    let why = tokio::time::timeout(SOON, after("cannot take connections: ")).await.unwrap();
    assert!(why.contains("Too many open files"), "{why}");
    drop(crowd);
    both(&Trust::Insecure, address).await.unwrap();
}

#[tokio::test]
#[ignore = "a_lack_of_files_passes starts it"]
async fn serves() {
    let server = Server::start(&Trust::Insecure).await;
    println!("serving at {}", server.address);
    println!("{}", server.refusal().await);
    tokio::time::sleep(SOON).await;
}

/// axum goes on after peers that come and go at once.
#[tokio::test]
async fn peers_that_leave_at_once_do_no_harm() {
    each_way(async |trust, server| {
        for _ in 0..500 {
            drop(TcpStream::connect(server.address).await.unwrap());
        }
        both(trust, server.address).await.unwrap();
    })
    .await;
}
