//! The one pass of stratified splits: which class each row is of.

use std::collections::BTreeMap;

use drystone_core::label::Coded;
use drystone_core::layout::Layout;
use drystone_core::{BlockAt, Error, ErrorKind, Job, Label, Partial, Result, wire};
use serde::{Deserialize, Serialize};

/// Most classes to stratify by: more are likely to be no classes.
const MAX_CLASSES: usize = 1 << 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Classes {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ClassesPartial {
    pub classes: BTreeMap<Label, Class>,
    /// In the order of their rows.
    pub runs: Vec<CodedRun>,
}

/// What is known of a class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Class {
    pub first_row: u64,
    pub n_samples: u64,
}

/// The classes of rows that follow each other in a block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CodedRun {
    pub block_idx: u64,
    pub first_row: u64,
    pub labels: Vec<Label>,
    /// Position of each row's class in `labels`.
    pub codes: Codes,
}

/// Small numbers, a byte each where they fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Codes {
    Narrow(#[serde(with = "wire::bytes")] Vec<u8>),
    Wide(#[serde(with = "wire::raw")] Vec<u32>),
}

impl Codes {
    fn new(codes: Vec<u32>, n_labels: usize) -> Self {
        if n_labels > 1 << 8 {
            return Self::Wide(codes);
        }
        Self::Narrow(codes.into_iter().map(|code| code as u8).collect())
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    pub fn get(&self, row: usize) -> usize {
        match self {
            Self::Narrow(codes) => codes[row] as usize,
            Self::Wide(codes) => codes[row] as usize,
        }
    }
}

impl ClassesPartial {
    fn add_class(&mut self, label: Label, more: Class) {
        let class = self.classes.entry(label).or_insert(Class { n_samples: 0, ..more });
        class.first_row = class.first_row.min(more.first_row);
        class.n_samples += more.n_samples;
    }

    fn add_run(&mut self, run: CodedRun) {
        let at = self.runs.partition_point(|other| other.first_row < run.first_row);
        self.runs.insert(at, run);
    }
}

impl Partial for ClassesPartial {
    fn merge(&mut self, other: Self) {
        other.classes.into_iter().for_each(|(label, class)| self.add_class(label, class));
        self.runs.extend(other.runs);
        // Two sorted lists, often one after the other: a stable sort finds and merges them.
        self.runs.sort_by_key(|run| run.first_row);
    }
}

impl Job for Classes {
    const NAME: &'static str = "model_selection.classes/1";
    type State = ();
    type Partial = ClassesPartial;

    fn check(&self, layout: &Layout) -> Result<()> {
        if layout.targets.is_some() { Ok(()) } else { Err(no_targets()) }
    }

    fn empty(&self) -> ClassesPartial {
        ClassesPartial { classes: BTreeMap::new(), runs: Vec::new() }
    }

    fn map(&self, rows: &BlockAt, (): &mut (), into: &mut ClassesPartial) -> Result<()> {
        if rows.block.n_samples() == 0 {
            return Ok(());
        }
        let targets = rows.block.targets.as_ref().ok_or_else(no_targets)?;
        let coded = Coded::of(targets).map_err(|error| error.moved_down(rows.first_row))?;
        for (label, class) in classes_of(&coded, rows.first_row) {
            into.add_class(label, class);
        }
        check_number(into.classes.len())?;
        let Coded { labels, codes } = coded;
        let codes = Codes::new(codes, labels.len());
        let (block_idx, first_row) = (rows.block_idx as u64, rows.first_row);
        into.add_run(CodedRun { block_idx, first_row, labels, codes });
        Ok(())
    }
}

fn classes_of(coded: &Coded, first_row: u64) -> impl Iterator<Item = (Label, Class)> {
    let none = Class { first_row: u64::MAX, n_samples: 0 };
    let mut classes = vec![none; coded.labels.len()];
    for (row, &code) in (first_row..).zip(&coded.codes) {
        let class = &mut classes[code as usize];
        class.first_row = class.first_row.min(row);
        class.n_samples += 1;
    }
    coded.labels.iter().cloned().zip(classes)
}

/// Before more is kept of them.
pub(super) fn check_number(found: usize) -> Result<()> {
    if found <= MAX_CLASSES {
        return Ok(());
    }
    let what = "the number of classes to stratify by".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_CLASSES as u64, found: found as u64 }.into())
}

fn no_targets() -> Error {
    Error::format("targets to stratify by", "no targets")
}
