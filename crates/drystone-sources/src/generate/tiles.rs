//! Blocks made tile by tile, each of them while it is in a near cache.

use drystone_core::buffer;
use drystone_core::{Block, Dtype, ErrorKind, Layout, Records, Result, Rows, Targets, memory};

/// Values of a tile, 256 KiB: half of a usual level-2 cache. It changes no value.
const TILE_VALUES: usize = 32_768;

/// Blocks below this size are made without asking how much memory there is.
const SMALL_BLOCK_BYTES: u64 = 256 << 20;

/// Rows of a full tile.
pub(super) fn tile_rows(n_features: usize) -> usize {
    (TILE_VALUES / n_features).max(1)
}

/// A block of `n_rows` rows that `make` writes: it is called with the values and the
/// targets of the next tile, in order, and overwrites all of both.
///
/// Records in single precision are those in double precision, each rounded once.
///
/// # Errors
/// [`ErrorKind::Limit`] when the block does not fit in the memory that is available.
pub(super) fn block(
    layout: &Layout,
    n_rows: usize,
    make: impl FnMut(&mut [f64], &mut [i64]),
) -> Result<Block> {
    check_memory(layout.row_bytes().saturating_mul(n_rows as u64))?;
    let n_features = layout.n_features;
    let mut targets = buffer::take(n_rows);
    let records = match layout.dtype {
        Dtype::F64 => in_place(n_features, &mut targets, make),
        Dtype::F32 => rounded(n_features, &mut targets, make),
    };
    Ok(Block::new(records?).with_targets(Targets::I64(targets.into())))
}

fn check_memory(found: u64) -> Result<()> {
    let limit = memory::available().filter(|_| found >= SMALL_BLOCK_BYTES);
    match limit {
        Some(limit) if found > limit => {
            let what = "the size of a block in bytes".to_owned();
            Err(ErrorKind::Limit { what, limit, found }.into())
        }
        _ => Ok(()),
    }
}

fn in_place(
    n_features: usize,
    targets: &mut [i64],
    mut make: impl FnMut(&mut [f64], &mut [i64]),
) -> Result<Records> {
    let rows = tile_rows(n_features);
    let mut values = buffer::take(targets.len() * n_features);
    for (tile, targets) in values.chunks_mut(rows * n_features).zip(targets.chunks_mut(rows)) {
        make(tile, targets);
    }
    Ok(Records::F64(Rows::new(values, n_features)?))
}

fn rounded(
    n_features: usize,
    targets: &mut [i64],
    mut make: impl FnMut(&mut [f64], &mut [i64]),
) -> Result<Records> {
    let rows = tile_rows(n_features);
    let mut values: Vec<f32> = buffer::take(targets.len() * n_features);
    let mut scratch = vec![0.0; rows.min(targets.len()) * n_features];
    for (tile, targets) in values.chunks_mut(rows * n_features).zip(targets.chunks_mut(rows)) {
        let scratch = &mut scratch[..tile.len()];
        make(scratch, targets);
        tile.iter_mut().zip(scratch).for_each(|(to, from)| *to = *from as f32);
    }
    Ok(Records::F32(Rows::new(values, n_features)?))
}
