//! KMeans over chunked datasets: scalable seeding (k-means||) and Lloyd's iterations,
//! one pass over the data each, with the same bits however the data are cut.
//!
//! Distances are direct differences in the data's own type. It is not mini-batch
//! KMeans: every iteration sees every row.
//!
//! # References
//! - B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, *Scalable K-Means++*,
//!   PVLDB 5(7), 2012, arXiv 1203.6402.
//! - S. Lloyd, *Least squares quantization in PCM*, IEEE Trans. Inf. Theory 28(2), 1982,
//!   DOI 10.1109/TIT.1982.1056489.
//! - D. Arthur, S. Vassilvitskii, *k-means++: the advantages of careful seeding*, SODA 2007.

mod assign;
mod bounds;
mod costs;
mod element;
mod file;
mod fit;
mod init;
mod labelled;
#[cfg(test)]
mod laws;
mod linfa;
mod lloyd;
mod model;
mod nearness;
mod parallel;
mod params;
mod plan;
mod plus_plus;
mod predict;
mod recluster;
mod relocate;
mod round;
mod scan;
mod score;
mod seeding;
mod sums;

pub use init::{Init, Oversampling};
pub use model::{History, Iteration, KMeans, Round, Status};
pub use params::{KMeansParams, KMeansValidParams};

use drystone_core::Registry;
use drystone_core::collect::Collect;

pub(crate) fn register(registry: &mut Registry) {
    registry.job::<scan::Scan>();
    registry.job::<round::SeedRound<f32>>().job::<round::SeedRound<f64>>();
    registry.job::<plus_plus::PlusPlus<f32>>().job::<plus_plus::PlusPlus<f64>>();
    registry.job::<lloyd::Lloyd<f32>>().job::<lloyd::Lloyd<f64>>();
    registry.job::<relocate::Farthest<f32>>().job::<relocate::Farthest<f64>>();
    registry.job::<score::Score<f32>>().job::<score::Score<f64>>();
    registry.job::<Collect<predict::Labels>>().job::<Collect<predict::Distances>>();
}
