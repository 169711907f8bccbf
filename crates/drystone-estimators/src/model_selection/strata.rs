//! The classes of all rows, in the runs that they were read in; or one class of all rows,
//! for which nothing is read.

use std::ops::Range;

use drystone_core::{ChunkedDataset, Job, Label, Result, Session};

use super::classes::{Class, Classes, ClassesPartial, CodedRun, Codes, check_number};

/// Rows of a run that nothing is read for, at least.
const RUN_ROWS: u64 = 1 << 16;
/// Such runs, at most, but for one a block.
const MAX_RUNS: u64 = 1 << 16;

pub(super) struct Strata {
    pub n_samples: u64,
    /// The classes, ascending; `None` if all rows are of one.
    pub labels: Option<Vec<Label>>,
    pub classes: Vec<Class>,
    pub runs: Vec<Run>,
}

/// Rows that follow each other in a block.
pub(super) struct Run {
    pub block_idx: usize,
    rows: Range<u64>,
    coded: Option<RunClasses>,
}

struct RunClasses {
    codes: Codes,
    /// The class that each code stands for.
    classes: Vec<usize>,
}

impl Strata {
    /// All rows as one class; the dataset's row counts are known.
    pub fn one(data: &ChunkedDataset) -> Self {
        let n_samples = data.n_samples().unwrap_or(0);
        let most = RUN_ROWS.max(n_samples.div_ceil(MAX_RUNS));
        let cut = |block_idx| {
            let rows = data.layout().rows.rows_of(block_idx).unwrap_or(0..0);
            let firsts = rows.clone().step_by(most as usize);
            firsts.map(move |first| {
                let rows = first..rows.end.min(first.saturating_add(most));
                Run { block_idx, rows, coded: None }
            })
        };
        let runs = (0..data.n_blocks()).flat_map(cut).collect();
        Self { n_samples, labels: None, classes: vec![Class { first_row: 0, n_samples }], runs }
    }

    /// Rows by the class of their target: one pass.
    pub fn by_class(session: &Session<'_>, data: &ChunkedDataset) -> Result<Self> {
        // Before anything is read.
        Classes {}.check(data.layout())?;
        let ClassesPartial { classes, runs } = session.run(data, &Classes {})?;
        check_number(classes.len())?;
        let (labels, classes): (Vec<Label>, Vec<Class>) = classes.into_iter().unzip();
        let class_of = |label: &Label| labels.partition_point(|other| other < label);
        let run = |run: CodedRun| Run {
            block_idx: run.block_idx as usize,
            rows: run.first_row..run.first_row + run.codes.len() as u64,
            coded: Some(RunClasses {
                classes: run.labels.iter().map(class_of).collect(),
                codes: run.codes,
            }),
        };
        let runs = runs.into_iter().map(run).collect();
        let n_samples = classes.iter().map(|class| class.n_samples).sum();
        Ok(Self { n_samples, labels: Some(labels), classes, runs })
    }
}

impl Run {
    /// Hands over each row and its class.
    pub fn for_each(&self, mut f: impl FnMut(u64, usize)) {
        match &self.coded {
            None => self.rows.clone().for_each(|row| f(row, 0)),
            Some(RunClasses { codes, classes }) => {
                let rows = self.rows.clone().enumerate();
                rows.for_each(|(at, row)| f(row, classes[codes.get(at)]));
            }
        }
    }
}
