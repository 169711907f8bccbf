//! What of a classification problem is drawn once: centroids, matrices, columns.

use drystone_core::{Result, rng};
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use super::Classification;
use crate::generate::normals::MAX_NORMAL;
use crate::generate::permute::Permutation;
use crate::generate::purpose;

/// Dimensions in which the vertices of clusters are told apart; more clusters than
/// vertices of so many dimensions cannot be kept. Coordinates beyond are random.
const DISTINCT_DIMENSIONS: usize = 30;

/// What a feature of [`Classification`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// It differs between clusters.
    Informative,
    /// A linear combination of the informative ones.
    Redundant,
    /// A copy of an informative or redundant one.
    Repeated,
    /// Noise (scikit-learn's "random").
    #[doc(alias = "random")]
    Useless,
}

/// Numbers that all rows share.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// `(n_clusters, n_informative)`.
    pub centroids: Array2<f64>,
    /// The matrices of the clusters, one below the other:
    /// `(n_clusters * n_informative, n_informative)`.
    pub mixing: Array2<f64>,
    /// `(n_informative, n_redundant)`.
    pub redundant: Array2<f64>,
    /// The columns that are informative, redundant or repeated.
    pub useful: Vec<Column>,
    /// The columns of noise; `from` counts 0, 1, 2, ...
    pub useless: Vec<Column>,
    /// What each column of the records is.
    pub kinds: Vec<FeatureKind>,
}

/// How a column of the records comes to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its index in the records.
    pub to: usize,
    /// Its index among the informative and then the redundant features, or among the
    /// useless ones.
    pub from: usize,
    pub shift: f64,
    pub scale: f64,
}

impl Header {
    /// Draws everything; the sizes have been checked.
    pub fn new(params: &Classification) -> Result<Self> {
        let n_informative = params.n_informative;
        let n_clusters = params.n_classes * params.n_clusters_per_class;
        let draw = |purpose, shape| draw(params.seed, purpose, shape).mapv_into(|u| 2.0 * u - 1.0);
        let mixing = draw(purpose::CLASS_MIXING, (n_clusters * n_informative, n_informative));
        let redundant = draw(purpose::CLASS_REDUNDANT, (n_informative, params.n_redundant));
        let columns = Columns::new(params)?;
        Ok(Self {
            centroids: centroids(params, n_clusters),
            mixing,
            redundant,
            useful: columns.useful,
            useless: columns.useless,
            kinds: columns.kinds,
        })
    }
}

/// Uniform numbers in `[0, 1)`.
fn draw(seed: u64, purpose: u64, shape: (usize, usize)) -> Array2<f64> {
    Array2::random_using(shape, Uniform::new(0.0, 1.0), &mut rng::stream(seed, purpose))
}

fn draw_row(seed: u64, purpose: u64, len: usize) -> Vec<f64> {
    draw(seed, purpose, (1, len)).into_raw_vec_and_offset().0
}

/// Distinct vertices of the hypercube, scaled if it is to be a polytope.
fn centroids(params: &Classification, n_clusters: usize) -> Array2<f64> {
    let (seed, n_informative, class_sep) = (params.seed, params.n_informative, params.class_sep);
    let distinct = n_informative.min(DISTINCT_DIMENSIONS);
    let vertices = Permutation::new(seed, purpose::CLASS_VERTICES, 1 << distinct);
    let vertices: Vec<u64> = (0..n_clusters as u64).map(|cluster| vertices.of(cluster)).collect();
    let extra = (n_clusters, n_informative - distinct);
    let extra = draw(seed, purpose::CLASS_EXTRA_SIGNS, extra);
    let mut centroids = Array2::from_shape_fn((n_clusters, n_informative), |(cluster, j)| {
        let positive = if j < distinct {
            vertices[cluster] >> j & 1 == 1
        } else {
            extra[(cluster, j - distinct)] >= 0.5
        };
        if positive { class_sep } else { -class_sep }
    });
    if !params.hypercube {
        centroids *= &draw(seed, purpose::CLASS_CLUSTER_SCALES, (n_clusters, 1));
        centroids *= &draw(seed, purpose::CLASS_FEATURE_SCALES, (1, n_informative));
    }
    centroids
}

struct Columns {
    useful: Vec<Column>,
    useless: Vec<Column>,
    kinds: Vec<FeatureKind>,
}

impl Columns {
    fn new(params: &Classification) -> Result<Self> {
        let (n_features, seed) = (params.size.n_features, params.seed);
        let (shifts, scales) = adjustments(params)?;
        let sources = sources(params);
        let order = Permutation::new(seed, purpose::CLASS_COLUMNS, n_features as u64);
        let mut columns = Self { useful: Vec::new(), useless: Vec::new(), kinds: Vec::new() };
        for to in 0..n_features {
            let feature = if params.shuffle { order.of(to as u64) as usize } else { to };
            let (kind, from) = sources[feature];
            let column = Column { to, from, shift: shifts[feature], scale: scales[feature] };
            columns.kinds.push(kind);
            match kind {
                FeatureKind::Useless => columns.useless.push(column),
                _ => columns.useful.push(column),
            }
        }
        columns.useless.sort_unstable_by_key(|column| column.from);
        Ok(columns)
    }
}

/// The kind of each feature, and its index among the useful or the useless ones.
fn sources(params: &Classification) -> Vec<(FeatureKind, usize)> {
    let n_informative = params.n_informative;
    let independent = n_informative + params.n_redundant;
    let useful = independent + params.n_repeated;
    let repeat = |u: f64| ((independent - 1) as f64 * u + 0.5) as usize;
    let repeated = draw_row(params.seed, purpose::CLASS_REPEATED, params.n_repeated);
    let informative = (0..n_informative).map(|j| (FeatureKind::Informative, j));
    let redundant = (n_informative..independent).map(|j| (FeatureKind::Redundant, j));
    let repeated = repeated.into_iter().map(|u| (FeatureKind::Repeated, repeat(u)));
    let useless = (0..params.size.n_features - useful).map(|j| (FeatureKind::Useless, j));
    informative.chain(redundant).chain(repeated).chain(useless).collect()
}

/// The shift and the scale of each feature.
fn adjustments(params: &Classification) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n_features, seed, class_sep) = (params.size.n_features, params.seed, params.class_sep);
    let draw = |purpose, value: &dyn Fn(f64) -> f64| -> Vec<f64> {
        draw_row(seed, purpose, n_features).into_iter().map(value).collect()
    };
    let shift = || draw(purpose::CLASS_SHIFT, &|u| (2.0 * u - 1.0) * class_sep);
    let scale = || draw(purpose::CLASS_SCALE, &|u| 1.0 + 100.0 * u);
    let shifts = params.shift.resolve("shift", "finite", n_features, f64::is_finite, shift)?;
    let positive = |value: f64| value > 0.0 && value.is_finite();
    let scales =
        params.scale.resolve("scale", "finite and above 0", n_features, positive, scale)?;
    check_range(params, &shifts, &scales)?;
    Ok((shifts, scales))
}

/// Checks that no value can overflow, whatever is drawn.
fn check_range(params: &Classification, shifts: &[f64], scales: &[f64]) -> Result<()> {
    let n_informative = params.n_informative as f64;
    let informative = MAX_NORMAL * n_informative + params.class_sep;
    let redundant = informative * n_informative;
    let largest = |values: &[f64]| values.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
    let reach = (redundant + largest(shifts)) * largest(scales);
    params.size.check_range("class_sep, shift and scale", reach)
}
