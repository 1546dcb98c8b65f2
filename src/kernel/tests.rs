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

const UGLY: [usize; 9] = [8, 16, 24, 32, 40, 64, 104, 768, MAX_DIM];

/// The largest, or least, of every fourth number.
fn every_fourth(numbers: &[u16; BLOCK], more: fn(u16, u16) -> u16) -> [u16; 4] {
    std::array::from_fn(|i| numbers.iter().copied().skip(i).step_by(4).reduce(more).unwrap())
}

/// All backends multiply and score a block as the definition does, and refuse it under the same thresholds:
/// one below all scores, above them, each of the three best, and just below these. The first half of the
/// codes serve as prefixes.
fn assert_parity(
    codes: &[u8],
    query: &[i8],
    scales: &[u16; BLOCK],
    norms: Option<&[u16; BLOCK]>,
    affine: &Affine,
) {
    let (dim, lengths) = (query.len(), Lengths { scales, norms });
    let prefixes = &codes[..codes.len() / 2];
    let dots = scalar::dot_prefixes(prefixes, query);
    let lists = scalar::dot_centroids(codes, query);
    let mut scores = [0.0; BLOCK];
    scalar::score(&dots, lengths, affine, &mut scores);
    assert!(scores.iter().all(|score| score.is_finite()));
    let mut best = scores;
    best.sort_unstable_by(|a, b| b.total_cmp(a));
    let near = best[..3].iter().flat_map(|score| [*score, score.next_down()]);
    let thresholds: Vec<f32> = near.chain([f32::MIN, 0.0, f32::MAX]).collect();
    let largest = every_fourth(scales, u16::max);
    let least = norms.map(|norms| every_fourth(norms, u16::min));
    let rounded = |run| Rounded { components: query.to_vec(), run };
    // Widening comes as late as it may, in the middle, and after every group.
    let queries = [longest_run(query), 3, 1].map(rounded);
    // The block, and before it one that nothing can be expected of: its prefixes are the other half.
    let both = [&codes[codes.len() / 2..], prefixes].concat();
    let bases = [f32::MIN / 4.0, affine.base];
    let (two_largest, two_least) = ([[0; 4], largest], least.map(|least| [[0; 4], least]));
    let blocks = Blocks {
        prefixes: &both,
        affine: *affine,
        bases: &bases,
        scales: &two_largest,
        norms: two_least.as_ref().map_or(&[], |norms| &norms[..]),
    };
    for backend in Backend::available() {
        let mut found = [7; BLOCK];
        backend.dot_centroids(codes, &queries[0], &mut found);
        assert_eq!(found, lists, "{backend:?}, {dim} dimensions, lists");
        for threshold in &thresholds {
            let threshold = *threshold;
            let norms = least.as_ref();
            let bound = Bound { affine: *affine, scales: &largest, norms, threshold };
            let expected = scalar::finish(dots, &bound, &mut [0; BLOCK]);
            assert!(expected || best[0] <= threshold, "nothing better is refused");
            for query in &queries {
                let mut first =
                    |wanted| backend.first_above(&blocks, wanted, query, threshold, &mut found);
                // Below the lowest threshold lies nothing.
                let of_two = if threshold == f32::MIN { 0 } else { 1 };
                let place = first(&[0, 1]);
                assert_eq!(place, expected.then_some(of_two), "{backend:?}, {dim}, {threshold}");
                assert_eq!(first(&[]), None);
                let may = first(&[1]).is_some();
                assert_eq!(may, expected, "{backend:?}, {dim} dimensions, {threshold}");
                if may {
                    assert_eq!(
                        found, dots,
                        "{backend:?}, {dim} dimensions, runs of {}",
                        query.run
                    );
                }
            }
        }
        let mut found = [0.0; BLOCK];
        backend.score(&dots, lengths, affine, &mut found);
        assert_eq!(found.map(f32::to_bits), scores.map(f32::to_bits), "{backend:?}, {dim}");
    }
}

/// Numbers of any size, zeros and extremes among them.
fn lengths(rng: &mut SeededRng) -> [u16; BLOCK] {
    // One block in two has scales of about one size, as lists do.
    let alike = rng.below(2) == 0;
    std::array::from_fn(|_| match rng.below(4) {
        _ if alike => 20_000 + rng.below(1000) as u16,
        0 => 0,
        1 => 1,
        2 => u16::MAX,
        _ => rng.bits() as u16,
    })
}

fn affine(rng: &mut SeededRng, offset: i32) -> Affine {
    Affine {
        offset,
        step: rng.normal().abs() as f32 * 1e-3,
        base: rng.normal() as f32,
        scale_base: 1 + rng.below(MAX_SCALE_BASE as usize) as u32,
        norm_base: 1 + rng.below(MAX_SCALE_BASE as usize) as u32,
    }
}

#[test]
fn backends_agree_with_scalar() {
    let mut rng = SeededRng::new(1, 0);
    for dim in UGLY {
        for round in 0..40 {
            let codes: Vec<u8> = (0..BLOCK * dim).map(|_| rng.bits() as u8).collect();
            let component = |rng: &mut SeededRng| rng.below(255) as i32 - QUERY_LIMIT;
            let query: Vec<i8> = (0..dim).map(|_| component(&mut rng) as i8).collect();
            let (scales, norms) = (lengths(&mut rng), lengths(&mut rng));
            let norms = (round % 4 < 2).then_some(&norms);
            let sum = query.iter().map(|q| i32::from(*q)).sum::<i32>();
            let affine = affine(&mut rng, 15 * sum);
            assert_parity(&codes, &query, &scales, norms, &affine);
        }
    }
}

#[test]
fn extremes_do_not_overflow() {
    // Scales of one and no offset: the score is twice the dot product.
    let (scales, scale_base) = ([1 << 11; BLOCK], 126);
    let exact = Affine { offset: 0, step: 1.0, base: 0.0, scale_base, norm_base: 1 };
    let mut rng = SeededRng::new(2, 0);
    for dim in UGLY {
        for byte in [0, 1, 0x0F, 0x70, 127, 0xF0, 255] {
            for component in [-QUERY_LIMIT, -1, 0, QUERY_LIMIT] {
                let (codes, query) = (vec![byte; BLOCK * dim], vec![component as i8; dim]);
                let offset = 15 * component * dim as i32;
                for affine in [exact, affine(&mut rng, offset)] {
                    assert_parity(&codes, &query, &scales, None, &affine);
                }
            }
        }
    }
    let query = Rounded { components: vec![QUERY_LIMIT as i8; MAX_DIM], run: LEAST_RUN };
    assert_eq!(longest_run(&query.components), LEAST_RUN);
    let limit = QUERY_LIMIT * MAX_DIM as i32;
    let lengths = Lengths { scales: &scales, norms: None };
    let scored = |dots: &[i32; BLOCK]| {
        let mut out = [0.0; BLOCK];
        Backend::best().score(dots, lengths, &exact, &mut out);
        out[31]
    };
    let mut dots = [0; BLOCK];
    Backend::best().dot_centroids(&vec![127; BLOCK * MAX_DIM], &query, &mut dots);
    assert_eq!(scored(&dots), (2 * 127 * i64::from(limit)) as f32);
    let prefixes = &vec![255; BLOCK / 2 * MAX_DIM];
    let scales = &[[1 << 11; 4]];
    let block = Blocks { prefixes, affine: exact, bases: &[0.0], scales, norms: &[] };
    assert_eq!(Backend::best().first_above(&block, &[0], &query, 0.0, &mut dots), Some(0));
    assert_eq!(scored(&dots), (2 * 15 * i64::from(limit)) as f32);
}

#[test]
fn what_is_put_is_read() {
    let mut rng = SeededRng::new(7, 0);
    for dim in [1, 3, 7, 8, 9, 64, 100] {
        for bits in CODE_BITS {
            let mut block = vec![0; prefix_block_bytes(dim)];
            for lane in 0..BLOCK {
                let mut item = vec![0; refining_bytes(dim, bits)];
                let codes: Vec<u8> = (0..dim).map(|_| rng.below(1 << bits) as u8).collect();
                for (j, code) in codes.iter().enumerate() {
                    put(*code, bits, lane, j, &mut block, &mut item);
                }
                let whole = ItemCode { block: &block, lane, refining: &item, bits };
                let found: Vec<i32> = values(whole).flatten().collect();
                let expected: Vec<i32> = codes.iter().map(|c| code_value(*c, bits)).collect();
                assert_eq!(found[..dim], expected, "{dim} {bits} {lane}");
                // Without refining bits: the middle of the cell.
                let prefix_only = ItemCode { refining: &[], ..whole };
                let found: Vec<i32> = values(prefix_only).flatten().collect();
                for (j, v) in found[..dim].iter().enumerate() {
                    assert_eq!(codes[j] >> (bits - 4), prefix(&block, lane, j));
                    assert_eq!(*v, code_value(prefix(&block, lane, j), 4) << (bits - 4));
                }
            }
        }
    }
}

#[test]
fn codes_are_multiplied_and_added_alike() {
    let mut rng = SeededRng::new(8, 0);
    for dim in [1, 3, 8, 13, 64, 100] {
        // (Centroids of blocks are prefixes and nothing more.)
        for bits in PREFIX_BITS..=*CODE_BITS.end() {
            let block: Vec<u8> = (0..prefix_block_bytes(dim)).map(|_| rng.bits() as u8).collect();
            let item: Vec<u8> = (0..refining_bytes(dim, bits)).map(|_| rng.bits() as u8).collect();
            let mut query: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
            query.resize(padded_dim(dim), 0.0);
            for refining in [&item[..], &[]] {
                let lane = rng.below(BLOCK);
                let code = ItemCode { block: &block, lane, refining, bits };
                let answer = |backend: Backend| {
                    let mut sum = query[..dim].to_vec();
                    backend.add_code(code, 0.123, &mut sum);
                    let mut bits: Vec<u64> = sum.iter().map(|x| x.to_bits()).collect();
                    bits.push(backend.dot_code(code, &query).to_bits());
                    bits
                };
                let expected = answer(Backend::Scalar);
                for backend in Backend::available() {
                    assert_eq!(answer(backend), expected, "{backend:?} {dim} {bits}");
                }
                // By hand: one dimension after the other.
                let by_hand: f64 =
                    values(code).flatten().zip(&query).map(|(v, q)| f64::from(v) * q).sum();
                let found = Backend::best().dot_code(code, &query);
                assert!(
                    (found - by_hand).abs() < 1e-9 * (1.0 + by_hand.abs()),
                    "{found} {by_hand}"
                );
            }
        }
    }
}

#[test]
fn centroids_of_lists_have_one_inner_product_everywhere() {
    let mut rng = SeededRng::new(9, 0);
    for dim in [1, 3, 8, 13, 64, 100] {
        let codes: Vec<u8> = (0..centroid_block_bytes(dim)).map(|_| rng.bits() as u8).collect();
        let mut query: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
        query.resize(padded_dim(dim), 0.0);
        for lane in 0..BLOCK {
            let value = |j| f64::from(code_value(centroid_code(&codes, lane, j), CENTROID_BITS));
            let by_hand: f64 = (0..dim).map(|j| query[j] * value(j)).sum();
            let expected = Backend::Scalar.dot_centroid(&codes, lane, &query);
            assert!((expected - by_hand).abs() < 1e-9 * (1.0 + by_hand.abs()));
            for backend in Backend::available() {
                let found = backend.dot_centroid(&codes, lane, &query);
                assert_eq!(found.to_bits(), expected.to_bits(), "{backend:?} {dim} {lane}");
            }
        }
    }
}

#[test]
fn numbers_above_a_threshold_are_the_same_everywhere() {
    let mut rng = SeededRng::new(10, 0);
    let extremes = [f32::MIN, f32::MAX, 0.0, -0.0, 1.0];
    for threshold in [f32::MIN, -0.5, 0.0, -0.0, 0.7, f32::MAX] {
        for _ in 0..50 {
            let numbers: [f32; BLOCK] = std::array::from_fn(|_| match rng.below(3) {
                0 => extremes[rng.below(extremes.len())],
                _ => rng.normal() as f32,
            });
            let expected = (0..BLOCK).filter(|i| numbers[*i] > threshold);
            let expected = expected.fold(0, |word, i| word | 1 << i);
            for backend in Backend::available() {
                assert_eq!(backend.above(&numbers, threshold), expected, "{backend:?}");
            }
        }
    }
}

#[test]
fn numbers_are_counted_and_bounded_the_same_everywhere() {
    let mut rng = SeededRng::new(16, 0);
    for n in [0, 1, 2, 7] {
        for floor in [f32::MIN, -0.5, 0.0, 1.5, f32::MAX] {
            let numbers: Vec<[f32; BLOCK]> = (0..n)
                .map(|_| {
                    std::array::from_fn(|_| match rng.below(4) {
                        0 => f32::MIN,
                        _ => rng.normal() as f32,
                    })
                })
                .collect();
            let mut above: Vec<f32> = numbers.concat();
            above.retain(|number| *number > floor);
            above.sort_unstable_by(f32::total_cmp);
            let low = above.first().copied().unwrap_or(f32::MAX);
            let high = above.last().copied().unwrap_or(floor);
            for backend in Backend::available() {
                assert_eq!(backend.count_above(&numbers, floor), above.len(), "{backend:?}");
                assert_eq!(backend.extremes_above(&numbers, floor), (low, high), "{backend:?}");
            }
        }
    }
}

#[test]
fn rows_have_one_inner_product_everywhere() {
    let mut rng = SeededRng::new(14, 0);
    for n in [0, 8, 16, 64, 72, 768] {
        for size in [1.0, 1e-160, 1e150] {
            let mut row = || (0..n).map(|_| size * rng.normal()).collect::<Vec<f64>>();
            let (a, b) = (row(), row());
            let expected = Backend::Scalar.dot(&a, &b);
            for backend in Backend::available() {
                assert_eq!(backend.dot(&a, &b).to_bits(), expected.to_bits(), "{backend:?} {n}");
            }
            // By hand: one component after the other.
            let (mut by_hand, mut most) = (0.0, 0.0);
            for (a, b) in a.iter().zip(&b) {
                by_hand += a * b;
                most += (a * b).abs();
            }
            assert!((expected - by_hand).abs() <= 1e-13 * most, "{expected} {by_hand}");
        }
    }
}

/// Numbers of `width` bytes, many of them at the ends of what that holds.
fn packed(rng: &mut SeededRng, width: usize, n: usize) -> Vec<u8> {
    let numbers = (0..n).flat_map(|_| {
        let number = [0, u64::MAX, 1 << (8 * width - 1), rng.bits()][rng.below(4)];
        number.to_le_bytes().into_iter().take(width)
    });
    numbers.collect()
}

/// A range, now and then of everything or of one number, or beyond what the width holds.
fn range(rng: &mut SeededRng, width: usize) -> (u64, u64) {
    let shift = 64 - 8 * width as u32;
    let mut end = || [0, u64::MAX, rng.bits()][rng.below(3)] >> [shift, 0][rng.below(8) / 7];
    let (a, b) = (end(), end());
    (a.min(b), a.max(b))
}

fn numbers(bytes: &[u8], width: usize) -> Vec<u64> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |x, byte| x << 8 | u64::from(*byte));
    bytes.chunks(width).map(number).collect()
}

/// A bit for each of `n` items for which `holds`.
fn bits(n: usize, holds: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut words = vec![0; n.div_ceil(32)];
    (0..n).filter(|i| holds(*i)).for_each(|i| words[i / 32] |= 1 << (i % 32));
    words
}

#[test]
fn numbers_in_a_range_are_kept() {
    let mut rng = SeededRng::new(8, 0);
    for width in [1, 2, 4, 8] {
        for n in [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 2048] {
            for _ in 0..20 {
                let bytes = packed(&mut rng, width, n);
                let (low, high) = range(&mut rng, width);
                let seed = rng.bits();
                let live = bits(n, |i| seed.rotate_left(i as u32) & 3 != 0);
                let all = numbers(&bytes, width);
                let inside = bits(n, |i| (low..=high).contains(&all[i]));
                let expected: Vec<u32> = live.iter().zip(&inside).map(|(a, b)| a & b).collect();
                for backend in Backend::available() {
                    let mut kept = live.clone();
                    let numbers = Packed { bytes: &bytes, width, starts: None };
                    assert!(backend.keep_in_range(numbers, low, high, &mut kept));
                    assert_eq!(kept, expected, "{backend:?}, {n} of {width} bytes");
                }
            }
        }
    }
}

#[test]
fn lists_with_a_number_in_a_range_are_kept() {
    let mut rng = SeededRng::new(9, 0);
    for width in [1, 2, 4] {
        for n in [0, 1, 31, 32, 33, 64, 100] {
            // Lists of none, of few, and of more than are compared at once.
            for longest in [0, 3, 16, 17, 40] {
                let mut starts = vec![0u32];
                for i in 0..n {
                    starts.push(starts[i] + rng.below(longest + 1) as u32);
                }
                let bytes = packed(&mut rng, width, starts[n] as usize);
                let (low, high) = range(&mut rng, width);
                let all = numbers(&bytes, width);
                let seed = rng.bits();
                let live = bits(n, |i| seed.rotate_left(i as u32) & 3 != 0);
                let expected = bits(n, |i| {
                    let list = &all[starts[i] as usize..starts[i + 1] as usize];
                    live[i / 32] >> (i % 32) & 1 == 1
                        && list.iter().any(|x| (low..=high).contains(x))
                });
                let starts: Vec<[u8; 4]> = starts.iter().map(|x| x.to_le_bytes()).collect();
                for backend in Backend::available() {
                    let mut kept = live.clone();
                    let numbers = Packed { bytes: &bytes, width, starts: Some(&starts) };
                    assert!(backend.keep_in_range(numbers, low, high, &mut kept));
                    assert_eq!(kept, expected, "{backend:?}, {n} of {width} bytes");
                }
            }
        }
    }
}

#[test]
fn lists_outside_of_the_numbers_are_reported() {
    let bytes = [7; 64];
    for wrong in [[0, 65], [64, 65], [65, 65], [u32::MAX, 3], [9, 8], [0, u32::MAX]] {
        let mut starts = vec![[0; 4]; 40];
        starts[37..39].copy_from_slice(&wrong.map(u32::to_le_bytes));
        let numbers = Packed { bytes: &bytes, width: 1, starts: Some(&starts) };
        for backend in Backend::available() {
            let keep =
                |item: usize| backend.keep_in_range(numbers, 7, 7, &mut bits(39, |i| i == item));
            assert!(!keep(37), "{backend:?}: {wrong:?}");
            assert!(keep(35), "only lists that are looked at count");
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

/// What quantizing leaves over.
fn left_over(residual: &[f64], heavy: &[f64], bits: u32) -> Vec<f64> {
    let mut codes = vec![0; residual.len()];
    let scale = quantize(residual, heavy, bits, &mut codes);
    assert!(scale > 0.0);
    let decoded = codes.iter().map(|c| scale * f64::from(code_value(*c, bits)));
    residual.iter().zip(decoded).map(|(r, d)| r - d).collect()
}

#[test]
fn quantize_is_close_and_closest_along_what_is_heavy() {
    let mut rng = SeededRng::new(5, 0);
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let heavy_cost = |e: &[f64], heavy: &[f64]| inner(e, heavy) * inner(e, heavy);
    for dim in [1, 2, 3, 64, 100, 768] {
        for bits in CODE_BITS {
            let (mut plain_along, mut along) = (0.0, 0.0);
            for _ in 0..20 {
                let r: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
                let x: Vec<f64> = r.iter().map(|r| r + 2.0 * rng.normal()).collect();
                let weight = (dim as f64 / inner(&x, &x)).sqrt();
                let heavy: Vec<f64> = x.iter().map(|x| x * weight).collect();
                let plain = left_over(&r, &vec![0.0; dim], bits);
                let left = left_over(&r, &heavy, bits);
                // With 8 bits one part in 128 of the largest component, in each dimension, over
                // sqrt(3); twice as much for each bit less.
                let bound = 0.02 * f64::from(1 << (8 - bits)) * inner(&r, &r).sqrt();
                let size = |e: &[f64]| inner(e, e).sqrt();
                assert!(size(&plain) < bound, "dimension {dim}, {bits} bits");
                assert!(size(&left) < 2.0 * bound, "dimension {dim}, {bits} bits");
                let cost = |e: &[f64]| inner(e, e) + heavy_cost(e, &heavy);
                assert!(
                    cost(&left) <= cost(&plain) * (1.0 + 1e-9) + 1e-24,
                    "dimension {dim}, {bits} bits"
                );
                plain_along += heavy_cost(&plain, &heavy);
                along += heavy_cost(&left, &heavy);
            }
            let is_rare = dim < 64 || along < 0.2 * plain_along;
            assert!(is_rare, "dimension {dim}, {bits} bits: {along} of {plain_along}");
        }
    }
    let mut codes = [0; 3];
    assert_eq!(quantize(&[0.0; 3], &[1.0; 3], 8, &mut codes), 0.0);
    // No scale above 0 is good along this direction: the residual is coded without regard to it.
    let residual = [1.0, 0.001];
    assert_eq!(left_over(&residual, &[-1.0, 100.0], 5), left_over(&residual, &[0.0; 2], 5));
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

/// A query's groups are added in 16 bits up to the last number that these hold, and the largest and least prefixes
/// then still give the same sums everywhere.
#[test]
fn what_fits_into_16_bits_is_known() {
    let edge = |last: i8| -> Vec<i8> {
        // 2,184 times 15 is 32,760; of one pair of lanes, and nothing in the other.
        let mut query: Vec<i8> = [127, 127, 0, 0].repeat(8);
        query.extend([127, last, 0, 0, 0, 0, 0, 0]);
        query
    };
    assert_eq!(longest_run(&edge(25)), 5);
    assert_eq!(longest_run(&edge(26)), 4);
    let opposite: Vec<i8> = edge(26).iter().map(|q| -q).collect();
    assert_eq!(longest_run(&opposite), 4);
    // Ten groups do not fit together, but five and five do.
    let twice = [edge(25), edge(25)].concat();
    assert_eq!(longest_run(&twice), 5);
    for query in [twice, edge(25), edge(26), opposite, edge(25).iter().map(|q| -q).collect()] {
        let (scales, offset) =
            ([1 << 11; BLOCK], 15 * query.iter().map(|q| i32::from(*q)).sum::<i32>());
        let affine = Affine { offset, step: 1.0, base: 0.0, scale_base: 126, norm_base: 1 };
        for byte in [0, 0x0F, 0xF0, 255] {
            assert_parity(&vec![byte; BLOCK * query.len()], &query, &scales, None, &affine);
        }
    }
}
