//! Who is let in by mutual TLS.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::support::{Keys, SOON, Server, both, grpc, over, rest};
use crate::tls::{Authority, Holder, Host, Identity, Validity};
use crate::trust::Trust;
use crate::trust::tests::with_token;

#[tokio::test]
async fn who_is_of_the_same_authority_gets_in() {
    let keys = Keys::of(&["127.0.0.1", "elsewhere"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    // Of a client's name nothing is asked.
    for name in ["127.0.0.1", "elsewhere", "client"] {
        both(&keys.trust(name), server.address).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_of_another_authority_does_not_get_in() {
    let (keys, others) = (Keys::of(&["127.0.0.1"]), Keys::of(&["127.0.0.1"]));
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    // Here it is the client who finds out.
    let error = both(&others.trust("client"), server.address).await.unwrap_err();
    assert_eq!(error.matches("the other side is of another authority").count(), 2, "{error}");
    assert!(server.refusal().await.contains("UnknownCA"), "{}", server.refusal().await);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_the_server() {
    let (keys, others) = (Keys::of(&["127.0.0.1"]), Keys::of(&["127.0.0.1"]));
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    let mixed = mixed(&keys.dir().join("client"), &others.dir().join("client"));
    let error = both(&Trust::Tls(mixed), server.address).await.unwrap_err();
    assert_eq!(error.matches("does not know the authority").count(), 2, "{error}");
    assert!(server.refusal().await.contains("UnknownIssuer"));
}

/// Believes one authority, and shows a certificate of another: `load` would not take it.
fn mixed(believed: &Path, shown: &Path) -> Identity {
    Identity::unchecked(&believed.join("ca.pem"), shown)
}

#[tokio::test]
async fn who_shows_no_certificate_does_not_get_in() {
    let keys = Keys::of(&["127.0.0.1"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    let ca = std::fs::read(keys.dir().join("ca.pem")).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address)).unwrap();
    let error = over(&endpoint.tls_config(tls).unwrap(), 10).await.unwrap_err();
    assert!(error.contains("the other side asks for a certificate"), "{error}");
    assert!(server.refusal().await.contains("peer sent no certificates"));
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused_by_both_sides() {
    let keys = Keys::of(&["127.0.0.1", "old"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    let name = Host::new("127.0.0.1").unwrap();
    keys.replace("old", &Holder::Host(&name), expired());
    let old = keys.dir().join("old");
    let error = Identity::load(&old).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: expected", old.join("cert.pem").display())), "{error}");
    assert!(error.contains("found one that has expired"), "{error}");

    let old = Trust::Tls(Identity::unchecked(&old.join("ca.pem"), &old));
    let error = both(&old, server.address).await.unwrap_err();
    assert_eq!(error.matches("this certificate has expired").count(), 2, "{error}");
    assert!(server.refusal().await.contains("certificate expired"));
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_while_it_ran_is_refused() {
    let keys = Keys::of(&["127.0.0.1", "other"]);
    let name = Host::new("127.0.0.1").unwrap();
    let now = SystemTime::now();
    let second = Duration::from_secs(1);
    let validity = Validity { from: now - 9 * second, until: now + second };
    keys.replace("127.0.0.1", &Holder::Host(&name), validity);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    tokio::time::sleep(2 * second).await;
    let error = both(&keys.trust("client"), server.address).await.unwrap_err();
    assert_eq!(
        error.matches("the certificate of the other side has expired").count(),
        2,
        "{error}"
    );
}

fn expired() -> Validity {
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    Validity { from: now - 2 * hour, until: now - hour }
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let keys = Keys::of(&["127.0.0.1", "elsewhere", "localhost", "127.0.0.2"]);
    for name in ["elsewhere", "localhost", "127.0.0.2"] {
        let server = Server::start(&keys.trust(name)).await;
        let error = both(&keys.trust("client"), server.address).await.unwrap_err();
        assert_eq!(error.matches("is for another name").count(), 2, "{error}");
        assert!(server.refusal().await.contains("BadCertificate"));
        let error = keys.identity(name).check_name("127.0.0.1").unwrap_err().to_string();
        assert!(error.contains(&format!("a name of the certificate: {name}")), "{error}");
        keys.identity(name).check_name(name).unwrap();
    }
}

#[test]
fn who_has_no_name_of_its_own_takes_one_of_its_certificate() {
    let keys = Keys::of(&["127.0.0.1", "node-1.example.org", "127.0.0.2", "::1"]);
    let name = |of: &str, asked: &str| keys.identity(of).name_or(asked).unwrap();
    for of in ["127.0.0.1", "node-1.example.org", "127.0.0.2"] {
        assert_eq!((&*name(of, of), &*name(of, "127.0.0.3")), (of, of));
    }
    assert_eq!((&*name("--1", "[::1]"), &*name("--1", "0.0.0.0")), ("[::1]", "[::1]"));
    let error = keys.identity("client").name_or("127.0.0.1").unwrap_err().to_string();
    assert!(error.contains("the certificate of a client"), "{error}");
}

#[tokio::test]
async fn a_client_cannot_serve() {
    let keys = Keys::of(&["a"]);
    let error = keys.identity("client").server_config().unwrap_err().to_string();
    assert!(error.contains("cert.pem: expected the certificate of a host"), "{error}");
    assert!(keys.identity("client").check_name("client").is_err());
}

#[tokio::test]
async fn plain_text_to_a_port_with_tls_is_refused() {
    let keys = Keys::of(&["127.0.0.1"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    for trust in [Trust::Insecure, with_token()] {
        grpc(&trust, server.address, 10).await.unwrap_err();
        let answer = rest(&trust, server.address).await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.body(), "there is TLS here, and nothing else\n");
    }
    assert!(server.refusal().await.contains("there is TLS here"));
}

#[tokio::test]
async fn tls_to_a_plain_port_is_refused() {
    let keys = Keys::of(&["127.0.0.1"]);
    for trust in [Trust::Insecure, with_token()] {
        let server = Server::start(&trust).await;
        let error = both(&keys.trust("client"), server.address).await.unwrap_err();
        assert_eq!(error.matches("there is no TLS on the other side").count(), 2, "{error}");
        assert!(server.refusal().await.contains("there is no TLS here"));
    }
}

/// Sends bytes, and waits until the connection is closed.
async fn send(address: std::net::SocketAddr, bytes: &[u8]) {
    let work = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    tokio::time::timeout(SOON, work).await.expect("it is not closed");
}

#[tokio::test]
async fn bytes_that_mean_nothing_end_the_connection() {
    let keys = Keys::of(&["127.0.0.1"]);
    let secure = keys.trust("127.0.0.1");
    for trust in [&secure, &with_token()] {
        let server = Server::start(trust).await;
        // Begins like TLS, with an impossible version; and noise.
        let hello = [&[0x16, 0xff, 0xff, 0xff, 0xff][..], &[7; 4000]].concat();
        let noise: Vec<u8> =
            (0..100_000_u32).map(|x| (x.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        for bytes in [&hello[..], &[0x16], &[0; 100], &noise, b"\r\n\r\n", b"GET"] {
            let whole = async {
                let mut stream = TcpStream::connect(server.address).await.unwrap();
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            };
            tokio::time::timeout(SOON, whole).await.expect("it is not closed");
        }
        both(trust, server.address).await.unwrap();
    }
    let server = Server::start(&secure).await;
    send(server.address, &[&[0x16, 3, 1, 0x40, 0][..], &[7; 0x4000]].concat()).await;
    both(&secure, server.address).await.unwrap();
}

#[tokio::test]
async fn older_versions_of_tls_are_refused() {
    let keys = Keys::of(&["127.0.0.1"]);
    let server = Server::start(&keys.trust("127.0.0.1")).await;
    // A client's hello of TLS 1.2: version, random, no session, one cipher suite, no compression.
    let body = [&[3, 3][..], &[1; 32], &[0], &[0, 2, 0xc0, 0x2b], &[1, 0], &[0, 0]].concat();
    let n = body.len() as u8;
    let hello = [&[0x16, 3, 1, 0, n + 4, 1, 0, 0, n][..], &body].concat();
    send(server.address, &hello).await;
    assert!(server.refusal().await.contains("incompatible"), "{}", server.refusal().await);
}

#[test]
fn files_that_do_not_fit_are_found_out_when_they_are_read() {
    let (keys, others) = (Keys::of(&["a", "b"]), Keys::of(&["a"]));
    let copy = |from: &Keys, path: &str, to: &str| {
        std::fs::copy(from.dir().join(path), keys.dir().join("a").join(to)).unwrap();
    };
    let error_in = |file: &str, expected: &str| {
        let error = Identity::load(&keys.dir().join("a")).unwrap_err();
        assert_eq!(error.location().file, Some(keys.dir().join("a").join(file)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    copy(&keys, "b/key.pem", "key.pem");
    error_in("key.pem", "the key of cert.pem");
    copy(&keys, "b/cert.pem", "cert.pem");
    Identity::load(&keys.dir().join("a")).unwrap();
    copy(&others, "a/ca.pem", "ca.pem");
    error_in("cert.pem", "of the authority in ca.pem");
    copy(&keys, "b/key.pem", "ca.pem");
    error_in("ca.pem", "a certificate in PEM");
    copy(&keys, "ca.pem", "ca.pem");
    copy(&keys, "b/cert.pem", "key.pem");
    error_in("key.pem", "a private key in PEM");
    let key = keys.dir().join("a/key.pem");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    error_in("key.pem", "chmod 600");
    std::fs::remove_file(&key).unwrap();
    error_in("key.pem", "`drystone tls init` made");
    std::fs::remove_file(keys.dir().join("a/ca.pem")).unwrap();
    error_in("ca.pem", "`drystone tls init` made");
}

#[test]
fn a_key_is_not_printed() {
    let keys = Keys::of(&["a"]);
    let text = format!("{:?}", keys.trust("a"));
    assert!(text.starts_with("Tls(Identity { dir: ") && text.len() < 200, "{text}");
}

#[test]
fn two_authorities_have_two_names() {
    let (one, two) = (Authority::make().unwrap(), Authority::make().unwrap());
    assert_ne!(one.cert(), two.cert());
}
