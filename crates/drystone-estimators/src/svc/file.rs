//! Models as bytes: safetensors with one canonical form, so that a hash names a model.
//!
//! Data only: nothing in a file chooses code. Whatever is not the canonical form of some
//! model, to the last bit, is an error.

use std::path::Path;
use std::sync::OnceLock;

use drystone_core::block::RecordElement;
use drystone_core::wire::raw::Raw;
use drystone_core::{Error, Records, Result, Rows};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::classes::{Classes, MAX_CLASSES};
use super::kernel::{Frame, Kernel};
use super::model::{History, Status, Svc};
use super::params::{DecisionShape, SvcValidParams};
use crate::archive::{self, Array};

const FORMAT: &str = "drystone.svc";
const VERSION: u32 = 1;

/// What a file says besides its arrays; its fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    recipe: String,
    kernel: Kernel,
    gamma: f64,
    classes: Classes,
    certificates: Vec<Certificate>,
    status: String,
    one_vs_one: bool,
    /// SHA-256 of the header with this field empty, then of the arrays.
    checksum: String,
}

/// The parameters that affect values, as text that is part of a model's identity.
pub(super) fn recipe(params: &SvcValidParams<'_>) -> String {
    let SvcValidParams { c, kernel, gamma, tol, class_weight, shrinking, .. } = params;
    let max_iter = match params.max_iter {
        usize::MAX => "none".to_owned(),
        steps => steps.to_string(),
    };
    format!(
        "Svc(c={c}, kernel={kernel}, gamma={gamma}, tol={tol}, class_weight={class_weight:?}, \
         shrinking={shrinking}, max_iter={max_iter})"
    )
}

impl Svc {
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
            kernel: self.frame.kernel,
            gamma: self.frame.gamma,
            classes: self.classes.clone(),
            certificates: self.certificates.clone(),
            status: self.status.name().to_owned(),
            one_vs_one: self.shape == DecisionShape::OneVsOne,
            checksum: String::new(),
        };
        let unsigned = serde_json::to_string(&header).map_err(Error::external)?;
        header.checksum = archive::checksum(&unsigned, &arrays);
        archive::write(&serde_json::to_string(&header).map_err(Error::external)?, &arrays)
    }

    fn arrays(&self) -> [Array; 7] {
        let (n, d) = (self.support.len(), self.n_features());
        let others = self.n_classes() - 1;
        let vectors = match &self.support_vectors {
            Records::F32(rows) => Array::new("support_vectors", &[n, d], Dtype::F32, rows.values()),
            Records::F64(rows) => Array::new("support_vectors", &[n, d], Dtype::F64, rows.values()),
        };
        let vector = |name, values: &[f64]| Array::new(name, &[values.len()], Dtype::F64, values);
        let counts = |name, values: &[u64]| Array::new(name, &[values.len()], Dtype::U64, values);
        [
            vectors,
            counts("support", &self.support),
            counts("n_support", &self.n_support),
            Array::new("dual_coef", &[others, n], Dtype::F64, &self.dual_coef),
            vector("intercept", &self.intercept),
            counts("n_iter", &self.n_iter),
            vector("center", &self.frame.center),
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
        let center = array::<f64>(tensors, "center")?;
        let vectors = archive::tensor(tensors, "support_vectors")?;
        let support_vectors = match vectors.dtype() {
            Dtype::F32 => rows::<f32>(&vectors, center.len())?,
            Dtype::F64 => rows::<f64>(&vectors, center.len())?,
            other => return Err(Error::format("rows of f32 or f64", format!("{other:?}"))),
        };
        let shape = match header.one_vs_one {
            true => DecisionShape::OneVsOne,
            false => DecisionShape::OneVsRest,
        };
        let model = Self {
            frame: Frame { kernel: header.kernel, gamma: header.gamma, center, far: false },
            classes: header.classes,
            support_vectors,
            support: array(tensors, "support")?,
            n_support: array(tensors, "n_support")?,
            dual_coef: array(tensors, "dual_coef")?,
            intercept: array(tensors, "intercept")?,
            certificates: header.certificates,
            n_iter: array(tensors, "n_iter")?,
            status,
            shape,
            recipe: header.recipe,
            history: History::default(),
            decider: OnceLock::new(),
        };
        if model.is_sound() {
            return Ok(model);
        }
        Err(Error::format("the arrays of one SVC", "arrays that do not fit together"))
    }

    /// Whether sizes agree and numbers are finite: what prediction relies on.
    fn is_sound(&self) -> bool {
        let (n_classes, n) = (self.n_classes(), self.support.len());
        if !(2..=MAX_CLASSES).contains(&n_classes) {
            return false;
        }
        let n_pairs = n_classes * (n_classes - 1) / 2;
        let sizes = self.support_vectors.n_samples() == n
            && self.n_support.len() == n_classes
            && self.n_support.iter().try_fold(0_u64, |a, &b| a.checked_add(b)) == Some(n as u64)
            && self.dual_coef.len() == (n_classes - 1) * n
            && self.intercept.len() == n_pairs
            && self.certificates.len() == n_pairs
            && self.n_iter.len() == n_pairs;
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        sizes
            && self.frame.is_sound()
            && self.classes.is_ascending()
            && self.has_rows_once()
            && finite(&self.dual_coef)
            && finite(&self.intercept)
            && super::survey::check_records(&self.support_vectors).is_ok()
    }

    /// Whether the support vectors of each class are rows in ascending order.
    fn has_rows_once(&self) -> bool {
        let mut rest = self.support.as_slice();
        self.n_support.iter().all(|&n| {
            let (rows, others) = rest.split_at(n as usize);
            rest = others;
            rows.is_sorted_by(|a, b| a < b)
        })
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

/// Numbers of a tensor, if they are of this type.
fn array<T: Raw + archive::Typed>(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<T>> {
    archive::numbers(&archive::tensor(tensors, name)?)
}

fn rows<T: RecordElement + Raw>(view: &TensorView<'_>, n_features: usize) -> Result<Records> {
    let values = view.data().chunks_exact(T::SIZE).map(T::read).collect();
    Ok(T::into_records(Rows::new(values, n_features)?))
}
