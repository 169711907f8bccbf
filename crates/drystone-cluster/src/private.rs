//! Files that only their owner can read: made so, and refused if they are not.
//!
//! What is checked is the file that was opened, not its path, so that nothing can be put in its
//! place between the look and the reading. Links are followed: what counts is where they end.

use std::fs::{DirBuilder, File, Metadata};
use std::io::{ErrorKind as Io, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use drystone_core::{Error, Result};
use rustix::fs::{Mode, OFlags};

/// Reading and writing by the group and by others.
const OF_OTHERS: u32 = 0o077;

/// The bytes of a private file of this user, or `None` if there is no file.
///
/// # Errors
/// [`Format`](drystone_core::ErrorKind::Format) if others can read or write it, it is another
/// user's, no file at all, or longer than `max`; [`Io`](drystone_core::ErrorKind::Io).
pub(crate) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    // Without NONBLOCK a pipe in the place of the file would hold the process up.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) if error == rustix::io::Errno::NOENT => return Ok(None),
        Err(error) => return Err(Error::io("cannot open the file", error.into()).in_file(path)),
    };
    let failed = |error| Error::io("cannot read the file", error).in_file(path);
    check(path, &file.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(Error::format(format!("at most {max} bytes"), "more").in_file(path));
    }
    Ok(Some(bytes))
}

/// Whether only this user can read and write a file.
fn check(path: &Path, found: &Metadata) -> Result<()> {
    let wrong = |expected: &str, found: String| Err(Error::format(expected, found).in_file(path));
    let user = rustix::process::geteuid().as_raw();
    if !found.is_file() {
        return wrong("a file", "something else".into());
    }
    if found.uid() != user {
        let who = format!("one of user {}, while this process is of user {user}", found.uid());
        return wrong("a file of the user's own", who);
    }
    let mode = found.mode() & 0o7777;
    if mode & OF_OTHERS != 0 {
        let to_do = format!("mode {mode:03o}: run `chmod 600 {}`", path.display());
        return wrong("a file that only its owner can read and write", to_do);
    }
    Ok(())
}

/// Makes a file of mode 600, all of it at once, unless there is one: then `false`.
///
/// # Errors
/// [`Io`](drystone_core::ErrorKind::Io).
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    let failed = |error| Error::io("cannot make the file", error).in_file(path);
    // Written under another name first: nobody ever sees half of it. A temporary file is made
    // with O_EXCL and mode 600, and takes its name only if nobody has it.
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == Io::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error.error)),
    }
}

/// Makes a directory of mode 700, and those above it, where there is none.
///
/// # Errors
/// [`Io`](drystone_core::ErrorKind::Io).
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Error::io("cannot make the directory", error).in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_can_be_read_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/secret");
        make_dir(path.parent().unwrap()).unwrap();
        assert!(write_new(&path, b"one").unwrap());
        assert!(!write_new(&path, b"two").unwrap());
        assert_eq!(read(&path, 10).unwrap().unwrap(), b"one");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        for above in ["a", "a/b"] {
            assert_eq!(dir.path().join(above).metadata().unwrap().mode() & 0o777, 0o700);
        }
        // Nothing is left of the temporary files.
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_others_can_read_or_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        write_new(&path, b"one").unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610] {
            set_mode(&path, mode);
            let error = read(&path, 10).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:03o}: run `chmod 600 ")), "{error}");
        }
        set_mode(&path, 0o400);
        assert!(read(&path, 10).unwrap().is_some());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(&dir.path().join("none"), 10).unwrap().is_none());
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status();
        assert!(made.unwrap().success());
        for odd in [dir.path(), Path::new("/dev/null"), &pipe] {
            let error = read(odd, 10).unwrap_err().to_string();
            assert!(error.contains("expected a file, found something else"), "{error}");
        }
    }

    #[test]
    fn a_link_counts_as_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("secret"), dir.path().join("link"));
        write_new(&path, b"one").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 10).unwrap().unwrap(), b"one");
        set_mode(&path, 0o644);
        assert!(read(&link, 10).unwrap_err().to_string().contains("mode 644"));
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        write_new(&path, &[b'a'; 11]).unwrap();
        assert!(read(&path, 10).unwrap_err().to_string().contains("at most 10 bytes"));
        assert!(read(&path, 11).unwrap().is_some());
    }
}
