//! The name of a host as it stands in a certificate, and as the name of a directory.

use std::net::IpAddr;

use drystone_core::{Error, Result};
use rustls::pki_types::{DnsName, ServerName};

use super::init::CLIENT;

/// A host name or an IP address, written in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host(String);

impl Host {
    /// Takes names as they come from a command line: in any case, addresses in any notation.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for what is neither a host name nor an
    /// IP address.
    pub fn new(text: &str) -> Result<Self> {
        let wrong = |expected: &str| Err(Error::parameter("hosts", expected, format!("{text:?}")));
        if let Ok(address) = text.parse::<IpAddr>() {
            if address.is_unspecified() {
                return wrong("an address that others connect to");
            }
            return Ok(Self(address.to_string()));
        }
        let name = text.to_ascii_lowercase();
        // Which also means: no separators of paths, no `..`, at most 253 characters.
        if DnsName::try_from(name.as_str()).is_err() || name.ends_with('.') {
            return wrong("host names and IP addresses, as in node-1.example.org,10.0.0.2");
        }
        if name == CLIENT {
            return wrong("another name: the directory of this name is that of clients");
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A directory's name. Colons would be taken for a host by `scp` and `rsync`.
    pub fn dir(&self) -> String {
        self.0.replace(':', "-")
    }
}

/// Checks a name that connections go to.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned());
    name.map_err(|_| Error::parameter("host", "a host name or an IP address", format!("{host:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_one_way() {
        let cases = [
            ("a", "a", "a"),
            ("Node-1.Example.ORG", "node-1.example.org", "node-1.example.org"),
            ("worker_1", "worker_1", "worker_1"),
            ("localhost", "localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
            ("::1", "::1", "--1"),
            ("2001:DB8:0::7", "2001:db8::7", "2001-db8--7"),
        ];
        for (text, name, dir) in cases {
            let host = Host::new(text).unwrap();
            assert_eq!((host.as_str(), host.dir().as_str()), (name, dir));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a.".repeat(130) + "a";
        let label = "a".repeat(64);
        let bad = [
            "",
            " ",
            ".",
            "..",
            "a/b",
            "../a",
            "/etc",
            "a\\b",
            "a b",
            "a.",
            ".a",
            "a..b",
            "*",
            "*.a",
            "-a",
            "a\0",
            "a\n",
            "ä",
            "1.2.3",
            "1.2.3.4.5",
            "a:1",
            "[::1]",
            "0.0.0.0",
            "::",
            "client",
            "CLIENT",
            &long,
            &label,
        ];
        for text in bad {
            let error = Host::new(text).unwrap_err().to_string();
            assert!(error.starts_with("parameter `hosts` must be"), "{text:?}: {error}");
        }
    }
}
