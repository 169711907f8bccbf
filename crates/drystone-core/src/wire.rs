//! How values travel between processes: the only place that knows bincode.
//!
//! Nothing that arrives is trusted: frames are capped before their memory is allocated,
//! and decoding is capped as well. Numbers in bulk travel as raw little-endian bytes
//! ([`raw`], [`bytes`]), not one by one.

use std::io::{self, BufWriter, Read, Write};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// The largest message: a partial of 10,000 clusters x 1,000 features fits.
pub const MAX_FRAME: usize = 256 << 20;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_FRAME>> =
    bincode::config::standard().with_fixed_int_encoding().with_limit::<MAX_FRAME>();

/// Writes a value as bytes; equal values give equal bytes.
///
/// # Errors
/// [`ErrorKind::Format`] when the value cannot be written or is larger than [`MAX_FRAME`].
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let bytes = bincode::serde::encode_to_vec(value, CONFIG)
        .map_err(|error| Error::format("a value that can be encoded", error))?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// A SHA-256 hash: 32 bytes that name a value.
pub type Digest = [u8; 32];

/// The hash of the bytes that [`encode`] would give, of any size: they are not kept.
///
/// ```
/// use drystone_core::wire;
/// assert_eq!(wire::digest(&[1.0, 2.0])?, wire::digest(&[1.0, 2.0])?);
/// assert_ne!(wire::digest(&[1.0, 2.0])?, wire::digest(&[2.0, 1.0])?);
/// # Ok::<(), drystone_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Format`] when the value cannot be written.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest> {
    let failed = |error| Error::format("a value that can be encoded", error);
    // Numbers come one by one; a hash takes them faster by the block.
    let mut to = BufWriter::new(Hashing(Sha256::new()));
    bincode::serde::encode_into_std_write(value, &mut to, CONFIG)
        .map_err(|error| failed(error.to_string()))?;
    let hash = to.into_inner().map_err(|error| failed(error.to_string()))?;
    Ok(hash.0.finalize().into())
}

/// Takes bytes into a hash.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a value from all of the bytes.
///
/// # Errors
/// [`ErrorKind::Format`] when the bytes are not such a value, or more than it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let (value, used) = bincode::serde::borrow_decode_from_slice(bytes, CONFIG)
        .map_err(|error| Error::format("a well-formed message", error))?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(Error::format(format!("a message of {used} bytes"), format!("{} bytes", bytes.len())))
    }
}

/// Writes a length and the bytes.
///
/// # Errors
/// [`ErrorKind::Limit`] over [`MAX_FRAME`], [`ErrorKind::Io`] when writing fails.
pub fn write_frame(to: &mut impl Write, bytes: &[u8]) -> Result<()> {
    check_size(bytes.len() as u64)?;
    let length = (bytes.len() as u64).to_le_bytes();
    let written =
        to.write_all(&length).and_then(|()| to.write_all(bytes)).and_then(|()| to.flush());
    written.map_err(|error| Error::io("cannot write a message", error))
}

/// Reads what [`write_frame`] wrote; `None` at the end of the stream.
///
/// # Errors
/// [`ErrorKind::Limit`] when the announced length is over [`MAX_FRAME`] (before any
/// memory is allocated for it), [`ErrorKind::Io`] when the stream breaks off.
pub fn read_frame(from: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    let failed = |error| Error::io("cannot read a message", error);
    if from.read(&mut length[..1]).map_err(failed)? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).map_err(failed)?;
    let length = u64::from_le_bytes(length);
    check_size(length)?;
    let mut bytes = Vec::new();
    let read = from.take(length).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 == length {
        Ok(Some(bytes))
    } else {
        Err(Error::format(format!("a message of {length} bytes"), format!("{read} bytes")))
    }
}

fn check_size(found: u64) -> Result<()> {
    if found <= MAX_FRAME as u64 {
        return Ok(());
    }
    Err(ErrorKind::Limit { what: "the size of a message".into(), limit: MAX_FRAME as u64, found }
        .into())
}

/// Numbers in bulk as raw little-endian bytes: `#[serde(with = "drystone_core::wire::raw")]`
/// on a `Vec` of [`Raw`](raw::Raw) numbers.
pub mod raw {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::Visitor;
    use serde::{Deserializer, Serializer};

    /// A number with a fixed little-endian form.
    pub trait Raw: Copy {
        /// Bytes of one.
        const SIZE: usize;
        /// Appends its bytes.
        fn write(self, to: &mut Vec<u8>);
        /// Reads it from [`SIZE`](Self::SIZE) bytes.
        fn read(bytes: &[u8]) -> Self;
    }

    macro_rules! impl_raw {
        ($($t:ty),*) => {$(
            impl Raw for $t {
                const SIZE: usize = size_of::<$t>();
                fn write(self, to: &mut Vec<u8>) {
                    to.extend_from_slice(&self.to_le_bytes());
                }
                fn read(bytes: &[u8]) -> Self {
                    let mut array = [0; size_of::<$t>()];
                    array.copy_from_slice(bytes);
                    Self::from_le_bytes(array)
                }
            }
        )*};
    }
    impl_raw!(f32, f64, i64, u32, u64, i128);

    /// Writes the numbers.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Raw, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(values.len() * T::SIZE);
        values.iter().for_each(|value| value.write(&mut bytes));
        to.serialize_bytes(&bytes)
    }

    /// Reads the numbers.
    ///
    /// # Errors
    /// The deserializer's, or when the bytes are not whole numbers.
    pub fn deserialize<'de, T: Raw, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        // Borrowed where it can be: the length is then checked before memory is allocated.
        from.deserialize_bytes(Bytes(PhantomData::<T>))
    }

    struct Bytes<T>(PhantomData<T>);

    impl<T: Raw> Visitor<'_> for Bytes<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a whole number of {} byte values", T::SIZE)
        }

        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
            if bytes.len().is_multiple_of(T::SIZE) {
                Ok(bytes.chunks_exact(T::SIZE).map(T::read).collect())
            } else {
                Err(E::invalid_length(bytes.len(), &self))
            }
        }
    }
}

/// Bytes as they are, in one piece: `#[serde(with = "drystone_core::wire::bytes")]` on a
/// `Vec<u8>`.
pub mod bytes {
    use std::fmt;

    use serde::de::Visitor;
    use serde::{Deserializer, Serializer};

    /// Writes the bytes.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_bytes(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
}

/// Exact sums as raw words: `#[serde(with = "drystone_core::wire::exact_sums")]` on a
/// `Vec<ExactSum>`. Equal sums give equal bytes.
pub mod exact_sums {
    use drystone_kernels::ExactSum;
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::raw;

    /// Writes the sums.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(sums: &[ExactSum], to: S) -> Result<S::Ok, S::Error> {
        let words: Vec<i64> = sums.iter().flat_map(ExactSum::to_words).collect();
        raw::serialize(&words, to)
    }

    /// Reads the sums.
    ///
    /// # Errors
    /// The deserializer's, or when the words are not sums.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ExactSum>, D::Error> {
        let words: Vec<i64> = raw::deserialize(from)?;
        let (sums, rest) = words.as_chunks::<{ ExactSum::WORDS }>();
        let sums: Option<Vec<ExactSum>> = sums.iter().map(ExactSum::from_words).collect();
        match sums {
            Some(sums) if rest.is_empty() => Ok(sums),
            _ => Err(D::Error::custom("the words of exact sums are malformed")),
        }
    }
}
