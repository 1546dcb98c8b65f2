//! What a person likes, as several things: the history in groups of alike items.
//!
//! One user vector between two unlike tastes recommends what lies between them. PinnerSage (Pal
//! et al., KDD 2020, arXiv 2007.03634) clusters a person's items by Ward's method, lets the medoid
//! speak for each cluster, weighs clusters by their decayed interactions, and asks for candidates
//! once a cluster. So here.

use super::decode::decoded;
use super::fold::solve;
use super::labels::{Label, Labels};
use super::reduce::HistoryItem;
use super::ward::{Distances, Merge, cut, distance_squared, ward};
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::load::Index;
use crate::metric::Metric;
use crate::ordering::{select_best, sort_best_first};

/// Most items that are clustered: enough to tell what somebody is about, and few enough to cluster
/// anew with every slate (128 kB of distances).
const MOST_ITEMS: usize = 128;
/// Most interests unless a number is asked for. People tell fewer than ten groups apart at a
/// glance, and PinnerSage asks for candidates three times.
const MOST_INTERESTS: usize = 8;
/// How much higher the next merge must lie than the last, for the groups between to be kept
/// apart. Without structure, successive heights near the top grow by up to about a tenth.
const LEAST_GAP: f64 = 1.25;
/// Heights below this are no distance, in units of an item's length: two items this near (a cosine
/// of 0.75) are of one kind.
const NEAR: f64 = 0.7;
/// Most labels of an interest, each a (column, value).
const MOST_LABELS: usize = 2;

/// A group of alike items in a person's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Interest {
    /// The member with the smallest sum of distances to the others: the one to show.
    pub medoid: Ordinal,
    /// Its items, in the order of the history.
    pub members: Vec<Ordinal>,
    /// The sum of its members' decayed weights; above 0.
    pub importance: f64,
    /// What tells its members from the catalog, strongest first; see [`Label`]. May be empty.
    pub labels: Vec<Label>,
    /// What to search with, rotated: a user vector rather than the medoid's, since its inner
    /// products are taste scores.
    ///
    /// Of [`interests`] the fold-in of its members alone. Of a
    /// [`Recommender`](crate::Recommender), which has folded the whole history in, its members' part of
    /// that: so an interest's score of an item is exactly its members' share of the item's taste
    /// score, and of all interests together, with what belongs to none, the shares add up to it.
    pub vector: Vec<f64>,
}

/// The interests in a history, most important first, ties in the order of the history. Items of
/// negative weight belong to none; of more than 128 the latest count.
///
/// Items are compared by direction, in Euclidean archives by place. `n` asks for a number of
/// interests, and gets it if there are as many items. Without it, there are as many groups, from
/// 1 to 8, as stand apart most clearly: where the next merge lies highest relative to the last,
/// by a factor of 1.25 or more; else one. Each gets labels from the `labels` columns: categories, tags,
/// and years or dates, whose decades count.
///
/// Cost: `items^2 (dim / 2 + 4)` for the tree, a fold-in of each interest, and one pass over the
/// catalog for each label column.
///
/// # Errors
/// As [`Taste::fold_in`](crate::Taste::fold_in); [`Error::Arg`](crate::Error::Arg) for a label
/// column that does not exist or is of another kind.
pub fn interests(
    index: &Index,
    history: &[HistoryItem],
    n: Option<usize>,
    labels: &[&str],
) -> Result<Vec<Interest>> {
    let own = |members: &[HistoryItem]| {
        let vectors = decoded(index, members.iter().map(|h| h.item));
        Ok(solve(index, &vectors, members)?.vector)
    };
    interests_by(index, history, n, labels, &mut PairDistances::default(), &own)
}

/// The same, with distances that were kept, and vectors that `vector_of` makes of members.
pub(crate) fn interests_by(
    index: &Index,
    history: &[HistoryItem],
    n: Option<usize>,
    labels: &[&str],
    distances: &mut PairDistances,
    vector_of: &dyn Fn(&[HistoryItem]) -> Result<Vec<f64>>,
) -> Result<Vec<Interest>> {
    let liked = latest_liked(history);
    if liked.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<Ordinal> = liked.iter().map(|h| h.item).collect();
    distances.turn_to(index, &items);
    let between = &distances.between;
    let merges = ward(between.clone());
    let n_groups = match n {
        Some(n) => n.clamp(1, liked.len()),
        None => clearest(&merges, liked.len(), NEAR * length(index)),
    };
    let labels = Labels::new(index, labels)?;
    let mut found = Vec::with_capacity(n_groups);
    for group in cut(&merges, liked.len(), n_groups) {
        let members: Vec<HistoryItem> = group.iter().map(|p| liked[*p]).collect();
        let items: Vec<Ordinal> = members.iter().map(|h| h.item).collect();
        found.push(Interest {
            medoid: liked[medoid(&group, |a, b| between.get(a, b).sqrt())].item,
            importance: members.iter().map(HistoryItem::mass).sum(),
            labels: labels.of(&items, MOST_LABELS)?,
            vector: vector_of(&members)?,
            members: items,
        });
    }
    let mut order: Vec<Scored> = (0..)
        .zip(&found)
        .map(|(i, f)| Scored { ordinal: Ordinal(i), score: f.importance })
        .collect();
    sort_best_first(&mut order);
    Ok(order.iter().map(|s| found[s.ordinal.index()].clone()).collect())
}

/// Distances between the items of a history, kept from one to the next with the points that they
/// are between: a history that grew by an item costs one point and one row of distances, where all
/// of them would be most of the work.
#[derive(Clone, Debug, Default)]
pub(crate) struct PairDistances {
    items: Vec<Ordinal>,
    /// A row for each item; see [`comparable`].
    points: Vec<f64>,
    between: Distances,
}

impl PairDistances {
    /// Makes them those of these items, each once. It must be the archive that was asked before,
    /// with no more of it arrived.
    fn turn_to(&mut self, index: &Index, items: &[Ordinal]) {
        let dim = index.dim();
        // Where each item stood before: as positions, sorted by item.
        let mut known: Vec<Scored> = (0..)
            .zip(&self.items)
            .map(|(at, item)| Scored { ordinal: Ordinal(at), score: -f64::from(item.0) })
            .collect();
        sort_best_first(&mut known);
        let before = |item: &Ordinal| {
            let found = known.binary_search_by(|k| (-k.score).total_cmp(&f64::from(item.0)));
            found.ok().map(|at| known[at].ordinal.index())
        };
        let before: Vec<Option<usize>> = items.iter().map(before).collect();
        let new = items.iter().zip(&before).filter(|(_, before)| before.is_none());
        let new = comparable(index, decoded(index, new.map(|(item, _)| *item)));
        let mut new = new.chunks_exact(dim);
        let mut points = Vec::with_capacity(items.len() * dim);
        for before in &before {
            let kept = before.map(|at| &self.points[at * dim..(at + 1) * dim]);
            points.extend_from_slice(kept.or_else(|| new.next()).unwrap_or_default());
        }
        let row = |i: usize| &points[i * dim..(i + 1) * dim];
        let between = Distances::of(items.len(), |a, b| match (before[a], before[b]) {
            (Some(a), Some(b)) => self.between.get(a, b),
            _ => distance_squared(row(a), row(b)),
        });
        *self = Self { items: items.to_vec(), points, between };
    }
}

/// The items of positive weight, at most [`MOST_ITEMS`], the latest, in the order of the history.
fn latest_liked(history: &[HistoryItem]) -> Vec<HistoryItem> {
    let liked: Vec<HistoryItem> = history.iter().filter(|h| h.mass() > 0.0).copied().collect();
    if liked.len() <= MOST_ITEMS {
        return liked;
    }
    let scored =
        |(i, h): (u32, &HistoryItem)| Scored { ordinal: Ordinal(i), score: h.at_ms as f64 };
    let mut order: Vec<Scored> = (0..).zip(&liked).map(scored).collect();
    select_best(&mut order, MOST_ITEMS);
    let mut keep = vec![false; liked.len()];
    order[..MOST_ITEMS].iter().for_each(|s| keep[s.ordinal.index()] = true);
    liked.into_iter().zip(keep).filter_map(|(h, keep)| keep.then_some(h)).collect()
}

/// Vectors as they are compared with each other: of length 1, unless places are what counts.
pub(super) fn comparable(index: &Index, mut points: Vec<f64>) -> Vec<f64> {
    if index.metric() != Metric::Euclidean {
        for point in points.chunks_exact_mut(index.dim()) {
            let length = point.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length > 0.0 {
                point.iter_mut().for_each(|x| *x /= length);
            }
        }
    }
    points
}

/// The length of a typical item among [`comparable`] ones.
fn length(index: &Index) -> f64 {
    if index.metric() != Metric::Euclidean {
        return 1.0;
    }
    // The trace of the Gram matrix is the sum of all squared lengths.
    let (mut at, mut trace) = (0, 0.0);
    for row in (1..=index.dim()).rev() {
        trace += index.gram()[at];
        at += row;
    }
    (trace / index.len() as f64).sqrt()
}

/// The number of groups that stand apart most clearly.
fn clearest(merges: &[Merge], n: usize, near: f64) -> usize {
    let mut best = (1, LEAST_GAP);
    for n_groups in 2..=n.min(MOST_INTERESTS) {
        // With this many groups left, the last merge done and the next one.
        let next = merges[n - n_groups].height;
        let last = (n - n_groups).checked_sub(1).map_or(0.0, |at| merges[at].height);
        let gap = next / last.max(near);
        if gap > best.1 {
            best = (n_groups, gap);
        }
    }
    best.0
}

/// The point with the smallest sum of distances, the first of them.
fn medoid(group: &[usize], distance: impl Fn(usize, usize) -> f64) -> usize {
    let mut best = (f64::INFINITY, 0);
    for a in group {
        let others = group.iter().filter(|b| *b != a);
        let sum: f64 = others.map(|b| distance(*a, *b)).sum();
        if sum < best.0 {
            best = (sum, *a);
        }
    }
    best.1
}
