//! Which files a process opens on behalf of others.
//!
//! A description that comes over a network names files, and whoever sent it must not choose
//! among all that this process can read. What is meant here is which file is *opened*: where
//! a path leads is found out by the system, symbolic links included, and asked again of the
//! file that is open. It is no protection from who can write in the directory and makes a hard
//! link there, mounts something, or moves files into it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// The files that a registered source may open: by default all of them.
///
/// A source asks [`admit`](Self::admit) when it is made from a description, keeps a clone, and
/// opens its files with [`open`](Self::open), also when it reads a block: a symbolic link may
/// have been changed meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataRoot(Files);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Files {
    #[default]
    All,
    None,
    Inside(Arc<Root>),
}

/// A directory, as it was named and as it is really called.
#[derive(Debug, PartialEq, Eq)]
struct Root {
    named: PathBuf,
    real: PathBuf,
}

impl DataRoot {
    /// No files at all.
    #[must_use]
    pub fn none() -> Self {
        Self(Files::None)
    }

    /// The files in a directory, at any depth.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] when it is not a directory, or not there.
    pub fn directory(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let refused = || Error::parameter("data_root", "a directory that is there", Shown(path));
        let found = std::path::absolute(path).and_then(|named| Ok((named, path.canonicalize()?)));
        let (named, real) = found.map_err(|error| refused().caused_by(error))?;
        if real.is_dir() {
            Ok(Self(Files::Inside(Arc::new(Root { named, real }))))
        } else {
            Err(refused())
        }
    }

    /// Whether a source may open this file. Where all files may be opened, nothing is asked of
    /// the system.
    ///
    /// # Errors
    /// [`ErrorKind::OutsideDataRoot`] for a path that is not absolute, or leads out of the
    /// directory by `..` or symbolic links; [`ErrorKind::Io`] for a file in it that is not
    /// there; [`ErrorKind::Format`] for what is no regular file. All name the file.
    pub fn admit(&self, path: &Path) -> Result<()> {
        self.real_path(path).map(drop)
    }

    /// Opens a regular file for reading, if a source may. A named pipe is an error at once,
    /// not when somebody writes to it.
    ///
    /// On Linux it is the open file that is found to be in the directory, whatever happens to
    /// the path meanwhile. On other systems the path is resolved once more: a link that is
    /// changed before, and changed back after the file is opened, goes unnoticed.
    ///
    /// # Errors
    /// As for [`admit`](Self::admit), and [`ErrorKind::Io`] when the file cannot be opened.
    pub fn open(&self, path: &Path) -> Result<File> {
        let failed = |error| Error::io("cannot open the file", error).in_file(path);
        let real = self.real_path(path)?;
        let file = for_reading().open(real.as_deref().unwrap_or(path)).map_err(failed)?;
        check_regular(&file.metadata().map_err(failed)?, path)?;
        if let (Some(real), Files::Inside(root)) = (real, &self.0)
            && !path_of(&file, &real).map_err(failed)?.starts_with(&root.real)
        {
            return Err(self.outside(path));
        }
        Ok(file)
    }

    /// Where the path leads, if that matters.
    fn real_path(&self, path: &Path) -> Result<Option<PathBuf>> {
        let root = match &self.0 {
            Files::All => return Ok(None),
            Files::None => return Err(self.outside(path)),
            Files::Inside(root) => root,
        };
        if !path.is_absolute() {
            return Err(self.outside(path));
        }
        let failed = |error| {
            if root.names(path) {
                return Error::io("cannot open the file", error).in_file(path);
            }
            // Whether there is such a file elsewhere is nothing to tell.
            self.outside(path)
        };
        let real = path.canonicalize().map_err(failed)?;
        if !real.starts_with(&root.real) {
            return Err(self.outside(path));
        }
        check_regular(&fs::metadata(&real).map_err(failed)?, path)?;
        Ok(Some(real))
    }

    /// Names the path as it was given: where it leads need not be told, nor be Unicode, as
    /// what travels must be.
    fn outside(&self, path: &Path) -> Error {
        let root = match &self.0 {
            Files::Inside(root) => Some(root.named.display().to_string()),
            _ => None,
        };
        Error::from(ErrorKind::OutsideDataRoot { root }).in_file(path)
    }
}

impl Root {
    /// Whether the path is in the directory by its letters alone.
    fn names(&self, path: &Path) -> bool {
        let ascends = path.components().any(|part| part == Component::ParentDir);
        !ascends && (path.starts_with(&self.named) || path.starts_with(&self.real))
    }
}

/// A path in quotes, as other values of parameters are shown.
struct Shown<'a>(&'a Path);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.display().to_string())
    }
}

/// Pipes and devices have no length, and reading them may wait for ever.
fn check_regular(metadata: &Metadata, path: &Path) -> Result<()> {
    let found = match metadata.file_type() {
        found if found.is_file() => return Ok(()),
        found if found.is_dir() => "a directory",
        _ => "a pipe, a device or a socket",
    };
    Err(Error::format("a file", found).in_file(path))
}

/// Opening a named pipe would wait for a writer.
#[cfg(unix)]
fn for_reading() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
fn for_reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

/// What the open file is called now.
#[cfg(target_os = "linux")]
fn path_of(file: &File, _: &Path) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd;
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Where the path that was opened leads now.
#[cfg(not(target_os = "linux"))]
fn path_of(_: &File, opened: &Path) -> io::Result<PathBuf> {
    opened.canonicalize()
}
