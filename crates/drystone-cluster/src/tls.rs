//! Mutual TLS between the processes of a cluster: an authority of its own, keys of each host,
//! and nobody else believed.
//!
//! [`init`] makes the files, [`Identity`] reads them and is what connections are made with.
//! There is no revocation: to shut a host out, make a new authority and new keys of the others.

mod authority;
mod hint;
mod host;
mod identity;
mod init;

pub(crate) use hint::hint;
pub(crate) use host::server_name;
pub use identity::Identity;
pub use init::{CLIENT, init};

#[cfg(test)]
pub(crate) use authority::{Authority, Holder, Validity};
#[cfg(test)]
pub(crate) use host::Host;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The certificate of the authority, which every process has.
const CA_CERT: &str = "ca.pem";
/// The key of the authority, which stays where it was made.
const CA_KEY: &str = "ca.key";
/// The certificate of a host or client.
const CERT: &str = "cert.pem";
/// Its key.
const KEY: &str = "key.pem";
/// More than any of these files has.
const MAX_FILE: u64 = 64 << 10;

/// The one implementation of cryptography in the tree, which also the engine's clients use.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
