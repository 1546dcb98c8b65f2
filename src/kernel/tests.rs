//! One test runner over every backend, at ugly sizes and extremes.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::code::*;
use super::rotation::{Rotation, sign_bytes};
use super::*;
use crate::rng::SeededRng;

/// A rotation with random signs.
fn rotation(dim: usize) -> Rotation {
    let mut rng = SeededRng::new(42, 0);
    let signs: Vec<u8> = (0..sign_bytes(dim)).map(|_| rng.bits() as u8).collect();
    Rotation::new(dim, &signs)
}

const UGLY_DIMS: [usize; 14] = [2, 4, 6, 14, 16, 18, 30, 62, 64, 66, 100, 130, 768, MAX_DIM];

fn assert_parity(codes: &[u8], query: &[i16]) {
    let mut expected = [0; BLOCK];
    scalar::dot_block(codes, query, &mut expected);
    for backend in Backend::available() {
        let mut found = [i32::MIN; BLOCK];
        backend.dot_block(codes, query, &mut found);
        assert_eq!(found, expected, "{backend:?}, {} dimensions", query.len());
    }
}

#[test]
fn backends_agree_with_scalar() {
    let mut rng = SeededRng::new(1, 0);
    for dim in UGLY_DIMS {
        for _ in 0..20 {
            let codes: Vec<u8> = (0..BLOCK * dim).map(|_| rng.bits() as u8).collect();
            let query: Vec<i16> =
                (0..dim).map(|_| rng.below(2 * 2047 + 1) as i16 - QUERY_LIMIT as i16).collect();
            assert_parity(&codes, &query);
        }
    }
}

#[test]
fn extremes_do_not_overflow() {
    for dim in UGLY_DIMS {
        for byte in [0, 1, 127, 128, 255] {
            for q in [-QUERY_LIMIT as i16, -1, 0, 1, QUERY_LIMIT as i16] {
                assert_parity(&vec![byte; BLOCK * dim], &vec![q; dim]);
            }
        }
    }
    let mut out = [0; BLOCK];
    let limit = vec![QUERY_LIMIT as i16; MAX_DIM];
    Backend::best().dot_block(&vec![255; BLOCK * MAX_DIM], &limit, &mut out);
    assert_eq!(i64::from(out[31]), 255 * i64::from(QUERY_LIMIT) * MAX_DIM as i64);
}

#[test]
fn scores_agree_to_the_bit() {
    let mut rng = SeededRng::new(2, 0);
    for round in 0..500 {
        let wide = |rng: &mut SeededRng| rng.bits() as i32 >> rng.below(31);
        let affine = Affine {
            offset: wide(&mut rng),
            step: rng.normal() as f32 * 1e-3,
            base: rng.normal() as f32,
            scale_base: 1 + rng.below(MAX_SCALE_BASE as usize) as u32,
            norm_base: 1 + rng.below(MAX_SCALE_BASE as usize) as u32,
        };
        let dots: [i32; BLOCK] = std::array::from_fn(|_| wide(&mut rng));
        // Zeros and extremes among the scales.
        let mut bits = || [0, 1, u16::MAX, rng.bits() as u16][rng.below(4)];
        let scales: [u16; BLOCK] = std::array::from_fn(|_| bits());
        let norms: [u16; BLOCK] = std::array::from_fn(|_| bits());
        let norms = (round % 2 == 0).then_some(&norms[..]);
        for threshold in [f32::MIN, 0.0, 1e30] {
            let answer = |backend: Backend| {
                let mut out = [0.0; BLOCK];
                let any = backend.score_block(&dots, &scales, norms, &affine, threshold, &mut out);
                (any, out.map(f32::to_bits))
            };
            let expected = answer(Backend::Scalar);
            assert!(expected.1.iter().all(|bits| f32::from_bits(*bits).is_finite()));
            for backend in Backend::available() {
                assert_eq!(answer(backend), expected, "{backend:?}");
            }
        }
    }
}

#[test]
fn rotation_keeps_inner_products_and_spreads_one_component() {
    let mut rng = SeededRng::new(3, 0);
    for dim in [1, 2, 3, 7, 64, 100, 127, 128, 300] {
        let rotation = rotation(dim);
        let mut a: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
        let mut b: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let before = dot(&a, &b);
        rotation.apply(&mut a);
        rotation.apply(&mut b);
        assert!((dot(&a, &b) - before).abs() < 1e-10 * dim as f64, "dimension {dim}");
    }
    // One unit component: afterwards no component may hold more than a small share of it.
    for dim in [64, 100, 127, 300] {
        for axis in [0, dim / 2, dim - 1] {
            let mut x = vec![0.0; dim];
            x[axis] = 1.0;
            rotation(dim).apply(&mut x);
            let largest = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            assert!(
                largest < 6.0 / (dim as f64).sqrt(),
                "dimension {dim}, axis {axis}: {largest}"
            );
        }
    }
}

#[test]
fn quantize_is_close_and_unbiased() {
    let mut rng = SeededRng::new(5, 0);
    for dim in [1, 2, 3, 64, 100, 768] {
        let r: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
        let mut bytes = vec![0; dim];
        let scale = quantize(&r, &mut bytes);
        let decoded: Vec<f64> = bytes.iter().map(|b| scale * f64::from(code_value(*b))).collect();
        let norm: f64 = r.iter().map(|x| x * x).sum();
        let along: f64 = r.iter().zip(&decoded).map(|(x, y)| x * y).sum();
        let error: f64 = r.iter().zip(&decoded).map(|(x, y)| (x - y) * (x - y)).sum();
        assert!((along / norm - 1.0).abs() < 1e-12);
        // One part in 128 of the largest component, in each dimension, over sqrt(3).
        assert!((error / norm).sqrt() < 0.02, "dimension {dim}: {}", (error / norm).sqrt());
    }
    let mut bytes = [0; 3];
    assert_eq!(quantize(&[0.0; 3], &mut bytes), 0.0);
}

#[test]
fn scales_round_trip_within_their_error() {
    let mut rng = SeededRng::new(6, 0);
    for largest in [1e-20, 1e-3, 1.0, 3.999_999, 4.0, 1e12] {
        let base = scale_base(largest);
        for _ in 0..1000 {
            let scale = largest * libm::exp2(-28.0 * rng.uniform());
            let decoded = f64::from(scale_from_bits(scale_to_bits(scale, base), base));
            assert!((decoded / scale - 1.0).abs() <= 1.0 / 4096.0 + 1e-7, "{scale}: {decoded}");
        }
        let top = f64::from(scale_from_bits(scale_to_bits(largest, base), base));
        assert!((top / largest - 1.0).abs() < 3e-4);
    }
    assert_eq!(scale_to_bits(0.0, scale_base(1.0)), 0);
    for bits in 0..=u16::MAX {
        for base in [1, MAX_SCALE_BASE] {
            assert!(scale_from_bits(bits, base).is_finite());
        }
    }
}
