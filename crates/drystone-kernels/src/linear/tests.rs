//! Against exact integers and one row after the other, on every instruction set.

use proptest::prelude::*;

use super::{Frame, Pick, Shape, Sums, Tile, Vectors, dots};
use crate::{ExactSum, Isa};

const SHAPES: [Shape; 3] = [Shape::Rows, Shape::Squares, Shape::Outer];

fn value(at: usize) -> f64 {
    ((at * 7919) % 1009) as f64 / 300.0 - 1.7
}

fn rows(n: usize, d: usize) -> (Frame, Vec<f64>) {
    let values: Vec<f64> = (0..n * d).map(value).collect();
    (Frame::new(&vec![1.7; d]), values)
}

fn tile(frame: &Frame, values: &[f64]) -> Tile {
    let mut tile = Tile::new(frame);
    assert!(tile.load(frame, values));
    tile
}

fn picks(n: usize) -> Vec<Pick> {
    (0..n).map(|row| Pick { row: row as u32, coef: value(row * 31 + 5) }).collect()
}

fn totals(isa: Isa, shape: Shape, tile: &Tile, picks: &[Pick], split: usize) -> Vec<i128> {
    let mut totals = vec![0; shape.len(tile.stride())];
    let (left, right) = picks.split_at(split.min(picks.len()));
    for picks in [right, left] {
        let mut sums = Sums::new(shape, tile.stride(), 2.0);
        assert!(sums.add(isa, tile, picks, &mut totals));
        sums.flush(&mut totals);
    }
    totals
}

#[test]
fn frames_bring_columns_within_1() {
    let frame = Frame::new(&[0.0, 1.0, 1.5, 1024.0, 3e-300, 1e300]);
    assert_eq!(frame.scales()[..4], [1.0, 1.0, 0.5, 1.0 / 1024.0]);
    let mut tile = Tile::new(&frame);
    assert!(tile.load(&frame, &[0.0, -1.0, 1.5, 1024.0, 3e-300, 1e300]));
    assert!(tile.row(0)[4] > 0.5 && tile.row(0)[5] > 0.5 && tile.row(0)[6] == 1.0);
    assert!(!tile.load(&frame, &[0.0, -1.1, 0.0, 0.0, 0.0, 0.0]));
    assert!(!tile.load(&frame, &[f64::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]));
}

#[test]
fn dots_are_chains_on_every_instruction_set() {
    for d in [1, 3, 4, 20, 41] {
        let (frame, values) = rows(11, d);
        let tile = tile(&frame, &values);
        for n_vectors in [1, 2, 5, 8] {
            let vector = |v: usize| (0..=d).map(|j| value(v * 100 + j)).collect();
            let vectors: Vec<Vec<f64>> = (0..n_vectors).map(vector).collect();
            let tile = &tile;
            let naive = vectors.iter().flat_map(|vector| {
                (0..11).map(move |row| -> f64 {
                    let pairs = tile.row(row).iter().zip(vector);
                    pairs.fold(0.0, |sum: f64, (x, w)| x.mul_add(*w, sum))
                })
            });
            let naive: Vec<f64> = naive.collect();
            for &isa in Isa::available() {
                let mut out = vec![7.0; 3];
                dots(isa, tile, &Vectors::new(frame.stride(), &vectors), &mut out);
                assert_eq!(out, naive, "{isa}, {d} columns, {n_vectors} vectors");
            }
        }
    }
}

/// The products that a shape adds up, in its order.
fn products(shape: Shape, row: &[f64]) -> Vec<f64> {
    let d = row.len();
    match shape {
        Shape::Rows => row.to_vec(),
        Shape::Squares => row.iter().map(|x| x * x).collect(),
        Shape::Outer => (0..d).flat_map(|j| (j / 4 * 4..d).map(move |k| row[j] * row[k])).collect(),
    }
}

#[test]
fn sums_match_exact_ones() {
    for (shape, d) in SHAPES.into_iter().flat_map(|shape| [1, 4, 20, 23].map(|d| (shape, d))) {
        let (frame, values) = rows(300, d);
        let tile = tile(&frame, &values);
        let picks = picks(300);
        let mut naive = vec![ExactSum::new(); shape.len(frame.stride())];
        for pick in &picks {
            let products = products(shape, tile.row(pick.row as usize));
            assert_eq!(products.len(), naive.len());
            naive.iter_mut().zip(products).for_each(|(sum, x)| sum.add(pick.coef * x));
        }
        let unit = Sums::new(shape, frame.stride(), 2.0).unit();
        for (found, wanted) in totals(Isa::best(), shape, &tile, &picks, 0).iter().zip(&naive) {
            let error = (*found as f64 * unit - wanted.value()).abs();
            assert!(error < 300.0 * unit, "{shape:?} {d}: {error}");
        }
    }
}

#[test]
fn outer_products_are_found() {
    let stride = 12;
    let mut at = 0;
    for j in 0..stride {
        for k in j / 4 * 4..stride {
            if k >= j {
                assert_eq!(Shape::outer_at(stride, j, k), at);
            }
            at += 1;
        }
    }
    assert_eq!(Shape::Outer.len(stride), at);
}

#[test]
fn many_terms_of_the_largest_magnitude() {
    let frame = Frame::identity(1);
    let tile = tile(&frame, &[1.0]);
    let picks = vec![Pick { row: 0, coef: -2.0 }; 30_001];
    let found = totals(Isa::best(), Shape::Outer, &tile, &picks, 9_000);
    assert_eq!(found[0], -30_001 * (1 << 50));
    let mut sums = Sums::new(Shape::Rows, 4, 2.0);
    assert!(!sums.add(Isa::best(), &tile, &[Pick { row: 0, coef: 2.5 }], &mut [0; 4]));
    assert!(!sums.add(Isa::best(), &tile, &[Pick { row: 0, coef: f64::NAN }], &mut [0; 4]));
}

proptest! {
    #[test]
    fn neither_order_nor_instruction_set_matter(
        d in 1_usize..30, n in 1_usize..50, split in 0_usize..50, turn in 0_usize..50,
    ) {
        let (frame, values) = rows(n, d);
        let tile = tile(&frame, &values);
        let picks = picks(n);
        let mut turned = picks.clone();
        turned.rotate_left(turn % n);
        for shape in SHAPES {
            let wanted = totals(Isa::Scalar, shape, &tile, &picks, 0);
            for &isa in Isa::available() {
                prop_assert_eq!(&totals(isa, shape, &tile, &turned, split), &wanted);
            }
            let negative = picks.iter().map(|pick| Pick { coef: -pick.coef, ..*pick });
            let undone = totals(Isa::best(), shape, &tile, &negative.collect::<Vec<_>>(), split);
            prop_assert!(undone.iter().zip(&wanted).all(|(a, b)| a + b == 0));
        }
    }
}
