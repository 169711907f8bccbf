//! The nearest centroid with AVX2: a lane is a row, so that each distance is
//! the same chain as in scalar code, whatever the width.

mod lanes;

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::ops::Range;
use std::sync::atomic::{Ordering, compiler_fence};

use super::Problem;
use crate::Float;

use lanes::{BLOCK, Lanes};

/// Vectors of rows in a tile, and centroids that they are compared with at a
/// time: 8 accumulators, and as many registers for what goes into them.
const VECTORS: usize = 4;
const CENTROIDS: usize = 2;

/// Bytes that memory is fetched in.
const CACHE_LINE: usize = 64;

/// Features per tile: 14 KiB of rows, so that they stay in the first-level cache
/// along with the centroids. Longer rows carry their sums from tile to tile.
const FEATURES: usize = 112;

/// Some features of some rows, feature-major.
type Tile<V> = [[V; VECTORS]];

/// What one call allocates.
struct Scratch<V> {
    tile: Vec<[V; VECTORS]>,
    /// For each centroid, the sums over the features of earlier tiles.
    carried: Vec<[V; VECTORS]>,
}

/// The nearest centroids of a tile's rows so far.
struct Nearest<V> {
    best: [V; VECTORS],
    index: [V; VECTORS],
}

/// The nearest centroids, some rows at a time.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn nearest<V: Lanes>(problem: &mut Problem<'_, V::Element>) {
    let (d, n_rows) = (problem.n_features, VECTORS * V::WIDTH);
    let zeros = [splat::<V>(V::Element::ZERO); VECTORS];
    let carry = d > FEATURES;
    let n_carried = problem.centroids.len() / d * usize::from(carry);
    let mut scratch =
        Scratch { tile: vec![zeros; d.min(FEATURES)], carried: vec![zeros; n_carried] };
    let best = problem.best.chunks_mut(n_rows);
    let index = problem.index.chunks_mut(n_rows);
    let records = problem.records.chunks(n_rows * d);
    let ahead = records.clone().skip(1).chain([&[][..]]);
    for (((records, ahead), best), index) in records.zip(ahead).zip(best).zip(index) {
        if !carry {
            prefetch(ahead);
        }
        let found = if carry {
            search::<V, true>(&mut scratch, records, d, problem.centroids)
        } else {
            search::<V, false>(&mut scratch, records, d, problem.centroids)
        };
        store(&found, best, index);
    }
}

/// Asks for the rows of the next tile while this one is compared: the pauses between
/// tiles are too long for the processor to see the pattern.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn prefetch<T>(records: &[T]) {
    for line in records.chunks(CACHE_LINE / size_of::<T>()) {
        _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
    }
}

/// Compares some rows with every centroid; `CARRY` if they have more features
/// than a tile. On its own for the sake of register allocation, as [`fill`] is.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn search<V: Lanes, const CARRY: bool>(
    scratch: &mut Scratch<V>,
    records: &[V::Element],
    d: usize,
    centroids: &[V::Element],
) -> Nearest<V> {
    let mut found = Nearest {
        best: [splat(V::Element::INFINITY); VECTORS],
        index: [splat(V::Element::ZERO); VECTORS],
    };
    let n_clusters = centroids.len() / d;
    let n_grouped = n_clusters - n_clusters % CENTROIDS;
    for start in (0..d).step_by(FEATURES) {
        let features = start..d.min(start + FEATURES);
        fill(&mut scratch.tile[..features.len()], records, d, start);
        for first in (0..n_grouped).step_by(CENTROIDS) {
            let group = &centroids[first * d..][..CENTROIDS * d];
            compare::<V, CENTROIDS, CARRY>(scratch, group, &features, first, &mut found);
        }
        for first in n_grouped..n_clusters {
            let centroid = &centroids[first * d..][..d];
            compare::<V, 1, CARRY>(scratch, centroid, &features, first, &mut found);
        }
    }
    found
}

/// Adds a tile to the squared distances to `C` centroids, of which `first` is the
/// index of the first; they are complete with the last feature.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn compare<V: Lanes, const C: usize, const CARRY: bool>(
    scratch: &mut Scratch<V>,
    centroids: &[V::Element],
    features: &Range<usize>,
    first: usize,
    found: &mut Nearest<V>,
) {
    let d = centroids.len() / C;
    let tile = &scratch.tile[..features.len()];
    let mut sums = [[splat::<V>(V::Element::ZERO); VECTORS]; C];
    if CARRY && features.start > 0 {
        sums.copy_from_slice(&scratch.carried[first..first + C]);
    }
    add_tile(tile, centroids, features.start, &mut sums);
    if CARRY && features.end < d {
        scratch.carried[first..first + C].copy_from_slice(&sums);
    } else {
        found.update(first as u32, &sums);
    }
}

/// Adds the squared differences of a tile, from feature `start` on, and `C` centroids.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_tile<V: Lanes, const C: usize>(
    tile: &Tile<V>,
    centroids: &[V::Element],
    start: usize,
    sums: &mut [[V; VECTORS]; C],
) {
    let (n, d) = (tile.len(), centroids.len() / C);
    assert!(centroids.len() == C * d && start + n <= d);
    let values = centroids[start..].as_ptr();
    for i in 0..n {
        // SAFETY: AVX2 and FMA as in the caller; i < n, and start + i < d.
        unsafe { add_feature(tile.as_ptr().add(i), values.add(i), d, sums) }
    }
}

/// Adds the squared differences in one feature.
///
/// # Safety
///
/// The machine has AVX2 and FMA; there are `C` values of centroids, `d` apart.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_feature<V: Lanes, const C: usize>(
    x: *const [V; VECTORS],
    centroids: *const V::Element,
    d: usize,
    sums: &mut [[V; VECTORS]; C],
) {
    let mut c = [splat::<V>(V::Element::ZERO); C];
    for (centroid, c) in c.iter_mut().enumerate() {
        // SAFETY: `C` values, as the caller vouches.
        *c = splat(unsafe { *centroids.add(centroid * d) });
    }
    for vector in 0..VECTORS {
        // Keeps the compiler from loading every vector first: the loop is then
        // a tenth slower.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: a row of the tile, as the caller vouches.
        let x = unsafe { (*x)[vector] };
        for (c, sums) in c.iter().zip(sums.iter_mut()) {
            // SAFETY: AVX2 and FMA as in the caller.
            sums[vector] = unsafe { x.add_squared_difference(*c, sums[vector]) };
        }
    }
}

/// Transposes features of the rows, from `start` on, into the tile; rows that
/// are missing become zeros.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn fill<V: Lanes>(tile: &mut Tile<V>, records: &[V::Element], d: usize, start: usize) {
    let n_rows = VECTORS * V::WIDTH;
    let whole = records.len() == d * n_rows;
    let n_blocked = if whole { tile.len() - tile.len() % BLOCK } else { 0 };
    assert!(start + tile.len() <= d && records.len() <= d * n_rows);
    let (blocks, rest) = tile.split_at_mut(n_blocked);
    for (features, i) in blocks.chunks_exact_mut(BLOCK).zip((0..).step_by(BLOCK)) {
        for vector in 0..VECTORS {
            // SAFETY: AVX2 as in the caller; all rows are there, `d` apart, and
            // BLOCK features from start + i are within start + tile.len() <= d.
            unsafe {
                let from = records.as_ptr().add(vector * V::WIDTH * d + start + i);
                V::transpose(from, d, features, vector);
            }
        }
    }
    if !rest.is_empty() {
        let rows = records.chunks_exact(d).map(|row| &row[start + n_blocked..]);
        fill_singly(rest, rows);
    }
}

/// Copies the first features of each row into the tile; missing rows become zeros.
fn fill_singly<'a, V: Lanes>(tile: &mut Tile<V>, rows: impl Iterator<Item = &'a [V::Element]>) {
    let (n_features, n_rows) = (tile.len(), VECTORS * V::WIDTH);
    let tile = lanes::elements_mut(tile.as_flattened_mut());
    tile.fill(V::Element::ZERO);
    for (row, values) in rows.enumerate() {
        for (feature, &x) in values[..n_features].iter().enumerate() {
            tile[feature * n_rows + row] = x;
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
