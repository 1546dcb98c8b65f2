//! From a log to rewards: which of the items that were shown were answered well.

use super::{Context, Round};
use crate::ids::{Ordinal, Scored};
use crate::ordering::sort_best_first;

/// How long after it was shown an item may be answered: a day, in milliseconds. Long enough for
/// what is put off to the evening, short enough that what is found again by other ways next week
/// is not taken for an answer to the slate.
pub const WINDOW_MS: i64 = 24 * 3_600_000;

/// A slate that was shown.
#[derive(Clone, Debug)]
pub struct Showing<'a> {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// What was told of the moment.
    pub context: &'a Context,
    /// What stood in it.
    pub items: Vec<Ordinal>,
}

/// An interaction that counts for taste: excluded ones are not handed in.
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// With what.
    pub item: Ordinal,
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// The interaction's weight, or its kind's. Above 0 it is positive (a play, a like, a save),
    /// below 0 negative (a skip, a dislike), and 0 says nothing.
    pub weight: f64,
}

/// What each slate that was shown earned, by arm: a pure function of the log.
///
/// A response answers the last showing of its item at or before it, if that is at most `window_ms`
/// ago: one play is one reward, however often the item was shown before. A shown item earns its
/// arm a reward when among its answers one is positive and none negative: begun and left at once
/// is no success. Without an answer it earns 0, as it does while its answer is still to come; the
/// next replay knows better. Items without an arm (no longer in the archive, without a content
/// type) are left out. Of two showings of an item at the same moment, the later in the order
/// given is answered; otherwise order makes no difference.
///
/// Cost: sorting showings and responses.
///
/// ```
/// use nearfield::Ordinal;
/// use nearfield::bandit::{Response, Showing, WINDOW_MS, attribute};
///
/// let showing = Showing { at_ms: 1000, context: &[], items: vec![Ordinal(3), Ordinal(8)] };
/// let play = Response { item: Ordinal(8), at_ms: 5000, weight: 0.5 };
/// let rounds = attribute(&[showing], &[play], WINDOW_MS, &|item| Some(item.index() % 2));
/// assert_eq!(rounds[0].outcomes, [(1, false), (0, true)]);
/// ```
#[must_use]
pub fn attribute<'a>(
    showings: &[Showing<'a>],
    responses: &[Response],
    window_ms: i64,
    arm_of: &dyn Fn(Ordinal) -> Option<usize>,
) -> Vec<Round<'a>> {
    // Placements first, so that a response in the very millisecond comes behind its showing.
    let mut events = Vec::new();
    for showing in showings {
        let event = |item: &Ordinal| (*item, showing.at_ms, None);
        events.extend(showing.items.iter().map(event));
    }
    let n_placed = events.len();
    events.extend(responses.iter().map(|r| (r.item, r.at_ms, Some(r.weight))));

    let mut is_positive = vec![false; n_placed];
    let mut is_negative = vec![false; n_placed];
    let mut last_shown: Option<usize> = None;
    let mut last_item = None;
    for at in by_item_and_time(&events) {
        let (item, at_ms, weight) = events[at];
        if last_item != Some(item) {
            (last_item, last_shown) = (Some(item), None);
        }
        let Some(weight) = weight else {
            last_shown = Some(at);
            continue;
        };
        if let Some(shown) = last_shown
            && at_ms.saturating_sub(events[shown].1) <= window_ms
        {
            is_positive[shown] |= weight > 0.0;
            is_negative[shown] |= weight < 0.0;
        }
    }

    let mut placed = 0..n_placed;
    let round = |showing: &Showing<'a>| {
        let outcomes = (showing.items.iter().zip(placed.by_ref()))
            .filter_map(|(item, at)| Some((arm_of(*item)?, is_positive[at] && !is_negative[at])));
        Round { at_ms: showing.at_ms, context: showing.context, outcomes: outcomes.collect() }
    };
    showings.iter().map(round).collect()
}

/// Positions of events in the order of their items, each item's in the order of time, equal times
/// as they stand: the crate's one sort twice, by time and then by item, where the first order
/// breaks the ties of the second.
fn by_item_and_time(events: &[(Ordinal, i64, Option<f64>)]) -> Vec<usize> {
    let mut by_time: Vec<Scored> = (0..)
        .zip(events)
        .map(|(i, (_, at_ms, _))| Scored { ordinal: Ordinal(i), score: -(*at_ms as f64) })
        .collect();
    sort_best_first(&mut by_time);
    let mut by_item: Vec<Scored> = (0..)
        .zip(&by_time)
        .map(|(rank, e)| Scored {
            ordinal: Ordinal(rank),
            score: f64::from(events[e.ordinal.index()].0.0),
        })
        .collect();
    sort_best_first(&mut by_item);
    by_item.iter().map(|e| by_time[e.ordinal.index()].ordinal.index()).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    const HOUR: i64 = 3_600_000;

    fn response(item: u32, at_ms: i64, weight: f64) -> Response {
        Response { item: Ordinal(item), at_ms, weight }
    }

    fn outcomes(showings: &[Showing<'_>], responses: &[Response]) -> Vec<Vec<(usize, bool)>> {
        let arm_of = |item: Ordinal| (item.0 < 10).then_some(item.index() % 2);
        let rounds = attribute(showings, responses, WINDOW_MS, &arm_of);
        rounds.into_iter().map(|round| round.outcomes).collect()
    }

    #[test]
    fn answers_count_inside_the_window() {
        let showing = Showing { at_ms: 10 * HOUR, context: &[], items: vec![Ordinal(3)] };
        for (at_ms, expected) in [
            (10 * HOUR - 1, false),
            (10 * HOUR, true),
            (34 * HOUR, true),
            (34 * HOUR + 1, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            let found = outcomes(std::slice::from_ref(&showing), &[response(3, at_ms, 0.5)]);
            assert_eq!(found, [[(1, expected)]], "{at_ms}");
        }
        assert_eq!(
            outcomes(std::slice::from_ref(&showing), &[response(5, 10 * HOUR, 1.0)]),
            [[(1, false)]]
        );
        assert_eq!(outcomes(std::slice::from_ref(&showing), &[]), [[(1, false)]]);
    }

    #[test]
    fn a_negative_answer_takes_the_reward_back() {
        let showing = Showing { at_ms: 0, context: &[], items: vec![Ordinal(3)] };
        let (play, skip, seen) = (response(3, 1, 0.5), response(3, 2, -0.25), response(3, 3, 0.0));
        assert_eq!(outcomes(std::slice::from_ref(&showing), &[play, seen]), [[(1, true)]]);
        assert_eq!(outcomes(std::slice::from_ref(&showing), &[play, skip]), [[(1, false)]]);
        assert_eq!(outcomes(std::slice::from_ref(&showing), &[skip, play]), [[(1, false)]]);
        assert_eq!(outcomes(std::slice::from_ref(&showing), &[seen]), [[(1, false)]]);
    }

    #[test]
    fn the_last_showing_is_answered() {
        let showing = |at_ms| Showing { at_ms, context: &[], items: vec![Ordinal(2), Ordinal(3)] };
        let (early, late) = (showing(0), showing(HOUR));
        let responses = [response(2, HOUR - 1, 1.0), response(3, HOUR, 1.0)];
        let (first, second) = (vec![(0, true), (1, false)], vec![(0, false), (1, true)]);
        assert_eq!(
            outcomes(&[early.clone(), late.clone()], &responses),
            [first.clone(), second.clone()]
        );
        assert_eq!(outcomes(&[late, early], &responses), [second, first]);
    }

    #[test]
    fn items_without_an_arm_are_left_out() {
        let showing = Showing { at_ms: 0, context: &[], items: vec![Ordinal(12), Ordinal(4)] };
        let responses = [response(12, 5, 1.0), response(4, 5, 1.0)];
        assert_eq!(outcomes(std::slice::from_ref(&showing), &responses), [[(0, true)]]);
    }

    /// Against the rule read word by word: for each response, look through all showings.
    #[test]
    fn random_logs_agree_with_the_rule() {
        for seed in 0..200 {
            let mut rng = SeededRng::new(seed, 0);
            let mut draw = |n: usize| rng.below(n) as u32;
            // Times differ between slates, so that the order of equal ones plays no part.
            let showings: Vec<Showing<'_>> = (0..8)
                .map(|i| Showing {
                    at_ms: (i64::from(draw(40)) * 8 + i) * HOUR,
                    context: &[],
                    items: vec![Ordinal(draw(4)), Ordinal(4 + draw(4))],
                })
                .collect();
            let responses: Vec<Response> = (0..12)
                .map(|_| response(draw(8), i64::from(draw(330)) * HOUR, f64::from(draw(3)) - 1.0))
                .collect();
            let answers = |s: &Showing<'_>, item: Ordinal| {
                let until = showings
                    .iter()
                    .filter(|o| o.at_ms > s.at_ms && o.items.contains(&item))
                    .map(|o| o.at_ms)
                    .min();
                let mine = responses.iter().filter(move |r| {
                    r.item == item
                        && (s.at_ms..=s.at_ms + WINDOW_MS).contains(&r.at_ms)
                        && until.is_none_or(|until| r.at_ms < until)
                });
                mine.map(|r| r.weight).collect::<Vec<f64>>()
            };
            let expected: Vec<Vec<(usize, bool)>> = showings
                .iter()
                .map(|s| {
                    let outcome = |item: &Ordinal| {
                        let weights = answers(s, *item);
                        let liked = weights.iter().any(|w| *w > 0.0);
                        (item.index() % 2, liked && weights.iter().all(|w| *w >= 0.0))
                    };
                    s.items.iter().map(outcome).collect()
                })
                .collect();
            assert_eq!(outcomes(&showings, &responses), expected, "seed {seed}");
        }
    }
}
