//! Which weights between items an archive carries, and how much they count: decided on users that
//! neither vectors nor weights have seen.
//!
//! Each such user's items are cut: four fifths are a history, the rest is to be found. What is
//! compared is `recall_at_20` of `fold-in + beta * weights`, for every beta of a grid of powers of 2.
//! Both parts are on the scale of a preference, so one beta serves short and long histories; dividing
//! each by its length, or by the root of the history's, did no better on check-ins of Gowalla.

use std::collections::HashSet;

use rayon::prelude::*;

use super::super::BuildOptions;
use super::super::interactions::{InteractionMatrix, Interactions};
use super::als::{Convention, Fixed, train};
use super::pack::Packed;
use super::{SparseWeights, ease, item_knn, local_ease, top_m};
use crate::error::{Error, Result};
use crate::format::{Fold, Neighbours, NeighboursKind};
use crate::ids::Ordinal;
use crate::load::{AlignedBytes, Index};
use crate::rng::SeededRng;

/// Catalogs up to this size have EASE's whole matrix inverted, within seconds; larger ones get
/// [`local_ease`].
const WHOLE: usize = 3000;
/// Most pairs of items, each in 8 bytes, for which [`local_ease`] is tried; beyond, item-kNN serves.
const MOST_PAIRS: u64 = 200_000_000;
/// EASE's lambda: the climb begins in the middle.
const LAMBDAS: [f64; 6] = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0];
/// Item-kNN's shrinkage.
const SHRINKAGES: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];
/// The numbers of weights an item that are measured.
const WEIGHTS_PER_ITEM: [usize; 5] = [4, 8, 16, 32, 64];
/// Kinds and regularisations are compared at this number.
const COMPARED_AT: usize = 32;
/// Factors of the weights: powers of 2 from 1/64 to 64.
const N_BETAS: usize = 13;
/// Recall is measured at this depth.
const K: usize = 20;
/// Standard errors that the best of all settings must gain. Of some forty that were tried on the same users
/// the best gains more than one by chance alone: on eleven of twelve random logs.
const CHANCE: f64 = 2.0;
/// What fewer weights may cost: a two-hundredth of the recall.
const MAY_COST: f64 = 0.005;
/// One fifth of a log's users is held out at a time; in small logs every fifth in its turn, since
/// among 150 users one recall in fifty is noise.
const FOLDS: usize = 5;
/// Most validation users, in all folds together.
const MOST_USERS: usize = 1500;
/// And no more than leave this many scores.
const MOST_SCORES: usize = 60_000_000;
/// The streams of the archive's seed that users and their cuts are drawn from.
const USERS_STREAM: u64 = 6;
const CUTS_STREAM: u64 = 7;

/// What weights between items are made from. What is `None` is chosen on validation users.
#[derive(Clone, Debug, Default)]
pub struct NeighboursOptions {
    /// The log to learn from: the one that the vectors were trained on, if they were trained.
    pub train: Interactions,
    /// A log of users who are not in `train`, nor in what the vectors were trained on. Without one, a
    /// fifth of `train`'s users is held out while choosing.
    pub validation: Option<Interactions>,
    /// How weights are trained.
    pub kind: Option<NeighboursKind>,
    /// Most weights an item, at least 1.
    pub m: Option<usize>,
    /// EASE's lambda, or item-kNN's shrinkage (with `kind`).
    pub regularisation: Option<f64>,
    /// What the sum of weights is multiplied by where it is added to the taste score.
    pub beta: Option<f64>,
}

/// What was measured while weights between items were chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighboursReport {
    /// How the weights were trained.
    pub kind: NeighboursKind,
    /// EASE's lambda, or item-kNN's shrinkage.
    pub regularisation: f64,
    /// Most weights an item.
    pub m: usize,
    /// Their factor; 0 where they do not help, and then the archive carries none.
    pub beta: f64,
    /// Bytes an item that they take in the archive.
    pub bytes_per_item: f64,
    /// Number of users in the log.
    pub n_users: usize,
    /// Number of interactions that count: pairs of a user and an item of the catalog.
    pub n_interactions: usize,
    /// Interactions left out because the catalog does not have their items.
    pub n_unknown: usize,
    /// Number of validation users.
    pub n_validation: usize,
    /// Users of the validation log left out because the training log has them too.
    pub n_seen: usize,
    /// Whether the validation users come from the log itself: then the fold-in that the weights are
    /// compared with uses factors trained without them, unless the archive's vectors are plain
    /// embeddings.
    pub held_out: bool,
    /// `recall_at_20` of the fold-in alone on the validation users.
    pub fold_in_recall: f64,
    /// Standard error of the difference that the weights make, paired by user.
    pub standard_error: f64,
    /// What each number of weights costs and brings.
    pub curve: Vec<NeighboursPoint>,
}

/// One number of weights an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeighboursPoint {
    /// Most weights an item.
    pub m: usize,
    /// Bytes an item in the archive.
    pub bytes_per_item: f64,
    /// The best factor.
    pub beta: f64,
    /// `recall_at_20` of fold-in and weights together.
    pub recall: f64,
    /// `recall_at_20` of the weights alone.
    pub recall_alone: f64,
}

/// Who to learn from, and whom to measure on.
type Division = (InteractionMatrix, Vec<User>);

/// A validation user.
struct User {
    history: Vec<u32>,
    held_out: Vec<u32>,
}

/// Users to learn from, and users to measure on with the scores that the fold-in gives them.
struct Panel {
    learn: InteractionMatrix,
    users: Vec<User>,
    fold_in: Vec<Vec<f32>>,
}

/// What weights reach, on the users of all panels.
struct Measured {
    /// For each user: by the betas' order, then of the weights alone.
    recalls: Vec<Vec<f64>>,
    /// Place of the best beta.
    best: usize,
}

/// The weights for the items of an archive without them; `ids` stand in its order.
///
/// # Errors
/// [`Error::Input`] for options out of range, and a validation log of which nothing can be used.
pub(in super::super) fn tuned(
    archive: &[u8],
    ids: &[String],
    options: &NeighboursOptions,
    build: &BuildOptions,
) -> Result<(Neighbours, NeighboursReport)> {
    check(options)?;
    let index = &Index::open(AlignedBytes::copy_of(archive)?)?;
    let (log, n_unknown) = options.train.matrix(ids);
    let (divided, n_seen) = divide(&log, ids, options, build.seed)?;
    let panels: Vec<Panel> = divided
        .into_iter()
        .map(|(learn, users)| Panel::new(index, learn, users, options, build))
        .collect::<Result<_>>()?;
    let powers = (0..N_BETAS).map(|i| (1u64 << i) as f64 / 64.0);
    let betas = options.beta.map_or_else(|| powers.collect(), |beta| vec![beta]);
    let Candidate { kind, regularisation, weights } = choose(&panels, &betas, options)?;

    let fold_in: Vec<f64> = panels.iter().flat_map(Panel::recalls_of_fold_in).collect();
    let sizes: Vec<usize> = match options.m {
        Some(m) => vec![m],
        None => WEIGHTS_PER_ITEM.to_vec(),
    };
    let mut curve = Vec::new();
    let mut differences = Vec::new();
    for m in sizes {
        let packed: Vec<Packed> = weights.iter().map(|w| Packed::new(&w.top(m))).collect();
        let measured = Measured::of(&panels, &packed, &betas);
        let bytes = packed.iter().map(Packed::bytes_per_item).collect::<Vec<f64>>();
        curve.push(NeighboursPoint {
            m,
            bytes_per_item: mean(&bytes),
            beta: betas[measured.best],
            recall: measured.recall(),
            recall_alone: measured.recall_alone(),
        });
        differences.push(measured.differences(&fold_in));
    }
    let best = curve.iter().fold(0.0f64, |best, p| best.max(p.recall));
    let at = curve.iter().position(|p| p.recall >= best * (1.0 - MAY_COST)).unwrap_or(0);
    let point = curve[at];
    let standard_error = standard_error(&differences[at]);
    let gain = mean(&differences[at]);
    let beta = match options.beta {
        Some(beta) => beta,
        None if gain > CHANCE * standard_error => point.beta,
        None => 0.0,
    };
    let report = NeighboursReport {
        kind,
        regularisation,
        m: point.m,
        beta,
        bytes_per_item: if beta > 0.0 { point.bytes_per_item } else { 0.0 },
        n_users: log.n_users(),
        n_interactions: log.n_ones(),
        n_unknown,
        n_validation: fold_in.len(),
        n_seen,
        held_out: options.validation.is_none(),
        fold_in_recall: mean(&fold_in),
        standard_error,
        curve,
    };
    if beta == 0.0 {
        return Ok((Neighbours::none(), report));
    }
    let weights = fit(&log, kind, regularisation, point.m)?;
    let section = Packed::new(&weights).section(kind, regularisation, point.m, beta)?;
    Ok((section, report))
}

fn check(options: &NeighboursOptions) -> Result<()> {
    if let Some(m) = options.m
        && !(1..=1000).contains(&m)
    {
        return Err(Error::input("weights an item", "1 to 1000", m));
    }
    if let Some(beta) = options.beta
        && !(0.0..=1e9).contains(&beta)
    {
        return Err(Error::input("beta", "a number from 0 to 1e9", beta));
    }
    match (options.regularisation, options.kind) {
        (Some(_), None) => {
            Err(Error::input("regularisation", "a kind of weights beside it", "none"))
        }
        (Some(x), Some(_)) if !(x > 0.0 && x <= 1e9) => {
            Err(Error::input("regularisation", "a number above 0, at most 1e9", x))
        }
        _ => Ok(()),
    }
}

/// The users to learn from while choosing, and those to measure on; several times where a log has
/// few. Also the number of validation users left out because the log has them too.
fn divide(
    log: &InteractionMatrix,
    ids: &[String],
    options: &NeighboursOptions,
    seed: u64,
) -> Result<(Vec<Division>, usize)> {
    let most = MOST_USERS.min(MOST_SCORES / ids.len().max(1)).max(1);
    let mut rng = SeededRng::new(seed, USERS_STREAM);
    let mut shuffled = |mut users: Vec<usize>| {
        for i in 0..users.len() {
            let other = i + rng.below(users.len() - i);
            users.swap(i, other);
        }
        users
    };
    let usable = |matrix: &InteractionMatrix| -> Vec<usize> {
        (0..matrix.n_users()).filter(|u| matrix.row(*u).len() > 1).collect()
    };
    if let Some(validation) = &options.validation {
        let known: HashSet<&String> = options.train.users.iter().collect();
        let (matrix, _) = validation.matrix(ids);
        let (seen, unseen): (Vec<usize>, Vec<usize>) =
            usable(&matrix).into_iter().partition(|u| known.contains(&validation.users[*u]));
        if unseen.is_empty() {
            let expected = "users with two items of the catalog who are not in the training log";
            return Err(Error::input("the validation log", expected, "none"));
        }
        let mut drawn = shuffled(unseen);
        drawn.truncate(most);
        return Ok((vec![(log.clone(), cut(&matrix, &drawn, seed))], seen.len()));
    }
    let drawn = shuffled(usable(log));
    let fold = (drawn.len() / FOLDS).min(most);
    let n_folds = (most / fold.max(1)).clamp(1, FOLDS);
    let folds = drawn.chunks(fold.max(1)).take(n_folds).map(|held_out| {
        let held: HashSet<usize> = held_out.iter().copied().collect();
        let rest: Vec<usize> = (0..log.n_users()).filter(|u| !held.contains(u)).collect();
        (log.of_users(&rest), cut(log, held_out, seed))
    });
    Ok((folds.collect(), 0))
}

/// Four fifths of each user's items as history, the rest held out.
fn cut(matrix: &InteractionMatrix, users: &[usize], seed: u64) -> Vec<User> {
    let mut rng = SeededRng::new(seed, CUTS_STREAM);
    let mut cut = |user: &usize| {
        let mut items = matrix.row(*user).to_vec();
        for i in 0..items.len() {
            let other = i + rng.below(items.len() - i);
            items.swap(i, other);
        }
        let mut held_out = items.split_off(items.len() - (items.len() / 5).max(1));
        items.sort_unstable();
        held_out.sort_unstable();
        User { history: items, held_out }
    };
    users.iter().map(&mut cut).collect()
}

/// One way to make weights, and the weights for each panel.
struct Candidate {
    kind: NeighboursKind,
    regularisation: f64,
    weights: Vec<SparseWeights>,
}

/// The kind and regularisation that reach most on the panels.
fn choose(panels: &[Panel], betas: &[f64], options: &NeighboursOptions) -> Result<Candidate> {
    let m = options.m.unwrap_or(WEIGHTS_PER_ITEM[WEIGHTS_PER_ITEM.len() - 1]);
    let compared_at = options.m.unwrap_or(COMPARED_AT);
    let kinds = match options.kind {
        Some(kind) => vec![kind],
        None if panels.iter().all(|p| can_ease(&p.learn)) => {
            vec![NeighboursKind::Ease, NeighboursKind::ItemKnn]
        }
        None => vec![NeighboursKind::ItemKnn],
    };
    let mut best: Option<(f64, Candidate)> = None;
    for kind in kinds {
        let grid: &[f64] = match (&options.regularisation, kind) {
            (Some(fixed), _) => std::slice::from_ref(fixed),
            (None, NeighboursKind::Ease) => &LAMBDAS,
            (None, NeighboursKind::ItemKnn) => &SHRINKAGES,
        };
        // Recall has one peak over the grid but for noise: climb from the middle.
        let mut reached: Vec<Option<f64>> = vec![None; grid.len()];
        let mut at = (grid.len() - 1) / 2;
        loop {
            for i in at.saturating_sub(1)..(at + 2).min(grid.len()) {
                if reached[i].is_some() {
                    continue;
                }
                let weights = panels
                    .iter()
                    .map(|panel| fit(&panel.learn, kind, grid[i], m))
                    .collect::<Result<Vec<_>>>()?;
                let packed: Vec<Packed> =
                    weights.iter().map(|w| Packed::new(&w.top(compared_at))).collect();
                let recall = Measured::of(panels, &packed, betas).recall();
                reached[i] = Some(recall);
                if best.as_ref().is_none_or(|(best, _)| recall > *best) {
                    best = Some((recall, Candidate { kind, regularisation: grid[i], weights }));
                }
            }
            let top =
                (0..grid.len()).fold(at, |top, i| if reached[i] > reached[top] { i } else { top });
            if top == at {
                break;
            }
            at = top;
        }
    }
    best.map(|(_, candidate)| candidate)
        .ok_or_else(|| Error::input("interactions", "a kind of weights to try", "none"))
}

/// Whether EASE, whole or local, is within bounds.
fn can_ease(matrix: &InteractionMatrix) -> bool {
    let n = matrix.n_items() as u64;
    let pairs: u64 = matrix.rows().map(|row| (row.len() * row.len()) as u64).sum();
    matrix.n_items() <= WHOLE || pairs.min(n * n) <= MOST_PAIRS
}

fn fit(
    matrix: &InteractionMatrix,
    kind: NeighboursKind,
    regularisation: f64,
    m: usize,
) -> Result<SparseWeights> {
    match kind {
        NeighboursKind::ItemKnn => Ok(item_knn(matrix, regularisation, m)),
        NeighboursKind::Ease if matrix.n_items() <= WHOLE => {
            Ok(top_m(&ease(matrix, regularisation)?, m))
        }
        NeighboursKind::Ease if can_ease(matrix) => Ok(local_ease(matrix, regularisation, m)),
        NeighboursKind::Ease => {
            let expected = format!(
                "at most {WHOLE} items, or {MOST_PAIRS} pairs of items, for EASE: use item-knn"
            );
            Err(Error::input("interactions", expected, format!("{} items", matrix.n_items())))
        }
    }
}

impl Panel {
    fn new(
        index: &Index,
        learn: InteractionMatrix,
        users: Vec<User>,
        options: &NeighboursOptions,
        build: &BuildOptions,
    ) -> Result<Self> {
        let dim = index.dim();
        let convention = Convention {
            fold: index.fold(),
            alpha: index.alpha(),
            lambda: index.lambda(),
            nu: index.nu(),
        };
        if options.validation.is_none() && index.fold() == Fold::SparkExplicit {
            // Factors of ratings cannot be trained again from a log that says who liked what.
            let expected = "a validation log of users whom the vectors have not seen, beside vectors of \
                            the convention spark-explicit";
            return Err(Error::input("interactions", expected, "none"));
        }
        // Plain embeddings were not made from the log, so they have not seen its users.
        let factors = if options.validation.is_none() && index.fold() != Fold::Ridge {
            train(&learn, dim, convention, build.seed)
        } else {
            let mut decoded = vec![0.0; index.len() * dim];
            decoded.par_chunks_exact_mut(dim).enumerate().for_each(|(i, row)| {
                index.decode(Ordinal(i as u32), row);
            });
            decoded
        };
        let fixed = Fixed::new(&factors, dim, convention);
        let scores = |user: &User| {
            let vector = fixed.fold_in(&user.history);
            factors
                .chunks_exact(dim)
                .map(|row| row.iter().zip(&vector).map(|(x, u)| x * u).sum::<f64>() as f32)
                .collect()
        };
        let fold_in = users.par_iter().map(scores).collect();
        Ok(Self { learn, users, fold_in })
    }

    fn recalls_of_fold_in(&self) -> Vec<f64> {
        let nothing = |i: usize| {
            let scores = self.fold_in[i].iter().map(|s| f64::from(*s)).collect();
            recall(scores, &self.users[i])
        };
        (0..self.users.len()).into_par_iter().map(nothing).collect()
    }

    /// For each user the recall with weights: for each beta, then of the weights alone.
    fn measure(&self, weights: &SparseWeights, betas: &[f64]) -> Vec<Vec<f64>> {
        let of_user = |(user, fold_in): (&User, &Vec<f32>)| {
            let own = weights.scores(&user.history);
            let blend = |beta: &f64| {
                let both = fold_in.iter().zip(&own).map(|(f, w)| f64::from(*f) + beta * w);
                recall(both.collect(), user)
            };
            let mut recalls: Vec<f64> = betas.iter().map(blend).collect();
            recalls.push(recall(own.clone(), user));
            recalls
        };
        self.users.par_iter().zip(&self.fold_in).map(of_user).collect()
    }
}

impl Measured {
    fn of(panels: &[Panel], packed: &[Packed], betas: &[f64]) -> Self {
        let measure = |(panel, packed): (&Panel, &Packed)| panel.measure(&packed.decoded(), betas);
        let recalls: Vec<Vec<f64>> = panels.iter().zip(packed).flat_map(measure).collect();
        // Neighbouring betas give nearly the same lists, so their mean is less noisy than each.
        let sum_at = |i: usize| recalls.iter().map(|r| r[i]).sum::<f64>();
        let smooth = |i: usize| {
            let (below, above) = (i.saturating_sub(1), (i + 1).min(betas.len() - 1));
            sum_at(below) + 2.0 * sum_at(i) + sum_at(above)
        };
        let sums: Vec<f64> = (0..betas.len()).map(smooth).collect();
        let best = (0..sums.len()).fold(0, |best, i| if sums[i] > sums[best] { i } else { best });
        Self { recalls, best }
    }

    fn recall(&self) -> f64 {
        mean(&self.recalls.iter().map(|r| r[self.best]).collect::<Vec<f64>>())
    }

    fn recall_alone(&self) -> f64 {
        mean(&self.recalls.iter().map(|r| r[r.len() - 1]).collect::<Vec<f64>>())
    }

    fn differences(&self, from: &[f64]) -> Vec<f64> {
        self.recalls.iter().zip(from).map(|(r, f)| r[self.best] - f).collect()
    }
}

/// Share of the held-out items among the first 20 that are not in the history, of as many as fit.
fn recall(mut scores: Vec<f64>, user: &User) -> f64 {
    user.history.iter().for_each(|item| scores[*item as usize] = f64::NEG_INFINITY);
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    let depth = K.min(order.len() - user.history.len());
    let best_first =
        |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if depth > 0 && depth < order.len() {
        order.select_nth_unstable_by(depth - 1, best_first);
    }
    order.truncate(depth);
    let hits = order.iter().filter(|item| user.held_out.binary_search(item).is_ok()).count();
    hits as f64 / K.min(user.held_out.len()) as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Of a mean.
fn standard_error(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, mean(values));
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    // Of one value nothing is known.
    if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { f64::INFINITY }
}
