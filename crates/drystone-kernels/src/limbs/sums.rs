//! What the rows of each cluster add up to: the integers, and their means.

use crate::Float;

use super::scales::power_of_two;
use super::{OutOfRange, Scales};

/// More rows than this in one cluster could overflow its sums.
const MAX_ROWS: u64 = 1 << 38;

/// Exact sums of the rows, and of the weights, of each cluster.
///
/// [`merge`](Self::merge) is associative and commutative, [`new`](Self::new) is
/// its identity and [`subtract`](Self::subtract) its inverse; all of it exact.
/// The integers count units that a [`Scales`] defines: it is not kept here, and
/// all sums that meet must have been made with equal ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSums {
    n_clusters: usize,
    n_features: usize,
    pub(super) sums: Vec<i128>,
    pub(super) weights: Vec<i128>,
    pub(super) counts: Vec<u64>,
}

impl ClusterSums {
    /// The sums of no rows.
    #[must_use]
    pub fn new(n_clusters: usize, n_features: usize) -> Self {
        Self {
            n_clusters,
            n_features,
            sums: vec![0; n_clusters * n_features],
            weights: vec![0; n_clusters],
            counts: vec![0; n_clusters],
        }
    }

    /// Sums from their parts, as [`sums`](Self::sums), [`weights`](Self::weights)
    /// and [`counts`](Self::counts) gave them; `None` if the lengths disagree.
    #[must_use]
    pub fn from_parts(
        n_clusters: usize,
        n_features: usize,
        sums: Vec<i128>,
        weights: Vec<i128>,
        counts: Vec<u64>,
    ) -> Option<Self> {
        let fits = Some(sums.len()) == n_clusters.checked_mul(n_features)
            && weights.len() == n_clusters
            && counts.len() == n_clusters;
        fits.then_some(Self { n_clusters, n_features, sums, weights, counts })
    }

    /// How many clusters there are.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// How many columns there are.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The sums of weight times element, (n_clusters, n_features) row-major, in
    /// units of two to the [`Scales::unit_exponent`] of the column.
    #[must_use]
    pub fn sums(&self) -> &[i128] {
        &self.sums
    }

    /// The sums of weights, in units of two to the [`Scales::weight_unit_exponent`].
    #[must_use]
    pub fn weights(&self) -> &[i128] {
        &self.weights
    }

    /// The numbers of rows, those of zero weight included.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many rows the cluster has, those of zero weight included.
    #[must_use]
    pub fn count(&self, cluster: usize) -> u64 {
        self.counts[cluster]
    }

    /// The cluster's weight: of unweighted rows, their number, exactly. Otherwise
    /// the exact sum of the weights, each rounded to a multiple of 2^-88 of their
    /// range, and then rounded once.
    #[must_use]
    pub fn weight_of(&self, cluster: usize, scales: &Scales) -> f64 {
        scale(self.weights[cluster] as f64, scales.weight_unit_exponent())
    }

    /// The weighted mean of a column over a cluster's rows; NaN if their weight
    /// is zero.
    ///
    /// With 2^e the range of the column and u its unit (2^(e-88) for `f64`,
    /// 2^(e-50) for `f32`), the mean of unweighted rows is within u/2 of the true
    /// one, and three roundings of relative error 2^-53. Elements that are
    /// multiples of u, as all above 2^(e-36) (`f64`) or 2^(e-27) (`f32`) are, add
    /// nothing to the first part. Of weighted rows every product has been rounded
    /// to `f64`, and the first part is n u/2 divided by the cluster's weight.
    #[must_use]
    pub fn mean(&self, cluster: usize, column: usize, scales: &Scales) -> f64 {
        let sum = self.sums[cluster * self.n_features + column];
        let ratio = sum as f64 / self.weights[cluster] as f64;
        scale(ratio, scales.unit_exponent(column) - scales.weight_unit_exponent())
    }

    /// Adds the rows of `other`.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or a cluster would have more than 2^38 rows.
    pub fn merge(&mut self, other: &Self) {
        self.check_shape(other);
        zip_with(&mut self.sums, &other.sums, i128::wrapping_add);
        zip_with(&mut self.weights, &other.weights, i128::wrapping_add);
        for (cluster, &more) in other.counts.iter().enumerate() {
            self.add_count(cluster, more);
        }
    }

    /// Takes away the rows of `other`, which must be among these.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or `other` has more rows in a cluster.
    pub fn subtract(&mut self, other: &Self) {
        self.check_shape(other);
        zip_with(&mut self.sums, &other.sums, i128::wrapping_sub);
        zip_with(&mut self.weights, &other.weights, i128::wrapping_sub);
        for (cluster, &less) in other.counts.iter().enumerate() {
            self.remove_count(cluster, less);
        }
    }

    /// Adds one row to a cluster, as an [`Accumulator`](super::Accumulator) does.
    ///
    /// `weight` is 1 for unweighted rows.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`], with nothing added, if a value is beyond the scales.
    ///
    /// # Panics
    ///
    /// If the row's length is not n_features, or `scales` are of another type.
    pub fn add_row<T: Float>(
        &mut self,
        cluster: usize,
        row: &[T],
        weight: f64,
        scales: &Scales,
    ) -> Result<(), OutOfRange> {
        let (integers, weight) = self.integers(row, weight, scales)?;
        zip_with(self.sums_of(cluster), &integers, i128::wrapping_add);
        self.weights[cluster] = self.weights[cluster].wrapping_add(weight);
        self.add_count(cluster, 1);
        Ok(())
    }

    /// Takes one row, which must have been added, out of a cluster: undoes
    /// [`add_row`](Self::add_row) exactly.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`], with nothing changed, if a value is beyond the scales.
    ///
    /// # Panics
    ///
    /// If the cluster has no rows, the row's length is not n_features, or
    /// `scales` are of another type.
    pub fn remove_row<T: Float>(
        &mut self,
        cluster: usize,
        row: &[T],
        weight: f64,
        scales: &Scales,
    ) -> Result<(), OutOfRange> {
        let (integers, weight) = self.integers(row, weight, scales)?;
        self.remove_count(cluster, 1);
        zip_with(self.sums_of(cluster), &integers, i128::wrapping_sub);
        self.weights[cluster] = self.weights[cluster].wrapping_sub(weight);
        Ok(())
    }

    /// The integers that stand for weight times row, and for the weight.
    fn integers<T: Float>(
        &self,
        row: &[T],
        weight: f64,
        scales: &Scales,
    ) -> Result<(Vec<i128>, i128), OutOfRange> {
        assert_eq!(row.len(), self.n_features, "one element per column");
        scales.assert_type::<T>();
        let products = row.iter().map(|x| weight * x.to_f64());
        let integers = products
            .enumerate()
            .map(|(column, product)| scales.integer(0, column, product))
            .collect::<Result<_, _>>()?;
        Ok((integers, scales.weight_integer(0, weight)?))
    }

    pub(super) fn sums_of(&mut self, cluster: usize) -> &mut [i128] {
        &mut self.sums[cluster * self.n_features..][..self.n_features]
    }

    pub(super) fn add_count(&mut self, cluster: usize, more: u64) {
        let count = self.counts[cluster].saturating_add(more);
        assert!(count <= MAX_ROWS, "cluster {cluster} has more than 2^38 rows");
        self.counts[cluster] = count;
    }

    pub(super) fn remove_count(&mut self, cluster: usize, less: u64) {
        let count = self.counts[cluster].checked_sub(less);
        self.counts[cluster] = count.expect("only rows that were added are taken away");
    }

    pub(super) fn clear(&mut self) {
        self.sums.fill(0);
        self.weights.fill(0);
        self.counts.fill(0);
    }

    fn check_shape(&self, other: &Self) {
        let shape = |sums: &Self| (sums.n_clusters, sums.n_features);
        assert_eq!(shape(self), shape(other), "sums of one shape");
    }
}

fn zip_with(into: &mut [i128], other: &[i128], f: impl Fn(i128, i128) -> i128) {
    for (a, &b) in into.iter_mut().zip(other) {
        *a = f(*a, b);
    }
}

/// `value * 2^exponent`: the exponents here pass what one factor can have.
pub(super) fn scale(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value * power_of_two(half) * power_of_two(exponent - half)
}
