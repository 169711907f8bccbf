//! Where connections come in: a listener that no single peer can hold up.
//!
//! A peer is greeted in a task of its own, and has to say something, and with TLS who it is,
//! within ten seconds; until then axum does not hear of it. Who may ask for what is not decided
//! here, but by [`guard`](crate::guard).

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use drystone_core::Result;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::greeting::greet;
use crate::refusals::Refusals;
use crate::stream::Stream;
use crate::trust::Trust;

/// Connections that are open at a time; more wait in the system's queue. The engine keeps a few
/// between each two processes, so this is for hundreds of workers.
pub(crate) const MAX_CONNECTIONS: usize = 4096;
/// Peers that have not said yet who they are. When there are more, the oldest of the address
/// that has most of them gives way.
pub(crate) const MAX_GREETINGS: usize = 256;
/// Without files to open for a connection, it is tried again after this.
const PAUSE: Duration = Duration::from_millis(100);
/// A peer whose machine is gone is noticed after two minutes or so, and its place is free again.
const SILENCE: Duration = Duration::from_secs(60);
const PROBE: Duration = Duration::from_secs(20);

/// A listener with TLS where [`Trust`] asks for it.
pub(crate) struct Gate {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    greetings: JoinSet<Option<Greeted>>,
    /// Who is being greeted, the oldest first.
    waiting: VecDeque<(IpAddr, AbortHandle)>,
    refusals: Arc<Refusals>,
}

type Greeted = (Stream, SocketAddr);
type Arrived = (TcpStream, SocketAddr, OwnedSemaphorePermit);

impl Gate {
    /// Takes the connections of a listener; `say` is told why some are refused, at most once a
    /// second.
    ///
    /// # Errors
    /// [`Format`](drystone_core::ErrorKind::Format) for the identity of a client, which cannot
    /// serve.
    pub fn new(
        listener: TcpListener,
        trust: &Trust,
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self> {
        let tls = match trust {
            Trust::Tls(identity) => Some(identity.acceptor()?),
            Trust::Token(_) | Trust::Insecure => None,
        };
        Ok(Self {
            listener,
            tls,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            greetings: JoinSet::new(),
            waiting: VecDeque::new(),
            refusals: Arc::new(Refusals::new(say)),
        })
    }

    /// The same, with fewer places.
    #[cfg(test)]
    pub fn with_places(mut self, n: usize) -> Self {
        self.places = Arc::new(Semaphore::new(n));
        self
    }

    /// Starts to greet a peer.
    fn begin(&mut self, (stream, peer, place): Arrived) {
        self.waiting.retain(|(_, task)| !task.is_finished());
        if self.waiting.len() >= MAX_GREETINGS {
            self.make_room();
        }
        let (tls, refusals) = (self.tls.clone(), Arc::clone(&self.refusals));
        let task = self.greetings.spawn(async move {
            match greet(stream, tls).await {
                Ok(io) => Some((Stream::at(io, place), peer)),
                Err(why) => {
                    refusals.note(peer, &why);
                    None
                }
            }
        });
        self.waiting.push_back((peer.ip(), task));
    }

    /// Who has most peers waiting is most likely who is in the way.
    fn make_room(&mut self) {
        let count = |ip: IpAddr| self.waiting.iter().filter(|(of, _)| *of == ip).count();
        let oldest = (0..self.waiting.len()).rev().max_by_key(|idx| count(self.waiting[*idx].0));
        if let Some((_, task)) = oldest.and_then(|idx| self.waiting.remove(idx)) {
            task.abort();
        }
    }
}

impl axum::serve::Listener for Gate {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Greeted {
        loop {
            tokio::select! {
                Some(done) = self.greetings.join_next() => {
                    if let Ok(Some(greeted)) = done {
                        return greeted;
                    }
                }
                arrived = arrive(&self.listener, &self.places, &self.refusals) => {
                    self.begin(arrived);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The next peer, once there is a place for it. Nothing is lost when this is dropped while it
/// waits.
async fn arrive(listener: &TcpListener, places: &Arc<Semaphore>, refusals: &Refusals) -> Arrived {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // Nobody closes it.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                prepare(&stream);
                return (stream, peer, place);
            }
            Err(error) if of_one_peer(&error) => {}
            Err(error) => {
                refusals.note_all(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Small messages go at once: they would wait 40 ms otherwise. A connection that this cannot be
/// said of is gone already, which reading it will show.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let probes = TcpKeepalive::new().with_time(SILENCE).with_interval(PROBE);
    let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
}

/// Whether an error is of the connection, not of the listener.
fn of_one_peer(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
