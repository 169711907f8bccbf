//! Which columns are features, targets and weights, once the header is known.

use drystone_core::{BlockRows, Dtype, Error, Layout, Result, TargetKind};
use serde::{Deserialize, Serialize};

use super::Csv;
use super::column::Column;
use super::dialect::Dialect;
use super::options::Missing;
use super::split::Separator;
use crate::text::Text;

/// All that is needed to read rows from lines; this travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub separator: Separator,
    pub n_columns: usize,
    /// Names of all columns, if there is a header.
    pub names: Option<Vec<String>>,
    pub features: Vec<usize>,
    pub target: Option<(usize, TargetKind)>,
    pub weights: Option<usize>,
    pub missing: Missing,
    pub dtype: Dtype,
}

impl Schema {
    /// Finds the columns that were asked for.
    pub fn resolve(csv: &Csv, dialect: &Dialect, sample: &Text) -> Result<Self> {
        let weights = one(csv.weights.as_ref(), "weights", dialect)?;
        let target = one(csv.target.as_ref(), "target", dialect)?;
        if target.is_some() && target == weights {
            return Err(Error::parameter("weights", "another column than `target`", "the same"));
        }
        let target = target.map(|column| {
            (column, csv.targets_as.unwrap_or_else(|| dialect.target_kind(sample, column)))
        });
        let taken = [target.map(|(column, _)| column), weights];
        Ok(Self {
            separator: dialect.separator,
            n_columns: dialect.n_columns,
            names: dialect.names.clone(),
            features: features(csv.columns.as_deref(), taken, dialect)?,
            target,
            weights,
            missing: csv.missing,
            dtype: csv.dtype,
        })
    }

    /// Checks what arrived from another process.
    pub fn validated(self) -> Result<Self> {
        let taken = self.target.map(|(column, _)| column).into_iter().chain(self.weights);
        let sound = !self.features.is_empty()
            && self.features.iter().copied().chain(taken).all(|column| column < self.n_columns)
            && self.names.as_ref().is_none_or(|names| names.len() == self.n_columns);
        if sound {
            Ok(self)
        } else {
            Err(Error::format("a sound description of columns", "another"))
        }
    }

    /// The layout of the blocks.
    pub fn layout(&self, n_blocks: usize) -> Layout {
        let rows = BlockRows::Unknown { n_blocks };
        let mut layout = Layout::with_rows(self.dtype, self.features.len(), rows);
        layout.targets = self.target.map(|(_, kind)| kind);
        layout.weighted = self.weights.is_some();
        layout.feature_names = self.names.as_ref().map(|names| {
            let named = self.features.iter().filter_map(|&column| names.get(column).cloned());
            named.collect()
        });
        layout
    }
}

/// The position of a column that is only one.
fn one(column: Option<&Column>, parameter: &str, dialect: &Dialect) -> Result<Option<usize>> {
    let Some(column) = column else {
        return Ok(None);
    };
    let found = column.resolve(parameter, dialect.names.as_deref(), dialect.n_columns)?;
    match found.len() {
        1 => Ok(Some(found.start)),
        len => Err(Error::parameter(parameter, "one column", len)),
    }
}

/// The positions of the features: those that were chosen, or all that are not taken.
fn features(
    chosen: Option<&[Column]>,
    taken: [Option<usize>; 2],
    dialect: &Dialect,
) -> Result<Vec<usize>> {
    let Some(chosen) = chosen else {
        let free = |column: &usize| !taken.contains(&Some(*column));
        let features: Vec<usize> = (0..dialect.n_columns).filter(free).collect();
        return some(features);
    };
    let mut is_taken = vec![false; dialect.n_columns];
    taken.iter().flatten().for_each(|&column| is_taken[column] = true);
    let mut features = Vec::new();
    for column in chosen {
        for index in column.resolve("columns", dialect.names.as_deref(), dialect.n_columns)? {
            if std::mem::replace(&mut is_taken[index], true) {
                let what =
                    if taken.contains(&Some(index)) { "target or weights" } else { "another" };
                let expected = "columns that are not used already";
                let found = format!("column {index}, which is {what}");
                return Err(Error::parameter("columns", expected, found));
            }
            features.push(index);
        }
    }
    some(features)
}

fn some(features: Vec<usize>) -> Result<Vec<usize>> {
    if features.is_empty() {
        return Err(Error::parameter("columns", "at least one feature", "none"));
    }
    Ok(features)
}
