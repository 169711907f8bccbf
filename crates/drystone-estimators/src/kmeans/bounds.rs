//! What the first pass tells of the data's range, and whether distances and sums stay
//! within the element type.

use drystone_core::{Dtype, ErrorKind, Result};

use super::element::Real;
use super::init::Init;
use super::lloyd::Range;
use super::scan::ScanPartial;

/// Squared distances must keep so many bits below the widest one before they underflow.
const MIN_DISTANCE_BITS: i32 = 48;

/// Squares and costs may be 2^1000 at most: sums of rows reach up to 2^1015.
const MOST: f64 = f64::MAX / (1_u64 << 24) as f64;
/// What the first pass tells, in the units that later ones use.
pub(crate) struct Bounds {
    pub range: Range,
    /// Scaled squared distances are at most about 1.
    pub unit: f64,
    pub weight_unit: f64,
    /// What rows are taken times where their own squares are summed.
    pub cost_unit: f64,
}

impl Bounds {
    /// Checks that squared distances between rows, and to given centroids, are within the
    /// range of `T`.
    pub fn new<T: Real>(scan: &ScanPartial, init: &Init) -> Result<Self> {
        let (mut low, mut high) = (scan.min.clone(), scan.max.clone());
        if let Init::Centroids(given) = init {
            for (idx, value) in given.to_f64().into_iter().enumerate() {
                let column = idx % low.len();
                low[column] = low[column].min(value);
                high[column] = high[column].max(value);
            }
        }
        let width: Vec<f64> = high.iter().zip(&low).map(|(high, low)| high - low).collect();
        let diameter: f64 = width.iter().map(|width| width * width).sum();
        check_weight(scan, diameter)?;
        check_range(T::DTYPE, &width, diameter)?;
        check_magnitude(scan, &width)?;
        let (low, high) = (scan.min.clone(), scan.max.clone());
        let range = Range { low, high, max_weight: scan.max_weight };
        let unit = 1.0 / power_of_two_below(diameter);
        let weight_unit = (1_u64 << 60) as f64 / power_of_two_below(scan.max_weight);
        // Squares of rows that are far from zero could overflow where distances do not.
        let largest = scan.max_abs().into_iter().fold(0.0, f64::max);
        let far = largest * largest > MOST / scan.total_weight().max(1.0) / (1_u64 << 16) as f64;
        let cost_unit = if far { 1.0 / (1_u128 << 64) as f64 } else { 1.0 };
        Ok(Self { range, unit, weight_unit, cost_unit })
    }
}

/// Squared distances are 0 or well within the element type.
fn check_range(dtype: Dtype, width: &[f64], diameter: f64) -> Result<()> {
    let (least, most) = match dtype {
        Dtype::F32 => (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX) / 16.0),
        Dtype::F64 => (f64::MIN_POSITIVE, MOST),
    };
    let least = least * (1_u64 << MIN_DISTANCE_BITS) as f64;
    let widest = width.iter().copied().fold(0.0, f64::max);
    if widest == 0.0 || (diameter >= least && diameter <= most) {
        return Ok(());
    }
    let found = format!("{widest:e}");
    Err(ErrorKind::Range { dtype: dtype.to_string(), found }.into())
}

/// A centroid that is off by rounding, however little, is at a finite distance.
fn check_magnitude(scan: &ScanPartial, width: &[f64]) -> Result<()> {
    let largest = scan.max_abs().into_iter().fold(0.0, f64::max);
    if largest * largest <= MOST {
        return Ok(());
    }
    let widest = width.iter().copied().fold(0.0, f64::max);
    let found = format!("up to {largest:e} large and {widest:e}");
    Err(ErrorKind::Range { dtype: "f64".to_owned(), found }.into())
}

/// Neither the weights nor the costs that they give leave the range of `f64`.
fn check_weight(scan: &ScanPartial, diameter: f64) -> Result<()> {
    let sound = (1e-100..=1e100).contains(&scan.max_weight) && scan.total_weight() <= MOST;
    // Where the diameter itself is out of range, that is said in its own words.
    let of_most = diameter > MOST || diameter * scan.total_weight() <= MOST;
    if sound && of_most {
        return Ok(());
    }
    let found = format!(
        "a largest weight of {:e}, beyond what can be summed; rescale the weights",
        scan.max_weight
    );
    Err(ErrorKind::Weight { found }.into())
}

/// The largest power of two that is not above a normal number; 1 for 0.
fn power_of_two_below(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { f64::from_bits(value.to_bits() & f64::INFINITY.to_bits()) }
}
