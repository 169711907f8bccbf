//! The laws of the seam for the pass of stratified splits.

use drystone_core::{Block, ChunkedDataset, Targets, laws::check_job};
use ndarray::Array2;

use super::classes::Classes;

fn check(targets: impl Fn(usize) -> Targets) {
    let sizes = [9, 1, 0, 17, 700, 2];
    let block = |&n: &usize| Block::new(Array2::<f32>::zeros((n, 1))).with_targets(targets(n));
    let data = ChunkedDataset::from_resident(sizes.iter().map(block).collect());
    check_job(&Classes {}, &data.expect("blocks"));
}

#[test]
fn jobs_keep_the_laws() {
    check(|n| Targets::I64((0..n as i64).map(|row| row % 5 - 2).collect::<Vec<_>>().into()));
    check(|n| Targets::I64((0..n as i64).collect::<Vec<_>>().into()));
    check(|n| Targets::F64((0..n).map(|row| (row % 3) as f64 / 2.0).collect::<Vec<_>>().into()));
    check(|n| {
        let names: Vec<String> = (0..n).map(|row| format!("class {}", (row + n) % 4)).collect();
        Targets::categories(&names)
    });
}
