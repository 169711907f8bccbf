//! The pass over the file when it is opened: counts rows and finds the largest index, the
//! type of the labels, and where blocks may start.

use drystone_core::Result;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::cuts::Cuts;
use super::row::{self, InColumn};
use crate::files::FileId;
use crate::text::fault::Fault;
use crate::text::line::Lines;
use crate::text::number::Number;
use crate::text::{self, Text};

/// Bytes of text that are in memory at a time, for each reader.
pub(crate) const STRETCH: u64 = 4 << 20;

/// What a file turned out to be.
#[derive(Debug)]
pub(crate) struct Scan {
    pub cuts: Cuts,
    pub largest_index: u64,
    pub integer_labels: bool,
}

/// What one stretch of the file turned out to be.
struct Found {
    offset: u64,
    /// The start of each row, after `offset`.
    starts: Vec<u32>,
    largest_index: u64,
    integer_labels: bool,
}

impl Scan {
    /// Reads the file once, as many stretches at a time as there are threads. Of several
    /// errors it gives the first in the file.
    pub fn of<T: Number>(file: &FileId, n_features: u64, cuts: Cuts) -> Result<Self> {
        let mut scan = Self { cuts, largest_index: 0, integer_labels: true };
        let origin = text::mark_len(&mut file.open()?)?;
        let in_stretch = |&start: &u64| stretch::<T>(file, n_features, origin, start);
        let starts: Vec<u64> = (origin..file.len).step_by(STRETCH as usize).collect();
        for together in starts.chunks(rayon::current_num_threads()) {
            let found: Vec<Result<Found, Fault>> = together.par_iter().map(in_stretch).collect();
            for found in found {
                let found = found.map_err(|fault| fault.locate(file, None))?;
                scan.add(&found).map_err(|error| error.in_file(&file.path))?;
            }
        }
        Ok(scan)
    }

    fn add(&mut self, found: &Found) -> Result<()> {
        self.largest_index = self.largest_index.max(found.largest_index);
        self.integer_labels &= found.integer_labels;
        found.starts.iter().try_for_each(|&start| self.cuts.push(found.offset + u64::from(start)))
    }
}

/// Reads the lines that start in the stretch from `start` on.
fn stretch<T: Number>(
    file: &FileId,
    n_features: u64,
    origin: u64,
    start: u64,
) -> Result<Found, Fault> {
    let end = file.len.min(start + STRETCH);
    let text = text::read(&mut file.open()?, origin, start, end)?;
    let (mut starts, mut largest_index, mut integer_labels) = (Vec::new(), 0, true);
    for_each_row(&text, |at, line| {
        let label = row::parse::<T>(line, n_features, |column, _| {
            largest_index = largest_index.max(column as u64 + 1);
        })?;
        integer_labels &= label.is_integer;
        starts.push(at as u32);
        Ok(())
    })?;
    Ok(Found { offset: text.offset, starts, largest_index, integer_labels })
}

/// Gives each line that has a row to `f`, with its position in the text.
pub(crate) fn for_each_row(
    text: &Text,
    mut f: impl FnMut(usize, &[u8]) -> Result<(), InColumn>,
) -> Result<(), Fault> {
    for (at, line) in Lines::new(text.lines()).filter(|(_, line)| !row::is_blank(line)) {
        let fault = |(error, column)| Fault { error, at: Some(text.offset + at as u64), column };
        f(at, line).map_err(fault)?;
    }
    Ok(())
}
