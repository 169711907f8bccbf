//! The same bits whatever the threads, blocks, budget and instruction set; and how many
//! blocks that takes.

use serde_json::Value;

use super::support::{TINY, Workdir};

/// Bytes of a block of [`TINY`]: 3000 rows of 6 features and a target.
const BLOCK_BYTES: u64 = 3000 * 7 * 8;

fn sha(json: &Value) -> &str {
    json["model_sha256"].as_str().expect("a hash")
}

#[test]
fn the_same_bits_however_it_is_run() {
    let directory = Workdir::new();
    // Overlapping blobs, so that it iterates.
    let data = "--features 6 --centers 5 --clusters 7 --cluster-std 4 --seed 3";
    let tiny = "--blocks 4 --block-rows 3000";
    let ways = [
        ("--blocks 4 --block-rows 3000 --threads 1", None),
        ("--blocks 4 --block-rows 3000 --threads 2", None),
        ("--blocks 4 --block-rows 3000 --threads 3", None),
        ("--blocks 12 --block-rows 1000", None),
        ("--blocks 1 --block-rows 12000", None),
        ("--blocks 4 --block-rows 3000 --memory-budget 0", None),
        ("--blocks 4 --block-rows 3000 --memory-budget 200KB", None),
        ("--blocks 4 --block-rows 3000 --memory-budget 1GB", None),
        ("--blocks 4 --block-rows 3000", Some("scalar")),
        #[cfg(target_arch = "x86_64")]
        ("--blocks 4 --block-rows 3000", Some("avx2")),
    ];
    for how in ["", "--dtype f32 --init plusplus", "--n-init 2 --max-iter 5"] {
        let expected = directory.json(&format!("{data} {tiny} {how}"));
        assert!(expected["n_iter"].as_u64().expect("a count") >= 3, "{expected}");
        for (way, isa) in ways {
            if isa == Some("avx2") && !avx2() {
                continue;
            }
            let found = directory.json_with_isa(&format!("{data} {way} {how}"), isa);
            assert_eq!(sha(&found), sha(&expected), "{way} {how} {isa:?}");
            for same in ["n_iter", "inertia", "init_cost", "n_candidates", "labels_head"] {
                assert_eq!(found[same], expected[same], "{same} of {way} {how} {isa:?}");
            }
            assert!(isa.is_none_or(|isa| found["isa"] == isa), "{found}");
        }
    }
}

/// A processor without AVX2 refuses the choice, as it should.
fn avx2() -> bool {
    drystone::kernels::Isa::available().iter().any(|isa| isa.name() == "avx2")
}

#[test]
fn another_seed_gives_other_bits() {
    let directory = Workdir::new();
    let models = ["--seed 0", "--seed 1", "--clusters 6"]
        .map(|change| sha(&directory.json(&format!("{TINY} {change}"))).to_owned());
    assert!(models[0] != models[1] && models[0] != models[2] && models[1] != models[2]);
}

/// Blocks that fit the budget are made once, the others in each pass.
#[test]
fn blocks_are_made_as_often_as_the_budget_says() {
    let directory = Workdir::new();
    for kept in 0..=4 {
        for (budget, of) in [(kept * BLOCK_BYTES, kept), ((kept + 1) * BLOCK_BYTES - 1, kept)] {
            let json = directory.json(&format!("{TINY} --memory-budget {budget}"));
            let passes = json["passes"].as_u64().expect("a count");
            let expected = 4 + (passes - 1) * (4 - of);
            assert_eq!(json["blocks_read"], expected, "{budget} bytes, {passes} passes");
        }
    }
}
