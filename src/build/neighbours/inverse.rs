//! The inverse of a symmetric positive definite matrix, large and dense.
//!
//! Three steps, each of which is inner products of rows: the Cholesky factor `L`, the transpose
//! `U` of its inverse, and the inverse `U UT`. So one routine does nearly all of the work, on tiles
//! that stay in the cache. Tiles are divided among threads, but each number is summed by one task
//! in one order: the result does not depend on their number.

use rayon::prelude::*;

/// Rows and columns of a tile. 32 x 256 numbers are 64 kB: two of these fit a second-level cache.
const TILE: usize = 32;
/// Length of the pieces in which long inner products are taken.
const DEPTH: usize = 256;

/// `sums[a * TILE + b] += x_a . y_b` over the columns `columns` of rows `a` of `x` and `b` of `y`,
/// whose rows are `n` long.
fn add_products(
    sums: &mut [f64; TILE * TILE],
    x: &[f64],
    y: &[f64],
    n: usize,
    columns: std::ops::Range<usize>,
) {
    let mut from = columns.start;
    while from < columns.end {
        let to = (from + DEPTH).min(columns.end);
        for (a, x) in x.chunks_exact(n).enumerate() {
            let x = &x[from..to];
            for (b, rows) in y.chunks(4 * n).enumerate() {
                let sums = &mut sums[a * TILE + 4 * b..];
                if rows.len() == 4 * n {
                    let row = |i: usize| &rows[i * n..][from..to];
                    let products = four_products(x, [row(0), row(1), row(2), row(3)]);
                    sums.iter_mut().zip(products).for_each(|(s, p)| *s += p);
                } else {
                    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(n)) {
                        let row = &row[from..to];
                        *sum += four_products(x, [row; 4])[0];
                    }
                }
            }
        }
        from = to;
    }
}

/// Inner products of one row with four. Each is four sums side by side, added at the end.
fn four_products(x: &[f64], rows: [&[f64]; 4]) -> [f64; 4] {
    let mut sums = [[0.0; 4]; 4];
    let whole = x.len() / 4 * 4;
    for at in (0..whole).step_by(4) {
        let x: [f64; 4] = std::array::from_fn(|i| x[at + i]);
        for (sums, row) in sums.iter_mut().zip(rows) {
            let row = &row[at..at + 4];
            for i in 0..4 {
                sums[i] += x[i] * row[i];
            }
        }
    }
    std::array::from_fn(|r| {
        let [a, b, c, d] = sums[r];
        let rest = x[whole..].iter().zip(&rows[r][whole..]).map(|(x, y)| x * y);
        rest.fold((a + b) + (c + d), |sum, p| sum + p)
    })
}

/// Replaces a symmetric positive definite matrix, by rows, by its inverse. `None` where it is not
/// positive definite in f64. Cost: `n^3` operations on all cores; as much memory again.
pub(super) fn invert(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    if n == 0 {
        return Some(a);
    }
    factorise(&mut a, n)?;
    let u = inverse_of_factor(&a, n);
    // The upper half, tile by tile, then its mirror image.
    a.par_chunks_mut(TILE * n).enumerate().for_each(|(block, out)| {
        let first = block * TILE;
        let own = &u[first * n..(first * n + out.len())];
        for from in (first..n).step_by(TILE) {
            let others = &u[from * n..(from + TILE).min(n) * n];
            let mut sums = [0.0; TILE * TILE];
            add_products(&mut sums, own, others, n, from..n);
            for (row, sums) in out.chunks_exact_mut(n).zip(sums.chunks_exact(TILE)) {
                let row = &mut row[from..(from + TILE).min(n)];
                row.copy_from_slice(&sums[..row.len()]);
            }
        }
    });
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = a[j * n + i];
        }
    }
    Some(a)
}

/// The Cholesky factor, in the lower half.
fn factorise(a: &mut [f64], n: usize) -> Option<()> {
    for first in (0..n).step_by(TILE) {
        let width = TILE.min(n - first);
        let (head, below) = a.split_at_mut((first + width) * n);
        let (above, own) = head.split_at_mut(first * n);
        let _ = above;
        let mut sums = [0.0; TILE * TILE];
        add_products(&mut sums, own, own, n, 0..first);
        for i in 0..width {
            for j in 0..=i {
                let mut x = own[i * n + first + j] - sums[i * TILE + j];
                for k in first..first + j {
                    x -= own[i * n + k] * own[j * n + k];
                }
                own[i * n + first + j] = if i > j {
                    x / own[j * n + first + j]
                } else if x > 0.0 {
                    x.sqrt()
                } else {
                    return None;
                };
            }
        }
        let own = &*own;
        below.par_chunks_mut(TILE * n).for_each(|rows| {
            let mut sums = [0.0; TILE * TILE];
            add_products(&mut sums, rows, own, n, 0..first);
            for (row, sums) in rows.chunks_exact_mut(n).zip(sums.chunks_exact(TILE)) {
                for j in 0..width {
                    let mut x = row[first + j] - sums[j];
                    for k in first..first + j {
                        x -= row[k] * own[j * n + k];
                    }
                    row[first + j] = x / own[j * n + first + j];
                }
            }
        });
    }
    Some(())
}

/// The transpose of the inverse of a Cholesky factor: row `c` is column `c` of the inverse.
fn inverse_of_factor(l: &[f64], n: usize) -> Vec<f64> {
    let mut u = vec![0.0; n * n];
    u.par_chunks_mut(TILE * n).enumerate().for_each(|(block, rows)| {
        let first = block * TILE;
        for from in (first..n).step_by(TILE) {
            let width = TILE.min(n - from);
            let factor = &l[from * n..(from + width) * n];
            let mut sums = [0.0; TILE * TILE];
            add_products(&mut sums, rows, factor, n, first..from);
            for (c, row) in rows.chunks_exact_mut(n).enumerate() {
                for i in 0..width {
                    let factor = &factor[i * n..(i + 1) * n];
                    let mut x = f64::from(u8::from(first + c == from + i)) - sums[c * TILE + i];
                    for k in from..from + i {
                        x -= factor[k] * row[k];
                    }
                    row[from + i] = x / factor[from + i];
                }
            }
        }
    });
    u
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn an_inverse_times_its_matrix_is_the_identity() {
        for n in [0usize, 1, 3, 31, 32, 33, 64, 150, 300] {
            let mut rng = SeededRng::new(n as u64, 0);
            let x: Vec<f64> = (0..2 * n * n).map(|_| rng.normal()).collect();
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    let product = (0..2 * n).map(|k| x[k * n + i] * x[k * n + j]).sum::<f64>();
                    a[i * n + j] = product + f64::from(u8::from(i == j));
                }
            }
            let inverse = invert(a.clone(), n).unwrap();
            for i in 0..n {
                for j in 0..n {
                    let x: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                    assert!((x - f64::from(u8::from(i == j))).abs() < 1e-9, "{n}: {i}, {j}: {x}");
                    assert_eq!(inverse[i * n + j], inverse[j * n + i]);
                }
            }
        }
    }

    #[test]
    fn what_has_no_factor_is_refused() {
        assert_eq!(invert(vec![1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(invert(vec![f64::NAN], 1), None);
    }
}
