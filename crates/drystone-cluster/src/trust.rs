//! Whom the processes of a cluster believe, and how each shows the others who it is.

use std::net::SocketAddr;

use drystone_core::{Error, ErrorKind, Result};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};

use crate::owner::is_strangers;
use crate::tls::Identity;
use crate::token::Token;

/// Before the token in a user agent: clients of the engine can send no other header.
const AGENT: &str = "drystone/1";

/// Whom a process believes. All processes of a cluster are started with the same.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Who has read this user's token. It travels in the clear, so on this machine only.
    Token(Token),
    /// Who has a certificate of the same authority; names are checked, and all is encrypted.
    Tls(Identity),
    /// Everybody, unencrypted: who connects can run any job and read any file that workers can.
    Insecure,
}

impl Trust {
    /// Checks that it is enough for listening on an address.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for a token and an address that other
    /// machines reach.
    pub fn check_bind(&self, bind: SocketAddr) -> Result<()> {
        match self {
            Self::Token(_) if !bind.ip().to_canonical().is_loopback() => {
                let expected = "an address of this machine alone, as 127.0.0.1, unless there is \
                                TLS (see `drystone tls init`) or all are believed (`--insecure`)";
                Err(Error::parameter("bind", expected, bind))
            }
            _ => Ok(()),
        }
    }

    /// Checks that it may be shown to a host, the value of a `parameter`: a token that leaves the
    /// machine is none.
    ///
    /// # Errors
    /// [`Parameter`](drystone_core::ErrorKind::Parameter) for a token and a host that is not
    /// `localhost` or a loopback address.
    pub(crate) fn check_host(&self, parameter: &str, host: &str) -> Result<()> {
        match self {
            Self::Token(_) if !is_loopback(host) => {
                let expected = "an address of this machine, as 127.0.0.1, unless there is TLS \
                                (see `drystone tls init`) or all are believed (`--insecure`)";
                Err(Error::parameter(parameter, expected, format!("{host:?}")))
            }
            _ => Ok(()),
        }
    }

    /// What the processes of one user on one machine believe: who has read the user's token.
    ///
    /// # Errors
    /// As for [`Token::of_user`].
    pub fn of_user() -> Result<Self> {
        Token::of_user().map(Self::Token)
    }

    /// What processes that believe the same are started with, after other words of a command.
    #[must_use]
    pub fn flag(&self) -> &'static str {
        match self {
            Self::Token(_) => "",
            Self::Tls(_) => " --tls DIR",
            Self::Insecure => " --insecure",
        }
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Checks that it may be shown to whoever listens on a port of this machine.
    ///
    /// # Errors
    /// [`Worker`](drystone_core::ErrorKind::Worker) for a token and a process of another user.
    pub(crate) fn check_listener(&self, port: u16) -> Result<()> {
        match self {
            Self::Token(_) if is_strangers(port) => {
                let found = format!("port {port} is another user's, who must not see the token");
                Err(ErrorKind::Worker { found }.into())
            }
            _ => Ok(()),
        }
    }

    /// The scheme of addresses.
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Tls(_) => "https",
            Self::Token(_) | Self::Insecure => "http",
        }
    }

    /// Whether a request with these headers is to be answered. With TLS the connection is what
    /// is believed, and there is none without a certificate.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Token(token) => given(headers).is_some_and(|given| token.matches(given)),
            Self::Tls(_) | Self::Insecure => true,
        }
    }

    /// Adds to a request's headers what shows who it is from.
    pub(crate) fn show(&self, headers: &mut HeaderMap) {
        if let Self::Token(token) = self
            && let Some(value) = secret(&format!("Bearer {}", token.secret()))
        {
            headers.insert(AUTHORIZATION, value);
        }
    }

    /// The user agent that shows who requests are from, if there is one.
    pub(crate) fn agent(&self) -> Option<HeaderValue> {
        match self {
            Self::Token(token) => secret(&format!("{AGENT} {}", token.secret())),
            Self::Tls(_) | Self::Insecure => None,
        }
    }
}

/// A value that is not printed and not kept in tables of compression. Tokens have no characters
/// that a header cannot have.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether a request shows a token, whichever.
pub(crate) fn shows_token(headers: &HeaderMap) -> bool {
    given(headers).is_some()
}

/// The token that a request shows.
fn given(headers: &HeaderMap) -> Option<&[u8]> {
    match headers.get(AUTHORIZATION) {
        Some(value) => bearer(value.as_bytes()),
        None => headers.get(USER_AGENT).and_then(|value| of_agent(value.as_bytes())),
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// What follows our name: libraries put theirs before and after it.
fn of_agent(value: &[u8]) -> Option<&[u8]> {
    let mut words = value.split(|byte| *byte == b' ');
    words.find(|word| *word == AGENT.as_bytes())?;
    words.next()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn with_token() -> Trust {
        let dir = tempfile::tempdir().unwrap();
        Trust::Token(Token::create(&dir.path().join("token")).unwrap())
    }

    fn secret_of(trust: &Trust) -> String {
        let Trust::Token(token) = trust else { panic!("no token") };
        token.secret().to_owned()
    }

    fn headers(all: &[(http::HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_is_shown_is_admitted() {
        let trust = with_token();
        let mut shown = HeaderMap::new();
        trust.show(&mut shown);
        assert!(trust.admits(&shown));
        let agent = trust.agent().unwrap();
        assert!(agent.is_sensitive() && shown[AUTHORIZATION].is_sensitive());
        let agent = agent.to_str().unwrap().to_owned();
        for agent in [agent.clone(), format!("{agent} tonic/0.14"), format!("x/1 {agent} y/2")] {
            assert!(trust.admits(&headers(&[(USER_AGENT, &agent)])), "{agent}");
        }
        let bearer = format!("bearer {}", secret_of(&trust));
        assert!(trust.admits(&headers(&[(AUTHORIZATION, &bearer)])));
    }

    #[test]
    fn what_is_not_the_token_is_not_admitted() {
        let trust = with_token();
        let secret = secret_of(&trust);
        let (half, other) = (&secret[..32], secret_of(&with_token()));
        let cases = [
            headers(&[]),
            headers(&[(AUTHORIZATION, &secret)]),
            headers(&[(AUTHORIZATION, "")]),
            headers(&[(AUTHORIZATION, "Bearer ")]),
            headers(&[(AUTHORIZATION, &format!("Bearer {half}"))]),
            headers(&[(AUTHORIZATION, &format!("Bearer {other}"))]),
            headers(&[(AUTHORIZATION, &format!("Bearer {secret}0"))]),
            headers(&[(AUTHORIZATION, &format!("Basic {secret}"))]),
            headers(&[(USER_AGENT, &secret)]),
            headers(&[(USER_AGENT, AGENT)]),
            headers(&[(USER_AGENT, &format!("{AGENT} {other}"))]),
            headers(&[(USER_AGENT, &format!("drystone/2 {secret}"))]),
            // One guess a request.
            headers(&[(USER_AGENT, &format!("{AGENT} {other} {AGENT} {secret}"))]),
            headers(&[(AUTHORIZATION, "Bearer x"), (USER_AGENT, &format!("{AGENT} {secret}"))]),
        ];
        for headers in cases {
            assert!(!trust.admits(&headers), "{headers:?}");
        }
        assert!(Trust::Insecure.admits(&HeaderMap::new()));
    }

    #[test]
    fn a_token_stays_on_the_machine() {
        let trust = with_token();
        for here in ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"] {
            trust.check_host("host", here).unwrap();
        }
        for there in ["10.0.0.1", "0.0.0.0", "::", "a", "localhost.example.org", "", "1270.0.0.1"] {
            trust.check_host("host", there).unwrap_err();
            Trust::Insecure.check_host("host", there).unwrap();
        }
        for there in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1"] {
            trust.check_bind(there.parse().unwrap()).unwrap_err();
            Trust::Insecure.check_bind(there.parse().unwrap()).unwrap();
        }
        for here in ["127.0.0.1:1", "[::1]:1"] {
            trust.check_bind(here.parse().unwrap()).unwrap();
        }
    }
}
