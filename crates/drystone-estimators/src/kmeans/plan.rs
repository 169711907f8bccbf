//! What a fit will cost.

use drystone_core::explain::Pass;
use drystone_core::{ChunkedDataset, Explanation, Threads};

use super::init::Init;
use super::nearness::Index;
use super::parallel;
use super::params::KMeansValidParams;

pub(crate) fn explain(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> Explanation {
    let resources = match params.executor {
        Some(executor) => executor.describe(),
        None => Threads::shared().describe(),
    };
    let what = format!("KMeans: {} clusters, {}", params.n_clusters, params.init);
    Explanation::new(what, data, resources, passes(params, data), state_bytes_per_row(params))
}

/// What a fit needs, and apart from that what it may come to.
fn passes(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> Vec<Pass> {
    let pass = |name: &str, at_most| Pass { name: name.to_owned(), at_most };
    let n_clusters = params.n_clusters;
    let mut passes = Vec::new();
    if data.n_samples().is_none() {
        passes.push(pass("count rows", 1));
    }
    passes.push(pass("scan ranges and weights", 1));
    match params.init {
        Init::Parallel { rounds, .. } => {
            let more = parallel::MAX_EXTRA_ROUNDS + n_clusters;
            passes.push(pass("seed by k-means||", rounds + 1));
            passes.push(pass("seed on, only if it drew too few rows", more));
        }
        Init::PlusPlus => passes.push(pass("seed by k-means++", n_clusters)),
        Init::Random | Init::Centroids(_) => {}
    }
    passes.push(pass("Lloyd's iterations, and one to settle labels", params.max_iter + 1));
    let fillings = params.max_iter * params.n_init;
    passes.push(pass("find rows for clusters, only if some run empty", fillings));
    passes
}

/// Seeding keeps a distance and an index a row and restart; iterations keep nothing.
pub(crate) fn state_bytes_per_row(params: &KMeansValidParams<'_>) -> u64 {
    let index = match params.init {
        Init::Parallel { oversampling, rounds } => {
            Index::bytes(parallel::max_candidates(params.n_clusters, oversampling, rounds))
        }
        Init::PlusPlus => Index::bytes(1),
        Init::Random | Init::Centroids(_) => return 0,
    };
    ((size_of::<f32>() + index) * params.n_init) as u64
}
