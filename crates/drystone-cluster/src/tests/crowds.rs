//! Peers that are slow, silent or many do not keep others waiting.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Keys, SOON, Server, both};
use crate::listener::MAX_GREETINGS;
use crate::trust::Trust;
use crate::trust::tests::with_token;

async fn each_way(check: impl AsyncFn(&Trust, &Server)) {
    let keys = Keys::of(&["127.0.0.1"]);
    for trust in [keys.trust("127.0.0.1"), with_token()] {
        check(&trust, &Server::start(&trust).await).await;
    }
}

#[tokio::test]
async fn others_are_served_while_a_peer_says_nothing() {
    each_way(async |trust, server| {
        let mut silent = TcpStream::connect(server.address).await.unwrap();
        let started = Instant::now();
        both(trust, server.address).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(3));
        // And the silent one is not kept for ever.
        let closed = silent.read(&mut [0]);
        let closed = tokio::time::timeout(Duration::from_secs(15), closed).await;
        assert_eq!(closed.expect("it is kept").unwrap_or(0), 0);
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
        let first = crowd[0].read(&mut [0]);
        let first = tokio::time::timeout(Duration::from_secs(3), first).await;
        assert_eq!(first.expect("it is kept").unwrap_or(0), 0);
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
