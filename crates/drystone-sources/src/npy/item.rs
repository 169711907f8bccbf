//! The element types of `.npy` files, and their little-endian bytes.

use drystone_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

mod sealed {
    pub trait Sealed {}
}

/// An element type that can be written: `f32`, `f64`, `i64`, `i32` or `u32` (sealed).
pub trait NpyItem: Copy + Default + sealed::Sealed + Send + Sync + 'static {
    /// Its name in the header, as in `<f8`.
    const DESCR: &'static str;
    /// Bytes of one.
    const SIZE: usize;

    /// Appends the bytes of the values.
    fn encode(values: &[Self], to: &mut Vec<u8>);
}

/// An element type that can be read, as itself or widened without loss.
pub(crate) trait Decode: Sized {
    /// Overwrites `to` with the values in `bytes`, which hold exactly as many.
    fn decode<D: From<Self>>(bytes: &[u8], to: &mut [D]);
}

macro_rules! impl_decode {
    ($($t:ty),*) => {$(
        impl Decode for $t {
            fn decode<D: From<Self>>(bytes: &[u8], to: &mut [D]) {
                let (values, _) = bytes.as_chunks::<{ size_of::<$t>() }>();
                for (to, bytes) in to.iter_mut().zip(values) {
                    *to = D::from(<$t>::from_le_bytes(*bytes));
                }
            }
        }
    )*};
}
impl_decode!(f32, f64, i8, i16, i32, i64, u8, u16, u32);

macro_rules! impl_item {
    ($($t:ty: $descr:literal),*) => {$(
        impl sealed::Sealed for $t {}

        impl NpyItem for $t {
            const DESCR: &'static str = $descr;
            const SIZE: usize = size_of::<$t>();

            fn encode(values: &[Self], to: &mut Vec<u8>) {
                to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
    )*};
}
impl_item!(f32: "<f4", f64: "<f8", i64: "<i8", i32: "<i4", u32: "<u4");

/// The element types that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ItemType {
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
}

impl ItemType {
    const ALL: [(&'static str, Self); 10] = [
        ("<f4", Self::F32),
        ("<f8", Self::F64),
        ("|i1", Self::I8),
        ("<i2", Self::I16),
        ("<i4", Self::I32),
        ("<i8", Self::I64),
        ("|u1", Self::U8),
        ("|b1", Self::U8),
        ("<u2", Self::U16),
        ("<u4", Self::U32),
    ];

    /// The type of this name, if it is one of `wanted`; the error says how to convert.
    pub fn parse(descr: &str, wanted: Wanted) -> Result<Self> {
        let found = Self::ALL.iter().find(|(name, item)| *name == descr && wanted.allows(*item));
        found.map(|(_, item)| *item).ok_or_else(|| {
            let to = if descr.ends_with("f4") { "<f4" } else { wanted.convert_to() };
            let found = format!("{descr:?}; convert it with numpy: a.astype('{to}')");
            ErrorKind::Dtype { expected: wanted.name().to_owned(), found }.into()
        })
    }

    /// Bytes of one.
    pub fn size(self) -> u64 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// Its name, as in `<f8`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, item)| *item == self).map_or("", |(name, _)| name)
    }

    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// What the values of a file are for, which decides the types that they may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Features: as they are.
    Records,
    /// Targets: widened to `i64` or `f64`.
    Targets,
    /// Weights: widened to `f64`.
    Weights,
}

impl Wanted {
    /// Whether values of this type will do.
    pub fn allows(self, item: ItemType) -> bool {
        self == Self::Targets || item.is_float()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Records => "f4 or f8 (little-endian)",
            Self::Targets => "integer, f4 or f8 (little-endian)",
            Self::Weights => "f4 or f8 (little-endian) weight",
        }
    }

    fn convert_to(self) -> &'static str {
        if self == Self::Targets { "<i8" } else { "<f8" }
    }
}
