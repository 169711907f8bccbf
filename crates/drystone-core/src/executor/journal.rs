//! The file behind a [`Checkpointed`](super::Checkpointed) fit: outcomes of steps, in order.
//!
//! A record is on disk before it counts. What was being written when the process ended is cut
//! off; other damage is an error. One process at a time has the file, and one record at a time
//! is in memory. What a step is, and whether it is the right one, is not decided here.

mod header;
mod record;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::header::{HEADER_BYTES, Header, damaged};
use self::record::{HEAD_BYTES, SUM_BYTES};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{self, Digest};

/// What a step came to.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    /// Which step it was.
    pub step: StepId,
    pub blocks: u64,
    pub rows: u64,
    #[serde(with = "wire::bytes")]
    pub partial: Vec<u8>,
}

/// What tells a step from others.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepId {
    /// The name of the job.
    pub name: String,
    /// Its parameters.
    pub job: Digest,
    /// What it goes over.
    pub data: Digest,
}

/// An open journal: read to its end first, then added to.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    header: Header,
    /// Whole records that were in the file when it was opened.
    n_found: u64,
    /// Records before `at`.
    n_before: u64,
    /// Where the next record is, or will be.
    at: u64,
    /// The hash of all before it.
    sum: Digest,
    /// Where whole records end.
    end: u64,
    /// Whether there was more than whole records.
    broken_off: bool,
}

impl Journal {
    /// Opens a journal, or begins one with the budget of the executor.
    ///
    /// # Errors
    /// Those of [`Checkpointed::open`](super::Checkpointed::open).
    pub fn open(path: &Path, memory_budget: u64) -> Result<Self> {
        Self::open_file(path, memory_budget).map_err(|error| error.in_file(path))
    }

    fn open_file(path: &Path, memory_budget: u64) -> Result<Self> {
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file =
            options.open(path).map_err(|error| Error::io("cannot open the checkpoint", error))?;
        lock(&file)?;
        let length = length_of(&file)?;
        let mut bytes = Vec::new();
        (&mut file).take(HEADER_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        let header = match Header::read(&bytes)? {
            Some(header) => header,
            None => begin(&mut file, path, memory_budget)?,
        };
        let (sum, end) = (header.sum(), HEADER_BYTES);
        let path = path.to_owned();
        let (n_found, n_before, broken_off) = (0, 0, false);
        let mut journal =
            Self { file, path, header, n_found, n_before, at: end, sum, end, broken_off };
        journal.find_end(length.max(HEADER_BYTES))?;
        Ok(journal)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The executor's budget when the fit began.
    pub fn memory_budget(&self) -> u64 {
        self.header.memory_budget
    }

    /// Whole records that were in the file when it was opened.
    pub fn n_found(&self) -> u64 {
        self.n_found
    }

    /// Whether a record was being written when the last process ended.
    pub fn is_broken_off(&self) -> bool {
        self.broken_off
    }

    /// The number of the next step, from 1.
    pub fn next_step(&self) -> u64 {
        self.n_before + 1
    }

    /// The next outcome in the file; `None` when all were given.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for a record that is damaged; [`ErrorKind::Io`].
    pub fn next(&mut self) -> Result<Option<Entry>> {
        if self.at == self.end {
            return Ok(None);
        }
        self.read().map(Some).map_err(|error| error.in_file(&self.path))
    }

    fn read(&mut self) -> Result<Entry> {
        let what = format!("step {}", self.next_step());
        let body = self.read_body()?.ok_or_else(|| damaged(&what))?;
        let entry = wire::decode(&body)?;
        self.advance(record::sum(&self.sum, &body), body.len() as u64);
        Ok(entry)
    }

    /// The body of the record here, which is whole by its length; `None` if it is damaged.
    fn read_body(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(length) = self.head()? else { return Ok(None) };
        if self.at + HEAD_BYTES + length + SUM_BYTES > self.end {
            return Ok(None); // the file has changed since it was opened
        }
        let mut body = vec![0; length as usize];
        self.file.read_exact(&mut body).map_err(unreadable)?;
        let mut sum = Digest::default();
        self.file.read_exact(&mut sum).map_err(unreadable)?;
        Ok((record::sum(&self.sum, &body) == sum).then_some(body))
    }

    /// The length that the record here says; `None` if its head is damaged.
    fn head(&mut self) -> Result<Option<u64>> {
        let mut head = [0; HEAD_BYTES as usize];
        self.read_at(self.at, &mut head)?;
        record::length(&self.sum, head)
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        self.file.read_exact(bytes).map_err(unreadable)
    }

    fn advance(&mut self, sum: Digest, length: u64) {
        self.at += HEAD_BYTES + length + SUM_BYTES;
        self.sum = sum;
        self.n_before += 1;
    }

    /// Goes over the heads of all records to where whole ones end, and back to the first.
    /// Bodies are looked at when they are needed, but for the last one: that its bytes are all
    /// there does not mean that they were all written.
    fn find_end(&mut self, length: u64) -> Result<()> {
        let (first_sum, mut last) = (self.sum, None);
        while let Some(body) = self.whole(length)? {
            last = Some((self.at, self.sum));
            let mut sum = Digest::default();
            self.read_at(self.at + HEAD_BYTES + body, &mut sum)?;
            self.advance(sum, body);
        }
        self.end = self.at;
        self.n_found = self.n_before;
        if let Some((at, sum)) = last {
            (self.at, self.sum) = (at, sum);
            if self.end == length && self.read_body()?.is_none() {
                self.end = at;
                self.n_found -= 1;
            }
        }
        self.broken_off = self.end < length;
        (self.at, self.sum, self.n_before) = (HEADER_BYTES, first_sum, 0);
        Ok(())
    }

    /// The length of the record here; `None` at the end of whole records.
    fn whole(&mut self, length: u64) -> Result<Option<u64>> {
        let left = length - self.at;
        if left < HEAD_BYTES {
            return Ok(None);
        }
        match self.head()? {
            Some(body) if HEAD_BYTES + body + SUM_BYTES <= left => Ok(Some(body)),
            Some(_) => Ok(None),
            // A file may have grown before its bytes came to the disk.
            None if self.is_zero_from_here()? => Ok(None),
            None => Err(damaged(&format!("step {} or the one before", self.next_step()))),
        }
    }

    fn is_zero_from_here(&mut self) -> Result<bool> {
        self.file.seek(SeekFrom::Start(self.at)).map_err(unreadable)?;
        let mut bytes = io::BufReader::new(&self.file).bytes();
        let other = bytes.find(|byte| !matches!(byte, Ok(0)));
        other.map_or(Ok(true), |byte| byte.map(|_| false).map_err(unreadable))
    }

    /// Adds an outcome. It is on disk when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] when it is too large for a record; [`ErrorKind::Io`].
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        self.write(entry).map_err(|error| error.in_file(&self.path))
    }

    fn write(&mut self, entry: &Entry) -> Result<()> {
        let body = wire::encode(entry)?;
        let length = body.len() as u64;
        let sum = record::sum(&self.sum, &body);
        // Until now the file was as it was found, in case that it is another fit's.
        self.file.set_len(self.end).map_err(unwritable)?;
        self.file.seek(SeekFrom::Start(self.end)).map_err(unwritable)?;
        let parts: [&[u8]; 3] = [&record::head(&self.sum, length), &body, &sum];
        parts.iter().try_for_each(|part| self.file.write_all(part)).map_err(unwritable)?;
        self.file.sync_data().map_err(unwritable)?;
        self.advance(sum, length);
        self.end = self.at;
        Ok(())
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::io("cannot read the checkpoint", error)
}

fn unwritable(error: io::Error) -> Error {
    Error::io("cannot write the checkpoint", error)
}

/// Ends with the file: also when the process is killed.
fn lock(file: &File) -> Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let action = "another fit is using this checkpoint; wait for its end, or name another \
                          file";
            ErrorKind::Io { action: action.to_owned() }.into()
        }
        TryLockError::Error(error) => Error::io("cannot lock the checkpoint", error),
    })
}

fn length_of(file: &File) -> Result<u64> {
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    Err(Error::format("a file", "a device or a pipe"))
}

fn begin(file: &mut File, path: &Path, memory_budget: u64) -> Result<Header> {
    let header = Header { memory_budget };
    let rewound = file.set_len(0).and_then(|()| file.rewind());
    let written = rewound.and_then(|()| file.write_all(&header.to_bytes()));
    written.and_then(|()| file.sync_all()).map_err(unwritable)?;
    sync_directory(path);
    Ok(header)
}

/// The name of a new file is in its directory. Not every system lets one see to that, and only
/// a power cut in the next seconds would show it.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let _ =
        File::open(directory.unwrap_or(Path::new("."))).and_then(|directory| directory.sync_all());
}
