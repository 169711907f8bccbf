//! Drawing rows in one pass: each row has a key, and the rows of the smallest keys win.
//!
//! A key is a pure function of (seed, round, row) and of the row's chance, so that which
//! rows win depends on no block and no thread.

use serde::{Deserialize, Serialize};

use drystone_core::wire::raw;

/// A drawn row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drawn {
    pub key: f64,
    /// Position in the dataset.
    pub row: u64,
    pub weight: f64,
    /// Its values; exact for `f32` too.
    #[serde(with = "raw")]
    pub values: Vec<f64>,
}

impl Drawn {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.key.total_cmp(&other.key).then(self.row.cmp(&other.row))
    }
}

/// The key of a row, from a random number that belongs to it: the greater its chance, the
/// smaller. Finite for every chance above 0, so that such a row can always be drawn, and
/// infinite for 0.
pub(crate) fn key(random: f64, chance: f64) -> f64 {
    if chance > 0.0 { (random / chance).min(f64::MAX) } else { f64::INFINITY }
}

/// The rows of the smallest keys among those offered; ties go to the lower row.
///
/// Merging is associative and commutative once both sides are [sealed](Smallest::seal).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smallest {
    capacity: usize,
    entries: Vec<Drawn>,
    /// No key above this one can win any more.
    bound: f64,
}

impl Smallest {
    pub fn new(capacity: usize) -> Self {
        let bound = if capacity == 0 { f64::NEG_INFINITY } else { f64::INFINITY };
        Self { capacity, entries: Vec::new(), bound }
    }

    /// Offers a row; its values are asked for only if it may win. Infinite keys never do.
    #[inline]
    pub fn offer(&mut self, key: f64, row: u64, weight: f64, values: impl FnOnce() -> Vec<f64>) {
        if key <= self.bound && key < f64::INFINITY {
            self.push(Drawn { key, row, weight, values: values() });
        }
    }

    fn push(&mut self, drawn: Drawn) {
        self.entries.push(drawn);
        if self.entries.len() >= self.capacity.saturating_mul(2).saturating_add(16) {
            self.seal();
        }
    }

    /// Keeps the winners only, in order: the canonical form.
    pub fn seal(&mut self) {
        self.entries.sort_unstable_by(Drawn::order);
        self.entries.truncate(self.capacity);
        if self.entries.len() == self.capacity {
            self.bound = self.entries.last().map_or(self.bound, |last| last.key);
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.seal();
    }

    /// The winners, by ascending key. Call after [`seal`](Self::seal).
    pub fn winners(&self) -> &[Drawn] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(capacity: usize, keys: &[(u8, u64)]) -> Smallest {
        let mut smallest = Smallest::new(capacity);
        for &(key, row) in keys {
            smallest.offer(f64::from(key), row, 1.0, || vec![row as f64]);
        }
        smallest.seal();
        smallest
    }

    proptest! {
        #[test]
        fn winners_are_the_sorted_prefix_however_rows_are_grouped(
            keys in prop::collection::vec(any::<u8>(), 0..200), capacity in 0_usize..20, cut in 0_usize..200,
        ) {
            let rows: Vec<(u8, u64)> = keys.into_iter().zip(0..).collect();
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut merged = of(capacity, right);
            merged.merge(of(capacity, left));
            let mut naive = rows.clone();
            naive.sort_unstable();
            let wanted: Vec<u64> = naive.into_iter().take(capacity).map(|(_, row)| row).collect();
            let found: Vec<u64> = merged.winners().iter().map(|drawn| drawn.row).collect();
            prop_assert_eq!(&found, &wanted);
            prop_assert_eq!(of(capacity, &rows), merged);
        }
    }

    #[test]
    fn keys_are_finite_for_every_chance() {
        let least = f64::from_bits(1);
        let keys = [(36.0, least), (0.0, least), (1.0, 2.0), (1.0, 0.0), (0.0, 0.0)];
        let found = keys.map(|(random, chance)| key(random, chance));
        assert_eq!(found, [f64::MAX, 0.0, 0.5, f64::INFINITY, f64::INFINITY]);
    }

    #[test]
    fn infinite_and_undefined_keys_never_win() {
        let mut smallest = Smallest::new(3);
        smallest.offer(f64::INFINITY, 0, 1.0, Vec::new);
        smallest.offer(f64::NAN, 1, 1.0, Vec::new);
        smallest.seal();
        assert!(smallest.winners().is_empty());
    }
}
