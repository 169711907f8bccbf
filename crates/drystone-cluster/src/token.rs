//! The secret that the processes of one user share on one machine, and where it is kept.
//!
//! It keeps other users of the machine out, and web pages that a browser opens to loopback
//! addresses. It travels in the clear, so it is for loopback only: see [`Trust`](crate::Trust).

use std::fmt;
use std::path::{Path, PathBuf};

use drystone_core::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

use crate::private;

/// Names another file than the usual one.
const VARIABLE: &str = "DRYSTONE_TOKEN_FILE";
/// Below the user's home.
const USUAL: &str = ".config/drystone/token";
/// Bytes from the operating system: more than anybody can try.
const RANDOM: usize = 32;
/// A token of one's own making must not be one that can be guessed.
const MIN_LENGTH: usize = 32;
/// Headers have room for it.
const MAX_LENGTH: usize = 128;

/// A secret of 256 random bits, which a file keeps that only its owner can read.
///
/// `Debug` does not print it.
#[derive(Clone)]
pub struct Token {
    text: String,
    file: PathBuf,
}

impl Token {
    /// The token of this user, which is made if there is none yet. Processes that do this at the
    /// same time get the same one.
    ///
    /// # Errors
    /// Those of [`Token::path`], [`Token::load`] and [`Token::create`].
    pub fn of_user() -> Result<Self> {
        Self::find_or_create(&Self::path()?)
    }

    /// Where this user's token is: the file that `DRYSTONE_TOKEN_FILE` names, else
    /// `.config/drystone/token` in the home directory.
    ///
    /// `$XDG_RUNTIME_DIR` has no part in it: it is there in some sessions of a user and not in
    /// others (cron, su, containers), so that two processes would look in two places, and it is
    /// emptied when the user logs out, under a scheduler that goes on.
    ///
    /// # Errors
    /// [`Parameter`](ErrorKind::Parameter) if there is neither a variable nor a home.
    pub fn path() -> Result<PathBuf> {
        Self::path_among(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn path_among(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
        if let Some(path) = variable(VARIABLE) {
            return absolute(path, VARIABLE);
        }
        match variable("HOME") {
            Some(home) => Ok(absolute(home, "HOME")?.join(USUAL)),
            None => {
                let expected = "set where HOME is not, to the file that keeps the token";
                Err(Error::parameter(VARIABLE, expected, "neither"))
            }
        }
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if the file is not there or cannot be read;
    /// [`Format`](ErrorKind::Format) if others can read or write it, it is another user's, no
    /// file, or not of 32 to 128 letters, digits, `-` and `_`.
    pub fn load(path: &Path) -> Result<Self> {
        Self::find(path)?.ok_or_else(|| {
            let action = "there is no token: start a scheduler as the same user first, or name \
                          the token's file in DRYSTONE_TOKEN_FILE";
            Error::from(ErrorKind::Io { action: action.into() }).in_file(path)
        })
    }

    /// Makes a token, in a file of mode 600 and, where they are missing, directories of mode 700.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if there is a file already, or none can be made.
    pub fn create(path: &Path) -> Result<Self> {
        Self::try_create(path)?.ok_or_else(|| {
            let action = "there is a file already; remove it to have a new token made";
            Error::from(ErrorKind::Io { action: action.into() }).in_file(path)
        })
    }

    fn find_or_create(path: &Path) -> Result<Self> {
        if let Some(token) = Self::find(path)? {
            return Ok(token);
        }
        match Self::try_create(path)? {
            Some(token) => Ok(token),
            // Somebody was faster.
            None => Self::load(path),
        }
    }

    fn find(path: &Path) -> Result<Option<Self>> {
        // Room for a line's end, and for one byte that is too many.
        let Some(bytes) = private::read(path, MAX_LENGTH as u64 + 2)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        let found = match text.len() {
            0 => "nothing; remove the file to have a token made".to_owned(),
            n if !(MIN_LENGTH..=MAX_LENGTH).contains(&n) => format!("{n} bytes"),
            _ if !text.bytes().all(of_alphabet) => "other characters".to_owned(),
            _ => return Ok(Some(Self { text: text.to_owned(), file: path.to_owned() })),
        };
        let expected = format!("a token: {MIN_LENGTH} to {MAX_LENGTH} letters, digits, - and _");
        Err(Error::format(expected, found).in_file(path))
    }

    fn try_create(path: &Path) -> Result<Option<Self>> {
        let mut bytes = [0; RANDOM];
        let failed = |error: getrandom::Error| Error::io("cannot get random bytes", error.into());
        getrandom::fill(&mut bytes).map_err(failed)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(dir) = path.parent() {
            private::make_dir(dir)?;
        }
        let made = private::write_new(path, format!("{text}\n").as_bytes())?;
        Ok(made.then(|| Self { text, file: path.to_owned() }))
    }

    /// Whether this is the token that was given. How long it takes says nothing about it.
    #[must_use]
    pub fn matches(&self, given: &[u8]) -> bool {
        self.text.as_bytes().ct_eq(given).into()
    }

    /// The file that it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The secret itself, to be sent.
    pub(crate) fn secret(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("file", &self.file).finish_non_exhaustive()
    }
}

fn of_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Processes in other directories must find the same file.
fn absolute(path: PathBuf, variable: &str) -> Result<PathBuf> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Error::parameter(variable, "an absolute path", format!("{:?}", path.display().to_string())))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    /// What reading a file with these bytes comes to.
    fn load(bytes: &[u8]) -> Result<Token> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        private::write_new(&path, bytes).unwrap();
        Token::load(&path)
    }

    #[test]
    fn a_token_is_made_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config/drystone/token");
        let made = Token::find_or_create(&path).unwrap();
        assert_eq!(made.secret().len(), 64);
        assert_eq!(Token::find_or_create(&path).unwrap().secret(), made.secret());
        assert_eq!(Token::load(&path).unwrap().secret(), made.secret());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        assert!(Token::create(&path).unwrap_err().to_string().contains("already"));
        let other = Token::create(&dir.path().join("other")).unwrap();
        assert_ne!(other.secret(), made.secret());
    }

    #[test]
    fn who_comes_at_the_same_time_gets_the_same_token() {
        for _ in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("drystone/token");
            let start = std::sync::Barrier::new(8);
            let mut all: Vec<String> = std::thread::scope(|scope| {
                let one = || {
                    start.wait();
                    Token::find_or_create(&path).unwrap().secret().to_owned()
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            all.dedup();
            assert_eq!(all.len(), 1);
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = "0123456789abcdefABCDEF-_0123456789".as_bytes();
        let ended = |end: &[u8]| [good, end].concat();
        for fine in [good, &ended(b"\n"), &ended(b"\r\n"), &[b'a'; 32], &[b'a'; 128]] {
            load(fine).unwrap();
        }
        let long = [b'a'; 129];
        let cases: [(&[u8], &str); 8] = [
            (b"", "found nothing; remove the file"),
            (b"\n", "found nothing; remove the file"),
            (b"short", "found 5 bytes"),
            (&long, "found 129 bytes"),
            (&[b'a'; 10_000], "at most 130 bytes"),
            (&ended(b" "), "other characters"),
            (&ended(b"\nmore"), "other characters"),
            (&ended(&[0xff]), "other characters"),
        ];
        for (bytes, expected) in cases {
            let error = load(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_neither_taken_nor_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        Token::create(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = Token::find_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn only_the_token_itself_matches() {
        let token = load(&[b'a'; 40]).unwrap();
        assert!(token.matches(&[b'a'; 40]));
        for other in [&[b'a'; 39][..], &[b'a'; 41], b"", &[b'b'; 40]] {
            assert!(!token.matches(other));
        }
    }

    #[test]
    fn it_is_not_printed() {
        let token = load(&[b'a'; 40]).unwrap();
        assert!(!format!("{token:?}").contains("aaaa"));
    }

    #[test]
    fn the_file_is_where_the_environment_says() {
        let among = |all: &[(&str, &str)]| {
            let find = |name: &str| all.iter().find(|(key, _)| *key == name);
            Token::path_among(|name| find(name).map(|(_, value)| PathBuf::from(value)))
        };
        let usual = Path::new("/home/a/.config/drystone/token");
        assert_eq!(among(&[("HOME", "/home/a")]).unwrap(), usual);
        assert_eq!(among(&[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/1")]).unwrap(), usual);
        let named = [("HOME", "/home/a"), ("DRYSTONE_TOKEN_FILE", "/x/y")];
        assert_eq!(among(&named).unwrap(), Path::new("/x/y"));
        for bad in [&[][..], &[("HOME", "")], &[("DRYSTONE_TOKEN_FILE", "x")]] {
            assert!(matches!(among(bad).unwrap_err().kind(), ErrorKind::Parameter { .. }));
        }
    }

    #[test]
    fn a_missing_token_says_what_to_do() {
        let error = Token::load(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/token: there is no token: start a scheduler"));
    }
}
