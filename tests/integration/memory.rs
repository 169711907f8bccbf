//! Memory does not grow with the file: peaks of the whole process, as Linux counts them.

use std::fmt::Write;

use drystone::npy::NpyWriter;

use super::support::Workdir;

/// The process itself (a debug build), two blocks in flight and their text.
const MOST: u64 = 32 << 20;
/// Allocators round, and threads meet by chance.
const NOISE: u64 = 4 << 20;
const N_FEATURES: usize = 8;

/// What a row keeps between passes: its label, and its share of sums.
const STATE: u64 = 3;

/// Few passes over blocks that are not kept.
const FLAGS: &str = "--clusters 3 --init random --max-iter 1 --memory-budget 0 --threads 2 \
                     --block-rows 20000";

/// Peak memory but for the state of rows.
fn peak(directory: &Workdir, file: &str, n_rows: usize) -> u64 {
    let json = directory.json(&format!("--input {file} {FLAGS}"));
    assert_eq!(json["n_samples"], n_rows);
    let state = STATE * n_rows as u64;
    assert_eq!(json["state_bytes"], state);
    json["peak_rss_bytes"].as_u64().expect("Linux tells") - state
}

/// A file four times as large takes as much memory, and less than itself.
fn check(name: &str, n_rows: usize, write: impl Fn(&Workdir, &str, usize)) {
    let directory = Workdir::new();
    let peaks = [n_rows / 4, n_rows].map(|n_rows| {
        let file = format!("{n_rows}-rows.{name}");
        write(&directory, &file, n_rows);
        let size = std::fs::metadata(directory.path(&file)).expect("a file").len();
        (peak(&directory, &file, n_rows), size)
    });
    let [(small, small_size), (large, large_size)] = peaks;
    assert!(large_size - small_size > 3 * NOISE, "the files prove nothing: {peaks:?}");
    assert!(large < MOST && large < small + NOISE, "{name}: peaks and sizes are {peaks:?}");
}

fn value(row: usize, column: usize) -> usize {
    row % 3 * 100_000 + (row * 31 + column * 17) % 10_007
}

#[test]
fn npy_of_64_megabytes() {
    check("npy", 1_000_000, |directory, file, n_rows| {
        let mut writer =
            NpyWriter::<f64>::create_rows(directory.path(file), N_FEATURES).expect("a file");
        for row in 0..n_rows {
            let values: [f64; N_FEATURES] = std::array::from_fn(|column| value(row, column) as f64);
            writer.append(&values).expect("rows");
        }
        writer.finish().expect("a file");
    });
}

/// Less than would be, since a debug build reads but 20 MB/s of text.
#[test]
fn csv_of_16_megabytes() {
    check("csv", 200_000, |directory, file, n_rows| {
        let mut text = String::new();
        for row in 0..n_rows {
            for column in 0..N_FEATURES {
                let end = if column + 1 == N_FEATURES { '\n' } else { ',' };
                write!(text, "{}.125{end}", value(row, column) + 100_000).expect("text");
            }
        }
        directory.write(file, text);
    });
}
