//! Which rows of a dataset to keep, in a few words that travel.
//!
//! A rule sees a row's position and class, never its values or its block: however the
//! dataset is cut, the same rows are kept.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::block::{Block, Targets};
use crate::error::{Error, Result};
use crate::label::{Coded, Label};
use crate::layout::Layout;
use crate::rng::row_key;

/// The order in which rows stand for being chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// As they are.
    Rows,
    /// As their random keys, which are a pure function of seed and row.
    Shuffled {
        /// Chooses the keys.
        seed: u64,
    },
}

/// Where a row stands in an [`Order`]: no two rows stand in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// What the order is by.
    pub key: u64,
    /// Position of the row: ties go to the lower one.
    pub row: u64,
}

impl Place {
    /// Not after any row.
    pub const START: Self = Self { key: 0, row: 0 };
    /// After every row.
    pub const END: Self = Self { key: u64::MAX, row: u64::MAX };
}

impl Order {
    /// The place of a row.
    #[must_use]
    #[inline]
    pub fn place(self, row: u64) -> Place {
        let key = match self {
            Self::Rows => row,
            Self::Shuffled { seed } => row_key(seed, row),
        };
        Place { key, row }
    }
}

/// Keeps the rows whose places lie in a range, be it one range for all rows or one a class.
///
/// ```
/// use drystone_core::rule::{Order, Place, Rule};
/// let order = Order::Shuffled { seed: 1 };
/// let low = Rule::new(order, Place::START..order.place(7));
/// assert!(!low.keeps_row(7) && low.others().keeps_row(7));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    order: Order,
    ranges: Ranges,
    /// Whether rows outside of the ranges are kept in place of those inside.
    others: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Ranges {
    All(Range<Place>),
    /// Classes ascending.
    ByClass(Vec<(Label, Range<Place>)>),
}

impl Rule {
    /// Keeps the rows with places in this range.
    #[must_use]
    pub fn new(order: Order, places: Range<Place>) -> Self {
        Self { order, ranges: Ranges::All(places), others: false }
    }

    /// Keeps the rows with places in the range of their class, and none of other classes.
    #[must_use]
    pub fn by_class(order: Order, mut places: Vec<(Label, Range<Place>)>) -> Self {
        places.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { order, ranges: Ranges::ByClass(places), others: false }
    }

    /// Keeps the rows that this one does not.
    #[must_use]
    pub fn others(mut self) -> Self {
        self.others = !self.others;
        self
    }

    /// Whether a row is kept, if the rule does not ask for its class.
    #[must_use]
    pub fn keeps_row(&self, row: u64) -> bool {
        match &self.ranges {
            Ranges::All(places) => places.contains(&self.order.place(row)) != self.others,
            Ranges::ByClass(_) => self.others,
        }
    }

    /// Rows of a block that are kept, ascending, counted from its first one.
    ///
    /// # Errors
    /// [`ErrorKind::Format`](crate::ErrorKind::Format) when the rule asks for classes and there
    /// are no targets, [`ErrorKind::NotFinite`](crate::ErrorKind::NotFinite) for a target that
    /// is no class.
    pub fn kept(&self, block: &Block, first_row: u64) -> Result<Vec<usize>> {
        let rows = 0..block.n_samples();
        let place = |row: usize| self.order.place(first_row + row as u64);
        match &self.ranges {
            Ranges::All(_) => {
                Ok(rows.filter(|&row| self.keeps_row(first_row + row as u64)).collect())
            }
            Ranges::ByClass(classes) => {
                let targets = block.targets.as_ref().ok_or_else(no_targets)?;
                let (ranges, codes) = ranges_of(classes, targets, first_row)?;
                let inside = |row: usize| ranges[codes[row] as usize].contains(&place(row));
                Ok(rows.filter(|&row| inside(row) != self.others).collect())
            }
        }
    }

    /// Whether datasets of this layout can be asked. What arrives from another process is not
    /// trusted.
    ///
    /// # Errors
    /// [`ErrorKind::Format`](crate::ErrorKind::Format) when the rule asks for classes and there
    /// are no targets, or its classes do not ascend.
    pub fn check(&self, layout: &Layout) -> Result<()> {
        match &self.ranges {
            Ranges::All(_) => Ok(()),
            Ranges::ByClass(_) if layout.targets.is_none() => Err(no_targets()),
            Ranges::ByClass(classes) if classes.is_sorted_by(|(a, _), (b, _)| a < b) => Ok(()),
            Ranges::ByClass(_) => Err(Error::format("classes in ascending order", "others")),
        }
    }
}

fn no_targets() -> Error {
    Error::format("targets, whose classes rows are chosen by", "no targets")
}

/// The range of each class of a block, and the class of each of its rows.
fn ranges_of(
    classes: &[(Label, Range<Place>)],
    targets: &Targets,
    first_row: u64,
) -> Result<(Vec<Range<Place>>, Vec<u32>)> {
    let coded = Coded::of(targets).map_err(|error| error.moved_down(first_row))?;
    let range = |label: &Label| {
        let at = classes.binary_search_by(|(other, _)| other.cmp(label));
        at.map_or(Place::START..Place::START, |at| classes[at].1.clone())
    };
    Ok((coded.labels.iter().map(range).collect(), coded.codes))
}
