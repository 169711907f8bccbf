//! The random stream: pinned values, the same bits on every instruction set,
//! and the statistics that its numbers must have.

use drystone_kernels::Isa;
use drystone_kernels::normal::{LANES, fill_bits, fill_normal, fill_uniform, mix};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

fn bits(isa: Isa, key: [u64; 3], len: usize) -> Vec<u64> {
    let mut out = vec![0; len];
    fill_bits(isa, key[0], key[1], key[2], &mut out);
    out
}

fn uniforms(isa: Isa, key: [u64; 3], len: usize) -> Vec<f64> {
    let mut out = vec![0.0; len];
    fill_uniform(isa, key[0], key[1], key[2], &mut out);
    out
}

fn normals(isa: Isa, key: [u64; 3], len: usize) -> Vec<f64> {
    let mut out = vec![0.0; len];
    fill_normal(isa, key[0], key[1], key[2], &mut out);
    out
}

fn as_bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// The definition of the stream, word by word.
fn defined_bits(key: [u64; 3], len: usize) -> Vec<u64> {
    let seed = |lane| mix(&[key[0], key[1], key[2], lane]);
    let mut lanes: Vec<_> =
        (0..LANES as u64).map(|lane| Xoshiro256PlusPlus::seed_from_u64(seed(lane))).collect();
    (0..len).map(|i| lanes[i % LANES].next_u64()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_isa_gives_the_defined_bits(key in any::<[u64; 3]>(), len in 0_usize..700) {
        let words = defined_bits(key, len);
        let scaled: Vec<f64> = words.iter().map(|w| (w >> 11) as f64 / 2.0_f64.powi(53)).collect();
        for &isa in Isa::available() {
            prop_assert_eq!(&bits(isa, key, len), &words);
            prop_assert_eq!(&uniforms(isa, key, len), &scaled);
        }
    }

    #[test]
    fn every_isa_gives_the_scalar_normals(key in any::<[u64; 3]>(), len in 0_usize..1500) {
        let expected = as_bits(&normals(Isa::Scalar, key, len));
        for &isa in Isa::available() {
            prop_assert_eq!(&as_bits(&normals(isa, key, len)), &expected);
        }
    }

    #[test]
    fn a_longer_slice_begins_with_a_shorter(key in any::<[u64; 3]>(), cut in 0_usize..600) {
        let isa = Isa::best();
        prop_assert_eq!(&normals(isa, key, 600)[..cut], normals(isa, key, cut));
        prop_assert_eq!(&uniforms(isa, key, 600)[..cut], uniforms(isa, key, cut));
        prop_assert_eq!(&bits(isa, key, 600)[..cut], bits(isa, key, cut));
    }
}

/// Normals by the formula of the docs, with std's functions: near, not equal.
#[test]
#[allow(clippy::disallowed_methods, reason = "libm is what is compared with")]
fn normals_are_box_muller() {
    let key = [3, 1, 4];
    let words = defined_bits(key, 1 << 14);
    let values = normals(Isa::Scalar, key, 1 << 14);
    for (chunk, values) in words.chunks(2 * LANES).zip(values.chunks(2 * LANES)) {
        for lane in 0..LANES {
            let u1 = 1.0 - (chunk[lane] >> 12) as f64 / 2.0_f64.powi(52);
            let u2 = (chunk[LANES + lane] >> 12) as f64 / 2.0_f64.powi(52);
            let r = (-2.0 * u1.ln()).sqrt();
            let angle = std::f64::consts::TAU * u2;
            assert!((values[lane] - r * angle.cos()).abs() < 1e-14);
            assert!((values[LANES + lane] - r * angle.sin()).abs() < 1e-14);
        }
    }
}

#[test]
fn mix_is_pinned() {
    assert_eq!(mix(&[0, 0, 0, 0]), 0x5bfa_c50f_a2fd_eed6);
    assert_eq!(mix(&[42, 7, 3, 1]), 0xe7cf_9f46_9ab5_624e);
}

#[test]
fn streams_are_pinned() {
    for &isa in Isa::available() {
        assert_eq!(
            bits(isa, [0; 3], 8),
            [
                0x5496_343b_f9b7_c539,
                0x515b_790b_a22c_1736,
                0x6c06_c259_bc2b_7fb6,
                0x7639_c652_e856_2705,
                0x4100_738d_e585_7dda,
                0xe7c2_c6bb_06d1_03ca,
                0x7a34_633c_fd8c_86a8,
                0xb7df_48a6_0a51_b9d7,
            ]
        );
        assert_eq!(
            bits(isa, [42, 7, 3], 8),
            [
                0xc176_54ba_7153_987d,
                0x5763_365e_1cf1_9266,
                0xe171_ad77_f53a_d2cc,
                0x66e9_564a_6f60_292e,
                0xe675_0cd6_b48f_f92b,
                0x22cf_7bbe_548f_d039,
                0x9211_488e_7396_6730,
                0xe380_1c42_5b47_730e,
            ]
        );
        assert_eq!(
            as_bits(&uniforms(isa, [0; 3], 8)),
            [
                0x3fd5_258d_0efe_6df0,
                0x3fd4_56de_42e8_8b04,
                0x3fdb_01b0_966f_0ade,
                0x3fdd_8e71_94ba_1588,
                0x3fd0_401c_e379_615e,
                0x3fec_f858_d760_da20,
                0x3fde_8d18_cf3f_6320,
                0x3fe6_fbe9_14c1_4a37,
            ]
        );
        assert_eq!(
            as_bits(&uniforms(isa, [42, 7, 3], 8)),
            [
                0x3fe8_2eca_974e_2a73,
                0x3fd5_d8cd_9787_3c64,
                0x3fec_2e35_aefe_a75a,
                0x3fd9_ba55_929b_d80a,
                0x3fec_cea1_9ad6_91ff,
                0x3fc1_67bd_df2a_47e8,
                0x3fe2_4229_11ce_72cc,
                0x3fec_7003_884b_68ee,
            ]
        );
        assert_eq!(
            as_bits(&normals(isa, [0; 3], 8)),
            [
                0xbfe4_aec4_1ddc_f41c,
                0xbfe4_348b_4b15_8326,
                0xbfd4_81c7_2c02_aa58,
                0x3fe0_f87e_2072_27d9,
                0xbfe6_65dd_93d8_3fff,
                0xc000_42e5_2e3a_cd9d,
                0xbfc2_e8bc_3f7d_28ad,
                0x3fb9_c3a8_c600_5469,
            ]
        );
        assert_eq!(
            as_bits(&normals(isa, [42, 7, 3], 8)),
            [
                0x3fe9_5fe3_ffe9_6e5b,
                0x3fe8_6e88_b307_bb8a,
                0xbfff_800d_e90e_bbb3,
                0x3feb_ba4e_dbb8_d9f4,
                0xbfc5_fec4_c3b4_f368,
                0xbfa4_6dfb_9c4b_ea90,
                0x3fb0_5e91_308b_5d84,
                0x4000_3e46_b479_5628,
            ]
        );
    }
}

/// Many values at once: the wrapping sum of the mixed bits of 100,000 normals.
#[test]
fn a_digest_of_normals_is_pinned() {
    for &isa in Isa::available() {
        let values = as_bits(&normals(isa, [1, 2, 3], 100_000));
        let digest = values.iter().fold(0, |state, &word| mix(&[state, word]));
        assert_eq!(digest, 0x724a_3a7e_bcef_c633);
    }
}

const MANY: usize = 1_000_000;

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    values.sum::<f64>() / MANY as f64
}

/// Bounds are five standard errors for a million values.
#[test]
fn normals_have_normal_moments() {
    for key in [[0; 3], [42, 7, 3]] {
        let z = normals(Isa::best(), key, MANY);
        assert!(z.iter().all(|v| v.abs() < 8.5));
        assert!(mean(z.iter().copied()).abs() < 0.005);
        assert!((mean(z.iter().map(|v| v * v)) - 1.0).abs() < 0.0071);
        assert!(mean(z.iter().map(|v| v.powi(3))).abs() < 0.02);
        assert!((mean(z.iter().map(|v| v.powi(4))) - 3.0).abs() < 0.05);
        for (border, tail) in [(1.0, 0.317_310_5), (2.0, 0.045_500_3), (3.0, 0.002_699_8)] {
            let seen = z.iter().filter(|v| v.abs() > border).count() as f64 / MANY as f64;
            let error = 5.0 * (tail * (1.0 - tail) / MANY as f64).sqrt();
            assert!((seen - tail).abs() < error, "beyond {border}: {seen}");
        }
    }
}

#[test]
fn uniforms_have_uniform_moments() {
    let u = uniforms(Isa::best(), [5, 6, 7], MANY);
    assert!(u.iter().all(|v| (0.0..1.0).contains(v)));
    assert!((mean(u.iter().copied()) - 0.5).abs() < 0.001_5);
    assert!((mean(u.iter().map(|v| (v - 0.5).powi(2))) - 1.0 / 12.0).abs() < 0.000_4);
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    mean(a.iter().zip(b).map(|(x, y)| x * y))
}

#[test]
fn streams_with_different_keys_are_uncorrelated() {
    let base = normals(Isa::best(), [1, 1, 1], MANY);
    for other in [[2, 1, 1], [1, 2, 1], [1, 1, 2], [1, 1, 0], [0, 1, 1]] {
        let other = normals(Isa::best(), other, MANY);
        assert!(covariance(&base, &other).abs() < 0.005);
    }
}

#[test]
fn values_of_a_stream_are_uncorrelated() {
    let z = normals(Isa::best(), [1, 1, 1], MANY + 32);
    let squares: Vec<f64> = z.iter().map(|v| v * v - 1.0).collect();
    for lag in [1, 2, 3, LANES, LANES + 1, 2 * LANES, 32] {
        assert!(covariance(&z[..MANY], &z[lag..]).abs() < 0.005);
        assert!(covariance(&squares[..MANY], &squares[lag..]).abs() < 0.01);
    }
}
