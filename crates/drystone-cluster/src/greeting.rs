//! The first words with a peer: who it is, if there is TLS, or that it speaks the wrong language.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::stream::Io;

/// How long a peer may take to say who it is. Those of a cluster take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long, and how many bytes of it, a peer that is refused is listened to: a socket that is
/// closed while there is something to read takes what was sent to the peer with it.
const FAREWELL: Duration = Duration::from_secs(1);
const LAST_WORDS: u64 = 64 << 10;
/// What HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Between two looks whether there is more of it.
const LOOK: Duration = Duration::from_millis(20);
/// What TLS begins with, and HTTP does not.
const TLS_RECORD: u8 = 0x16;

/// Greets a peer: gives the connection once the peer has said something, and with TLS has shown
/// a certificate that is believed; or else why not.
pub(crate) async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>) -> Result<Io, String> {
    match timeout(PATIENCE, hear(stream, tls)).await {
        Ok(done) => done,
        Err(_) => Err(format!("not a word within {} s", PATIENCE.as_secs())),
    }
}

async fn hear(stream: TcpStream, tls: Option<TlsAcceptor>) -> Result<Io, String> {
    let mut first = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) => return Err("it went without a word".into()),
            // Half of this says nothing: what comes after it would be waited for without end.
            Ok(n) if n < PREFACE.len() && first[..n] == PREFACE[..n] => {
                tokio::time::sleep(LOOK).await
            }
            Ok(_) => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    match (tls, first[0] == TLS_RECORD) {
        (None, false) => Ok(Io::Plain(stream)),
        (Some(tls), true) => handshake(stream, &tls).await,
        (None, true) => Err(refuse(stream, "there is no TLS here").await),
        (Some(_), false) => Err(refuse(stream, "there is TLS here, and nothing else").await),
    }
}

async fn handshake(stream: TcpStream, tls: &TlsAcceptor) -> Result<Io, String> {
    match tls.accept(stream).into_fallible().await {
        Ok(stream) => Ok(Io::Tls(Box::new(TlsStream::Server(stream)))),
        Err((error, stream)) => {
            // The alert that says why is on its way.
            part(stream).await;
            Err(error.to_string())
        }
    }
}

/// Says why, in words that people see who use curl or a browser. Clients of TLS see that it is
/// none of theirs.
async fn refuse(mut stream: TcpStream, why: &str) -> String {
    let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain";
    let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{why}\n", why.len() + 1);
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        part(stream).await;
    }
    why.to_owned()
}

/// Lets what was sent arrive. That the peer is gone already is all the same.
async fn part(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown().await?;
        let mut rest = stream.take(LAST_WORDS);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
        Ok::<(), io::Error>(())
    };
    let _ = timeout(FAREWELL, rest).await;
}
