//! The facts that `datasets/golden/generators.py` took from scikit-learn.

use ndarray::Array2;
use serde_json::Value;

use drystone_sources::generate::{Blobs, Classification, PerFeature};

pub fn load(generator: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/golden/generators.json");
    let text = std::fs::read_to_string(path).expect("the golden file");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    document[generator].clone()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

pub fn counts(value: &Value) -> Vec<u64> {
    list(value).iter().map(|count| count.as_u64().expect("a count")).collect()
}

/// A number; NaN and infinities are strings there.
pub fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("nan") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        _ => value.as_f64(),
    }
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(number).collect()
}

fn points(value: &Value) -> Option<Array2<f64>> {
    let rows: Vec<Vec<f64>> = value.as_array()?.iter().map(numbers).collect::<Option<_>>()?;
    let shape = (rows.len(), rows.first()?.len());
    Array2::from_shape_vec(shape, rows.concat()).ok()
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().map(|count| count as usize)
}

/// The same call here; `None` where Rust's types rule it out.
pub fn blobs(kwargs: &Value) -> Option<Blobs> {
    let sizes: Option<Option<Vec<u64>>> =
        kwargs["n_samples"].as_array().map(|sizes| sizes.iter().map(Value::as_u64).collect());
    let n_samples = match (&kwargs["n_samples"], &sizes) {
        (Value::Null, _) => 100,
        (_, Some(sizes)) => sizes.as_ref()?.iter().sum(),
        (n_samples, None) => n_samples.as_u64()?,
    };
    let points = points(&kwargs["centers"]);
    let natural = points.as_ref().map_or(2, Array2::ncols);
    let mut blobs = Blobs::new(n_samples, optional(&kwargs["n_features"], natural, count)?);
    if let Some(sizes) = sizes {
        blobs = blobs.sizes(sizes?);
    }
    blobs = match (&kwargs["centers"], points) {
        (Value::Null, _) => blobs,
        (_, Some(points)) => blobs.center_points(points),
        (n_centers, None) => blobs.centers(count(n_centers)?),
    };
    if let Some(std) = kwargs.get("cluster_std") {
        blobs = match numbers(std) {
            Some(stds) => blobs.cluster_stds(stds),
            None => blobs.cluster_std(number(std)?),
        };
    }
    if let Some(ends) = kwargs.get("center_box") {
        let &[lo, hi] = numbers(ends)?.as_slice() else { return None };
        blobs = blobs.center_box(lo, hi);
    }
    no_others(kwargs).then_some(blobs)
}

pub fn classification(kwargs: &Value) -> Option<Classification> {
    let n_samples = optional(&kwargs["n_samples"], 100, Value::as_u64)?;
    let n_features = optional(&kwargs["n_features"], 20, count)?;
    let n = |name: &str, default| optional(&kwargs[name], default, count);
    let x = |name: &str, default| optional(&kwargs[name], default, number);
    let each = |name: &str, default| match numbers(&kwargs[name]) {
        Some(values) => Some(PerFeature::Each(values)),
        None => x(name, default).map(PerFeature::Same),
    };
    let mut made = Classification::new(n_samples, n_features)
        .n_informative(n("n_informative", 2)?)
        .n_redundant(n("n_redundant", 2)?)
        .n_repeated(n("n_repeated", 0)?)
        .n_classes(n("n_classes", 2)?)
        .n_clusters_per_class(n("n_clusters_per_class", 2)?)
        .flip_y(x("flip_y", 0.01)?)
        .class_sep(x("class_sep", 1.0)?)
        .shift(each("shift", 0.0)?)
        .scale(each("scale", 1.0)?);
    if let Some(weights) = kwargs.get("weights") {
        made = made.weights(numbers(weights)?);
    }
    no_others(kwargs).then_some(made)
}

fn optional<T>(value: &Value, default: T, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    if value.is_null() { Some(default) } else { read(value) }
}

/// Whether the call sets none of the parameters that are only ever of a wrong type there.
fn no_others(kwargs: &Value) -> bool {
    ["shuffle", "hypercube", "random_state"].iter().all(|name| kwargs.get(name).is_none())
}
