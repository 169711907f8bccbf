//! The files of an authority and of the hosts that it vouches for.
//!
//! ```text
//! DIR/ca.key                          signs; stays here
//! DIR/ca.pem                          is believed
//! DIR/HOST/{ca,cert,key}.pem          one of each host: scheduler, workers
//! DIR/client/{ca,cert,key}.pem        drivers: only connects, cannot serve
//! ```

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use drystone_core::{Error, ErrorKind, Result};

use super::authority::{Authority, Holder, Signed, Validity};
use super::host::Host;
use super::{CA_CERT, CA_KEY, CERT, Identity, KEY, MAX_FILE};
use crate::private;

/// The directory of those who only connect.
pub const CLIENT: &str = "client";

/// Makes the keys of hosts, and where they are missing the authority that signs them and the
/// keys of clients. Gives the directories that were made, each to be copied to its host.
///
/// The certificate of a host is for the name given and no other: who connects to `localhost` or
/// `127.0.0.1` needs a certificate with that name, so a host that is known by several names has
/// a directory for each. The authority holds for ten years, certificates for two. Hosts can be
/// added later; nothing that is there is written again.
///
/// # Errors
/// [`Parameter`](ErrorKind::Parameter) for no hosts and for what is no host name or address;
/// [`Io`](ErrorKind::Io) if there are keys of a host already (then nothing is made), or files
/// cannot be read or made; [`Format`](ErrorKind::Format) if the authority's key can be read by
/// others, or its certificate is of another key.
pub fn init(dir: &Path, hosts: &[String]) -> Result<Vec<PathBuf>> {
    let hosts = distinct(hosts)?;
    for host in &hosts {
        refuse_existing(&dir.join(host.dir()))?;
    }
    private::make_dir(dir)?;
    let authority = authority(dir)?;
    let mut made = Vec::with_capacity(hosts.len() + 1);
    for host in &hosts {
        made.push(write(dir, &host.dir(), &authority, &Holder::Host(host))?);
    }
    if !dir.join(CLIENT).exists() {
        made.push(write(dir, CLIENT, &authority, &Holder::Client)?);
    }
    Ok(made)
}

fn distinct(names: &[String]) -> Result<Vec<Host>> {
    let mut hosts = Vec::with_capacity(names.len());
    for name in names {
        let host = Host::new(name)?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        return Err(Error::parameter("hosts", "one host or more", "none"));
    }
    Ok(hosts)
}

fn refuse_existing(path: &Path) -> Result<()> {
    // Also of a link that leads nowhere.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let action = "it is there already; remove it to have new keys made";
    Err(Error::from(ErrorKind::Io { action: action.into() }).in_file(path))
}

/// The authority of a directory.
fn authority(dir: &Path) -> Result<Authority> {
    let (key_file, cert_file) = (dir.join(CA_KEY), dir.join(CA_CERT));
    let Some(key) = private::read(&key_file, MAX_FILE)? else { return new_authority(dir) };
    let cert = std::fs::read_to_string(&cert_file);
    let cert =
        cert.map_err(|error| Error::io("cannot read the file", error).in_file(&cert_file))?;
    Authority::of_files(&String::from_utf8_lossy(&key), cert)
        .map_err(|error| error.in_file(&key_file))
}

fn new_authority(dir: &Path) -> Result<Authority> {
    refuse_existing(&dir.join(CA_CERT))?;
    let authority = Authority::make()?;
    write_new(&dir.join(CA_KEY), &authority.key())?;
    write_new(&dir.join(CA_CERT), authority.cert())?;
    Ok(authority)
}

/// Makes a directory of keys. It gets its name when all of it is there and has been read again.
fn write(dir: &Path, name: &str, authority: &Authority, holder: &Holder<'_>) -> Result<PathBuf> {
    let Signed { cert, key } = authority.sign(holder, Validity::of_host())?;
    let path = dir.join(name);
    let failed = |error| Error::io("cannot make the directory", error).in_file(&path);
    let new = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(dir)
        .map_err(failed)?;
    write_new(&new.path().join(CA_CERT), authority.cert())?;
    write_new(&new.path().join(CERT), &cert)?;
    write_new(&new.path().join(KEY), &key)?;
    Identity::load(new.path()).map_err(|error| {
        Error::format("the certificate of ca.key", "another")
            .in_file(&dir.join(CA_CERT))
            .caused_by(error)
    })?;
    std::fs::rename(new.path(), &path).map_err(failed)?;
    // It has another name now, and there is nothing to remove.
    let _gone = new.keep();
    Ok(path)
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    if private::write_new(path, text.as_bytes())? { Ok(()) } else { refuse_existing(path) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn init_in(dir: &Path, hosts: &[&str]) -> Result<Vec<PathBuf>> {
        init(dir, &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>())
    }

    fn names(dir: &Path) -> Vec<String> {
        let all = dir.read_dir().unwrap();
        let mut all: Vec<_> =
            all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    #[test]
    fn each_host_gets_keys_that_only_their_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("tls");
        let made = init_in(&dir, &["a", "127.0.0.1", "A"]).unwrap();
        assert_eq!(made, ["a", "127.0.0.1", CLIENT].map(|name| dir.join(name)));
        assert_eq!(names(&dir), ["127.0.0.1", "a", "ca.key", "ca.pem", "client"]);
        for path in made {
            // Not the authority's key.
            assert_eq!(names(&path), ["ca.pem", "cert.pem", "key.pem"]);
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
            assert_eq!(path.join("key.pem").metadata().unwrap().mode() & 0o777, 0o600);
            Identity::load(&path).unwrap();
        }
        assert_eq!(dir.join("ca.key").metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn hosts_are_added_under_the_same_authority() {
        let dir = tempfile::tempdir().unwrap();
        init_in(dir.path(), &["a"]).unwrap();
        let before = std::fs::read(dir.path().join("client/key.pem")).unwrap();
        assert_eq!(init_in(dir.path(), &["b"]).unwrap(), [dir.path().join("b")]);
        assert_eq!(std::fs::read(dir.path().join("client/key.pem")).unwrap(), before);
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        assert_eq!(read("a/ca.pem"), read("b/ca.pem"));
    }

    #[test]
    fn keys_are_never_written_again() {
        let dir = tempfile::tempdir().unwrap();
        init_in(dir.path(), &["a"]).unwrap();
        let before = std::fs::read(dir.path().join("a/key.pem")).unwrap();
        let error = init_in(dir.path(), &["c", "a"]).unwrap_err().to_string();
        let expected = format!("{}: it is there already", dir.path().join("a").display());
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(std::fs::read(dir.path().join("a/key.pem")).unwrap(), before);
        assert_eq!(names(dir.path()), ["a", "ca.key", "ca.pem", "client"]);
    }

    #[test]
    fn an_authority_in_parts_is_found_out() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        init_in(one.path(), &["a"]).unwrap();
        init_in(two.path(), &["a"]).unwrap();
        std::fs::copy(two.path().join(CA_CERT), one.path().join(CA_CERT)).unwrap();
        let error = init_in(one.path(), &["b"]).unwrap_err().to_string();
        assert!(error.contains("ca.pem: expected the certificate of ca.key"), "{error}");
        std::fs::remove_file(one.path().join(CA_CERT)).unwrap();
        let error = init_in(one.path(), &["b"]).unwrap_err().to_string();
        assert!(error.contains("ca.pem: cannot read the file"), "{error}");
        std::fs::remove_file(two.path().join(CA_KEY)).unwrap();
        let error = init_in(two.path(), &["b"]).unwrap_err().to_string();
        assert!(error.contains("ca.pem: it is there already"), "{error}");
        for dir in [one.path(), two.path()] {
            assert!(!names(dir).iter().any(|name| name == "b" || name.starts_with('.')));
        }
    }

    #[test]
    fn the_key_of_an_authority_must_be_private() {
        let dir = tempfile::tempdir().unwrap();
        init_in(dir.path(), &["a"]).unwrap();
        let key = dir.path().join(CA_KEY);
        std::fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
        let error = init_in(dir.path(), &["b"]).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn nothing_is_made_of_names_that_are_none() {
        let dir = tempfile::tempdir().unwrap();
        for bad in [&[][..], &["../a"], &["a", ""]] {
            assert!(init_in(&dir.path().join("tls"), bad).is_err());
        }
        assert!(names(dir.path()).is_empty());
    }
}
