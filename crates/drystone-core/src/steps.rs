//! Lazy steps: sources over other datasets. A step is described if what it stands on is.

mod broken;
mod closure;
mod concat;
mod map;
mod rechunk;
mod recounted;
mod resident;
mod select;
mod slice;

pub(crate) use broken::Broken;
pub(crate) use closure::Closure;
pub(crate) use concat::Concat;
pub(crate) use map::Map;
pub(crate) use rechunk::{Rechunk, empty_block};
pub(crate) use recounted::{Recounted, check_rows};
pub(crate) use resident::Resident;
pub(crate) use select::Select;
pub(crate) use slice::Slice;

use crate::error::Result;
use crate::registry::Registry;
use crate::source::Description;
use crate::wire;

pub(crate) fn register(registry: &mut Registry) {
    registry.source(concat::KIND, concat::open);
    registry.source(rechunk::KIND, rechunk::open);
    registry.source(recounted::KIND, recounted::open);
    registry.source(select::KIND, select::open);
    registry.source(slice::KIND, slice::open);
}

/// A description of a step: its parameters and the descriptions it stands on.
fn describe(kind: &str, body: &impl serde::Serialize) -> Option<Description> {
    let body: Result<Vec<u8>> = wire::encode(body);
    Some(Description { kind: kind.to_owned(), body: body.ok()? })
}
