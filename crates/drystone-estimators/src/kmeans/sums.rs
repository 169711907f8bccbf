//! Sums of clusters in a form that travels.

use drystone_core::wire::raw;
use drystone_kernels::limbs::ClusterSums;
use serde::{Deserialize, Serialize};

/// [`ClusterSums`] in a form that travels.
#[derive(Clone, Debug)]
pub(crate) struct Sums(pub ClusterSums);

#[derive(Serialize, Deserialize)]
struct WireSums {
    shape: (u64, u64),
    #[serde(with = "raw")]
    sums: Vec<i128>,
    #[serde(with = "raw")]
    weights: Vec<i128>,
    #[serde(with = "raw")]
    counts: Vec<u64>,
}

impl Serialize for Sums {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let sums = &self.0;
        let shape = (sums.n_clusters() as u64, sums.n_features() as u64);
        let (weights, counts) = (sums.weights().to_vec(), sums.counts().to_vec());
        WireSums { shape, sums: sums.sums().to_vec(), weights, counts }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let WireSums { shape: (k, d), sums, weights, counts } = WireSums::deserialize(from)?;
        let sums = ClusterSums::from_parts(k as usize, d as usize, sums, weights, counts);
        let sums = sums.ok_or_else(|| serde::de::Error::custom("sums of another shape"))?;
        Ok(Self(sums))
    }
}
