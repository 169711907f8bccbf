//! How well predictions agree with the targets of a dataset, block by block.
//!
//! One pass over the data each, on all cores of this machine; results have the same bits
//! however the data are cut. Predictions are computed for the blocks of the dataset as they
//! are read: give the dataset that they are for, scaled if the model asks for that. The
//! dataset's weights count, as `sample_weight` does in scikit-learn if it is given; in
//! [`adjusted_rand`] they do not.

mod accuracy;
mod adjusted_rand;
mod compared;
mod confusion;
mod log_loss;
mod predicted;
mod roc_auc;

pub use accuracy::accuracy;
pub use adjusted_rand::adjusted_rand;
pub use confusion::{ConfusionMatrix, confusion_matrix};
pub use log_loss::log_loss;
pub use predicted::{ClassValue, Predicted};
pub use roc_auc::roc_auc;
