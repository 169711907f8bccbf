//! Models as bytes: safetensors with one canonical form, so that a hash names a model.
//!
//! Data only: nothing in a file chooses code. Whatever is not the canonical form of some
//! model, to the last bit, is an error.

use std::path::Path;

use drystone_core::{Error, ErrorKind, Records, Result, Rows};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::element::Real;
use super::model::{History, KMeans, Status};
use super::params::KMeansValidParams;
use crate::archive::{self, Array};

const FORMAT: &str = "drystone.kmeans";
const VERSION: u32 = 1;

/// What a file says besides its arrays; its fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    recipe: String,
    inertia: f64,
    n_iter: u64,
    status: String,
    /// SHA-256 of the header with this field empty, then of the arrays.
    checksum: String,
}

/// The parameters that affect values, as text that is part of a model's identity.
pub(super) fn recipe(params: &KMeansValidParams<'_>) -> String {
    let KMeansValidParams { n_clusters, init, n_init, max_iter, tol, seed, .. } = params;
    format!(
        "KMeans(n_clusters={n_clusters}, init={init}, n_init={n_init}, max_iter={max_iter}, \
         tol={tol}, seed={seed})"
    )
}

impl KMeans {
    /// The parameters that affect values, in words.
    #[must_use]
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The canonical file of the model, in memory.
    ///
    /// # Errors
    /// When it would be over 2 GiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let arrays = self.arrays();
        let mut header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            recipe: self.recipe.clone(),
            inertia: self.inertia,
            n_iter: self.n_iter as u64,
            status: self.status.name().to_owned(),
            checksum: String::new(),
        };
        let unsigned = serde_json::to_string(&header).map_err(Error::external)?;
        header.checksum = archive::checksum(&unsigned, &arrays);
        archive::write(&serde_json::to_string(&header).map_err(Error::external)?, &arrays)
    }

    fn arrays(&self) -> [Array; 2] {
        let shape = [self.n_clusters(), self.n_features()];
        let centroids = match &self.centroids {
            Records::F32(rows) => Array::new("centroids", &shape, Dtype::F32, rows.values()),
            Records::F64(rows) => Array::new("centroids", &shape, Dtype::F64, rows.values()),
        };
        let counts = &self.cluster_counts;
        [centroids, Array::new("cluster_counts", &[counts.len()], Dtype::U64, counts)]
    }

    /// A model from the bytes of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] when they are not the canonical form of a model: cut off, a
    /// bit flipped, another format or version; [`ErrorKind::Limit`] over 2 GiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (header, tensors) = archive::read(bytes)?;
        let header: Header = archive::header(&header, (FORMAT, VERSION))?;
        let model = Self::from_parts(header, &tensors)?;
        archive::check_canonical(bytes, &model.to_bytes()?)?;
        Ok(model)
    }

    fn from_parts(header: Header, tensors: &SafeTensors<'_>) -> Result<Self> {
        let status = Status::from_name(&header.status);
        let status = status.ok_or_else(|| Error::format("a status", &header.status))?;
        if !(header.inertia >= 0.0 && header.inertia.is_finite()) {
            return Err(Error::format("a finite inertia of at least 0", header.inertia));
        }
        let centroids = centroids(&archive::tensor(tensors, "centroids")?)?;
        let counts = archive::tensor(tensors, "cluster_counts")?;
        if counts.dtype() != Dtype::U64 || counts.shape() != [centroids.n_samples()] {
            return Err(Error::format("a count for each centroid", "another array"));
        }
        Ok(Self {
            centroids,
            inertia: header.inertia,
            n_iter: header.n_iter as usize,
            status,
            cluster_counts: archive::numbers(&counts)?,
            recipe: header.recipe,
            history: History::default(),
        })
    }

    /// Writes the model to a file, by way of a file beside it, so that a crash leaves
    /// the old one or the new one.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], with the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        archive::save(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], and as for [`from_bytes`](Self::from_bytes), with the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        archive::load(path.as_ref(), Self::from_bytes)
    }

    /// SHA-256 of the canonical file, in hexadecimal: equal for equal models only.
    ///
    /// # Errors
    /// As for [`to_bytes`](Self::to_bytes).
    pub fn sha256(&self) -> Result<String> {
        Ok(archive::sha256(&self.to_bytes()?))
    }
}

fn centroids(tensor: &TensorView<'_>) -> Result<Records> {
    let &[n_clusters, n_features] = tensor.shape() else {
        return Err(Error::format("centroids of two dimensions", format!("{:?}", tensor.shape())));
    };
    if n_clusters == 0 || n_features == 0 {
        return Err(Error::format("at least one centroid and feature", "none"));
    }
    match tensor.dtype() {
        Dtype::F32 => finite_rows::<f32>(tensor.data(), n_features),
        Dtype::F64 => finite_rows::<f64>(tensor.data(), n_features),
        other => Err(Error::format("centroids of f32 or f64", format!("{other:?}"))),
    }
}

fn finite_rows<T: Real>(bytes: &[u8], n_features: usize) -> Result<Records> {
    let values: Vec<T> = bytes.chunks_exact(T::SIZE).map(T::read).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => {
            let error = Error::from(ErrorKind::NotFinite { found: values[at].to_string() });
            Err(error.at_row((at / n_features) as u64).at_column((at % n_features) as u64))
        }
        None => Ok(T::into_records(Rows::new(values, n_features)?)),
    }
}
