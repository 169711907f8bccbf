//! A model within a job travels as its file, which is checked when it arrives:
//! `#[serde(with = "as_file")]`.

use drystone_core::Result;
use drystone_core::wire::bytes;
use serde::{Deserializer, Serializer, de, ser};

use crate::svc::Calibrated;
use crate::{KMeans, LinearSvc, Svc};

/// A model that has a canonical file.
pub(crate) trait Filed: Sized {
    fn to_file(&self) -> Result<Vec<u8>>;

    /// # Errors
    /// When it is not the canonical file of a sound model.
    fn from_file(bytes: &[u8]) -> Result<Self>;
}

macro_rules! filed {
    ($($model:ty),*) => {$(
        impl Filed for $model {
            fn to_file(&self) -> Result<Vec<u8>> {
                self.to_bytes()
            }

            fn from_file(bytes: &[u8]) -> Result<Self> {
                Self::from_bytes(bytes)
            }
        }
    )*};
}

filed!(KMeans, Svc, LinearSvc, Calibrated<Svc>);

pub(crate) fn serialize<M: Filed, S: Serializer>(model: &M, to: S) -> Result<S::Ok, S::Error> {
    bytes::serialize(&model.to_file().map_err(ser::Error::custom)?, to)
}

pub(crate) fn deserialize<'de, M: Filed, D: Deserializer<'de>>(from: D) -> Result<M, D::Error> {
    let found: Vec<u8> = bytes::deserialize(from)?;
    M::from_file(&found).map_err(de::Error::custom)
}
