//! Predicted classes, of whatever type a model gives them in.

use drystone_core::label::Coded;
use drystone_core::{Block, ChunkedArray, Label, Result, Targets};
use ndarray::Ix1;

/// Predicts a class for each row of a block.
///
/// Lazy arrays of [`ClassValue`]s do. A model whose predictions are [`Targets`] of a block
/// needs no more than [`Coded::of`]:
///
/// ```
/// use drystone_core::label::Coded;
/// use drystone_core::{Block, ChunkedDataset, Result, Targets};
/// use drystone_estimators::metrics::{Predicted, accuracy};
/// use ndarray::array;
///
/// struct AlwaysSpam;
/// impl Predicted for AlwaysSpam {
///     fn classes_of(&self, block: &Block) -> Result<Coded> {
///         Coded::of(&Targets::categories(&vec!["spam"; block.n_samples()]))
///     }
/// }
/// let block = Block::new(array![[0.0], [1.0]]).with_targets(Targets::categories(&["ham", "spam"]));
/// assert_eq!(accuracy(&ChunkedDataset::from_resident(vec![block])?, &AlwaysSpam)?, 0.5);
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub trait Predicted: Sync {
    /// The class of each row. Names of categories are what counts, not their codes.
    ///
    /// # Errors
    /// The model's; a value that is no class, with its row counted from the first of the block.
    fn classes_of(&self, block: &Block) -> Result<Coded>;
}

/// A type of which each value stands for a class: integers, finite real numbers, names.
pub trait ClassValue: Clone + Send + Sync {
    /// The classes of these values.
    ///
    /// # Errors
    /// When one is no class, with its position as the row.
    fn classes(values: Vec<Self>) -> Result<Coded>;
}

impl<T: ClassValue> Predicted for ChunkedArray<T, Ix1> {
    fn classes_of(&self, block: &Block) -> Result<Coded> {
        T::classes(self.of_block(block)?.to_vec())
    }
}

impl ClassValue for i64 {
    fn classes(values: Vec<Self>) -> Result<Coded> {
        Coded::of(&Targets::I64(values.into()))
    }
}

impl ClassValue for f64 {
    fn classes(values: Vec<Self>) -> Result<Coded> {
        Coded::of(&Targets::F64(values.into()))
    }
}

impl ClassValue for Label {
    fn classes(values: Vec<Self>) -> Result<Coded> {
        Ok(Coded::of_labels(&values))
    }
}

impl ClassValue for String {
    fn classes(values: Vec<Self>) -> Result<Coded> {
        Coded::of(&Targets::categories(&values))
    }
}

macro_rules! impl_integers {
    ($($t:ty),*) => {$(
        impl ClassValue for $t {
            fn classes(values: Vec<Self>) -> Result<Coded> {
                i64::classes(values.into_iter().map(i64::from).collect())
            }
        }
    )*};
}
impl_integers!(i32, u32, bool);
