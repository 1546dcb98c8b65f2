//! The equations of each producer: what a history adds to `A u = b`, whose solution is the user
//! vector, with item vectors `x_j` held fixed.
//!
//! `w_j` is the net weight of item `j`, `c_j = alpha w_j`, `d_j` its decay (1 where nothing
//! fades), `G` the Gram matrix of all `N` items; sums run over the history.
//!
//! | convention | A | b |
//! |---|---|---|
//! | ridge | `lambda I + sum d abs(c) x xT` | `sum d c x` |
//! | implicit | `G + lambda I + sum d (abs(c) - 1) x xT` | `sum d c x` over `c > 0` |
//! | spark-implicit | `G + lambda n I + sum d abs(c) x xT` | `sum d (1 + c) x` over `c > 0` |
//! | spark-explicit | `lambda n I + sum d x xT` | `sum d c x` |
//! | ials | `alpha G + lambda (n + alpha N)^nu I + sum d abs(w) x xT` | `sum d w x` over `w > 0` |
//!
//! `n` is the sum of `d`: of all items, for spark-implicit of those with `c > 0`. A decay
//! multiplies all that an item adds, `n` included: 1 is the producer's equation and 0 that of a
//! history without the item. `A` stays positive definite for every decay: where an addend may be
//! negative (implicit, `abs(c) < 1`), `G` holds `x xT` itself.
//!
//! - *implicit*: Hu, Koren and Volinsky (ICDM 2008) as the Python package spells it
//!   (`user_linear_equation` in `implicit/cpu/als.py`): a negative confidence means "preference 0,
//!   held firmly".
//! - *spark*: `computeFactors` in `ALS.scala` of Spark MLlib: confidence is `1 + c`, and the
//!   regularisation grows with the number of ratings (Zhou et al., AAIM 2008). A rating of the
//!   explicit convention is `c`: with alpha 1 weights are ratings, with alpha 5 a like is five stars.
//! - *ials*: Rendle et al. (RecSys 2022, arXiv 2110.14037), Google Research's `ials`: alpha is the
//!   weight of unobserved items. The producer knows observations of weight 1; other weights here
//!   are as many observations (or parts of one), and negative ones observations of preference 0.
//! - *ridge*: regression onto preferences +1 and -1, an approximation for embeddings that no
//!   factor model made.

use super::cholesky::{Factor, add, add_eight};
use crate::error::{Error, Result};
use crate::format::Fold;
use crate::load::Index;

/// Least condition number (see [`Factor::condition`]) for which something is added to the
/// diagonal. Solving loses about as many digits as it has: of 16, four remain at 1e12.
const WORST_CONDITION: f64 = 1e12;
/// What is tried then, relative to the mean of the diagonal.
const JITTERS: [f64; 4] = [1e-12, 1e-10, 1e-8, 1e-6];
/// The bound under which every later sum over a user vector's components stays finite.
const LARGEST: f64 = (1u64 << 60) as f64;

/// A producer's equations for one catalog.
pub(super) struct Convention<'a> {
    pub(super) fold: Fold,
    pub(super) alpha: f64,
    pub(super) lambda: f64,
    pub(super) nu: f64,
    pub(super) dim: usize,
    pub(super) n_items: usize,
    /// Upper triangle by rows, which is the lower one by columns.
    pub(super) gram: &'a [f64],
}

/// What one item adds: its factors in `A`, `b` and `n`.
struct Term {
    spread: f64,
    pull: f64,
    count: f64,
}

/// A solved fold-in.
pub(super) struct Solution {
    /// Of `A`.
    pub(super) factor: Factor,
    /// `u`.
    pub(super) vector: Vec<f64>,
    /// Each item's factor in `b`.
    pub(super) pulls: Vec<f64>,
    /// What was added to the diagonal of `A`; 0 unless it was nearly singular.
    pub(super) jitter: f64,
}

impl<'a> Convention<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            fold: index.fold(),
            alpha: index.alpha(),
            lambda: index.lambda(),
            nu: index.nu(),
            dim: index.dim(),
            n_items: index.len(),
            gram: index.gram(),
        }
    }

    fn term(&self, weight: f64) -> Term {
        let c = self.alpha * weight;
        let (spread, pull) = match self.fold {
            Fold::Ridge => (c.abs(), c),
            Fold::Implicit => (c.abs() - 1.0, c.max(0.0)),
            Fold::SparkImplicit => (c.abs(), if c > 0.0 { 1.0 + c } else { 0.0 }),
            Fold::SparkExplicit => (1.0, c),
            Fold::Ials => (weight.abs(), weight.max(0.0)),
        };
        let counts = c > 0.0 || self.fold != Fold::SparkImplicit;
        Term { spread, pull, count: f64::from(u8::from(counts)) }
    }

    /// What stands on the diagonal for a history of `n` items.
    fn regularisation(&self, n: f64) -> f64 {
        match self.fold {
            Fold::Ridge | Fold::Implicit => self.lambda,
            Fold::SparkImplicit | Fold::SparkExplicit => self.lambda * n,
            Fold::Ials => self.lambda * libm::pow(n + self.alpha * self.n_items as f64, self.nu),
        }
    }

    /// What is in `A` of every person: the Gram matrix, if the convention has it.
    fn base(&self) -> Vec<f64> {
        let dim = self.dim;
        let mut a = vec![0.0; dim * dim];
        let unobserved = match self.fold {
            Fold::Ridge | Fold::SparkExplicit => return a,
            Fold::Implicit | Fold::SparkImplicit => 1.0,
            Fold::Ials => self.alpha,
        };
        let mut packed = self.gram.iter();
        for (j, column) in a.chunks_exact_mut(dim).enumerate() {
            // Lengths were validated: the triangle has exactly these entries.
            column[j..].iter_mut().zip(&mut packed).for_each(|(a, g)| *a = unobserved * g);
        }
        a
    }

    /// Folds in items with these vectors (one row each), weights and decays.
    ///
    /// Cost: `n dim^2 / 2` for the history and `dim^3 / 6` for the factorisation, in products.
    pub(super) fn solve(&self, vectors: &[f64], members: &[(f64, f64)]) -> Result<Solution> {
        let dim = self.dim;
        let (mut a, mut b, mut n) = (self.base(), vec![0.0; dim], 0.0);
        let (mut spreads, mut pulls) = (Vec::new(), Vec::new());
        for ((weight, decay), x) in members.iter().zip(vectors.chunks_exact(dim)) {
            let term = self.term(*weight);
            spreads.push(decay * term.spread);
            pulls.push(decay * term.pull);
            n += decay * term.count;
            add(&mut b, decay * term.pull, x);
        }
        accumulate(&mut a, dim, vectors, &spreads);
        let (factor, jitter) = factorise(a, dim, self.regularisation(n))?;
        let mut vector = b;
        factor.solve(&mut vector);
        if !vector.iter().all(|x| x.abs() <= LARGEST) {
            return Err(failed("the user vector is not finite"));
        }
        Ok(Solution { factor, vector, pulls, jitter })
    }

    /// `A` of a person of whom nothing is known. Where the regularisation counts interactions,
    /// that of the first: without any there would be none, and no direction better known than
    /// another.
    pub(super) fn prior(&self) -> Result<Factor> {
        let n = match self.fold {
            Fold::SparkImplicit | Fold::SparkExplicit => 1.0,
            Fold::Ridge | Fold::Implicit | Fold::Ials => 0.0,
        };
        Ok(factorise(self.base(), self.dim, self.regularisation(n))?.0)
    }

    /// The factor in `A` of an item that is liked.
    pub(super) fn spread_of_a_like(&self) -> f64 {
        self.term(1.0).spread.max(0.0)
    }
}

/// Adds `spread * x xT` of every row `x` to the lower half of `a`: in the order of the rows, eight
/// at a time so that the matrix is read and written an eighth as often.
fn accumulate(a: &mut [f64], dim: usize, rows: &[f64], spreads: &[f64]) {
    let whole = spreads.len() / 8 * 8;
    for (eight, s) in rows.chunks_exact(8 * dim).zip(spreads.chunks_exact(8)) {
        for (j, column) in a.chunks_exact_mut(dim).enumerate() {
            let x: [&[f64]; 8] = std::array::from_fn(|k| &eight[k * dim + j..(k + 1) * dim]);
            add_eight(&mut column[j..], std::array::from_fn(|k| s[k] * x[k][0]), x);
        }
    }
    for (x, s) in rows[whole * dim..].chunks_exact(dim).zip(&spreads[whole..]) {
        for (j, column) in a.chunks_exact_mut(dim).enumerate() {
            add(&mut column[j..], s * x[j], &x[j..]);
        }
    }
}

/// Factorises `a` with `regularisation` on its diagonal, and as little more as makes it well
/// conditioned; that comes back too.
fn factorise(mut a: Vec<f64>, dim: usize, regularisation: f64) -> Result<(Factor, f64)> {
    a.iter_mut().step_by(dim + 1).for_each(|x| *x += regularisation);
    let mean = a.iter().step_by(dim + 1).sum::<f64>() / dim as f64;
    for jitter in std::iter::once(0.0).chain(JITTERS.map(|j| j * mean)) {
        let mut a = a.clone();
        a.iter_mut().step_by(dim + 1).for_each(|x| *x += jitter);
        if let Some(factor) = Factor::of(a, dim)
            && factor.condition() <= WORST_CONDITION
        {
            return Ok((factor, jitter));
        }
    }
    Err(failed("the matrix is not positive definite"))
}

const fn failed(reason: &'static str) -> Error {
    Error::Engine {
        operation: "fold-in",
        reason,
        remedy: "build the archive with a larger lambda, or check the weights",
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    fn numbers(json: &serde_json::Value) -> Vec<f64> {
        json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    /// Folds every user of a producer's models in from its item factors; the worst relative
    /// difference to the producer's user factors, and the number of users.
    fn parity(fixture: &str) -> (f64, usize) {
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
        let (mut worst, mut n_users) = (0.0f64, 0);
        for model in fixture["models"].as_array().unwrap() {
            let items: Vec<Vec<f64>> =
                model["items"].as_array().unwrap().iter().map(numbers).collect();
            let dim = items[0].len();
            let mut gram = Vec::new();
            for r in 0..dim {
                gram.extend((r..dim).map(|c| items.iter().map(|x| x[r] * x[c]).sum::<f64>()));
            }
            let convention = Convention {
                fold: Fold::from_name(model["fold"].as_str().unwrap()).unwrap(),
                alpha: model["alpha"].as_f64().unwrap(),
                lambda: model["lambda"].as_f64().unwrap(),
                nu: 1.0,
                dim,
                n_items: items.len(),
                gram: &gram,
            };
            let users = model["users"].as_array().unwrap();
            for (history, user) in model["history"].as_array().unwrap().iter().zip(users) {
                let history: Vec<Vec<f64>> =
                    history.as_array().unwrap().iter().map(numbers).collect();
                let vectors: Vec<f64> =
                    history.iter().flat_map(|h| items[h[0] as usize].clone()).collect();
                let members: Vec<(f64, f64)> = history.iter().map(|h| (h[1], 1.0)).collect();
                let found = convention.solve(&vectors, &members).unwrap();
                let user = numbers(user);
                let length = user.iter().map(|x| x * x).sum::<f64>().sqrt();
                let off = found.vector.iter().zip(&user).map(|(f, e)| (f - e) * (f - e));
                worst = worst.max(off.sum::<f64>().sqrt() / length.max(1e-300));
                n_users += usize::from(length > 0.0);
                assert!(length > 0.0 || found.vector.iter().all(|x| *x == 0.0));
            }
        }
        (worst, n_users)
    }

    #[test]
    fn equals_the_python_package_implicit() {
        let (worst, n) = parity(include_str!("../../tests/fixtures/foldin-implicit.json"));
        assert!(worst < 1e-9 && n >= 11, "{worst} of {n}");
    }

    #[test]
    fn equals_spark_mllib() {
        // Spark publishes factors in float32.
        let (worst, n) = parity(include_str!("../../tests/fixtures/foldin-spark.json"));
        assert!(worst < 1e-5 && n >= 20, "{worst} of {n}");
    }

    fn random(rng: &mut SeededRng, n: usize) -> Vec<f64> {
        (0..n).map(|_| rng.normal()).collect()
    }

    #[test]
    fn stays_positive_definite_and_decays_between_both_ends() {
        let (dim, n_items) = (6, 40);
        for fold in Fold::ALL {
            for seed in 0..200 {
                let mut rng = SeededRng::new(seed, fold as u64);
                let items = random(&mut rng, n_items * dim);
                let mut gram = vec![0.0; dim * dim];
                accumulate(&mut gram, dim, &items, &vec![1.0; n_items]);
                let gram: Vec<f64> =
                    (0..dim).flat_map(|j| gram[j * dim + j..(j + 1) * dim].to_vec()).collect();
                let (alpha, nu) = (0.05 + 4.0 * rng.uniform(), rng.uniform());
                let convention =
                    Convention { fold, alpha, lambda: 0.01, nu, dim, n_items, gram: &gram };
                let n = 1 + rng.below(n_items);
                let vectors = &items[..n * dim];
                let members: Vec<(f64, f64)> =
                    (0..n).map(|_| (3.0 * rng.normal(), rng.uniform())).collect();
                // Random weights and decays: no jitter was needed, and `A u = b`.
                let solution = convention.solve(vectors, &members).unwrap();
                assert_eq!(solution.jitter, 0.0, "{fold:?}");
                // Towards 0 the last item never happened; 1 is the producer's own equation.
                let with = |decay| {
                    let mut members = members.clone();
                    members[n - 1].1 = decay;
                    convention.solve(vectors, &members).unwrap().vector
                };
                let without = convention.solve(&vectors[..(n - 1) * dim], &members[..n - 1]);
                if n > 1 {
                    let without = without.unwrap().vector;
                    let size = without.iter().fold(1.0f64, |m, x| m.max(x.abs()));
                    for (a, b) in with(1e-14).iter().zip(&without) {
                        assert!((a - b).abs() <= 1e-9 * size, "{fold:?} {a} {b}");
                    }
                    assert_eq!(with(0.0), without, "{fold:?}");
                }
            }
        }
    }

    #[test]
    fn jitter_comes_with_a_bad_condition_only_and_nothing_becomes_nan() {
        let solve = |lambda, x: &[f64], weight| {
            let (fold, dim) = (Fold::Ridge, x.len());
            let convention =
                Convention { fold, alpha: 1.0, lambda, nu: 1.0, dim, n_items: 1, gram: &[] };
            convention.solve(x, &[(weight, 1.0)])
        };
        assert_eq!(solve(1.0, &[1.0, 2.0], 1.0).unwrap().jitter, 0.0);
        // One item in two dimensions, without regularisation: singular.
        let solution = solve(0.0, &[1.0, 2.0], 1.0).unwrap();
        assert!(solution.jitter > 0.0 && solution.jitter < 1e-5);
        let score: f64 = solution.vector[0] + 2.0 * solution.vector[1];
        assert!((score - 1.0).abs() < 1e-5, "{score}");
        assert!(solve(0.0, &[0.0, 0.0], 1.0).is_err());
        assert!(solve(f64::NAN, &[1.0, 0.0], 1.0).is_err());
        assert!(solve(1.0, &[f64::INFINITY, 0.0], 1.0).is_err());
    }
}
