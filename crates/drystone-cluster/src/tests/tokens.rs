//! Who is let in by a token.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;

use super::support::{Keys, Server, both, grpc, rest};
use crate::endpoint::secured;
use crate::trust::Trust;
use crate::trust::tests::with_token;

#[tokio::test]
async fn who_has_the_token_gets_in() {
    let trust = with_token();
    let server = Server::start(&trust).await;
    both(&trust, server.address).await.unwrap();
    let open = Server::start(&Trust::Insecure).await;
    both(&Trust::Insecure, open.address).await.unwrap();
    // A token too many does no harm.
    both(&trust, open.address).await.unwrap();
}

#[tokio::test]
async fn who_has_not_is_told_where_it_is() {
    let trust = with_token();
    let Trust::Token(token) = &trust else { panic!() };
    let server = Server::start(&trust).await;
    for stranger in [with_token(), Trust::Insecure] {
        // As much as fills all windows: the answer comes though nobody reads it.
        let (headers, body) = grpc(&stranger, server.address, 40 << 20).await.unwrap();
        assert_eq!(headers["grpc-status"], "16");
        let message = headers["grpc-message"].to_str().unwrap();
        let why =
            if matches!(stranger, Trust::Token(_)) { "another%20token" } else { "no%20token" };
        assert!(message.starts_with(why), "{message}");
        assert_eq!(body, "");
        let answer = rest(&stranger, server.address).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
            (401, &"Bearer".parse().unwrap())
        );
        let file = token.file().display().to_string();
        assert!(answer.body().contains(&file) && !answer.body().contains(token.secret()));
    }
}

/// A browser shows pages of others, and asks for whatever these want.
#[tokio::test]
async fn pages_of_browsers_are_refused_even_where_all_are_believed() {
    let server = Server::start(&Trust::Insecure).await;
    for header in ["origin: http://evil.example", "sec-fetch-site: cross-site", "x-other: x"] {
        let mut peer = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let request =
            format!("GET /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n");
        peer.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        let status = if header.starts_with("x-") { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
        assert!(answer.starts_with(status), "{header}: {answer}");
    }
}

#[tokio::test]
async fn who_has_no_tls_is_told_that_the_other_side_may() {
    let keys = Keys::of(&["127.0.0.1"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    let address = server.address.to_string();
    for trust in [with_token(), Trust::Insecure] {
        let error = crate::state(&address, &trust).await.unwrap_err().to_string();
        assert!(error.contains("if it was started with --tls, use that here too"), "{error}");
    }
}

#[tokio::test]
async fn a_token_is_not_sent_to_other_machines() {
    for address in ["http://10.0.0.1:1", "http://example.org:1"] {
        let endpoint = Endpoint::from_static(address);
        let error = secured(&with_token())(endpoint).unwrap_err().to_string();
        assert!(error.contains("an address of this machine"), "{error}");
    }
    let error = crate::dial::dial(&with_token(), "10.0.0.1", 1).await.err().unwrap().to_string();
    assert!(error.contains("`scheduler` must be an address of this machine"), "{error}");
}

/// The kernel accepts for a process that stands still.
#[tokio::test]
async fn a_process_that_stands_still_is_noticed() {
    let keys = Keys::of(&["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let notice = async |trust: Trust| {
        let started = Instant::now();
        grpc(&trust, address, 10).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(7), "{trust:?}");
    };
    let (token, tls) = (with_token(), keys.trust("client"));
    tokio::join!(notice(Trust::Insecure), notice(token), notice(tls));
}

#[tokio::test]
async fn an_endpoint_becomes_one_of_tls() {
    let keys = Keys::of(&["127.0.0.1"]);
    let second = Duration::from_secs(1);
    for before in ["http://127.0.0.1:7", "https://127.0.0.1:7", "http://127.0.0.1:7/"] {
        let endpoint = Endpoint::from_static(before).tcp_keepalive(Some(9 * second));
        let endpoint = secured(&keys.trust("client"))(endpoint).unwrap();
        assert_eq!(endpoint.uri(), "https://127.0.0.1:7/");
        assert_eq!(endpoint.get_tcp_keepalive(), Some(9 * second));
        assert_eq!(endpoint.get_connect_timeout(), Some(3 * second));
        assert!(endpoint.get_tcp_nodelay());
    }
    let plain = secured(&Trust::Insecure)(Endpoint::from_static("http://10.0.0.1:7")).unwrap();
    assert_eq!(plain.uri(), "http://10.0.0.1:7/");
}
