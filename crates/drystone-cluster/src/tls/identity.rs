//! Who a process is: its certificate, its key, and the authority that it believes.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use drystone_core::{Error, Result};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, Error as Tls, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tonic::transport::{Certificate, ClientTlsConfig, Identity as Pair};

use super::host::server_name;
use super::{CA_CERT, CERT, KEY, MAX_FILE, provider};
use crate::private;

/// How long a client waits for the other side to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// A certificate with its key, and the one authority that is believed.
///
/// `Debug` does not print the key.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    ca_pem: Vec<u8>,
    cert_pem: Vec<u8>,
    key_pem: Vec<u8>,
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads `ca.pem`, `cert.pem` and `key.pem` of a directory that [`init`](super::init) made.
    ///
    /// # Errors
    /// [`Io`](drystone_core::ErrorKind::Io) for files that are missing or cannot be read;
    /// [`Format`](drystone_core::ErrorKind::Format) if the key can be read by others, does not
    /// fit the certificate, or the certificate is not of the authority or not valid today. The
    /// location names the file.
    pub fn load(dir: &Path) -> Result<Self> {
        let (ca_file, cert_file, key_file) = (dir.join(CA_CERT), dir.join(CERT), dir.join(KEY));
        let (ca_pem, cert_pem) = (read(&ca_file)?, read(&cert_file)?);
        let key_pem = private::read(&key_file, MAX_FILE)?.ok_or_else(|| missing(&key_file))?;
        let roots = Arc::new(roots(&ca_pem).map_err(|error| error.in_file(&ca_file))?);
        let chain = certificates(&cert_pem).map_err(|error| error.in_file(&cert_file))?;
        let key = PrivateKeyDer::from_pem_slice(&key_pem)
            .map_err(|_| Error::format("a private key in PEM", "something else"))
            .and_then(|key| fitting(&chain, key))
            .map_err(|error| error.in_file(&key_file))?;
        check(&roots, &chain).map_err(|error| error.in_file(&cert_file))?;
        let dir = dir.to_owned();
        Ok(Self(Arc::new(Inner { dir, ca_pem, cert_pem, key_pem, roots, chain, key })))
    }

    /// How to answer connections: TLS 1.3, only to those who have a certificate of our authority;
    /// HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// [`Format`](drystone_core::ErrorKind::Format) for the identity of a client, which cannot
    /// serve.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>> {
        let cert_file = self.0.dir.join(CERT);
        check_server(&self.0.roots, &self.0.chain).map_err(|error| error.in_file(&cert_file))?;
        let unusable = |error| unusable(error).in_file(&cert_file);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_client_cert_verifier(clients(&self.0.roots)?)
            .with_single_cert(self.0.chain.clone(), self.0.key.clone_key())
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// [`server_config`](Self::server_config), as what takes connections.
    ///
    /// # Errors
    /// Those of `server_config`.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor> {
        Ok(TlsAcceptor::from(self.server_config()?))
    }

    /// How to connect by hand: TLS 1.3, HTTP/1.1.
    ///
    /// # Errors
    /// [`Format`](drystone_core::ErrorKind::Format), not after a successful `load`.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_root_certificates(Arc::clone(&self.0.roots))
            .with_client_auth_cert(self.0.chain.clone(), self.0.key.clone_key())
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// How gRPC clients connect: our authority alone is believed, not those of the system. The
    /// name that the certificate must be for is that of the address, or `domain`.
    #[must_use]
    pub(crate) fn client_tls(&self, domain: Option<&str>) -> ClientTlsConfig {
        let config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.0.ca_pem))
            .identity(Pair::from_pem(&self.0.cert_pem, &self.0.key_pem))
            .timeout(HANDSHAKE);
        match domain {
            Some(domain) => config.domain_name(domain),
            None => config,
        }
    }

    /// Checks that this identity can serve under a name: at the start, rather than when others
    /// refuse to connect.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for what is no name, or none of the
    /// certificate's.
    pub fn check_name(&self, host: &str) -> Result<()> {
        if self.is_for(&server_name(host)?)? {
            return Ok(());
        }
        let expected = match self.names()?.as_slice() {
            [] => "that of a host, and this is the certificate of a client: take the directory of \
                   the host"
                .to_owned(),
            names => format!("a name of the certificate: {}", names.join(", ")),
        };
        let error = Error::parameter("host", expected, format!("{host:?}"));
        Err(error.in_file(&self.0.dir.join(CERT)))
    }

    /// What others can call this process by: `asked` if the certificate is for it, or else the
    /// first of its names.
    ///
    /// # Errors
    /// As for [`check_name`](Self::check_name), if it is for none.
    pub fn name_or(&self, asked: &str) -> Result<String> {
        match self.names()?.into_iter().next() {
            Some(first) if !self.is_for(&server_name(asked)?)? => Ok(first),
            _ => self.check_name(asked).map(|()| asked.to_owned()),
        }
    }

    fn is_for(&self, name: &ServerName<'_>) -> Result<bool> {
        Ok(verify_server_name(&leaf(&self.0.chain)?, name).is_ok())
    }

    /// The names in the certificate. There is no other way to them than to ask for one that is
    /// in none.
    fn names(&self) -> Result<Vec<String>> {
        let nobody = server_name("nobody.invalid")?;
        match verify_server_name(&leaf(&self.0.chain)?, &nobody) {
            Err(Tls::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented,
                ..
            })) => {
                let bare = |name: &String| {
                    let inner = name.split_once('(').map_or("", |(_, inner)| inner);
                    let inner = inner.trim_end_matches(')').trim_matches('"');
                    match inner.parse() {
                        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
                        _ => inner.to_owned(),
                    }
                };
                Ok(presented.iter().map(bare).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// One that is believed by nobody: authority and certificate as they are.
    #[cfg(test)]
    pub(crate) fn unchecked(ca_file: &Path, dir: &Path) -> Self {
        let read = |path: &Path| std::fs::read(path).unwrap();
        let ca_pem = read(ca_file);
        let (cert_pem, key_pem) = (read(&dir.join(CERT)), read(&dir.join(KEY)));
        let roots = Arc::new(roots(&ca_pem).unwrap());
        let chain = certificates(&cert_pem).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&key_pem).unwrap();
        let dir = dir.to_owned();
        Self(Arc::new(Inner { dir, ca_pem, cert_pem, key_pem, roots, chain, key }))
    }

    /// The directory that it was read from.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.len() as u64 <= MAX_FILE => Ok(bytes),
        Ok(bytes) => {
            Err(Error::format(format!("at most {MAX_FILE} bytes"), bytes.len()).in_file(path))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing(path)),
        Err(error) => Err(Error::io("cannot read the file", error).in_file(path)),
    }
}

fn missing(path: &Path) -> Error {
    let expected = "a file of a directory that `drystone tls init` made for this host";
    Error::format(expected, "nothing").in_file(path)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::format("a certificate in PEM", "something else")),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for cert in certificates(pem)? {
        roots.add(cert).map_err(unusable)?;
    }
    Ok(roots)
}

/// The key, if it is that of the certificate.
fn fitting(
    chain: &[CertificateDer<'static>],
    key: PrivateKeyDer<'static>,
) -> Result<PrivateKeyDer<'static>> {
    let pair = CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &provider());
    pair.map_err(|error| {
        let expected = "the key of cert.pem beside it: copy all files of a host together";
        Error::format(expected, "another").caused_by(error)
    })?;
    Ok(key)
}

/// Whether others that believe the authority will believe this certificate, as a client's.
fn check(roots: &Arc<RootCertStore>, chain: &[CertificateDer<'_>]) -> Result<()> {
    let Some((leaf, others)) = chain.split_first() else { return Err(no_certificate()) };
    let checked = clients(roots)?.verify_client_cert(leaf, others, UnixTime::now());
    checked.map(|_| ()).map_err(unusable)
}

/// Whether it is one to serve with.
fn check_server(roots: &RootCertStore, chain: &[CertificateDer<'_>]) -> Result<()> {
    let others = chain.get(1..).unwrap_or_default();
    let (now, algorithms) = (UnixTime::now(), provider().signature_verification_algorithms.all);
    verify_server_cert_signed_by_trust_anchor(&leaf(chain)?, roots, others, now, algorithms)
        .map_err(unusable)
}

fn clients(roots: &Arc<RootCertStore>) -> Result<Arc<dyn ClientCertVerifier>> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider());
    verifier.build().map_err(|error| Error::format("an authority", "none").caused_by(error))
}

fn leaf<'a>(chain: &'a [CertificateDer<'_>]) -> Result<ParsedCertificate<'a>> {
    let leaf = chain.first().ok_or_else(no_certificate)?;
    ParsedCertificate::try_from(leaf).map_err(unusable)
}

fn no_certificate() -> Error {
    Error::format("a certificate in PEM", "none")
}

/// Why a certificate is not taken, and what to do about it.
fn unusable(error: rustls::Error) -> Error {
    use CertificateError as C;
    let (expected, found) = match &error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::Expired | C::ExpiredContext { .. } => (
                "a certificate that is valid today: make a new one with `drystone tls init`",
                "one that has expired",
            ),
            C::NotValidYet | C::NotValidYetContext { .. } => (
                "a certificate that is valid today: look at the clock of this machine",
                "one of the future",
            ),
            C::UnknownIssuer | C::BadSignature => (
                "a certificate of the authority in ca.pem beside it: copy all files of a host together",
                "one of another authority",
            ),
            C::InvalidPurpose | C::InvalidPurposeContext { .. } => (
                "the certificate of a host: that of clients cannot serve",
                "one for another purpose",
            ),
            _ => ("a certificate that `drystone tls init` made", "another"),
        },
        _ => ("a certificate that `drystone tls init` made", "another"),
    };
    Error::format(expected, found).caused_by(error)
}
