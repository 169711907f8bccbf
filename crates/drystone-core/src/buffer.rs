//! Shared, immutable runs of values, whose memory is used again.
//!
//! Lazily made blocks come and go by the hundred. Fresh memory of this size costs more
//! to touch than the values cost to compute, so large buffers go back to a small pool
//! when the last block that shares them is dropped.

use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// Smaller vectors are left to the allocator.
const MIN_POOLED_BYTES: usize = 1 << 20;
/// Vectors of one element type that the pool keeps: enough for the blocks in flight.
const MAX_POOLED: usize = 4;

/// Vectors waiting to be used again.
#[derive(Debug)]
pub struct Pool<T>(Mutex<Vec<Vec<T>>>);

impl<T> Pool<T> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A type of values that blocks are made of.
pub trait Element: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// The pool of this type's vectors, if they are pooled.
    fn pool() -> Option<&'static Pool<Self>> {
        None
    }
}

impl Element for f32 {
    fn pool() -> Option<&'static Pool<Self>> {
        static POOL: Pool<f32> = Pool::new();
        Some(&POOL)
    }
}

impl Element for f64 {
    fn pool() -> Option<&'static Pool<Self>> {
        static POOL: Pool<f64> = Pool::new();
        Some(&POOL)
    }
}

impl Element for i64 {}
impl Element for u32 {}

/// A vector of `len` values with *unspecified contents*, from the pool where it can:
/// for sources that overwrite all of it.
#[must_use]
pub fn take<T: Element>(len: usize) -> Vec<T> {
    let reused = T::pool().and_then(|pool| {
        let mut pool = pool.lock();
        let fits = |vec: &Vec<T>| vec.capacity() >= len && vec.capacity() / 2 <= len;
        let at = pool.iter().position(fits)?;
        Some(pool.swap_remove(at))
    });
    match reused {
        Some(mut vec) => {
            vec.resize(len, T::default());
            vec
        }
        None => vec![T::default(); len],
    }
}

/// A run of values that several owners share without copying.
#[derive(Clone, Debug)]
pub struct Shared<T: Element> {
    owner: Arc<Owner<T>>,
    range: Range<usize>,
}

#[derive(Debug)]
struct Owner<T: Element>(Vec<T>);

impl<T: Element> Shared<T> {
    /// The part `range` of this run, sharing its memory.
    ///
    /// # Panics
    /// If the range is not within the run.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "range outside of the run");
        let start = self.range.start + range.start;
        Self { owner: Arc::clone(&self.owner), range: start..start + range.len() }
    }

    /// The same values, without the rest of a longer run that they are part of.
    pub(crate) fn compact(&self) -> Self {
        if self.len() == self.owner.0.len() { self.clone() } else { self.to_vec().into() }
    }
}

impl<T: Element> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        let range = 0..values.len();
        Self { owner: Arc::new(Owner(values)), range }
    }
}

impl<T: Element> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.owner.0[self.range.clone()]
    }
}

impl<T: Element + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Element> Drop for Owner<T> {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        if values.capacity() * size_of::<T>() < MIN_POOLED_BYTES {
            return;
        }
        if let Some(pool) = T::pool() {
            let mut pool = pool.lock();
            if pool.len() == MAX_POOLED {
                pool.remove(0);
            }
            pool.push(values);
        }
    }
}
