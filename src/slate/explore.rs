//! Exploration: places of a slate that are filled by chance, with the chance written down.
//!
//! Whoever only ever shows what scores best never learns what else would have been liked, and a
//! log of such slates cannot say how another way of choosing would have done. So a slate may
//! declare places that explore. Each is filled from one *fixed candidate set* by a draw whose
//! probability, the *propensity*, is logged beside what was drawn, together with the set and the
//! name of the policy. [`eval::off_policy`](crate::eval::off_policy) turns such logs into
//! estimates.
//!
//! A place that does not explore has no propensity: `None`, never 1. It shows what composition put
//! there, which hangs on everything else in the slate and on the day; "certain" would be a claim
//! about other slates that nobody checked, and an estimator would take it for one.
//!
//! Two policies are here. [`Exploration`] draws by softmax without replacement (Plackett 1975,
//! Luce 1959): its propensities are exact. [`thompson`] shows what is best under one draw from
//! what is believed (Thompson 1933): its probability has no closed form, so it is counted over
//! further draws and comes with its error, or is `None` where it was counted too rarely to divide
//! by.

use crate::error::{Error, Number, Result};
use crate::ids::{Ordinal, Scored};
use crate::rng::SeededRng;

/// The stream of a request's seed that softmax draws come from.
const STREAM: u64 = 0x6578_706c;

/// One draw of an [`Exploration`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// The item.
    pub ordinal: Ordinal,
    /// How probable it was, given what was drawn before and what was feasible then; in (0, 1].
    /// Exactly 1 where it alone was feasible, which is then the truth and not a stand-in.
    pub propensity: f64,
}

/// Draws of one slate: softmax without replacement over a fixed candidate set.
///
/// An item that is still feasible is drawn with probability proportional to
/// `exp(score / temperature)`. A temperature is measured in units of the score: of two items whose
/// scores differ by it, the better is drawn `e` times as often. Towards 0 draws become greedy,
/// upwards uniform. Below the best by 700 temperatures and more, an item is as good as never drawn.
///
/// The set is fixed when the exploration is made, before any place is filled: a set that depended
/// on draws would make propensities depend on more than is logged. What constraints forbid at a
/// place (a cap that is full, an item that stands in the slate already) is told by a closure, and
/// the propensity is that among the rest.
///
/// ```
/// use nearfield::explore::Exploration;
/// use nearfield::{Ordinal, Scored};
///
/// let set = (0..3).map(|i| Scored { ordinal: Ordinal(i), score: 0.1 * f64::from(i) }).collect();
/// let mut exploration = Exploration::new(0.1, set, 42)?;
/// let first = exploration.draw(&mut |_| true).unwrap();
/// let second = exploration.draw(&mut |item| item != first.ordinal).unwrap();
/// assert_ne!(first.ordinal, second.ordinal);
/// assert!(first.propensity > 0.0 && first.propensity < 1.0);
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exploration {
    temperature: f64,
    candidates: Vec<Scored>,
    is_drawn: Vec<bool>,
    rng: SeededRng,
}

impl Exploration {
    /// Over these candidates, in this order: the same set in another order gives the same
    /// probabilities, but other draws of one seed.
    ///
    /// # Errors
    /// [`Error::Arg`] for a temperature that is not finite and above 0, or a score that is not
    /// finite.
    pub fn new(temperature: f64, candidates: Vec<Scored>, seed: u64) -> Result<Self> {
        check(temperature, &candidates)?;
        let is_drawn = vec![false; candidates.len()];
        Ok(Self { temperature, candidates, is_drawn, rng: SeededRng::new(seed, STREAM) })
    }

    /// The name under which the policy is logged: `softmax(0.1)`, with the temperature to six
    /// digits.
    #[must_use]
    pub fn policy(&self) -> String {
        format!("softmax({})", Number(self.temperature))
    }

    /// The fixed set with its scores, which is to be logged too: with it and the order of the
    /// draws, [`softmax`] tells how probable they would have been at another temperature or by
    /// other scores.
    #[must_use]
    pub fn candidates(&self) -> &[Scored] {
        &self.candidates
    }

    /// Fills one place from what was not drawn before and `is_feasible`. `None` where nothing is:
    /// no random number is used then.
    ///
    /// Cost: one exponential for each feasible candidate.
    pub fn draw(&mut self, is_feasible: &mut dyn FnMut(Ordinal) -> bool) -> Option<Drawn> {
        let feasible: Vec<bool> = (self.candidates.iter().zip(&self.is_drawn))
            .map(|(c, is_drawn)| !is_drawn && is_feasible(c.ordinal))
            .collect();
        let probabilities = shares(self.temperature, &self.candidates, &feasible);
        // What rounding leaves of the sum falls to the last candidate that can be drawn at all.
        let mut drawn = probabilities.iter().rposition(|p| *p > 0.0)?;
        let mut left = self.rng.uniform();
        for (i, p) in probabilities.iter().enumerate() {
            if left < *p {
                drawn = i;
                break;
            }
            left -= p;
        }
        self.is_drawn[drawn] = true;
        let propensity = probabilities[drawn];
        Some(Drawn { ordinal: self.candidates[drawn].ordinal, propensity })
    }
}

/// The probability of each candidate to be drawn next, by softmax over those that `is_feasible`
/// names; 0 for the others. They add up to 1, or are all 0 where nothing is feasible.
///
/// # Errors
/// As [`Exploration::new`].
///
/// ```
/// use nearfield::{Ordinal, Scored, explore::softmax};
///
/// let set: Vec<Scored> = (0..4).map(|i| Scored { ordinal: Ordinal(i), score: 0.5 }).collect();
/// assert_eq!(softmax(1.0, &set, &mut |item| item.0 > 1)?, [0.0, 0.0, 0.5, 0.5]);
/// # Ok::<(), nearfield::Error>(())
/// ```
pub fn softmax(
    temperature: f64,
    candidates: &[Scored],
    is_feasible: &mut dyn FnMut(Ordinal) -> bool,
) -> Result<Vec<f64>> {
    check(temperature, candidates)?;
    let feasible: Vec<bool> = candidates.iter().map(|c| is_feasible(c.ordinal)).collect();
    Ok(shares(temperature, candidates, &feasible))
}

fn check(temperature: f64, candidates: &[Scored]) -> Result<()> {
    if !(temperature > 0.0 && temperature < f64::INFINITY) {
        let expected = "a finite number above 0, in units of the score";
        return Err(Error::arg("temperature", expected, Number(temperature)));
    }
    match candidates.iter().position(|c| !c.score.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let path = format!("candidates[{i}].score");
            Err(Error::arg(path, "a finite number", Number(candidates[i].score)))
        }
    }
}

/// Softmax with the best score subtracted, so that the largest exponential is 1 and none
/// overflows.
fn shares(temperature: f64, candidates: &[Scored], feasible: &[bool]) -> Vec<f64> {
    let pairs = || candidates.iter().zip(feasible);
    let best = pairs().filter(|(_, f)| **f).fold(f64::NEG_INFINITY, |b, (c, _)| b.max(c.score));
    let mut shares: Vec<f64> = pairs()
        .map(|(c, f)| if *f { libm::exp((c.score - best) / temperature) } else { 0.0 })
        .collect();
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|s| *s /= sum);
    }
    shares
}

/// A probability that was counted over random draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The share of draws.
    pub probability: f64,
    /// Its standard error, `sqrt(p (1 - p) / n)`.
    pub standard_error: f64,
}

/// Fewest times that something must be best before its share is taken for a propensity. Weights
/// are reciprocals of it: at 10 the share is off by a third (one standard error) and its
/// reciprocal too large by a tenth on average; below, both fall apart.
pub const FEWEST_WINS: u32 = 10;

impl Estimate {
    /// From a count; `n_draws` is at least 1.
    #[must_use]
    pub fn of(n_wins: u32, n_draws: u32) -> Self {
        let n = f64::from(n_draws.max(1));
        let p = f64::from(n_wins) / n;
        Self { probability: p, standard_error: (p * (1.0 - p) / n).sqrt() }
    }
}

/// What [`thompson`] chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Position of the candidate.
    pub candidate: usize,
    /// How probable the choice was, as counted; `None` where it was best in fewer than
    /// [`FEWEST_WINS`] of the draws. Where one candidate alone was feasible, 1 with error 0.
    pub propensity: Option<Estimate>,
}

/// Thompson sampling: the feasible candidate that is best by one draw of all scores, and how often
/// it is best in `n_draws` further ones. `None` where nothing is feasible.
///
/// `sample` writes one independent draw of all scores, for example from the posterior of a
/// fold-in; of equal scores the first counts. The draws that count are others than the one that
/// chooses: counting that one too would make rare choices look more probable than they are. With
/// `n_draws` 0 nothing is counted and the propensity is `None`.
///
/// Slots whose propensity is `None` because they were counted too rarely are left out by the
/// estimators, and they are not left out at random: what a policy does rarely is
/// underrepresented. More draws make that matter less; softmax avoids it.
///
/// # Errors
/// [`Error::Engine`] where a sampled score is NaN.
///
/// ```
/// use nearfield::{SeededRng, explore::thompson};
///
/// let mut rng = SeededRng::new(7, 0);
/// let means = [0.5, 0.4, 0.0];
/// let choice = thompson(&[true; 3], 2000, &mut |scores| {
///     scores.iter_mut().zip(means).for_each(|(s, mean)| *s = mean + 0.1 * rng.normal());
/// })?.unwrap();
/// assert_eq!(choice.candidate, 0);
/// // Two normals that differ by 0.1 in mean, each with deviation 0.1: Phi(1 / sqrt 2) = 0.76.
/// let propensity = choice.propensity.unwrap();
/// assert!((propensity.probability - 0.76).abs() < 4.0 * propensity.standard_error);
/// # Ok::<(), nearfield::Error>(())
/// ```
pub fn thompson(
    feasible: &[bool],
    n_draws: u32,
    sample: &mut dyn FnMut(&mut [f64]),
) -> Result<Option<Choice>> {
    let mut alone = feasible.iter().enumerate().filter(|(_, f)| **f).map(|(i, _)| i);
    let Some(first) = alone.next() else { return Ok(None) };
    if alone.next().is_none() {
        return Ok(Some(Choice { candidate: first, propensity: Some(Estimate::of(1, 1)) }));
    }
    let mut counts = count_wins(feasible, 1, sample)?;
    let candidate = counts.iter().position(|n| *n > 0).unwrap_or(first);
    counts = count_wins(feasible, n_draws, sample)?;
    let n_wins = counts[candidate];
    let propensity = (n_wins >= FEWEST_WINS).then(|| Estimate::of(n_wins, n_draws));
    Ok(Some(Choice { candidate, propensity }))
}

/// How often each feasible candidate is best in `n_draws` draws; of equal scores the first counts.
///
/// # Errors
/// [`Error::Engine`] where a sampled score is NaN.
pub(super) fn count_wins(
    feasible: &[bool],
    n_draws: u32,
    sample: &mut dyn FnMut(&mut [f64]),
) -> Result<Vec<u32>> {
    let mut counts = vec![0; feasible.len()];
    let mut scores = vec![0.0; feasible.len()];
    for _ in 0..n_draws {
        sample(&mut scores);
        let mut best: Option<usize> = None;
        for (i, score) in scores.iter().enumerate().filter(|(i, _)| feasible[*i]) {
            if score.is_nan() {
                return Err(Error::Engine {
                    operation: "Thompson sampling",
                    reason: "a sampled score is not a number",
                    remedy: "check what the posterior was made from",
                });
            }
            if best.is_none_or(|b| *score > scores[b]) {
                best = Some(i);
            }
        }
        if let Some(best) = best {
            counts[best] += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn set(scores: &[f64]) -> Vec<Scored> {
        let ordinals = (0..).map(Ordinal);
        ordinals.zip(scores).map(|(ordinal, score)| Scored { ordinal, score: *score }).collect()
    }

    /// Every ordered pair that can be drawn is drawn as often as its two propensities say.
    #[test]
    fn frequencies_are_propensities() {
        let candidates = set(&[0.9, 0.7, 0.65, 0.2]);
        // Items 1 and 2 share a cap of one: behind one of them the other is not feasible.
        let may_follow = |first: u32, second: u32| !matches!((first, second), (1, 2) | (2, 1));
        let n = 100_000_u32;
        let mut counts = [[0_u32; 4]; 4];
        let mut claimed = [[0.0; 4]; 4];
        for seed in 0..n {
            let mut e = Exploration::new(0.3, candidates.clone(), seed.into()).unwrap();
            let first = e.draw(&mut |_| true).unwrap();
            let second = e.draw(&mut |item| may_follow(first.ordinal.0, item.0)).unwrap();
            let (i, j) = (first.ordinal.index(), second.ordinal.index());
            counts[i][j] += 1;
            let p = first.propensity * second.propensity;
            assert!(claimed[i][j] == 0.0 || claimed[i][j] == p, "one history, one propensity");
            claimed[i][j] = p;
        }
        for i in 0..4 {
            for j in 0..4 {
                let (p, found) = (claimed[i][j], f64::from(counts[i][j]) / f64::from(n));
                let error = (p * (1.0 - p) / f64::from(n)).sqrt();
                assert!((found - p).abs() <= 4.0 * error, "{i} {j}: {found} for {p}");
                assert_eq!(p > 0.0, i != j && may_follow(i as u32, j as u32));
            }
        }
        let sum: f64 = claimed.iter().flatten().sum();
        assert!((sum - 1.0).abs() < 1e-12, "all that can happen: {sum}");
    }

    #[test]
    fn probabilities_add_up_and_have_the_right_limits() {
        let mut rng = SeededRng::new(3, 0);
        for n in 1..40 {
            let scores: Vec<f64> = (0..n).map(|_| 5.0 * rng.normal()).collect();
            let candidates = set(&scores);
            for temperature in [1e-300, 1e-3, 0.1, 1.0, 50.0, 1e300] {
                let p = softmax(temperature, &candidates, &mut |_| true).unwrap();
                assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{temperature}");
            }
            let best = (0..n).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
            assert_eq!(softmax(1e-300, &candidates, &mut |_| true).unwrap()[best], 1.0);
            let uniform = softmax(1e300, &candidates, &mut |_| true).unwrap();
            assert!(uniform.iter().all(|p| (p - 1.0 / n as f64).abs() < 1e-15));
        }
    }

    #[test]
    fn the_scale_of_scores_breaks_nothing() {
        for scores in [[f64::MAX, f64::MIN, 0.0], [1e-300, 0.0, -1e-300], [-1e9, -1e9, -1e9]] {
            let mut e = Exploration::new(1.0, set(&scores), 1).unwrap();
            for n_left in (1..=3).rev() {
                let Some(drawn) = e.draw(&mut |_| true) else { panic!("{n_left} are left") };
                assert!(drawn.propensity > 0.0 && drawn.propensity <= 1.0);
            }
            assert_eq!(e.draw(&mut |_| true), None, "without replacement");
        }
    }

    #[test]
    fn one_that_is_alone_is_certain() {
        let mut e = Exploration::new(0.5, set(&[1.0, 0.3, -4.0]), 9).unwrap();
        assert_eq!(e.draw(&mut |_| false), None);
        let drawn = e.draw(&mut |item| item.0 == 2).unwrap();
        assert_eq!(drawn, Drawn { ordinal: Ordinal(2), propensity: 1.0 });
        assert_eq!(Exploration::new(0.5, Vec::new(), 9).unwrap().draw(&mut |_| true), None);
    }

    #[test]
    fn bad_input_is_named() {
        for temperature in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            let error = Exploration::new(temperature, set(&[1.0]), 0).unwrap_err();
            assert!(error.to_string().starts_with("temperature: expected a finite"), "{error}");
        }
        let error = softmax(1.0, &set(&[0.0, f64::NAN]), &mut |_| true).unwrap_err();
        assert_eq!(error.to_string(), "candidates[1].score: expected a finite number, found NaN");
        let error = thompson(&[true, true], 1, &mut |s| s.fill(f64::NAN)).unwrap_err();
        assert_eq!(error.code().as_str(), "E_ENGINE");
    }

    #[test]
    fn thompson_counts_what_it_does() {
        let mut rng = SeededRng::new(5, 0);
        let means = [0.3, 0.25, 0.1, 9.0];
        let feasible = [true, true, true, false];
        let n = 4000;
        let mut chosen = [0_u32; 4];
        for _ in 0..n {
            let choice = thompson(&feasible, 0, &mut |scores| {
                scores.iter_mut().zip(means).for_each(|(s, m)| *s = m + 0.1 * rng.normal());
            });
            chosen[choice.unwrap().unwrap().candidate] += 1;
        }
        let choice = thompson(&feasible, 20_000, &mut |scores| {
            scores.iter_mut().zip(means).for_each(|(s, m)| *s = m + 0.1 * rng.normal());
        });
        let choice = choice.unwrap().unwrap();
        let (counted, found) =
            (choice.propensity.unwrap(), Estimate::of(chosen[choice.candidate], n));
        let difference = (counted.probability - found.probability).abs();
        assert!(difference < 4.0 * (counted.standard_error + found.standard_error));
        assert_eq!(chosen[3], 0, "what is not feasible is never shown");
    }

    /// What is best once in a hundred thousand times has no propensity that one could divide by.
    #[test]
    fn rare_choices_have_none() {
        let mut n_calls = 0;
        let choice = thompson(&[true, true], 1000, &mut |scores| {
            n_calls += 1;
            scores.copy_from_slice(if n_calls == 1 { &[0.0, 1.0] } else { &[1.0, 0.0] });
        });
        assert_eq!(choice.unwrap().unwrap(), Choice { candidate: 1, propensity: None });
        assert_eq!(n_calls, 1001);
        let certain = Some(Estimate { probability: 1.0, standard_error: 0.0 });
        let alone = thompson(&[false, true], 0, &mut |_| panic!("no draw is needed")).unwrap();
        assert_eq!(alone.unwrap(), Choice { candidate: 1, propensity: certain });
        assert_eq!(thompson(&[false], 5, &mut |_| ()).unwrap(), None);
    }

    /// The same bits natively and in a browser: a thousand slates of five draws.
    #[test]
    fn draws_are_pinned() {
        let mut bytes = Vec::new();
        for seed in 0..1000 {
            let mut rng = SeededRng::new(seed, 0);
            let scores: Vec<f64> = (0..50).map(|_| rng.normal()).collect();
            let mut e = Exploration::new(0.1 + rng.uniform(), set(&scores), seed).unwrap();
            for place in 0..5 {
                let drawn = e.draw(&mut |item| item.0 % 5 != place).unwrap();
                bytes.extend(drawn.ordinal.0.to_le_bytes());
                bytes.extend(drawn.propensity.to_bits().to_le_bytes());
            }
        }
        assert_eq!(format!("{:016x}", xxh3_64(&bytes)), "310ea6c939c3fb73");
    }
}
