//! Files of models: safetensors whose metadata hold one header, written in one way only.

pub(crate) mod as_file;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use drystone_core::wire::raw::Raw;
use drystone_core::{Error, ErrorKind, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The key of the metadata under which everything but the arrays is kept.
const KEY: &str = "drystone";
/// Largest model file: 10 million rows x 20 features fit.
const MAX_BYTES: u64 = 2 << 30;

/// An array of a model, as bytes.
pub(crate) struct Array {
    name: &'static str,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl Array {
    pub fn new<T: Raw>(name: &'static str, shape: &[usize], dtype: Dtype, values: &[T]) -> Self {
        let mut bytes = Vec::with_capacity(values.len() * T::SIZE);
        values.iter().for_each(|value| value.write(&mut bytes));
        Self { name, shape: shape.to_vec(), dtype, bytes }
    }

    /// Bytes of another file within this one.
    pub fn of_bytes(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, shape: vec![bytes.len()], dtype: Dtype::U8, bytes }
    }
}

/// Numbers that have a type of tensors.
pub(crate) trait Typed {
    const DTYPE: Dtype;
}

impl Typed for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

impl Typed for u64 {
    const DTYPE: Dtype = Dtype::U64;
}

/// SHA-256 of a header and the arrays after it.
pub(crate) fn checksum(header: &str, arrays: &[Array]) -> String {
    let hash = Sha256::new().chain_update(header);
    hex(arrays.iter().fold(hash, |hash, array| hash.chain_update(&array.bytes)))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::new().chain_update(bytes))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A header and arrays as a file.
///
/// # Errors
/// [`ErrorKind::Limit`] over 2 GiB.
pub(crate) fn write(header: &str, arrays: &[Array]) -> Result<Vec<u8>> {
    let mut views = Vec::with_capacity(arrays.len());
    for array in arrays {
        let view = TensorView::new(array.dtype, array.shape.clone(), &array.bytes);
        views.push((array.name, view.map_err(Error::external)?));
    }
    let metadata = HashMap::from([(KEY.to_owned(), header.to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(Error::external)?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// The header and the arrays of a file.
///
/// # Errors
/// [`ErrorKind::Format`] when it is none, [`ErrorKind::Limit`] over 2 GiB.
pub(crate) fn read(bytes: &[u8]) -> Result<(String, SafeTensors<'_>)> {
    check_size(bytes.len() as u64)?;
    let malformed = |error| Error::format("a safetensors file", error);
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let header = header.ok_or_else(|| Error::format("a drystone model", "another file"))?;
    Ok((header.clone(), tensors))
}

/// The header of a format and version, which it must name.
///
/// # Errors
/// [`ErrorKind::Format`] when it is of another format or version, or has other fields.
pub(crate) fn header<H: DeserializeOwned>(text: &str, expected: (&str, u32)) -> Result<H> {
    /// What all headers have.
    #[derive(Deserialize)]
    struct Kind {
        format: String,
        version: u32,
    }
    let named = |(format, version): (&str, u32)| format!("{format} {version}");
    let malformed = |error| Error::format("the header of a drystone model", error);
    let kind: Kind = serde_json::from_str(text).map_err(malformed)?;
    let found = (kind.format.as_str(), kind.version);
    if expected != found {
        return Err(Error::format(named(expected), named(found)));
    }
    serde_json::from_str(text).map_err(malformed)
}

/// # Errors
/// [`ErrorKind::Format`] when bytes are not those that their model is written as.
pub(crate) fn check_canonical(found: &[u8], canonical: &[u8]) -> Result<()> {
    if found == canonical {
        return Ok(());
    }
    let found = "other bytes: the file is damaged, or was not written by drystone";
    Err(Error::format("the checksum and canonical form of a model", found))
}

/// A tensor by its name.
///
/// # Errors
/// [`ErrorKind::Format`] when there is none.
pub(crate) fn tensor<'a>(tensors: &SafeTensors<'a>, name: &str) -> Result<TensorView<'a>> {
    let missing = |_| Error::format(format!("an array {name:?}"), "none");
    tensors.tensor(name).map_err(missing)
}

/// The numbers of a tensor of this type.
///
/// # Errors
/// [`ErrorKind::Format`] when it is of another.
pub(crate) fn numbers<T: Raw + Typed>(view: &TensorView<'_>) -> Result<Vec<T>> {
    if view.dtype() != T::DTYPE {
        let (expected, found) = (format!("{:?}", T::DTYPE), format!("{:?}", view.dtype()));
        return Err(Error::format(format!("an array of {expected}"), found));
    }
    Ok(view.data().chunks_exact(T::SIZE).map(T::read).collect())
}

fn check_size(found: u64) -> Result<()> {
    if found <= MAX_BYTES {
        return Ok(());
    }
    let what = "the size of a model in bytes".to_owned();
    Err(ErrorKind::Limit { what, limit: MAX_BYTES, found }.into())
}

/// Writes bytes to a file, by way of a file beside it.
///
/// # Errors
/// [`ErrorKind::Io`], with the file.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|error| Error::io("cannot write the model", error).in_file(path))
}

/// Reads a model from a file.
///
/// # Errors
/// [`ErrorKind::Io`] and those of `parse`, with the file.
pub(crate) fn load<M>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<M>) -> Result<M> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| Error::io("cannot read the model", error));
    bytes.and_then(|bytes| parse(&bytes)).map_err(|error| error.in_file(path))
}
