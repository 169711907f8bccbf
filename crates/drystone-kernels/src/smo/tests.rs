//! The conditions of the optimum, from the matrix alone, on every instruction set.

use super::*;
use crate::normal::mix;
use proptest::prelude::*;

fn unit(seed: u64, at: usize) -> f64 {
    (mix(&[seed, at as u64]) >> 11) as f64 * 2.0_f64.powi(-53)
}

/// A problem of `n` points in the plane with kernel exp(-|x - y|^2): matrix and labels.
fn problem<T: Real>(seed: u64, n: usize, stride: usize) -> (Vec<T>, Vec<f64>) {
    let point = |row: usize| (3.0 * unit(seed, 2 * row), 3.0 * unit(seed, 2 * row + 1));
    let mut kernel = vec![T::default(); n * stride];
    for a in 0..n {
        for b in 0..n {
            let (dx, dy) = (point(a).0 - point(b).0, point(a).1 - point(b).1);
            kernel[a * stride + b] = T::from_f64(crate::math::exp(-(dx * dx + dy * dy)));
        }
    }
    let label = |row| if unit(seed + 1, row) < 0.4 { 1.0 } else { -1.0 };
    (kernel, (0..n).map(label).collect())
}

struct Solved {
    beta: Vec<f64>,
    gradient: Vec<f64>,
    n_iter: usize,
}

fn solved<T: Real>(isa: Isa, kernel: &[T], stride: usize, labels: &[f64], c: f64) -> Solved {
    let mut beta = vec![0.0; labels.len()];
    let mut gradient: Vec<f64> = labels.iter().map(|y| -y).collect();
    let low: Vec<f64> = labels.iter().map(|y| (y * c).min(0.0)).collect();
    let high: Vec<f64> = labels.iter().map(|y| (y * c).max(0.0)).collect();
    let set = WorkingSet {
        kernel,
        stride,
        gradient: &mut gradient,
        beta: &mut beta,
        low: &low,
        high: &high,
    };
    let n_iter = solve(isa, set, Stop { gap: 1e-9, share: 0.0, max_iter: 1_000_000 });
    Solved { beta, gradient, n_iter }
}

/// The conditions of the optimum, from the matrix alone.
fn check_optimum<T: Real>(kernel: &[T], stride: usize, labels: &[f64], c: f64, beta: &[f64]) {
    let gradient = |row: usize| -> f64 {
        let products =
            beta.iter().enumerate().map(|(b, beta)| kernel[row * stride + b].to_f64() * beta);
        products.sum::<f64>() - labels[row]
    };
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (row, (&y, &beta)) in labels.iter().zip(beta).enumerate() {
        let (low, high) = ((y * c).min(0.0), (y * c).max(0.0));
        assert!((low..=high).contains(&beta), "row {row} leaves its bounds");
        if beta < high {
            least = least.min(gradient(row));
        }
        if beta > low {
            greatest = greatest.max(gradient(row));
        }
    }
    assert!(greatest - least <= 1e-8, "violated by {}", greatest - least);
    assert!(beta.iter().sum::<f64>().abs() < 1e-9, "the sum changed");
}

proptest! {
    #[test]
    fn it_reaches_the_optimum_with_the_same_bits_on_every_instruction_set(
        seed in any::<u32>(), n in 2_usize..70, c in 0.01_f64..100.0,
    ) {
        let stride = n.next_multiple_of(8);
        let (kernel, labels) = problem::<f64>(u64::from(seed), n, stride);
        let (single, _) = problem::<f32>(u64::from(seed), n, stride);
        let all = Isa::available();
        let scalar = solved(Isa::Scalar, &kernel, stride, &labels, c);
        check_optimum(&kernel, stride, &labels, c, &scalar.beta);
        let of_single = solved(Isa::Scalar, &single, stride, &labels, c);
        check_optimum(&single, stride, &labels, c, &of_single.beta);
        for &isa in all {
            let other = solved(isa, &kernel, stride, &labels, c);
            prop_assert_eq!((&other.beta, &other.gradient), (&scalar.beta, &scalar.gradient));
            prop_assert_eq!(other.n_iter, scalar.n_iter);
            prop_assert_eq!(solved(isa, &single, stride, &labels, c).beta, of_single.beta.clone());
        }
    }
}

#[test]
fn it_stops_when_told_to() {
    let (kernel, labels) = problem::<f64>(5, 60, 64);
    let start = || (vec![0.0; 60], labels.iter().map(|y| -y).collect::<Vec<f64>>());
    let low: Vec<f64> = labels.iter().map(|y| y.min(0.0)).collect();
    let high: Vec<f64> = labels.iter().map(|y| y.max(0.0)).collect();
    let run = |stop| {
        let (mut beta, mut gradient) = start();
        let (gradient, beta) = (&mut gradient[..], &mut beta[..]);
        let set =
            WorkingSet { kernel: &kernel, stride: 64, gradient, beta, low: &low, high: &high };
        solve(Isa::best(), set, stop)
    };
    assert_eq!(run(Stop { gap: 1e-9, share: 0.0, max_iter: 7 }), 7);
    assert_eq!(run(Stop { gap: 2.0, share: 0.0, max_iter: 100 }), 0);
    let all = run(Stop { gap: 1e-9, share: 0.0, max_iter: 1_000_000 });
    let tenth = run(Stop { gap: 1e-9, share: 0.1, max_iter: 1_000_000 });
    assert!(0 < tenth && tenth < all);
}
