//! Lines of JSON in the body of a request or an answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use drystone_core::{Error, ErrorKind, Result};
use futures::StreamExt;
use futures::channel::mpsc::{Receiver, Sender, channel};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line that is read: names, a few numbers, an error.
const MAX_LINE: usize = 256 << 10;
/// Lines that wait to be sent; a peer that leaves more of them is given up.
const MAX_WAITING: usize = 4096;

/// Reads lines from a body.
pub(crate) struct Lines<B> {
    body: B,
    buffer: BytesMut,
}

impl<B: Body<Data = Bytes> + Unpin> Lines<B>
where
    B::Error: std::error::Error + Send + Sync + 'static,
{
    pub fn new(body: B) -> Self {
        Self { body, buffer: BytesMut::new() }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Worker`] when nothing comes for so long, or the connection fails;
    /// [`ErrorKind::Limit`] and [`ErrorKind::Format`] for what is no such line.
    pub async fn next<T: DeserializeOwned>(&mut self, patience: Duration) -> Result<Option<T>> {
        match tokio::time::timeout(patience, self.line()).await {
            Ok(Ok(Some(line))) => {
                let value = serde_json::from_slice(&line);
                let line = value.map_err(|error| Error::format("a line of drystone", error))?;
                Ok(Some(line))
            }
            Ok(Ok(None)) => Ok(None),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let found = format!("not a word for {:.1} s", patience.as_secs_f64());
                Err(ErrorKind::Worker { found }.into())
            }
        }
    }

    async fn line(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return Ok(Some(line.freeze().slice(..end)));
            }
            if self.buffer.len() > MAX_LINE {
                let what = "a line".to_owned();
                let (limit, found) = (MAX_LINE as u64, self.buffer.len() as u64);
                return Err(ErrorKind::Limit { what, limit, found }.into());
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => {
                    let found = "the connection was lost".to_owned();
                    return Err(Error::from(ErrorKind::Worker { found }).caused_by(error));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// Sends lines; clones send to the same body.
#[derive(Clone)]
pub(crate) struct Pen(Sender<Bytes>);

impl Pen {
    /// Whether the line will be sent: false when the peer is gone or reads nothing.
    pub fn write(&mut self, line: &impl Serialize) -> bool {
        let Ok(mut line) = serde_json::to_vec(line) else { return false };
        line.push(b'\n');
        self.0.try_send(line.into()).is_ok()
    }
}

/// A body that is written with a pen. It ends when all pens are gone.
pub(crate) fn written() -> (Pen, impl Body<Data = Bytes, Error = std::convert::Infallible> + Send) {
    let (pen, lines): (_, Receiver<Bytes>) = channel(MAX_WAITING);
    (Pen(pen), StreamBody::new(lines.map(|line| Ok(Frame::data(line)))))
}
