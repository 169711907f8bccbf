//! What a fit will cost.

use drystone_core::executor::SLICE_ROWS;
use drystone_core::explain::Pass;
use drystone_core::{ChunkedDataset, Explanation, Layout, Threads};

use super::init::Init;
use super::labelled;
use super::nearness::Index;
use super::parallel;
use super::params::KMeansValidParams;

pub(crate) fn explain(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> Explanation {
    let resources = match params.executor {
        Some(executor) => executor.describe(),
        None => Threads::shared().describe(),
    };
    let what = format!("KMeans: {} clusters, {}", params.n_clusters, params.init);
    Explanation::new(what, data, resources, passes(params, data), state_bytes_per_row(params, data))
}

/// What a fit needs, and apart from that what it may come to.
fn passes(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> Vec<Pass> {
    let pass = |name: &str, at_most| Pass { name: name.to_owned(), at_most: Some(at_most) };
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

/// Whether rows whose labels are sure to stay are left out of an iteration. It takes four
/// bytes a row, and pays wherever comparing a row costs more than looking these up.
pub(crate) fn skips_rows(n_clusters: usize, n_features: usize) -> bool {
    const LEAST_PRODUCTS: usize = 64;
    n_clusters > 1 && n_clusters.saturating_mul(n_features) >= LEAST_PRODUCTS
}

/// Seeding keeps a distance and an index a row and restart, and drops them; iterations keep
/// a label, where rows are skipped how long it lasts, and where they are small the sums of
/// each slice.
pub(crate) fn state_bytes_per_row(params: &KMeansValidParams<'_>, data: &ChunkedDataset) -> u64 {
    let n_features = data.n_features();
    let seeding = match params.init {
        Init::Parallel { oversampling, rounds } => {
            let most = parallel::max_candidates(params.n_clusters, oversampling, rounds);
            size_of::<f32>() + Index::bytes(most)
        }
        Init::PlusPlus => size_of::<f32>() + Index::bytes(1),
        Init::Random | Init::Centroids(_) => 0,
    };
    let skips = params.pruning && skips_rows(params.n_clusters, n_features);
    let iterating = labelled::bytes_per_row(params.n_clusters, skips)
        + sums_per_row(params.n_clusters.saturating_mul(n_features), data.layout());
    (seeding.max(iterating) * params.n_init) as u64
}

/// Bytes of the sums that slices keep, for each of their rows.
fn sums_per_row(n_sums: usize, layout: &Layout) -> usize {
    let rows =
        layout.rows.max_block_rows().map_or(SLICE_ROWS, |rows| SLICE_ROWS.min(rows as usize));
    let bytes = layout.dtype.size() * layout.n_features;
    labelled::bytes_of_sums(n_sums, rows * bytes).map_or(0, |bytes| bytes.div_ceil(rows.max(1)))
}
