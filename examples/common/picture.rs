//! Where a picture goes, and what it shows a sample of.

use std::ops::Range;
use std::path::{Path, PathBuf};

use drystone::{Block, ChunkedDataset, Error, Result};
use plotters::style::HSLColor;

use super::output::print;

/// Width and height.
pub const SIZE: (u32, u32) = (900, 700);
/// Blocks that a sample is taken from, at most.
pub const SAMPLE_BLOCKS: usize = 8;

/// The file that was asked for, or else `target/<name>.svg` if there is a `target`, but none
/// for machines. Makes no directory: this may be anywhere.
pub fn path(asked: Option<&PathBuf>, json: bool, name: &str) -> Result<Option<PathBuf>> {
    match asked {
        Some(path) => Ok(Some(path.clone())),
        None if json => Ok(None),
        None if Path::new("target").is_dir() => {
            Ok(Some(Path::new("target").join(name).with_extension("svg")))
        }
        None => {
            print("picture: none; there is no directory target, see --plot")?;
            Ok(None)
        }
    }
}

/// Writes the picture, and tells people so.
pub fn save(svg: &str, path: &Path, json: bool) -> Result<()> {
    let written = std::fs::write(path, svg);
    written.map_err(|error| Error::io("cannot write the picture", error).in_file(path))?;
    if json { Ok(()) } else { print(format!("picture: {}", path.display())) }
}

/// Gives some blocks, spread over the dataset, and some rows of each, at most so many.
pub fn sample(
    data: &ChunkedDataset,
    rows_of_block: usize,
    mut take: impl FnMut(&Block, &mut dyn Iterator<Item = usize>) -> Result<()>,
) -> Result<()> {
    let n_blocks = data.n_blocks();
    let n_read = n_blocks.min(SAMPLE_BLOCKS);
    for idx in 0..n_read {
        let block = data.read(idx * n_blocks / n_read)?;
        let stride = block.n_samples().div_ceil(rows_of_block).max(1);
        take(&block, &mut (0..block.n_samples()).step_by(stride))?;
    }
    Ok(())
}

/// From the least to the greatest, and some margin.
pub fn span(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let margin = ((high - low) * 0.04).max(1e-9);
    low - margin..high + margin
}

/// Neighbouring labels get hues far apart.
pub fn color(label: u32, lightness: f64) -> HSLColor {
    HSLColor(f64::from(label) * 0.618_034 % 1.0, 0.65, lightness)
}
