//! Places that are left to chance.

use super::explore::{Exploration, thompson};
use super::make::{Candidates, Maker};
use super::request::{Explore, ExploreMethod};
use crate::error::{Number, Result};
use crate::ids::{Ordinal, Scored};
use crate::rng::SeededRng;
use crate::taste::decoded;

/// Draws from the posterior behind an estimated propensity: its standard error is at most 0.03.
const N_DRAWS: u32 = 256;
/// The temperature of softmax where a request names none.
pub(super) const SOFTMAX_TEMPERATURE: f64 = 0.1;
/// The stream of the request's seed that posterior draws come from.
const STREAM: u64 = 0x7468_6f6d;

/// What was drawn.
pub(super) struct Drawn {
    /// Candidates with their propensities, in the order of the slots.
    pub(super) items: Vec<(usize, Option<f64>)>,
    /// The policy's name, with its parameters.
    pub(super) policy: String,
    /// The set that was drawn from, with what it was drawn by: relevance, from 0 to 1.
    pub(super) set: Vec<Scored>,
}

/// Draws one candidate for each slot.
///
/// The set is fixed before the first draw: the best candidates that composition left over, by
/// score, at least as many as there are slots; none below the relevance floor. What caps and
/// quotas forbid next to the rest of the slate and to what was drawn is not feasible:
/// `may_follow` tells.
pub(super) fn draw(
    explore: &Explore,
    maker: &Maker<'_>,
    candidates: &Candidates,
    fixed: &[usize],
    may_follow: &dyn Fn(&[usize], usize) -> bool,
) -> Result<Drawn> {
    let relevance = relevance(candidates);
    let floor = maker.request.floor;
    let is_free = |i: &usize| relevance[*i] >= floor && may_follow(fixed, *i);
    let free = (0..candidates.n_ranked).filter(is_free);
    let set: Vec<usize> = free.take(explore.candidates.max(explore.slots.len())).collect();
    let scored =
        |i: &usize| Scored { ordinal: candidates.items[*i].ordinal, score: relevance[*i] };
    let scores: Vec<Scored> = set.iter().map(scored).collect();
    let mut placed = fixed.to_vec();
    let mut items = Vec::with_capacity(explore.slots.len());
    let posterior = maker.taste.filter(|_| explore.method == ExploreMethod::Thompson);
    let temperature = match explore.method {
        ExploreMethod::Softmax => explore.temperature,
        ExploreMethod::Thompson => SOFTMAX_TEMPERATURE,
    };
    let policy = match posterior {
        // Also where nothing is known of a taste yet, and with it no posterior: the policy's name
        // tells.
        None => {
            let mut exploration =
                Exploration::new(temperature, scores.clone(), maker.request.seed)?;
            for _ in &explore.slots {
                let at = |item: Ordinal| scores.iter().position(|s| s.ordinal == item);
                let mut feasible =
                    |item: Ordinal| at(item).is_some_and(|i| may_follow(&placed, set[i]));
                let Some(drawn) = exploration.draw(&mut feasible) else { break };
                if let Some(i) = at(drawn.ordinal) {
                    placed.push(set[i]);
                    items.push((set[i], Some(drawn.propensity)));
                }
            }
            exploration.policy()
        }
        Some(taste) => {
            let (index, weight) = (maker.index, maker.request.taste_weight);
            let rows = decoded(index, set.iter().map(|i| candidates.items[*i].ordinal));
            let mut rng = SeededRng::new(maker.request.seed, STREAM);
            for _ in &explore.slots {
                let feasible: Vec<bool> = set.iter().map(|i| may_follow(&placed, *i)).collect();
                let mut sample = |scores: &mut [f64]| {
                    let drawn = taste.sample(&mut rng, explore.temperature);
                    let rows = rows.chunks_exact(index.dim());
                    for ((score, row), i) in scores.iter_mut().zip(rows).zip(&set) {
                        let difference = drawn.iter().zip(taste.vector()).map(|(d, u)| d - u);
                        let change: f64 = difference.zip(row).map(|(d, x)| d * x).sum();
                        *score = candidates.items[*i].score + weight * change;
                    }
                };
                let Some(choice) = thompson(&feasible, N_DRAWS, &mut sample)? else { break };
                let candidate = set[choice.candidate];
                placed.push(candidate);
                items.push((candidate, choice.propensity.map(|estimate| estimate.probability)));
            }
            format!("thompson({})", Number(explore.temperature))
        }
    };
    Ok(Drawn { items, policy, set: scores })
}

/// Scores brought to 0 to 1 over the candidates that compete, as composition does.
fn relevance(candidates: &Candidates) -> Vec<f64> {
    let ranked = &candidates.items[..candidates.n_ranked];
    let low = ranked.iter().map(|s| s.score).fold(f64::INFINITY, f64::min);
    let high = ranked.iter().map(|s| s.score).fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    ranked.iter().map(|s| (s.score - low) / span).collect()
}
