//! What a fit will cost.

use drystone_core::explain::Pass;
use drystone_core::{ChunkedDataset, Explanation, Threads};

use super::kernel::{Gamma, Kernel};
use super::params::SvcValidParams;
use super::sweep::{bytes_per_row, keeps_tiles};

/// Classes are found by the first pass; before, there is nothing to go by.
const N_CLASSES: usize = 2;

pub(crate) fn explain(params: &SvcValidParams<'_>, data: &ChunkedDataset) -> Explanation {
    let resources = match params.executor {
        Some(executor) => executor.describe(),
        None => Threads::shared().describe(),
    };
    let what = format!(
        "SVC: {}, C = {}; row state of {N_CLASSES} classes, with each further one as much again",
        params.kernel, params.c
    );
    let d = data.n_features();
    let budget = params.tiles_budget(resources.memory_budget);
    // Where rows are not yet counted, the most that may be kept.
    let keeps = data.n_samples().is_none_or(|n| keeps_tiles(n, N_CLASSES, d, budget));
    let per_row = bytes_per_row(N_CLASSES, d, keeps) as u64;
    Explanation::new(what, data, resources, passes(params, data), per_row)
}

fn passes(params: &SvcValidParams<'_>, data: &ChunkedDataset) -> Vec<Pass> {
    let pass = |name: &str, at_most| Pass { name: name.to_owned(), at_most };
    let mut passes = Vec::new();
    if data.n_samples().is_none() {
        passes.push(pass("count rows", Some(1)));
    }
    passes.push(pass("survey rows and classes", Some(1)));
    if params.kernel != Kernel::Linear && params.gamma == Gamma::Scale {
        passes.push(pass("measure the variance, for gamma", Some(1)));
    }
    passes.push(pass("sweeps, until no two rows violate the conditions of the optimum", None));
    passes
}
