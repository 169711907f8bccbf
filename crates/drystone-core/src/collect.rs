//! Values that are found for each row where the rows are, brought together in this process.
//!
//! The blocks stay where they are: what travels back is as large as the values, and no block of
//! them is kept. It is not for sums over rows, which a [`Job`] of their own has in a few bytes.

use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::block::{Block, BlockAt};
use crate::dataset::ChunkedDataset;
use crate::error::{Error, Result};
use crate::executor::SLICE_ROWS;
use crate::job::{Job, Partial};
use crate::layout::{Layout, check_limit};
use crate::session::Session;
use crate::wire::MAX_FRAME;
use crate::wire::raw::{self, Raw};

/// What a model gives for each row, as a function that can travel: registered as the job
/// [`Collect`], and made an array by [`ChunkedArray::by_row`](crate::ChunkedArray::by_row).
///
/// A row's values depend on that row and the function alone, so blocks may be cut anywhere.
pub trait ByRow: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name and version of the job, as in `kmeans.labels/1`.
    const NAME: &'static str;

    /// The type of a value.
    type Value: Raw + Send + Sync + 'static;

    /// Whether it can judge rows of this layout, asked before any is read.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, layout: &Layout) -> Result<()>;

    /// The values of a block's rows, `(n_rows, width)`, row-major. The block may be of another
    /// layout than was checked.
    ///
    /// # Errors
    /// Whatever is wrong with the rows; a row that it names is counted from the first of these.
    fn of_block(&self, block: &Block) -> Result<Vec<Self::Value>>;

    /// Values of a row: at least 1.
    fn width(&self) -> usize {
        1
    }

    /// As [`Job::slice_rows`].
    fn slice_rows(&self) -> usize {
        SLICE_ROWS
    }
}

/// The job that brings the values of a [`ByRow`] together. To register it is all that another
/// process needs.
pub struct Collect<F>(Arc<F>);

impl<F: ByRow> Collect<F> {
    /// The job of a function.
    pub fn new(f: F) -> Self {
        Self(Arc::new(f))
    }
}

impl<F: ByRow> Serialize for Collect<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, F: ByRow> Deserialize<'de> for Collect<F> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::new(F::deserialize(from)?)))
    }
}

impl<F: ByRow> Job for Collect<F> {
    const NAME: &'static str = F::NAME;
    type State = ();
    type Partial = Collected<F::Value>;

    /// All values come back as one message in the end, so more than fit into one are refused
    /// before they are computed.
    fn check(&self, layout: &Layout) -> Result<()> {
        self.0.check(layout)?;
        let unknown = || Error::format("row counts that are known", "others");
        let of_row = (self.0.width() as u64).saturating_mul(F::Value::SIZE as u64);
        let found = layout.n_samples().ok_or_else(unknown)?.saturating_mul(of_row);
        let what = "the bytes of an array that is computed in other processes (take it in slices)";
        check_limit(what, MAX_FRAME as u64, found)
    }

    fn empty(&self) -> Self::Partial {
        Collected { width: self.0.width(), runs: Vec::new() }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut Self::Partial) -> Result<()> {
        let values = self.0.of_block(&rows.block);
        let values = values.map_err(|error| error.moved_down(rows.first_row))?;
        let (expected, found) = (rows.block.n_samples() * self.0.width(), values.len());
        if expected != found {
            return Err(Error::shape("values", expected as u64, found as u64));
        }
        if !values.is_empty() {
            into.runs.push((rows.first_row, values));
        }
        Ok(())
    }

    fn slice_rows(&self) -> usize {
        self.0.slice_rows()
    }
}

/// Values of some rows, in runs of rows that follow each other. Merging them is the union; it
/// is not checked before the end that no row is there twice.
pub struct Collected<T> {
    width: usize,
    /// The first row of each run, and its values.
    runs: Vec<(u64, Vec<T>)>,
}

/// As they travel: runs in order, and as long as they can be, so that equal values are equal
/// bytes wherever blocks were cut.
#[derive(Serialize, Deserialize)]
#[serde(bound = "T: Raw")]
struct Message<T> {
    width: usize,
    /// The first row and the number of values of each run.
    runs: Vec<(u64, usize)>,
    #[serde(with = "raw")]
    values: Vec<T>,
}

impl<T: Raw + Send + 'static> Partial for Collected<T> {
    fn merge(&mut self, mut other: Self) {
        if self.width != other.width {
            // Those of another job: found out in the end.
            self.width = 0;
        }
        self.runs.append(&mut other.runs);
    }
}

impl<T: Raw> Serialize for Collected<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut runs: Vec<&(u64, Vec<T>)> = self.runs.iter().collect();
        runs.sort_by_key(|(first_row, _)| *first_row);
        let n_values = runs.iter().map(|(_, values)| values.len()).sum();
        let (width, values) = (self.width, Vec::with_capacity(n_values));
        let mut message = Message { width, runs: Vec::new(), values };
        for (first_row, values) in runs {
            match message.runs.last_mut() {
                Some((first, n)) if *first + rows(*n, self.width) == *first_row => {
                    *n += values.len();
                }
                _ => message.runs.push((*first_row, values.len())),
            }
            message.values.extend_from_slice(values);
        }
        message.serialize(to)
    }
}

impl<'de, T: Raw> Deserialize<'de> for Collected<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Message { width, runs, values } = Message::<T>::deserialize(from)?;
        let malformed = || D::Error::custom("runs of values that do not fit together");
        let mut rest = values.as_slice();
        let mut of_rows = Vec::with_capacity(runs.len());
        for (first_row, n) in runs {
            let whole = n > 0 && n.checked_rem(width) == Some(0);
            let ends = whole && first_row.checked_add(rows(n, width)).is_some();
            let (run, after) = rest.split_at_checked(n).filter(|_| ends).ok_or_else(malformed)?;
            of_rows.push((first_row, run.to_vec()));
            rest = after;
        }
        if rest.is_empty() { Ok(Self { width, runs: of_rows }) } else { Err(malformed()) }
    }
}

fn rows(n_values: usize, width: usize) -> u64 {
    n_values.checked_div(width).unwrap_or(0) as u64
}

impl<T: Raw> Collected<T> {
    /// The values of all rows in order, if each row is there once.
    fn into_values(mut self, width: usize, n_samples: u64) -> Result<Vec<T>> {
        if self.width != width {
            return Err(Error::shape("values of a row", width as u64, self.width as u64));
        }
        self.runs.sort_by_key(|(first_row, _)| *first_row);
        let mut next = 0;
        for (first_row, values) in &self.runs {
            if *first_row != next {
                let expected = format!("the values of row {next} once");
                return Err(Error::format(expected, format!("those of row {first_row}")));
            }
            next += rows(values.len(), width);
        }
        if next != n_samples {
            return Err(Error::shape("rows with values", n_samples, next));
        }
        let mut all = Vec::with_capacity(self.runs.iter().map(|(_, values)| values.len()).sum());
        self.runs.into_iter().for_each(|(_, values)| all.extend(values));
        Ok(all)
    }
}

/// The values of all rows, `(n_samples, width)`, row-major; the dataset's row counts are known.
pub(crate) fn collect<F: ByRow>(
    session: &Session<'_>,
    data: &ChunkedDataset,
    f: &Arc<F>,
) -> Result<Vec<F::Value>> {
    f.check(data.layout())?;
    let collected = session.run(data, &Collect(Arc::clone(f)))?;
    collected.into_values(f.width(), data.n_samples().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::layout::{BlockRows, Dtype};
    use crate::{laws, wire};

    /// The first column, this many times.
    #[derive(Serialize, Deserialize)]
    struct Repeated(usize);

    impl ByRow for Repeated {
        const NAME: &'static str = "test.repeated/1";
        type Value = f64;

        fn check(&self, layout: &Layout) -> Result<()> {
            layout.check_width(3)
        }

        fn of_block(&self, block: &Block) -> Result<Vec<f64>> {
            let rows = block.records.as_rows::<f64>()?;
            let times = |row: usize| std::iter::repeat_n(rows.row(row)[0], self.0);
            Ok((0..rows.n_samples()).flat_map(times).collect())
        }

        fn width(&self) -> usize {
            self.0
        }

        fn slice_rows(&self) -> usize {
            3
        }
    }

    #[test]
    fn the_job_keeps_the_laws() {
        laws::check_job(&Collect::new(Repeated(2)), &laws::small_dataset(50, 7));
    }

    #[test]
    fn what_no_message_can_hold_is_refused_before_it_is_computed() {
        let check = |width, n_samples| {
            let layout = Layout::new(Dtype::F64, 3, n_samples, 10);
            Collect::new(Repeated(width)).check(&layout).map_err(|error| error.to_string())
        };
        assert_eq!(check(1, 1 << 20), Ok(()));
        for (width, n_samples) in [(1, u64::MAX), (usize::MAX, 1), (1 << 12, 1 << 14)] {
            assert!(check(width, n_samples).is_err(), "{width} {n_samples}");
        }
        let unknown = Layout::with_rows(Dtype::F64, 3, BlockRows::Unknown { n_blocks: 1 });
        assert!(Collect::new(Repeated(1)).check(&unknown).is_err());
        let error = Collect::new(Repeated(1)).check(&Layout::new(Dtype::F64, 3, 1 << 40, 10));
        assert!(matches!(error.unwrap_err().kind(), ErrorKind::Limit { .. }));
    }

    fn collected(runs: &[(u64, &[u32])]) -> Collected<u32> {
        let runs = runs.iter().map(|(first_row, values)| (*first_row, values.to_vec())).collect();
        Collected { width: 2, runs }
    }

    #[test]
    fn runs_are_put_in_order_and_gaps_are_found() {
        let values = |runs: &[(u64, &[u32])]| collected(runs).into_values(2, 3);
        let all = values(&[(2, &[5, 6]), (0, &[1, 2, 3, 4])]).unwrap();
        assert_eq!(all, [1, 2, 3, 4, 5, 6]);
        let refused = |runs: &[(u64, &[u32])], text: &str| {
            assert_eq!(values(runs).unwrap_err().to_string(), text);
        };
        refused(&[(0, &[1, 2])], "expected 3 rows with values, found 1");
        refused(
            &[(0, &[1, 2]), (2, &[5, 6])],
            "expected the values of row 1 once, found those of row 2",
        );
        let twice: [(u64, &[u32]); 3] = [(0, &[1, 2]), (0, &[1, 2]), (1, &[3, 4])];
        refused(&twice, "expected the values of row 1 once, found those of row 0");
        let mut mixed = collected(&[(0, &[1, 2, 3, 4, 5, 6])]);
        mixed.merge(Collected { width: 1, runs: Vec::new() });
        assert!(mixed.into_values(2, 3).is_err());
    }

    #[test]
    fn equal_values_are_equal_bytes() {
        let whole = wire::encode(&collected(&[(7, &[1, 2, 3, 4])])).unwrap();
        assert_eq!(wire::encode(&collected(&[(8, &[3, 4]), (7, &[1, 2])])).unwrap(), whole);
        let again: Collected<u32> = wire::decode(&whole).unwrap();
        assert_eq!(again.runs, [(7, vec![1, 2, 3, 4])]);
    }

    #[test]
    fn hostile_runs_are_refused() {
        let refused = |width: usize, runs: &[(u64, usize)], values: &[u32]| {
            let message = Message { width, runs: runs.to_vec(), values: values.to_vec() };
            let bytes = wire::encode(&message).unwrap();
            assert!(wire::decode::<Collected<u32>>(&bytes).is_err(), "{width} {runs:?}");
        };
        refused(0, &[(0, 2)], &[1, 2]);
        refused(2, &[(0, 0)], &[]);
        refused(2, &[(0, 3)], &[1, 2, 3]);
        refused(2, &[(0, 2)], &[1, 2, 3, 4]);
        refused(2, &[(0, 4)], &[1, 2]);
        refused(1, &[(u64::MAX, 1)], &[1]);
        refused(1, &[(0, usize::MAX)], &[1]);
    }
}
