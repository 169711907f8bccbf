//! The directory that a worker's results are in. It goes with the worker; after one that was
//! killed, the next one that starts clears up.

use std::fs::{self, File, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use drystone_core::{Error, Result};
use tempfile::TempDir;

const PREFIX: &str = "drystone-worker-";
/// A file in it that its worker holds a lock on for as long as it lives.
const LOCK: &str = "lock";

/// A directory that only this user can enter.
pub(super) struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one in the system's directory for temporary files, and removes those of this user
    /// whose workers are gone.
    ///
    /// # Errors
    /// [`Io`](drystone_core::ErrorKind::Io) when it cannot be made.
    pub fn new() -> Result<Self> {
        let temp = std::env::temp_dir();
        sweep(&temp);
        let failed = |error| Error::io("cannot make a directory for results", error);
        Self::new_in(&temp).map_err(|error| failed(error).in_file(&temp))
    }

    fn new_in(temp: &Path) -> std::io::Result<Self> {
        let private = Permissions::from_mode(0o700);
        let directory =
            tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir_in(temp)?;
        // It gets its name once it is locked: nobody ever sees it there without its owner.
        let new = directory.path().join("new");
        let lock = File::create(&new)?;
        lock.lock()?;
        fs::rename(new, directory.path().join(LOCK))?;
        Ok(Self { directory, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes what workers of this user have left. What cannot be removed stays: that is no reason
/// not to start.
fn sweep(temp: &Path) {
    let Ok(entries) = fs::read_dir(temp) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && fs::symlink_metadata(entry.path()).is_ok_and(|found| is_private(&found));
        if is_ours && is_left(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether it is a directory in which nobody else can have put anything.
fn is_private(found: &Metadata) -> bool {
    let user = rustix::process::geteuid().as_raw();
    found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0
}

/// Whether the worker of a directory has ended: nobody holds its lock.
fn is_left(directory: &Path) -> bool {
    File::open(directory.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_dead_workers_left_is_removed_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        let alive = Scratch::new_in(temp.path()).unwrap();
        let Scratch { directory, _lock } = Scratch::new_in(temp.path()).unwrap();
        let dead = directory.keep();
        drop(_lock);
        fs::create_dir(dead.join("job")).unwrap();
        let others = ["drystone-worker-open", "drystone-worker-new", "else"];
        for other in others {
            fs::create_dir(at(other)).unwrap();
            fs::set_permissions(at(other), Permissions::from_mode(0o700)).unwrap();
        }
        for locked in ["drystone-worker-open", "else"] {
            File::create(at(locked).join(LOCK)).unwrap();
        }
        fs::set_permissions(at("drystone-worker-open"), Permissions::from_mode(0o777)).unwrap();
        symlink(at("else"), at("drystone-worker-link")).unwrap();
        sweep(temp.path());
        assert!(!dead.exists() && alive.path().exists());
        assert!(others.iter().all(|other| at(other).exists()));
        assert!(at("else").join(LOCK).exists());
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists());
    }
}
