//! A relay that hands on bytes after a while, as a network of some length would: for machines
//! whose kernel cannot delay packets by itself.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use drystone_core::{Error, Result};

#[derive(Args, Debug)]
pub struct Relay {
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
    /// Where it hands on to
    #[arg(long)]
    to: SocketAddr,
    /// Milliseconds that bytes are under way, each way
    #[arg(long, default_value_t = 1.0)]
    delay_ms: f64,
}

impl Relay {
    /// Relays until the process ends.
    pub fn run(&self) -> Result<()> {
        let failed = |error| Error::io(&format!("cannot listen on {}", self.listen), error);
        let listener = TcpListener::bind(self.listen).map_err(failed)?;
        println!("relay at {}", self.listen);
        let (to, delay) = (self.to, Duration::from_secs_f64(self.delay_ms / 1e3));
        for near in listener.incoming().flatten() {
            thread::spawn(move || {
                // Who cannot be reached is seen as a connection that closes.
                if let Ok(far) = TcpStream::connect(to) {
                    let _ = both_ways(near, far, delay);
                }
            });
        }
        Ok(())
    }
}

fn both_ways(near: TcpStream, far: TcpStream, delay: Duration) -> std::io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_too, far_too) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || one_way(far_too, near_too, delay));
    one_way(near, far, delay);
    Ok(())
}

/// Hands on what comes, each piece when its time has come.
fn one_way(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (send, pieces) = channel();
    let writer = thread::spawn(move || write(pieces, to));
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if send.send((Instant::now() + delay, buffer[..n].to_vec())).is_err() {
            break;
        }
    }
    drop(send);
    let _ = writer.join();
}

fn write(pieces: Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (at, piece) in pieces {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
