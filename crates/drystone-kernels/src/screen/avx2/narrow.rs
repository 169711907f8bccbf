//! Rows of few features: a lane is a row, and a tile of rows is transposed once.

use std::arch::x86_64::*;

use super::{Ahead, Feature, Framed, Nearest, ROWS, VECTORS, WIDTH};
use crate::screen::{Screen, group_size};

/// Features that are transposed at a time.
const BLOCK: usize = 4;

/// The rows of a tile, feature by feature: at most 16 KiB, which stay in the first-level
/// cache.
pub(super) struct Tile(Vec<Feature>);

impl Tile {
    #[target_feature(enable = "avx2,fma")]
    pub fn new(d: usize) -> Self {
        Self(vec![[_mm256_setzero_ps(); VECTORS]; if d < crate::screen::WIDE { d } else { 0 }])
    }

    /// Compares rows with every centroid.
    ///
    /// # Safety
    ///
    /// The machine has AVX2 and FMA; there are `screen.n_features` elements at each row.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn search<T: Framed>(
        &mut self,
        screen: &Screen<T>,
        rows: &[*const T; ROWS],
        next: &[*const T; ROWS],
    ) -> Nearest {
        let infinity = [_mm256_set1_ps(f32::INFINITY); VECTORS];
        let zeros = [_mm256_setzero_ps(); VECTORS];
        let mut nearest =
            Nearest { best: infinity, second: infinity, index: zeros, squares: zeros };
        // SAFETY: as the caller vouches.
        unsafe { fill(screen, rows, &mut self.0, &mut nearest.squares) };
        let mut ahead = Ahead::new(next, screen.n_features, screen.n_clusters.div_ceil(3));
        let mut first = 0;
        while first < screen.n_clusters {
            ahead.fetch();
            let size = group_size(screen.n_clusters - first);
            match size {
                1 => compare::<T, 1>(screen, &self.0, first, &mut nearest),
                2 => compare::<T, 2>(screen, &self.0, first, &mut nearest),
                _ => compare::<T, 3>(screen, &self.0, first, &mut nearest),
            }
            first += size;
        }
        nearest
    }
}

/// Compares a tile with `C` centroids from `first` on: 12 sums, and 4 registers for what
/// goes into them.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn compare<T: Framed, const C: usize>(
    screen: &Screen<T>,
    tile: &[Feature],
    first: usize,
    nearest: &mut Nearest,
) {
    let group = &screen.packed[first * tile.len()..][..C * tile.len()];
    let mut sums = [[_mm256_setzero_ps(); VECTORS]; C];
    for (sums, half) in sums.iter_mut().zip(&screen.halves[first..first + C]) {
        *sums = [_mm256_set1_ps(*half); VECTORS];
    }
    multiply::<C>(tile, group, &mut sums);
    nearest.update(first as i32, &sums);
}

/// Adds the products of the features with those of the centroids.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn multiply<const C: usize>(tile: &[Feature], group: &[f32], sums: &mut [[__m256; VECTORS]; C]) {
    for (x, centroids) in tile.iter().zip(group.chunks_exact(C)) {
        for vector in 0..VECTORS {
            for (c, sums) in centroids.iter().zip(sums.iter_mut()) {
                sums[vector] = _mm256_fmadd_ps(x[vector], _mm256_set1_ps(*c), sums[vector]);
            }
        }
    }
}

impl Nearest {
    /// Takes in centroids from `first` on.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn update<const C: usize>(&mut self, first: i32, scores: &[[__m256; VECTORS]; C]) {
        for vector in 0..VECTORS {
            let (best, second) = (&mut self.best[vector], &mut self.second[vector]);
            let index = &mut self.index[vector];
            for (c, scores) in scores.iter().enumerate() {
                let score = scores[vector];
                let less = _mm256_cmp_ps::<_CMP_LT_OQ>(score, *best);
                let number = _mm256_castsi256_ps(_mm256_set1_epi32(first + c as i32));
                *index = _mm256_blendv_ps(*index, number, less);
                *second = _mm256_min_ps(*second, _mm256_max_ps(score, *best));
                *best = _mm256_min_ps(score, *best);
            }
        }
    }
}

/// Transposes rows into the tile, and adds up their squares.
///
/// # Safety
///
/// The machine has AVX2 and FMA; there are `screen.n_features` elements at each row.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn fill<T: Framed>(
    screen: &Screen<T>,
    rows: &[*const T; ROWS],
    tile: &mut [Feature],
    squares: &mut Feature,
) {
    let whole = tile.len() - tile.len() % BLOCK;
    for (vector, rows) in rows.chunks_exact(WIDTH).enumerate() {
        let mut sums = [squares[vector], _mm256_setzero_ps()];
        for feature in (0..whole).step_by(BLOCK) {
            // SAFETY: BLOCK features from feature are within the rows and the origin.
            let block = unsafe { transposed(screen, rows, feature) };
            for (i, x) in block.into_iter().enumerate() {
                sums[i % 2] = _mm256_fmadd_ps(x, x, sums[i % 2]);
                tile[feature + i][vector] = x;
            }
        }
        for (feature, of_rows) in tile.iter_mut().enumerate().skip(whole) {
            // SAFETY: as above.
            let x = unsafe { single(screen, rows, feature) };
            sums[0] = _mm256_fmadd_ps(x, x, sums[0]);
            of_rows[vector] = x;
        }
        squares[vector] = _mm256_add_ps(sums[0], sums[1]);
    }
}

/// `BLOCK` features of `WIDTH` rows, a vector each.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn transposed<T: Framed>(
    screen: &Screen<T>,
    rows: &[*const T],
    feature: usize,
) -> [__m256; BLOCK] {
    let halves = |row: usize| {
        // SAFETY: as the caller vouches.
        unsafe {
            let pair = [rows[row].add(feature), rows[row + BLOCK].add(feature)];
            T::load(pair, screen.scale, screen.origin.as_ptr().add(feature))
        }
    };
    let (a, b, c, d) = (halves(0), halves(1), halves(2), halves(3));
    let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    [
        _mm256_shuffle_ps::<0b01_00_01_00>(ab_low, cd_low),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab_low, cd_low),
        _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
    ]
}

/// One feature of `WIDTH` rows.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn single<T: Framed>(screen: &Screen<T>, rows: &[*const T], feature: usize) -> __m256 {
    let mut values = [0.0_f32; WIDTH];
    let (scale, origin) = (screen.scale.to_f64(), screen.origin[feature].to_f64());
    for (value, row) in values.iter_mut().zip(rows) {
        // SAFETY: as the caller vouches.
        let x = unsafe { *row.add(feature) }.to_f64();
        *value = x.mul_add(scale, -origin) as f32;
    }
    // SAFETY: eight values.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}
