//! Models as bytes: safetensors with one canonical form, so that a hash names a model.
//!
//! Data only: nothing in a file chooses code. Whatever is not the canonical form of some
//! model, to the last bit, is an error.

use std::path::Path;

use drystone_core::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::certificate::LinearCertificate;
use super::model::LinearSvc;
use super::params::LinearSvcValidParams;
use crate::archive::{self, Array};
use crate::svc::classes::{Classes, MAX_CLASSES};
use crate::svc::model::{History, Status};

const FORMAT: &str = "drystone.linear_svc";
const VERSION: u32 = 1;

/// What a file says besides its arrays; its fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    recipe: String,
    classes: Classes,
    n_features: u64,
    certificates: Vec<LinearCertificate>,
    status: String,
    /// SHA-256 of the header with this field empty, then of the arrays.
    checksum: String,
}

/// The parameters that affect values, as text that is part of a model's identity.
pub(super) fn recipe(params: &LinearSvcValidParams<'_>) -> String {
    let LinearSvcValidParams { c, loss, tol, class_weight, max_iter, .. } = params;
    format!(
        "LinearSvc(c={c}, loss={loss:?}, tol={tol}, class_weight={class_weight:?}, \
         max_iter={max_iter})"
    )
}

impl LinearSvc {
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
            classes: self.classes.clone(),
            n_features: self.n_features as u64,
            certificates: self.certificates.clone(),
            status: self.status.name().to_owned(),
            checksum: String::new(),
        };
        let unsigned = serde_json::to_string(&header).map_err(Error::external)?;
        header.checksum = archive::checksum(&unsigned, &arrays);
        archive::write(&serde_json::to_string(&header).map_err(Error::external)?, &arrays)
    }

    fn arrays(&self) -> [Array; 3] {
        let n = self.n_problems();
        [
            Array::new("coef", &[n, self.n_features], Dtype::F64, &self.coef),
            Array::new("intercept", &[n], Dtype::F64, &self.intercept),
            Array::new("n_iter", &[n], Dtype::U64, &self.n_iter),
        ]
    }

    /// A model from the bytes of a file.
    ///
    /// # Errors
    /// [`Format`](drystone_core::ErrorKind::Format) when they are not the canonical form of a
    /// model: cut off, a bit flipped, another format or version;
    /// [`Limit`](drystone_core::ErrorKind::Limit) over 2 GiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (header, tensors) = archive::read(bytes)?;
        let header: Header = archive::header(&header, (FORMAT, VERSION))?;
        let model = Self::from_parts(header, &tensors)?;
        archive::check_canonical(bytes, &model.to_bytes()?)?;
        Ok(model)
    }

    fn from_parts(header: Header, tensors: &SafeTensors<'_>) -> Result<Self> {
        let status = Status::ALL.iter().find(|(_, name)| *name == header.status);
        let (status, _) = *status.ok_or_else(|| Error::format("a status", &header.status))?;
        let numbers = |name| archive::numbers(&archive::tensor(tensors, name)?);
        let model = Self {
            classes: header.classes,
            n_features: header.n_features as usize,
            coef: numbers("coef")?,
            intercept: numbers("intercept")?,
            certificates: header.certificates,
            n_iter: archive::numbers(&archive::tensor(tensors, "n_iter")?)?,
            status,
            recipe: header.recipe,
            history: History::default(),
        };
        if model.is_sound() {
            return Ok(model);
        }
        Err(Error::format("the arrays of one linear SVC", "arrays that do not fit together"))
    }

    /// Whether sizes agree and numbers are finite: what prediction relies on.
    fn is_sound(&self) -> bool {
        let n_classes = self.n_classes();
        let n = if n_classes == 2 { 1 } else { n_classes };
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        (2..=MAX_CLASSES).contains(&n_classes)
            && self.n_features > 0
            && Some(self.coef.len()) == n.checked_mul(self.n_features)
            && self.intercept.len() == n
            && self.certificates.len() == n
            && self.n_iter.len() == n
            && self.classes.is_ascending()
            && finite(&self.coef)
            && finite(&self.intercept)
    }

    /// Writes the model to a file, by way of a file beside it, so that a crash leaves
    /// the old one or the new one.
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
