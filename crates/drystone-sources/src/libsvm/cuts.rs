//! Where blocks start, found while rows are counted.
//!
//! How many rows a block should have may be known only at the end, with the number of
//! features. So places to cut at are kept for every row at first, and for every second,
//! fourth, ... when they become many: a bounded list, whatever the number of rows.

use drystone_core::{Error, Result};

/// The most blocks of a file: each takes 8 bytes, also in messages.
const MAX_BLOCKS: usize = 1 << 20;

/// The start of every `every`-th row.
#[derive(Debug)]
pub(crate) struct Cuts {
    starts: Vec<u64>,
    every: u64,
    /// Whether `every` is what the user asked for.
    asked: bool,
    most: usize,
    n_rows: u64,
}

impl Cuts {
    /// For blocks of this many rows.
    pub fn every(block_rows: u64) -> Self {
        Self { asked: true, every: block_rows.max(1), ..Self::anywhere() }
    }

    /// For blocks of a size that is decided at the end.
    pub fn anywhere() -> Self {
        Self { starts: Vec::new(), every: 1, asked: false, most: MAX_BLOCKS, n_rows: 0 }
    }

    /// Rows so far.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Adds the next row, whose line starts at this byte of the file.
    pub fn push(&mut self, start: u64) -> Result<()> {
        if self.n_rows.is_multiple_of(self.every) {
            if self.starts.len() == self.most {
                self.thin_out()?;
            }
            self.starts.push(start);
        }
        self.n_rows += 1;
        Ok(())
    }

    /// Keeps every second place. `most` is even, so the next row is a place still.
    fn thin_out(&mut self) -> Result<()> {
        if self.asked {
            let expected = format!("large enough that there are at most {} blocks", self.most);
            return Err(Error::parameter("block_rows", expected, self.every));
        }
        self.starts = self.starts.iter().copied().step_by(2).collect();
        self.every *= 2;
        Ok(())
    }

    /// The rows of a block and the start of each block: the rows that were asked for, or
    /// the most that are not over `fitting` (if there are places to cut at).
    pub fn blocks_of(self, fitting: u64) -> (u64, Vec<u64>) {
        if self.asked {
            return (self.every, self.starts);
        }
        let step = (fitting / self.every).max(1);
        let starts = self.starts.into_iter().step_by(step as usize).collect();
        (step * self.every, starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(n_rows: u64, mut cuts: Cuts) -> Result<Cuts> {
        cuts.most = 4;
        (0..n_rows).try_for_each(|row| cuts.push(10 * row))?;
        Ok(cuts)
    }

    #[test]
    fn blocks_start_at_every_nth_row() {
        for n_rows in 1..40 {
            for fitting in 0..40 {
                let (block_rows, starts) =
                    cuts(n_rows, Cuts::anywhere()).expect("cuts").blocks_of(fitting);
                let expected: Vec<u64> =
                    (0..n_rows).step_by(block_rows as usize).map(|row| 10 * row).collect();
                assert_eq!(starts, expected, "{n_rows} rows, {fitting} fitting");
                assert!(starts.len() <= 4);
                let least = n_rows.div_ceil(4).next_power_of_two();
                assert!(block_rows <= fitting.max(least), "{block_rows} of {n_rows}, {fitting}");
            }
        }
    }

    #[test]
    fn rows_that_were_asked_for_are_kept() {
        let (block_rows, starts) = cuts(11, Cuts::every(3)).expect("cuts").blocks_of(7);
        assert_eq!((block_rows, starts), (3, vec![0, 30, 60, 90]));
        let error = cuts(13, Cuts::every(3)).expect_err("five blocks");
        let expected = "parameter `block_rows` must be large enough that there are at most 4 \
                        blocks, found 3";
        assert_eq!(error.to_string(), expected);
    }
}
