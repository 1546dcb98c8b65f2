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
use crate::ordering::{keep_best, sort_best_first};

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
    let places = distances.turn_to(index, &items);
    let between = |a: usize, b: usize| distances.between[places[a] * MOST_ITEMS + places[b]];
    let merges = ward(Distances::of(liked.len(), between));
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
            medoid: liked[medoid(&group, |a, b| between(a, b).sqrt())].item,
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

/// Distances between items, kept from one history to the next with the points that they are
/// between: a history that grew by an item costs one point and one row of distances, where all of
/// them would be most of the work.
///
/// An item has a place for as long as no newcomer needs it, so what is known stays where it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct PairDistances {
    /// By place, at most [`MOST_ITEMS`].
    items: Vec<Ordinal>,
    /// A row for each place; see [`comparable`].
    points: Vec<f64>,
    /// A row of [`MOST_ITEMS`] squared distances for each place.
    between: Vec<f64>,
}

impl PairDistances {
    /// Gives each of these items a place, at most [`MOST_ITEMS`]. It must be the archive that was
    /// asked before, with no more of it arrived.
    fn turn_to(&mut self, index: &Index, items: &[Ordinal]) -> Vec<usize> {
        let n_before = self.items.len();
        let mut is_free = [true; MOST_ITEMS];
        // From one history to the next, items mostly follow each other as they did.
        let mut next = 0;
        let mut find = |item: &Ordinal| {
            let place = (next..n_before).chain(0..next).find(|p| self.items[*p] == *item)?;
            is_free[place] = false;
            next = place + 1;
            Some(place)
        };
        let found: Vec<Option<usize>> = items.iter().map(&mut find).collect();
        let new = items.iter().zip(&found).filter(|(_, place)| place.is_none());
        let points = comparable(index, decoded(index, new.map(|(item, _)| *item)));
        let mut points = points.chunks_exact(index.dim());
        let mut free = (0..MOST_ITEMS).filter(|place| is_free[*place]);
        let places = items.iter().zip(&found).map(|(item, place)| {
            place.unwrap_or_else(|| {
                // There are as many points as newcomers, and no more items than places.
                let place = free.next().unwrap_or_default();
                self.put(place, *item, points.next().unwrap_or_default());
                place
            })
        });
        places.collect()
    }

    /// Gives a place, the first behind the others or one of them, to an item.
    fn put(&mut self, place: usize, item: Ordinal, point: &[f64]) {
        let dim = point.len();
        if place == self.items.len() {
            self.items.push(item);
            self.points.extend_from_slice(point);
            self.between.extend_from_slice(&[0.0; MOST_ITEMS]);
        } else {
            self.items[place] = item;
            self.points[place * dim..][..dim].copy_from_slice(point);
        }
        for (other, of_other) in self.points.chunks_exact(dim).enumerate() {
            let squared = distance_squared(point, of_other);
            self.between[place * MOST_ITEMS + other] = squared;
            self.between[other * MOST_ITEMS + place] = squared;
        }
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
    keep_best(&mut order, MOST_ITEMS);
    let mut keep = vec![false; liked.len()];
    order.iter().for_each(|s| keep[s.ordinal.index()] = true);
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
