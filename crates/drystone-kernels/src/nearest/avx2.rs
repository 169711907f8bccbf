//! The nearest centroid with AVX2: a lane is a row, so that each distance is
//! the same chain as in scalar code, whatever the width.

mod lanes;

use super::{Problem, scalar};
use crate::Float;

use lanes::Lanes;

/// Vectors of rows in a tile, and centroids that they are compared with at a
/// time: 8 accumulators, and as many registers for what goes into them.
const VECTORS: usize = 4;
const CENTROIDS: usize = 2;

const UNROLL: usize = 2;

/// Some rows, feature-major.
type Tile<V> = Vec<[V; VECTORS]>;

/// The nearest centroids of a tile's rows so far.
struct Nearest<V> {
    best: [V; VECTORS],
    index: [V; VECTORS],
}

/// [`scalar::own_distance`], with a multiply-add that is one instruction.
#[target_feature(enable = "avx2,fma")]
pub(super) fn own_distance<T: Float>(
    records: &[T],
    n_features: usize,
    centroids: &[T],
    index: &[u32],
    out: &mut [f64],
) {
    scalar::own_distance(records, n_features, centroids, index, out);
}

/// The nearest centroids, tile by tile.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn nearest<V: Lanes>(problem: &mut Problem<'_, V::Element>) {
    let d = problem.n_features;
    let tile_rows = VECTORS * V::WIDTH;
    let mut tile: Tile<V> = vec![[splat(V::Element::ZERO); VECTORS]; d];
    let tiles = problem.records.chunks(tile_rows * d);
    let best = problem.best.chunks_mut(tile_rows);
    let index = problem.index.chunks_mut(tile_rows);
    for ((records, best), index) in tiles.zip(best).zip(index) {
        fill(&mut tile, records);
        let found = search(&tile, problem.centroids);
        store(&found, best, index);
    }
}

/// Transposes the rows into the tile; rows that are missing become zeros.
#[target_feature(enable = "avx2,fma")]
fn fill<V: Lanes>(tile: &mut Tile<V>, records: &[V::Element]) {
    let (d, tile_rows) = (tile.len(), VECTORS * V::WIDTH);
    let whole = records.len() == d * tile_rows;
    let n_blocked = if whole { d - d % V::WIDTH } else { 0 };
    for (block, features) in tile[..n_blocked].chunks_exact_mut(V::WIDTH).enumerate() {
        for vector in 0..VECTORS {
            let from = &records[vector * V::WIDTH * d + block * V::WIDTH..];
            assert!(from.len() >= (V::WIDTH - 1) * d + V::WIDTH);
            // SAFETY: AVX2 as in the caller; `from` has WIDTH rows, d apart.
            unsafe { V::transpose(from.as_ptr(), d, features, vector) }
        }
    }
    let rest = lanes::elements_mut(tile[n_blocked..].as_flattened_mut());
    if !whole {
        rest.fill(V::Element::ZERO);
    }
    for (row, values) in records.chunks_exact(d).enumerate() {
        for (feature, &x) in values[n_blocked..].iter().enumerate() {
            rest[feature * tile_rows + row] = x;
        }
    }
}

/// Compares the rows of a tile with every centroid.
#[target_feature(enable = "avx2,fma")]
fn search<V: Lanes>(tile: &Tile<V>, centroids: &[V::Element]) -> Nearest<V> {
    let d = tile.len();
    let mut found = Nearest {
        best: [splat(V::Element::INFINITY); VECTORS],
        index: [splat(V::Element::ZERO); VECTORS],
    };
    let n_clusters = centroids.len() / d;
    let n_grouped = n_clusters - n_clusters % CENTROIDS;
    for first in (0..n_grouped).step_by(CENTROIDS) {
        let group = &centroids[first * d..][..CENTROIDS * d];
        let squared = squared_distances::<V, CENTROIDS>(tile, group);
        found.update(first as u32, &squared);
    }
    for first in n_grouped..n_clusters {
        let squared = squared_distances::<V, 1>(tile, &centroids[first * d..][..d]);
        found.update(first as u32, &squared);
    }
    found
}

/// The squared distances of the rows of a tile to `C` centroids.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn squared_distances<V: Lanes, const C: usize>(
    tile: &Tile<V>,
    centroids: &[V::Element],
) -> [[V; VECTORS]; C] {
    let d = tile.len();
    assert_eq!(centroids.len(), C * d);
    let mut sums = [[splat::<V>(V::Element::ZERO); VECTORS]; C];
    let unrolled = d - d % UNROLL;
    for first in (0..unrolled).step_by(UNROLL) {
        for feature in first..first + UNROLL {
            add_feature(tile, centroids, feature, &mut sums);
        }
    }
    for feature in unrolled..d {
        add_feature(tile, centroids, feature, &mut sums);
    }
    sums
}

/// # Safety
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_feature<V: Lanes, const C: usize>(
    tile: &[[V; VECTORS]],
    centroids: &[V::Element],
    feature: usize,
    sums: &mut [[V; VECTORS]; C],
) {
    let d = tile.len();
    // SAFETY: feature < d and centroid < C, and the length is C * d.
    unsafe {
        let mut c = [V::splat(V::Element::ZERO); C];
        for (centroid, c) in c.iter_mut().enumerate() {
            *c = V::splat(*centroids.get_unchecked(centroid * d + feature));
        }
        for (vector, &x) in tile.get_unchecked(feature).iter().enumerate() {
            for (c, sums) in c.iter().zip(sums.iter_mut()) {
                sums[vector] = x.add_squared_difference(*c, sums[vector]);
            }
        }
    }
}

impl<V: Lanes> Nearest<V> {
    /// Keeps what is nearer: the centroids from `first` on are at these distances.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn update<const C: usize>(&mut self, first: u32, squared: &[[V; VECTORS]; C]) {
        for (centroid, squared) in squared.iter().enumerate() {
            for (vector, squared) in squared.iter().enumerate() {
                let (best, index) = (&mut self.best[vector], &mut self.index[vector]);
                // SAFETY: AVX2 and FMA as in the caller.
                unsafe { squared.keep_less(first + centroid as u32, best, index) }
            }
        }
    }
}

/// Writes the results of the rows that exist.
fn store<V: Lanes>(found: &Nearest<V>, best: &mut [V::Element], index: &mut [u32]) {
    let from = lanes::elements(&found.best);
    best.copy_from_slice(&from[..best.len()]);
    let from = lanes::elements(&found.index);
    for (to, &from) in index.iter_mut().zip(from) {
        *to = V::index_of(from);
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn splat<V: Lanes>(value: V::Element) -> V {
    // SAFETY: AVX2 and FMA as in the caller.
    unsafe { V::splat(value) }
}
