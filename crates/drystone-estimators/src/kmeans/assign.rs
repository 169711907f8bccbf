//! The centroid nearest to each row: from the screen where it is certain, from the direct
//! search elsewhere. Which of them it was changes no label.

use drystone_core::{BlockAt, Error};
use drystone_kernels::Isa;
use drystone_kernels::distance::distances;
use drystone_kernels::nearest::nearest;
use drystone_kernels::screen::{Found, Frame, OPEN, Screen};

use super::element::{Real, batch_rows, changed};

/// Calls that go to the direct search at once after a screen that left more than one row
/// in so many open.
const OPEN_SHARE: usize = 4;
const CALLS_WITHOUT_SCREEN: usize = 15;

/// Finds the nearest of some centroids for rows of a slice.
pub(crate) struct Assigner<'a, T> {
    n_features: usize,
    centroids: &'a [T],
    /// The same in double precision, in which the direct search compares.
    doubles: Vec<f64>,
    isa: Isa,
    screen: Screen<T>,
    /// The frame's.
    scale: f64,
    calls_without: usize,
    found: Found,
    scratch: Scratch,
}

/// Rows that are left open.
#[derive(Default)]
struct Scratch {
    places: Vec<u32>,
    values: Vec<f64>,
    best: Vec<f64>,
    index: Vec<u32>,
}

impl<'a, T: Real> Assigner<'a, T> {
    /// For centroids, `(n_clusters, n_features)`, in a frame that the rows fit.
    pub fn new(n_features: usize, centroids: &'a [T], frame: &Frame) -> Self {
        Self {
            n_features,
            centroids,
            doubles: centroids.iter().map(|c| c.to_f64()).collect(),
            isa: Isa::best(),
            screen: Screen::new(centroids, frame),
            scale: frame.scale(),
            calls_without: 0,
            found: Found::default(),
            scratch: Scratch::default(),
        }
    }

    /// The same, in the frame of the centroids themselves.
    pub fn of_centroids(n_features: usize, centroids: &'a [T]) -> Self {
        let column = |j: usize| centroids.iter().skip(j).step_by(n_features).map(|c| c.to_f64());
        let corner = |pick: fn(f64, f64) -> f64, from: f64| -> Vec<f64> {
            (0..n_features).map(|j| column(j).fold(from, pick)).collect()
        };
        let low = corner(f64::min, f64::INFINITY);
        let high = corner(f64::max, f64::NEG_INFINITY);
        Self::new(n_features, centroids, &Frame::new(&low, &high))
    }

    /// What a gap must leave beside the drift of the centroids.
    pub fn margin(&self) -> f64 {
        self.screen.margin()
    }

    /// What one unit of [`Found::low`] is as a squared distance; 0 if that is out of range,
    /// so that it bounds nothing.
    pub fn unit_of_squares(&self) -> f64 {
        let square = self.scale * self.scale;
        if square.is_normal() && (1.0 / square).is_normal() { 1.0 / square } else { 0.0 }
    }

    /// Finds the nearest centroid of some rows of a slice. Rows that were left to the
    /// direct search have no gap ([`OPEN`]).
    ///
    /// # Errors
    /// A row without a finite distance: its position in the slice.
    pub fn assign(&mut self, records: &[T], rows: &[u32]) -> Result<&Found, NoDistance> {
        let screened = self.calls_without == 0;
        if screened {
            self.screen.search(self.isa, records, rows, &mut self.found);
        } else {
            self.calls_without -= 1;
            self.found.leave_open(rows.len());
        }
        let places = &mut self.scratch.places;
        places.clear();
        let open = self.found.gap.iter().zip(0..).filter(|&(&gap, _)| gap == OPEN);
        places.extend(open.map(|(_, place)| place));
        if screened && places.len() * OPEN_SHARE > rows.len() {
            self.calls_without = CALLS_WITHOUT_SCREEN;
        }
        if !places.is_empty() {
            self.settle(records, rows)?;
        }
        Ok(&self.found)
    }

    /// The direct search for the open rows.
    fn settle(&mut self, records: &[T], rows: &[u32]) -> Result<(), NoDistance> {
        let Scratch { places, values, best, index } = &mut self.scratch;
        let d = self.n_features;
        values.clear();
        for &place in &*places {
            let row = &records[rows[place as usize] as usize * d..][..d];
            values.extend(row.iter().map(|x| x.to_f64()));
        }
        best.resize(places.len(), 0.0);
        index.resize(places.len(), 0);
        nearest(self.isa, values, d, &self.doubles, best, index);
        for ((&place, &index), best) in places.iter().zip(&*index).zip(best) {
            if !best.is_finite() {
                return Err(NoDistance { row: rows[place as usize] as usize });
            }
            self.found.index[place as usize] = index;
        }
        Ok(())
    }
}

/// A row that is at no finite distance from any centroid.
pub(crate) struct NoDistance {
    pub row: usize,
}

impl NoDistance {
    /// In a pass after the first, which saw only finite rows.
    pub fn in_slice(self, rows: &BlockAt) -> Error {
        changed(rows, self.row)
    }
}

/// Goes over rows batch by batch, with the squared distance of each row to its nearest
/// centroid.
pub(crate) struct Assignments<'a, T> {
    records: &'a [T],
    assigner: Assigner<'a, T>,
    next_row: usize,
    d2: Vec<f64>,
}

/// The squared distances of rows, from `first_row` on, to their nearest centroids.
pub(crate) struct Distances<'a> {
    pub first_row: usize,
    pub d2: &'a [f64],
}

impl<'a, T: Real> Assignments<'a, T> {
    pub fn new(records: &'a [T], n_features: usize, centroids: &'a [T]) -> Self {
        let assigner = Assigner::of_centroids(n_features, centroids);
        Self { records, assigner, next_row: 0, d2: Vec::new() }
    }

    pub fn next(&mut self) -> Result<Option<Distances<'_>>, NoDistance> {
        let (d, centroids, isa) =
            (self.assigner.n_features, self.assigner.centroids, self.assigner.isa);
        let (first_row, n_rows) = (self.next_row, self.records.len() / d);
        self.next_row = n_rows.min(first_row + batch_rows::<T>(d));
        if self.next_row == first_row {
            return Ok(None);
        }
        let records = &self.records[first_row * d..self.next_row * d];
        let rows: Vec<u32> = (0..(self.next_row - first_row) as u32).collect();
        self.d2.resize(rows.len(), 0.0);
        let found = self.assigner.assign(records, &rows);
        let index = &found.map_err(|none| NoDistance { row: first_row + none.row })?.index;
        distances(isa, records, d, &rows, centroids, index, &mut self.d2);
        Ok(Some(Distances { first_row, d2: &self.d2 }))
    }
}
