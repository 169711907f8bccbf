//! Buffers are shared by slices, and large ones are used again once nobody holds them.
//!
//! One test, because the pool is shared by the process.

use drystone_core::buffer::{Shared, take};

const LARGE: usize = (1 << 20) / 8;

#[test]
fn memory_is_used_again() {
    // The last owner gives it back, whatever slices there are.
    let values = take::<f64>(LARGE);
    let address = values.as_ptr();
    let shared = Shared::from(values);
    let slice = shared.slice(10..20).slice(5..6);
    assert_eq!((slice.len(), slice.as_ptr()), (1, address.wrapping_add(15)));
    drop(shared);
    let other = take::<f64>(LARGE);
    assert_ne!(other.as_ptr(), address, "a slice still holds it");
    drop(slice);
    let again = take::<f64>(LARGE - 1);
    assert_eq!((again.as_ptr(), again.len()), (address, LARGE - 1));

    // Not for far smaller vectors, and not for those of another type.
    drop(Shared::from(again));
    let (small, other) = (take::<f64>(LARGE / 4), take::<f32>(LARGE * 2));
    assert!(small.as_ptr() != address && other.as_ptr().addr() != address.addr());
    let again = take::<f64>(LARGE);
    assert_eq!((again.as_ptr(), again.len()), (address, LARGE));

    // Small ones are left to the allocator, and so are types without a pool.
    drop(Shared::from(vec![7.0_f64; LARGE / 2]));
    assert_eq!(take::<f64>(LARGE / 2), vec![0.0; LARGE / 2]);
    drop(Shared::from(vec![7_i64; LARGE]));
    assert_eq!(take::<i64>(LARGE), vec![0; LARGE]);
    assert_eq!(take::<u32>(3), [0, 0, 0]);

    // The pool holds few: the newest.
    let many: Vec<Shared<f64>> = (0..9).map(|_| vec![1.0; LARGE].into()).collect();
    let addresses: Vec<_> = many.iter().map(|values| values.as_ptr()).collect();
    drop(many);
    let pooled: Vec<_> = (0..4).map(|_| take::<f64>(LARGE)).collect();
    assert!(pooled.iter().all(|values| addresses[5..].contains(&values.as_ptr())));
    assert_eq!(take::<f64>(LARGE), vec![0.0; LARGE], "a fifth is new");
}
