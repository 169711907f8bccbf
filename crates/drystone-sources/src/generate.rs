//! Data made where they are needed: the generators of scikit-learn, lazily and by block.
//!
//! Every value is a pure function of (seed, position of the row, column): the same for
//! any block size, on any machine and in any order, and the last of 10^12 rows costs as
//! much as the first. What a seed gives is pinned by tests; changing it is
//! *value-breaking*. The numbers are not those that scikit-learn draws from the same seed:
//! its stream is sequential. What they mean is the same.

mod blobs;
mod classification;
mod groups;
mod normals;
mod order;
mod per_feature;
mod permute;
mod purpose;
mod size;
mod tiles;

pub use blobs::{Blobs, BlobsSource};
pub use classification::{Classification, ClassificationSource, FeatureKind};
pub use per_feature::PerFeature;

use drystone_core::Registry;

/// Adds the generators, so that another process can make their blocks.
///
/// ```
/// use drystone_core::Registry;
/// use drystone_sources::generate;
///
/// let mut registry = Registry::new();
/// generate::register(&mut registry);
/// let description = generate::Blobs::new(1000, 3).dataset().describe().unwrap();
/// assert_eq!(description.kind, "generate.blobs/1");
/// let elsewhere = registry.open_source(&description)?;
/// assert_eq!(elsewhere.layout().n_samples(), Some(1000));
/// # Ok::<(), drystone_core::Error>(())
/// ```
pub fn register(registry: &mut Registry) {
    registry.source(blobs::KIND, blobs::open);
    registry.source(classification::KIND, classification::open);
}
