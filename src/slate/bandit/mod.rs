//! Which kinds of things a person wants now: a contextual bandit over content types or shelves.
//!
//! Linear Thompson sampling (Agrawal and Goyal, ICML 2013). Arms are few: content types (music,
//! podcasts, books) or the shelves of a page, never items. The context is told as pairs (hour,
//! weekday, device); each pair that the log knows is one feature, 0 or 1, and one feature is
//! always on. An arm's reward is taken to be linear in them, with one ridge regression an arm:
//!
//! ```text
//! B = lambda I + sum of x xT     f = sum of reward * x     over what was shown of the arm
//! reward in context x  ~  N(x . B^-1 f,  spread^2 xT B^-1 x)
//! ```
//!
//! How probable it is that an arm has the highest reward is at once how often to show it: those
//! probabilities are the *mix*, the target that calibration brings a slate to (a mix learned for
//! the context, where Steck 2018 takes the average of a history). An arm of which little is known
//! has a wide distribution and so a share of its own; with what is learned the mix narrows.
//!
//! There is no state to keep, migrate or lose: the bandit is replayed from the log, so an
//! exclusion reaches into the past here too, and two devices that merged their logs agree. Sums
//! are whole numbers (features are 0 or 1, rewards too, decay has 32 binary places), so the order
//! of the log does not show even in the last bit.
//!
//! The mix says nothing of a single item's propensity: which item of an arm is shown where is up
//! to composition. Where a slot is filled by one draw of an arm and the arm alone decides what
//! stands there, its share of the [`Mix`] is the slot's propensity, as estimated; all other slots
//! have none.

mod context;
mod rewards;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use self::context::Vocabulary;
pub use self::context::{Context, MAX_FEATURES};
pub use self::rewards::{Response, Showing, WINDOW_MS, attribute};
use super::explore::{Estimate, FEWEST_WINS, count_wins};
use crate::error::{Error, Number, Result};
use crate::rng::SeededRng;

/// Draws behind a [`Mix`]: the standard error of a share is at most 0.016.
pub const MIX_DRAWS: u32 = 1000;

/// Most arms.
pub const MAX_ARMS: usize = 64;

/// The streams of a request's seed that posterior draws come from: those that count, and those
/// that choose. A mix that counted what was chosen would lean towards it.
const MIX_STREAM: u64 = 0x6d69_7865;
const ALLOT_STREAM: u64 = 0x616c_6c6f;

/// Binary places of decayed weights.
const ONE: f64 = (1_u64 << 32) as f64;

/// How the bandit learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Ridge term, above 0: how many showings the prior (reward 0) counts for, per feature. 1.
    pub lambda: f64,
    /// Deviation of one reward from its mean, as believed; 0 or more. Larger explores longer; 0
    /// never explores. Rewards are 0 or 1, whose deviation is at most 0.5, and 0.3 where one in
    /// ten is answered. 0.3. (The paper's bound on regret supposes one that grows with the number
    /// of features and rounds, far wider than serves people; `nearfield simulate` measures what
    /// this one does.)
    pub spread: f64,
    /// After how many milliseconds what was learned counts half; above 0. `None`: it always counts
    /// in full.
    pub half_life_ms: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lambda: 1.0, spread: 0.3, half_life_ms: None }
    }
}

/// What one slate earned.
#[derive(Clone, Debug, PartialEq)]
pub struct Round<'a> {
    /// When it was shown: milliseconds since 1970.
    pub at_ms: i64,
    /// What was told of the moment.
    pub context: &'a Context,
    /// The arm of each item shown, and whether it was rewarded.
    pub outcomes: Vec<(usize, bool)>,
}

/// What is believed of an arm's reward in one context: a normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// The bandit as a log leaves it.
///
/// ```
/// use nearfield::bandit::{LinTs, Round, Settings};
///
/// let evening = [("hour".to_owned(), "20".to_owned())];
/// let rounds: Vec<Round> = (0..40)
///     .map(|i| Round { at_ms: i, context: &evening, outcomes: vec![(0, i % 2 == 0), (1, false)] })
///     .collect();
/// let bandit = LinTs::replay(2, &rounds, &Settings::default(), 40)?;
/// let mix = bandit.mix(&evening, 7)?;
/// assert!(mix.shares[0].probability > 0.99, "arm 0 is what is wanted in the evening");
/// # Ok::<(), nearfield::Error>(())
/// ```
pub struct LinTs {
    settings: Settings,
    vocabulary: Vocabulary,
    arms: Vec<Arm>,
}

/// One arm's regression.
struct Arm {
    cholesky: Cholesky<f64, Dyn>,
    mean: DVector<f64>,
}

/// Sums of one arm, in units of 2^-32.
struct Sums {
    /// Lower triangle by rows: weight of the showings that had both features.
    pairs: Vec<u64>,
    /// Weight of the rewarded showings that had the feature.
    rewards: Vec<u64>,
}

impl LinTs {
    /// Replays a log: rounds as [`attribute`] makes them, in any order.
    ///
    /// The features are the pairs that occur in the log, at most 63: of more, those of most
    /// rounds. An hour counts as its quarter of the day. `now_ms` matters only with a half-life;
    /// what was shown after it counts in full.
    ///
    /// Cost: one step for each pair of pairs of each item shown, and `features^3 / 3` an arm.
    ///
    /// # Errors
    /// [`Error::Arg`] for settings outside their ranges, for no arms or more than [`MAX_ARMS`], and
    /// for an arm that there is not.
    pub fn replay(
        n_arms: usize,
        rounds: &[Round<'_>],
        settings: &Settings,
        now_ms: i64,
    ) -> Result<Self> {
        check(n_arms, settings)?;
        let vocabulary = Vocabulary::of(rounds.iter().map(|round| round.context));
        let dim = vocabulary.len();
        let sums = || Sums { pairs: vec![0; dim * (dim + 1) / 2], rewards: vec![0; dim] };
        let mut arms: Vec<Sums> = (0..n_arms).map(|_| sums()).collect();
        for (i, round) in rounds.iter().enumerate() {
            let features = vocabulary.encode(round.context).features;
            let weight = weight(round.at_ms, now_ms, settings.half_life_ms);
            for (j, (arm, is_rewarded)) in round.outcomes.iter().enumerate() {
                let Some(arm) = arms.get_mut(*arm) else {
                    let path = format!("rounds[{i}].outcomes[{j}]");
                    return Err(Error::arg(path, format!("an arm below {n_arms}"), arm));
                };
                arm.add(&features, weight, *is_rewarded);
            }
        }
        let arms = arms.iter().map(|sums| sums.solve(settings.lambda)).collect::<Result<_>>()?;
        Ok(Self { settings: *settings, vocabulary, arms })
    }

    /// What is believed of every arm in a context. A pair that the log never had adds the whole
    /// prior's width: nothing is known of it.
    ///
    /// Cost: `features^2` an arm.
    #[must_use]
    pub fn beliefs(&self, context: &Context) -> Vec<Belief> {
        let encoded = self.vocabulary.encode(context);
        let mut x = DVector::zeros(self.vocabulary.len());
        for feature in &encoded.features {
            x[*feature] = 1.0;
        }
        let unknown = encoded.n_unknown as f64 / self.settings.lambda;
        let belief = |arm: &Arm| {
            let solved = arm.cholesky.solve(&x);
            let sum = |of: &DVector<f64>| encoded.features.iter().map(|f| of[*f]).sum::<f64>();
            let variance = sum(&solved) + unknown;
            let deviation = self.settings.spread * variance.max(0.0).sqrt();
            Belief { mean: sum(&arm.mean), deviation }
        };
        self.arms.iter().map(belief).collect()
    }

    /// The probability of each arm to be the best in a context, counted over [`MIX_DRAWS`] draws
    /// of all arms' rewards.
    ///
    /// A draw of an arm's whole coefficient vector and a draw of its reward alone have the same
    /// distribution where one context is asked for, so the latter is drawn: one normal an arm.
    ///
    /// # Errors
    /// None in practice: beliefs of checked settings are finite.
    pub fn mix(&self, context: &Context, seed: u64) -> Result<Mix> {
        let counts = self.wins(context, MIX_DRAWS, SeededRng::new(seed, MIX_STREAM))?;
        Ok(Mix { shares: counts.iter().map(|n| Estimate::of(*n, MIX_DRAWS)).collect() })
    }

    /// How many of `n_slots` places each arm gets when every place is given to the arm that is
    /// best by one draw: Thompson sampling, place by place. As a target for calibration it equals
    /// the mix on average, and unlike a rounded mix it gives rare arms their turn.
    ///
    /// # Errors
    /// As [`LinTs::mix`].
    pub fn allot(&self, context: &Context, n_slots: u32, seed: u64) -> Result<Vec<u32>> {
        self.wins(context, n_slots, SeededRng::new(seed, ALLOT_STREAM))
    }

    fn wins(&self, context: &Context, n_draws: u32, mut rng: SeededRng) -> Result<Vec<u32>> {
        let beliefs = self.beliefs(context);
        count_wins(&vec![true; beliefs.len()], n_draws, &mut |scores| {
            for (score, belief) in scores.iter_mut().zip(&beliefs) {
                *score = belief.mean + belief.deviation * rng.normal();
            }
        })
    }
}

/// How much of each arm to show: probabilities that add up to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// One for each arm, with its standard error.
    pub shares: Vec<Estimate>,
}

impl Mix {
    /// The propensity of a slot that was filled from this arm by one posterior draw, where the
    /// arm alone decides what stands there. `None` where it was counted fewer than
    /// [`FEWEST_WINS`] times, and for an arm that there is not.
    #[must_use]
    pub fn propensity(&self, arm: usize) -> Option<Estimate> {
        let fewest = f64::from(FEWEST_WINS) / f64::from(MIX_DRAWS);
        self.shares.get(arm).copied().filter(|share| share.probability >= fewest)
    }
}

impl Sums {
    fn add(&mut self, features: &[usize], weight: u64, is_rewarded: bool) {
        for (i, row) in features.iter().enumerate() {
            for column in &features[..=i] {
                self.pairs[row * (row + 1) / 2 + column] += weight;
            }
            if is_rewarded {
                self.rewards[*row] += weight;
            }
        }
    }

    fn solve(&self, lambda: f64) -> Result<Arm> {
        let dim = self.rewards.len();
        let mut b = DMatrix::zeros(dim, dim);
        let mut pairs = self.pairs.iter().map(|sum| *sum as f64 / ONE);
        for row in 0..dim {
            for column in 0..=row {
                // The triangle has exactly these entries. Only it is read by the factorisation.
                b[(row, column)] = pairs.next().unwrap_or(0.0);
            }
            b[(row, row)] += lambda;
        }
        let f = DVector::from_iterator(dim, self.rewards.iter().map(|sum| *sum as f64 / ONE));
        let cholesky = Cholesky::new(b).ok_or(Error::Engine {
            operation: "bandit",
            reason: "the matrix of an arm is not positive definite",
            remedy: "use a larger lambda",
        })?;
        let mean = cholesky.solve(&f);
        Ok(Arm { cholesky, mean })
    }
}

/// How much a round counts, in units of 2^-32.
fn weight(at_ms: i64, now_ms: i64, half_life_ms: Option<f64>) -> u64 {
    let age = now_ms.saturating_sub(at_ms).max(0) as f64;
    match half_life_ms {
        None => ONE as u64,
        Some(half_life) => (ONE * libm::exp2(-age / half_life)).round() as u64,
    }
}

fn check(n_arms: usize, settings: &Settings) -> Result<()> {
    let Settings { lambda, spread, half_life_ms } = *settings;
    if !(1..=MAX_ARMS).contains(&n_arms) {
        return Err(Error::arg("arms", format!("1 to {MAX_ARMS} arms"), n_arms));
    }
    // Between these every factorisation is well conditioned and every belief finite.
    if !(1e-6..=1e9).contains(&lambda) {
        return Err(Error::arg("lambda", "a number from 0.000001 to 1e9", Number(lambda)));
    }
    if !(0.0..=1e9).contains(&spread) {
        return Err(Error::arg("spread", "a number from 0 to 1e9", Number(spread)));
    }
    match half_life_ms {
        Some(ms) if !(ms >= 1.0) => {
            Err(Error::arg("half_life_ms", "milliseconds, 1 or more", Number(ms)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
