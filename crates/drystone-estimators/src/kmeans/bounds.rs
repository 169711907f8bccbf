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

/// The widest squared distance, and that times the largest weight, are at least this much.
const LEAST: f64 = f64::MIN_POSITIVE * (1_u64 << MIN_DISTANCE_BITS) as f64;

/// What the first pass tells, in the units that later ones use.
pub(crate) struct Bounds {
    pub range: Range,
    /// Scaled squared distances are at most about 1.
    pub unit: f64,
    pub weight_unit: f64,
}

impl Bounds {
    /// Checks that squared distances between rows, and to given centroids, are within the
    /// range of `T`, and that squares and costs are within that of `f64`.
    pub fn new<T: Real>(scan: &ScanPartial, init: &Init) -> Result<Self> {
        let (mut low, mut high) = (scan.min.clone(), scan.max.clone());
        if let Init::Centroids(given) = init {
            for (idx, value) in given.to_f64().into_iter().enumerate() {
                let column = idx % low.len();
                low[column] = low[column].min(value);
                high[column] = high[column].max(value);
            }
        }
        let (rows, all) = (Width::new(&scan.min, &scan.max), Width::new(&low, &high));
        let diameter = all.diameter;
        // Given centroids that are far from the rows do not make the rows' own distances more.
        let narrow = if rows.widest > 0.0 { &rows } else { &all };
        check_weight(scan, diameter, narrow.diameter)?;
        check_range(T::DTYPE, &all)?;
        check_range(Dtype::F64, narrow)?;
        check_magnitude(scan, &all)?;
        let (low, high) = (scan.min.clone(), scan.max.clone());
        let range = Range { low, high, max_weight: scan.max_weight };
        let unit = 1.0 / power_of_two_below(diameter);
        let weight_unit = (1_u64 << 60) as f64 / power_of_two_below(scan.max_weight);
        Ok(Self { range, unit, weight_unit })
    }
}

/// How wide a box is.
struct Width {
    widest: f64,
    /// The square of its diagonal.
    diameter: f64,
}

impl Width {
    fn new(low: &[f64], high: &[f64]) -> Self {
        let sides = || high.iter().zip(low).map(|(high, low)| high - low);
        let diameter = sides().map(|side| side * side).sum();
        Self { widest: sides().fold(0.0, f64::max), diameter }
    }
}

/// Squared distances are 0 or well within the element type.
fn check_range(dtype: Dtype, width: &Width) -> Result<()> {
    let (least, most) = match dtype {
        Dtype::F32 => {
            let least = f64::from(f32::MIN_POSITIVE) * (1_u64 << MIN_DISTANCE_BITS) as f64;
            (least, f64::from(f32::MAX) / 16.0)
        }
        Dtype::F64 => (LEAST, MOST),
    };
    if width.widest == 0.0 || (width.diameter >= least && width.diameter <= most) {
        return Ok(());
    }
    let found = format!("{:e}", width.widest);
    Err(ErrorKind::Range { dtype: dtype.to_string(), found }.into())
}

/// Weighted squares of the rows themselves, which costs follow from, do not overflow; and a
/// centroid that is off by rounding, however little, is at a finite distance.
fn check_magnitude(scan: &ScanPartial, width: &Width) -> Result<()> {
    let largest = scan.max_abs().into_iter().fold(0.0, f64::max);
    let (square, weight) = (largest * largest, scan.total_weight());
    if square * weight.max(1.0) <= MOST {
        return Ok(());
    }
    let heavy = format!(" with a total weight of {weight:e},");
    let heavy = if square <= MOST { heavy.as_str() } else { "" };
    let found = format!("up to {largest:e} large{heavy} and {:e}", width.widest);
    Err(ErrorKind::Range { dtype: "f64".to_owned(), found }.into())
}

/// Neither the weights nor the costs that they give leave the range of `f64`.
fn check_weight(scan: &ScanPartial, diameter: f64, narrow: f64) -> Result<()> {
    let sound = (1e-100..=1e100).contains(&scan.max_weight) && scan.total_weight() <= MOST;
    // Where the diameter itself is out of range, that is said in its own words.
    let of_most = diameter > MOST || diameter * scan.total_weight() <= MOST;
    let of_least = narrow < LEAST || narrow * scan.max_weight >= LEAST;
    if sound && of_most && of_least {
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
