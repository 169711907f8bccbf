//! Calibrated models as bytes: one canonical form, with the SVC's within.

use std::path::Path;

use drystone_core::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Calibrated, Sigmoid};
use crate::archive::{self, Array};
use crate::svc::Svc;

const FORMAT: &str = "drystone.calibrated_svc";
const VERSION: u32 = 1;

/// What a file says besides its arrays; its fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    folds: u64,
    seed: u64,
    converged: bool,
    /// SHA-256 of the header with this field empty, then of the arrays.
    checksum: String,
}

impl Calibrated<Svc> {
    /// The canonical file of the model, in memory.
    ///
    /// # Errors
    /// When it would be over 2 GiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let arrays = self.arrays()?;
        let mut header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            folds: self.folds,
            seed: self.seed,
            converged: self.converged,
            checksum: String::new(),
        };
        let unsigned = serde_json::to_string(&header).map_err(Error::external)?;
        header.checksum = archive::checksum(&unsigned, &arrays);
        archive::write(&serde_json::to_string(&header).map_err(Error::external)?, &arrays)
    }

    fn arrays(&self) -> Result<[Array; 2]> {
        let sigmoids: Vec<f64> = self.sigmoids.iter().flat_map(|s| [s.a, s.b]).collect();
        Ok([
            Array::new("sigmoids", &[self.sigmoids.len(), 2], Dtype::F64, &sigmoids),
            Array::of_bytes("svc", self.model.to_bytes()?),
        ])
    }

    /// A model from the bytes of a file.
    ///
    /// # Errors
    /// [`Format`](drystone_core::ErrorKind::Format) when they are not the canonical form of a
    /// calibrated SVC; [`Limit`](drystone_core::ErrorKind::Limit) over 2 GiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (header, tensors) = archive::read(bytes)?;
        let header: Header = archive::header(&header, (FORMAT, VERSION))?;
        let model = Self::from_parts(&header, &tensors)?;
        archive::check_canonical(bytes, &model.to_bytes()?)?;
        Ok(model)
    }

    fn from_parts(header: &Header, tensors: &SafeTensors<'_>) -> Result<Self> {
        let numbers: Vec<f64> = archive::numbers(&archive::tensor(tensors, "sigmoids")?)?;
        let model = Svc::from_bytes(archive::tensor(tensors, "svc")?.data())?;
        let n_pairs = model.n_classes() * (model.n_classes() - 1) / 2;
        let finite = numbers.iter().all(|number| number.is_finite());
        if numbers.len() != 2 * n_pairs || !finite || header.folds < 2 {
            let found = "arrays that do not fit together";
            return Err(Error::format("an SVC and a sigmoid for each two classes", found));
        }
        let sigmoids = numbers.chunks_exact(2).map(|pair| Sigmoid { a: pair[0], b: pair[1] });
        let Header { folds, seed, converged, .. } = *header;
        Ok(Self { sigmoids: sigmoids.collect(), model, folds, seed, converged })
    }

    /// Writes the model to a file, as [`Svc::save`].
    ///
    /// # Errors
    /// [`Io`](drystone_core::ErrorKind::Io), with the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        archive::save(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`Io`](drystone_core::ErrorKind::Io), and as for [`from_bytes`](Self::from_bytes), with
    /// the file.
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
