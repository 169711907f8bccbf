//! Which file was opened, and whether it is still that file.
//!
//! Identity is path, length and time of modification, to the nanosecond. It is not a checksum:
//! a file that is rewritten with the same length within the clock's resolution goes unnoticed.
//!
//! So a copy on another machine is the same file only if it is under the same path and has the
//! time of the original: `cp -p` and `rsync -t` keep it; `cp` and `scp` do not, and `scp -p`
//! and file systems that keep whole seconds round it.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind as IoErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use drystone_core::{DataRoot, Error, ErrorKind, Opener, Result};
use serde::{Deserialize, Serialize};

use super::time::utc;

/// A file as it was when the dataset was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileId {
    /// Absolute, so that a process in another directory finds it.
    pub path: PathBuf,
    /// Bytes.
    pub len: u64,
    modified_ns: i64,
    /// By which it is opened. One that came with a description opens nothing before it was
    /// [admitted](Self::admitted).
    #[serde(skip, default = "DataRoot::none")]
    files: DataRoot,
}

impl FileId {
    /// The file as it is now.
    pub fn of(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("cannot open the file", error).in_file(path);
        let path = fs::canonicalize(path).map_err(failed)?;
        let metadata = fs::metadata(&path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(Error::format("a file", "something else").in_file(&path));
        }
        let (len, modified_ns) = (metadata.len(), modified_ns(&metadata));
        Ok(Self { path, len, modified_ns, files: DataRoot::default() })
    }

    /// The file of a description that came from elsewhere, if it may be opened here.
    pub fn admitted(self, opener: &Opener<'_>) -> Result<Self> {
        opener.data_root().admit(&self.path)?;
        Ok(Self { files: opener.data_root().clone(), ..self })
    }

    /// Opens the file, if it is still the same. A handle for each reader, so that reading
    /// at a position needs no lock.
    pub fn open(&self) -> Result<OpenFile<'_>> {
        let open = OpenFile { id: self, file: self.files.open(&self.path)? };
        open.check_unchanged()?;
        Ok(open)
    }
}

fn modified_ns(metadata: &Metadata) -> i64 {
    let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    match metadata.modified().map(|time| time.duration_since(UNIX_EPOCH)) {
        Ok(Ok(after)) => nanos(after),
        Ok(Err(before)) => -nanos(before.duration()),
        // A file system that keeps no times: the length alone has to tell.
        Err(_) => 0,
    }
}

/// Another length or time than expected. Where only the time is another, the file may be a copy.
fn changed(expected: (u64, i64), found: (u64, i64)) -> Error {
    let say = |(len, modified)| format!("{len} bytes, last modified {}", utc(modified));
    let is_copy = expected.0 == found.0;
    let hint = if is_copy { " (a copy must keep the time: cp -p, rsync -t)" } else { "" };
    let expected = format!("the file that was opened ({})", say(expected));
    let found = format!("one of {}{hint}", say(found));
    ErrorKind::SourceChanged { expected, found }.into()
}

/// A [`FileId`] that is open for reading.
pub(crate) struct OpenFile<'a> {
    id: &'a FileId,
    file: File,
}

impl OpenFile<'_> {
    /// Fills `buffer` with the bytes from `offset` on.
    pub fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let sought = self.file.seek(SeekFrom::Start(offset));
        match sought.and_then(|_| self.file.read_exact(buffer)) {
            Ok(()) => Ok(()),
            Err(error) => {
                if error.kind() == IoErrorKind::UnexpectedEof {
                    self.check_unchanged()?;
                }
                Err(Error::io("cannot read the file", error).in_file(&self.id.path))
            }
        }
    }

    /// Whether it is still the file that was opened: asked again after reading, so that
    /// what was read is known to be from one version of it.
    pub fn check_unchanged(&self) -> Result<()> {
        let metadata = self
            .file
            .metadata()
            .map_err(|error| Error::io("cannot read the file", error).in_file(&self.id.path))?;
        let found = (metadata.len(), modified_ns(&metadata));
        if found == (self.id.len, self.id.modified_ns) {
            return Ok(());
        }
        Err(changed((self.id.len, self.id.modified_ns), found).in_file(&self.id.path))
    }

    /// Its identity.
    pub fn id(&self) -> &FileId {
        self.id
    }
}
