//! Models as bytes: safetensors with one canonical form, so that a hash names a model.
//!
//! Data only: nothing in a file chooses code. Whatever is not the canonical form of some
//! model, to the last bit, is an error.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use drystone_core::{Error, ErrorKind, Records, Result, Rows};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::element::Real;
use super::model::{History, KMeans, Status};
use super::params::KMeansValidParams;

const FORMAT: &str = "drystone.kmeans";
const VERSION: u32 = 1;
/// The key of the header under which everything but the arrays is kept.
const KEY: &str = "drystone";
/// Largest model file: 10 million centroids x 20 features fit.
const MAX_BYTES: u64 = 2 << 30;

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
        let centroids = self.centroids_bytes();
        let counts = le_bytes(&self.cluster_counts);
        let header = self.header(&centroids, &counts)?;
        let dtype = match self.centroids {
            Records::F32(_) => Dtype::F32,
            Records::F64(_) => Dtype::F64,
        };
        let shape = vec![self.n_clusters(), self.n_features()];
        let tensors = [
            ("centroids", TensorView::new(dtype, shape, &centroids)),
            ("cluster_counts", TensorView::new(Dtype::U64, vec![self.n_clusters()], &counts)),
        ];
        let tensors = tensors.map(|(name, view)| view.map(|view| (name, view)));
        let tensors =
            tensors.into_iter().collect::<Result<Vec<_>, _>>().map_err(Error::external)?;
        let header = Some(HashMap::from([(KEY.to_owned(), header)]));
        let bytes = safetensors::serialize(tensors, header).map_err(Error::external)?;
        check_size(bytes.len() as u64)?;
        Ok(bytes)
    }

    fn centroids_bytes(&self) -> Vec<u8> {
        match &self.centroids {
            Records::F32(rows) => le_bytes(rows.values()),
            Records::F64(rows) => le_bytes(rows.values()),
        }
    }

    fn header(&self, centroids: &[u8], counts: &[u8]) -> Result<String> {
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
        header.checksum =
            hex(Sha256::new().chain_update(unsigned).chain_update(centroids).chain_update(counts));
        serde_json::to_string(&header).map_err(Error::external)
    }

    /// A model from the bytes of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] when they are not the canonical form of a model: cut off, a
    /// bit flipped, another format or version; [`ErrorKind::Limit`] over 2 GiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        check_size(bytes.len() as u64)?;
        let malformed = |error| Error::format("a safetensors file", error);
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(malformed)?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let header = header.ok_or_else(|| Error::format("a drystone model", "another file"))?;
        let header: Header = serde_json::from_str(header)
            .map_err(|error| Error::format("the header of a drystone model", error))?;
        let model = Self::from_parts(header, &tensors)?;
        if model.to_bytes()? == bytes {
            return Ok(model);
        }
        let found = "other bytes: the file is damaged, or was not written by drystone";
        Err(Error::format("the checksum and canonical form of a model", found))
    }

    fn from_parts(header: Header, tensors: &SafeTensors<'_>) -> Result<Self> {
        if header.format != FORMAT || header.version != VERSION {
            let found = format!("{} {}", header.format, header.version);
            return Err(Error::format(format!("{FORMAT} {VERSION}"), found));
        }
        let status = Status::from_name(&header.status);
        let status = status.ok_or_else(|| Error::format("a status", &header.status))?;
        if !(header.inertia >= 0.0 && header.inertia.is_finite()) {
            return Err(Error::format("a finite inertia of at least 0", header.inertia));
        }
        let tensor = |name| {
            let missing = |_| Error::format(format!("an array {name:?}"), "none");
            tensors.tensor(name).map_err(missing)
        };
        let centroids = centroids(&tensor("centroids")?)?;
        let counts = tensor("cluster_counts")?;
        if counts.dtype() != Dtype::U64 || counts.shape() != [centroids.n_samples()] {
            return Err(Error::format("a count for each centroid", "another array"));
        }
        Ok(Self {
            centroids,
            inertia: header.inertia,
            n_iter: header.n_iter as usize,
            status,
            cluster_counts: counts
                .data()
                .chunks_exact(8)
                .map(drystone_core::wire::raw::Raw::read)
                .collect(),
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
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let write = || {
            let mut file = File::create(&partial)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&partial, path)
        };
        write().map_err(|error| Error::io("cannot write the model", error).in_file(path))
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], and as for [`from_bytes`](Self::from_bytes), with the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = || {
            let mut bytes = Vec::new();
            File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| Error::io("cannot read the model", error));
        bytes.and_then(|bytes| Self::from_bytes(&bytes)).map_err(|error| error.in_file(path))
    }

    /// SHA-256 of the canonical file, in hexadecimal: equal for equal models only.
    ///
    /// # Errors
    /// As for [`to_bytes`](Self::to_bytes).
    pub fn sha256(&self) -> Result<String> {
        Ok(hex(Sha256::new().chain_update(self.to_bytes()?)))
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

fn le_bytes<T: drystone_core::wire::raw::Raw>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * T::SIZE);
    values.iter().for_each(|value| value.write(&mut bytes));
    bytes
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_size(found: u64) -> Result<()> {
    if found <= MAX_BYTES {
        return Ok(());
    }
    let what = "the size of a model in bytes".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_BYTES, found }.into())
}
