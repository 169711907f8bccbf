//! State: the rows of a slice in one problem of two classes.

use drystone_core::Records;
use drystone_kernels::Isa;
use drystone_kernels::gram::{Real, Supports, TILE_ROWS, Tiles, accumulate};

use super::kernel::Frame;
use super::log::{Change, Extremes};

/// Rows that are prepared at a time where they are not kept.
const CHUNK_ROWS: usize = 8 * TILE_ROWS;

/// Rows whose coordinate may still change, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct PairRows {
    /// Position in the slice, ascending.
    pub rows: Vec<u32>,
    /// The end of the coordinate's range that is not 0: positive for the first class.
    pub bounds: Vec<f64>,
    pub betas: Vec<f64>,
    /// The gradient; filled up to whole tiles.
    pub gradients: Vec<f64>,
    /// Whether a row takes part. Those that do not are taken out when they are many.
    pub live: Vec<bool>,
    n_dead: usize,
    /// The rows in their frame, where there is memory to keep them.
    tiles: Option<Tiles<f32>>,
}

/// The precisions that kernels are evaluated in: rows are kept in single precision only.
pub(crate) trait Tiled: Real {
    /// Where rows of this precision are kept.
    fn kept(tiles: &mut Option<Tiles<f32>>) -> Option<&mut Option<Tiles<Self>>>;
}

impl Tiled for f32 {
    fn kept(tiles: &mut Option<Tiles<f32>>) -> Option<&mut Option<Tiles<Self>>> {
        Some(tiles)
    }
}

impl Tiled for f64 {
    fn kept(_: &mut Option<Tiles<f32>>) -> Option<&mut Option<Tiles<Self>>> {
        None
    }
}

/// What is needed to see the rows.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub records: &'a Records,
    pub frame: &'a Frame,
    pub first_row: u64,
    pub keeps_tiles: bool,
}

impl PairRows {
    /// Adds a row with coordinate 0.
    pub fn push(&mut self, row: u32, bound: f64) {
        self.rows.push(row);
        self.bounds.push(bound);
        self.betas.push(0.0);
        self.live.push(true);
    }

    /// Gradients of coordinates that are all 0.
    pub fn start(&mut self) {
        self.gradients = self.bounds.iter().map(|bound| -bound.signum()).collect();
        self.gradients.resize(self.rows.len().next_multiple_of(TILE_ROWS), 0.0);
    }

    /// Whether coordinates may grow, and whether they may shrink.
    pub fn may(&self, at: usize) -> (bool, bool) {
        let (bound, beta) = (self.bounds[at], self.betas[at]);
        (beta < bound.max(0.0), beta > bound.min(0.0))
    }

    /// By how much a coordinate is out of its range.
    pub fn excess(&self, at: usize) -> f64 {
        let (bound, beta) = (self.bounds[at], self.betas[at]);
        (beta - bound.max(0.0)).max(bound.min(0.0) - beta).max(0.0)
    }

    /// Takes in that coordinates changed, by these supports.
    pub fn change<V: Tiled>(
        &mut self,
        view: View<'_>,
        changes: &[Change],
        supports: Supports<'_, V>,
        coefs: &[f64],
    ) {
        if changes.is_empty() {
            return;
        }
        self.add_up(view, supports, coefs);
        let in_slice = |change: &&Change| change.row >= view.first_row;
        for change in changes.iter().filter(in_slice) {
            let row = change.row - view.first_row;
            if let Ok(at) = self.rows.binary_search_by(|other| u64::from(*other).cmp(&row)) {
                self.betas[at] = change.to;
            }
        }
    }

    fn add_up<V: Tiled>(&mut self, view: View<'_>, supports: Supports<'_, V>, coefs: &[f64]) {
        let (frame, map, isa) = (view.frame, view.frame.map(), Isa::best());
        if let (true, Some(kept)) = (view.keeps_tiles, V::kept(&mut self.tiles)) {
            let tiles = kept.get_or_insert_with(|| {
                let mut tiles = Tiles::new(frame.n_features());
                tiles.reserve(self.rows.len());
                fill(&mut tiles, view, &self.rows);
                tiles
            });
            return accumulate(isa, map, tiles, supports, coefs, 1, &mut self.gradients);
        }
        let mut tiles = Tiles::<V>::new(frame.n_features());
        let sums = self.gradients.chunks_mut(CHUNK_ROWS);
        for (rows, sums) in self.rows.chunks(CHUNK_ROWS).zip(sums) {
            tiles.clear();
            fill(&mut tiles, view, rows);
            accumulate(isa, map, &tiles, supports, coefs, 1, sums);
        }
    }

    /// Lays aside rows at a bound whose gradient is so far on the right side that they are
    /// not expected to move again.
    pub fn shrink(&mut self, extremes: Extremes) {
        let margin = extremes.gap();
        for at in 0..self.rows.len() {
            let (gradient, (grows, shrinks)) = (self.gradients[at], self.may(at));
            let idle = !shrinks && gradient > extremes.greatest + margin
                || !grows && gradient < extremes.least - margin;
            if idle && self.live[at] {
                self.live[at] = false;
                self.n_dead += 1;
            }
        }
        if self.n_dead * 8 > self.rows.len() {
            self.take_out();
        }
    }

    fn take_out(&mut self) {
        fn keep<T: Copy>(values: &mut Vec<T>, live: &[bool]) {
            let mut at = 0;
            values.retain(|_| {
                at += 1;
                live.get(at - 1).copied().unwrap_or(false)
            });
        }
        let live = std::mem::take(&mut self.live);
        keep(&mut self.rows, &live);
        keep(&mut self.bounds, &live);
        keep(&mut self.betas, &live);
        keep(&mut self.gradients, &live);
        self.live = vec![true; self.rows.len()];
        self.gradients.resize(self.rows.len().next_multiple_of(TILE_ROWS), 0.0);
        self.n_dead = 0;
        self.tiles = None;
    }
}

fn fill<V: Real>(tiles: &mut Tiles<V>, view: View<'_>, rows: &[u32]) {
    let map = view.frame.map();
    let mut values = Vec::with_capacity(view.frame.n_features());
    for &row in rows {
        values.clear();
        view.frame.prepare_row(view.records, row as usize, &mut values);
        tiles.push(&values, map);
    }
}
