//! Simulated people, on whom the bandit's mix is measured: their tastes are known, so it can be
//! said what every slate lost.
//!
//! A person opens a page once a round, in a context of hour, weekday and device, and sees a slate
//! of ten from five content types. Each type has forty items. An item is answered with probability
//! `affinity x relevance`: the affinity is the person's for its type in that context, the relevance
//! is the item's own for them, uniform in 0.7 to 1.
//!
//! Affinities are logistic: `sigma(type + person + person in that quarter of the day + person at
//! weekends + person on that device)`, normals of deviation 0.8 for the person and the quarter and
//! 0.4 for the rest, around a population in which some types are liked more. The bandit supposes
//! rewards linear in one feature a pair, so it is never quite right about these people. It is also
//! told less than there is: that Saturday and Sunday are alike it has to find out.
//!
//! What is measured is *regret*: the expected number of answers to the best slate there is, less
//! that to the slate shown (no luck of single answers is in it), added up over rounds. The best
//! slate knows every affinity and relevance. All policies see the same people and the same moments
//! and take the most relevant items of each type; they differ only in how many of each.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::ids::Ordinal;
use crate::rng::SeededRng;
use crate::slate::bandit::{LinTs, Response, Round, Settings, Showing, WINDOW_MS, attribute};

/// The content types, by how much the population likes them (as logits).
const TYPES: [(&str, f64); 5] =
    [("music", -1.0), ("podcast", -1.4), ("video", -1.4), ("audiobook", -1.9), ("news", -1.9)];
const DEVICES: [&str; 3] = ["phone", "computer", "tv"];
const N_TYPES: usize = TYPES.len();
const N_SLOTS: usize = 10;
const N_ITEMS: usize = 40;
/// Two visits are further apart than an answer may come after its slate.
const PAUSE_MS: i64 = WINDOW_MS + 3_600_000;

/// How many of each type a slate holds.
type Counts = [usize; N_TYPES];

/// How large a simulation is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Slates that each person sees, 10 or more.
    pub n_rounds: usize,
    /// People drawn from each seed, 1 or more.
    pub n_users: usize,
    /// Populations, each with its own seed, 1 or more.
    pub n_seeds: usize,
    /// The first seed; the others follow it.
    pub seed: u64,
}

/// How the number of items of each type is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The bandit, place by place: [`LinTs::allot`].
    Bandit,
    /// The bandit's mix, rounded by largest remainder: [`LinTs::mix`].
    BanditMix,
    /// One mix for each person, the best of all in hindsight, whatever the context.
    BestOfPerson,
    /// One mix for everybody, the best of all in hindsight: it does not know the person.
    BestStatic,
    /// The same number of each type.
    Even,
}

impl Policy {
    /// All policies.
    pub const ALL: [Self; 5] =
        [Self::Bandit, Self::BanditMix, Self::BestOfPerson, Self::BestStatic, Self::Even];

    /// What it is called in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bandit => "bandit, place by place",
            Self::BanditMix => "bandit, mix rounded",
            Self::BestOfPerson => "best fixed mix of each person",
            Self::BestStatic => "best fixed mix for everybody",
            Self::Even => "even mix",
        }
    }
}

/// What one policy lost.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The policy.
    pub policy: Policy,
    /// Regret after each round, mean over all people.
    pub regret: Vec<f64>,
    /// Standard error of the last, over people.
    pub standard_error: f64,
}

impl Curve {
    /// The regret after all rounds.
    #[must_use]
    pub fn last(&self) -> f64 {
        self.regret.last().copied().unwrap_or(0.0)
    }

    /// The exponent e with which regret grows as `rounds^e`: the slope of its logarithm against
    /// that of the round, least squares over the last nine tenths. 1 is linear.
    #[must_use]
    pub fn exponent(&self) -> f64 {
        let first = self.regret.len() / 10;
        let points = (1..).zip(&self.regret).skip(first.max(1) - 1);
        let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (round, regret) in points {
            let (x, y) = (libm::log(f64::from(round)), libm::log(*regret));
            n += 1.0;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }
        (n * sxy - sx * sy) / (n * sxx - sx * sx)
    }

    /// Regret a round in the last fifth of the rounds, over that in the first fifth. 1 is linear.
    #[must_use]
    pub fn late_over_early(&self) -> f64 {
        let fifth = (self.regret.len() / 5).max(1);
        let before = self.regret[self.regret.len() - 1 - fifth];
        (self.last() - before) / self.regret[fifth - 1]
    }
}

/// Simulates, and returns one curve for each of [`Policy::ALL`], in that order. A function of its
/// argument alone, at any number of threads.
///
/// # Errors
/// [`Error::Arg`] for a size below its least; what the bandit refuses.
pub fn simulate(size: &Size) -> Result<Vec<Curve>> {
    let Size { n_rounds, n_users, n_seeds, seed } = *size;
    for (name, found, least) in
        [("rounds", n_rounds, 10), ("users", n_users, 1), ("seeds", n_seeds, 1)]
    {
        if found < least {
            return Err(Error::arg(name, format!("{least} or more"), found));
        }
    }
    let mut sums = vec![vec![0.0; n_rounds]; Policy::ALL.len()];
    let mut lasts: Vec<Vec<f64>> = vec![Vec::new(); Policy::ALL.len()];
    for seed in (0..n_seeds as u64).map(|i| seed.wrapping_add(i)) {
        let people: Vec<Person> =
            (0..n_users as u64).map(|i| Person::draw(seed, i, n_rounds)).collect();
        let everybody = best_fixed(&people);
        let of_person =
            |person: &Person| Policy::ALL.map(|policy| person.regret(policy, everybody, seed));
        let found: Vec<[Result<Vec<f64>>; 5]> = people.par_iter().map(of_person).collect();
        for regrets in found {
            for ((sum, lasts), regret) in sums.iter_mut().zip(&mut lasts).zip(regrets) {
                let regret = regret?;
                sum.iter_mut().zip(&regret).for_each(|(s, r)| *s += r);
                lasts.push(regret[n_rounds - 1]);
            }
        }
    }
    let n = (n_users * n_seeds) as f64;
    let curve = |((policy, mut regret), lasts): ((Policy, Vec<f64>), Vec<f64>)| {
        regret.iter_mut().for_each(|r| *r /= n);
        let mean = regret[n_rounds - 1];
        let squares: f64 = lasts.iter().map(|r| (r - mean) * (r - mean)).sum();
        Curve { policy, regret, standard_error: (squares / (n - 1.0).max(1.0) / n).sqrt() }
    };
    Ok(Policy::ALL.into_iter().zip(sums).zip(lasts).map(curve).collect())
}

/// One moment at which the page is opened.
struct Visit {
    context: Vec<(String, String)>,
    affinity: [f64; N_TYPES],
}

struct Person {
    number: u64,
    /// Relevances of each type's items, best first.
    relevance: [Vec<f64>; N_TYPES],
    visits: Vec<Visit>,
}

impl Person {
    fn draw(seed: u64, number: u64, n_rounds: usize) -> Self {
        let mut rng = SeededRng::new(seed, number);
        let person = TYPES.map(|(_, liked)| liked + 0.8 * rng.normal());
        let quarters = [0; 4].map(|_| [0; N_TYPES].map(|_| 0.8 * rng.normal()));
        let weekend = [0; N_TYPES].map(|_| 0.4 * rng.normal());
        let devices = DEVICES.map(|_| [0; N_TYPES].map(|_| 0.4 * rng.normal()));
        let relevance = TYPES.map(|_| {
            let mut items: Vec<f64> = (0..N_ITEMS).map(|_| 0.7 + 0.3 * rng.uniform()).collect();
            items.sort_unstable_by(|a, b| b.total_cmp(a));
            items
        });
        let visits = (0..n_rounds).map(|_| {
            let (hour, day, device) = (rng.below(24), rng.below(7), rng.below(DEVICES.len()));
            let affinity = std::array::from_fn(|g| {
                let at_weekend = if day >= 5 { weekend[g] } else { 0.0 };
                let logit = person[g] + quarters[hour / 6][g] + at_weekend + devices[device][g];
                1.0 / (1.0 + libm::exp(-logit))
            });
            let pair = |key: &str, value: String| (key.to_owned(), value);
            let context = vec![
                pair("hour", hour.to_string()),
                pair("weekday", day.to_string()),
                pair("device", DEVICES[device].to_owned()),
            ];
            Visit { context, affinity }
        });
        Self { number, visits: visits.collect(), relevance }
    }

    /// How many of the items of a slate are answered, on average.
    fn expected(&self, visit: &Visit, counts: Counts) -> f64 {
        let of_type = |g: usize| self.relevance[g][..counts[g]].iter().sum::<f64>();
        (0..N_TYPES).map(|g| visit.affinity[g] * of_type(g)).sum()
    }

    /// Regret after each round.
    fn regret(&self, policy: Policy, everybody: Counts, seed: u64) -> Result<Vec<f64>> {
        let own = best_fixed(std::slice::from_ref(self));
        let mut luck = SeededRng::new(seed, 1 << 32 | self.number);
        let mut rounds: Vec<Round<'_>> = Vec::with_capacity(self.visits.len());
        let mut sum = 0.0;
        let mut regret = Vec::with_capacity(self.visits.len());
        for (i, visit) in self.visits.iter().enumerate() {
            let counts = match policy {
                Policy::BestOfPerson => own,
                Policy::BestStatic => everybody,
                Policy::Even => [N_SLOTS / N_TYPES; N_TYPES],
                Policy::Bandit | Policy::BanditMix => {
                    let now_ms = i as i64 * PAUSE_MS;
                    let bandit = LinTs::replay(N_TYPES, &rounds, &Settings::default(), now_ms)?;
                    let draw = luck.bits();
                    let counts = if policy == Policy::Bandit {
                        let counts = bandit.allot(&visit.context, N_SLOTS as u32, draw)?;
                        std::array::from_fn(|g| counts[g] as usize)
                    } else {
                        let mix = bandit.mix(&visit.context, draw)?;
                        largest_remainder(std::array::from_fn(|g| mix.shares[g].probability))
                    };
                    rounds.extend(self.show(visit, counts, now_ms, &mut luck));
                    counts
                }
            };
            let best = best_counts(|g, rank| visit.affinity[g] * self.relevance[g][rank]);
            sum += self.expected(visit, best) - self.expected(visit, counts);
            regret.push(sum);
        }
        Ok(regret)
    }

    /// The slate is shown and answered, and the log attributed.
    fn show<'a>(
        &self,
        visit: &'a Visit,
        counts: Counts,
        at_ms: i64,
        luck: &mut SeededRng,
    ) -> Vec<Round<'a>> {
        let mut items = Vec::with_capacity(N_SLOTS);
        let mut responses = Vec::new();
        for (g, count) in counts.into_iter().enumerate() {
            for rank in 0..count {
                let item = Ordinal((g * N_ITEMS + rank) as u32);
                items.push(item);
                if luck.uniform() < visit.affinity[g] * self.relevance[g][rank] {
                    responses.push(Response { item, at_ms: at_ms + 1000, weight: 0.5 });
                }
            }
        }
        let showing = Showing { at_ms, context: &visit.context, items };
        let arm_of = |item: Ordinal| Some(item.index() / N_ITEMS);
        attribute(&[showing], &responses, WINDOW_MS, &arm_of)
    }
}

/// The counts of the most valuable slate: place by place the item that adds most. Exact, since an
/// item's worth does not depend on the others and falls with its rank within the type.
fn best_counts(worth: impl Fn(usize, usize) -> f64) -> Counts {
    let mut counts = [0; N_TYPES];
    for _ in 0..N_SLOTS {
        let next = |g: &usize| worth(*g, counts[*g]);
        let best = (0..N_TYPES).reduce(|a, b| if next(&b) > next(&a) { b } else { a });
        counts[best.unwrap_or(0)] += 1;
    }
    counts
}

/// The counts that, shown to all these people at all their visits, are answered most.
fn best_fixed(people: &[Person]) -> Counts {
    let mut worth = vec![[0.0; N_SLOTS]; N_TYPES];
    for person in people {
        for (g, worth) in worth.iter_mut().enumerate() {
            let affinity: f64 = person.visits.iter().map(|visit| visit.affinity[g]).sum();
            let relevance = &person.relevance[g];
            worth.iter_mut().zip(relevance).for_each(|(w, r)| *w += affinity * r);
        }
    }
    best_counts(|g, rank| worth[g][rank])
}

/// Places by the largest remainder (Hamilton's method): shares rounded down, what is left to the
/// largest remainders, equal ones in the order of the types.
fn largest_remainder(shares: [f64; N_TYPES]) -> Counts {
    let exact = shares.map(|share| share * N_SLOTS as f64);
    let mut counts = exact.map(|x| x as usize);
    while counts.iter().sum::<usize>() < N_SLOTS {
        let remainder = |g: &usize| exact[*g] - counts[*g] as f64;
        let next = (0..N_TYPES).reduce(|a, b| if remainder(&b) > remainder(&a) { b } else { a });
        counts[next.unwrap_or(0)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The claims of the bandit: sublinear regret, and after 500 rounds less than half of that of
    /// the best mix that does not know the person. Everything is a function of the seeds.
    #[test]
    fn regret_is_sublinear_and_below_half_of_a_static_mix() {
        for seed in [1, 1000] {
            let size = Size { n_rounds: 500, n_users: 8, n_seeds: 1, seed };
            let curves = simulate(&size).unwrap();
            let [bandit, rounded, of_person, fixed, even] = &curves[..] else { panic!("five") };
            for curve in [bandit, rounded] {
                assert!(curve.last() < 0.5 * fixed.last(), "{seed}: {}", curve.last());
                // 30 people of other seeds: 0.35 +- 0.1, and 0.11.
                assert!(curve.exponent() < 0.6, "{seed}: {}", curve.exponent());
                assert!(curve.late_over_early() < 0.25, "{seed}: {}", curve.late_over_early());
                assert!(curve.regret.is_sorted(), "nothing is better than the best slate");
            }
            assert!(of_person.last() <= fixed.last() && fixed.last() <= even.last());
            assert!((fixed.exponent() - 1.0).abs() < 0.05, "what does not learn is linear");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_curves() {
        let regrets = |seed, n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let size = Size { n_rounds: 20, n_users: 5, n_seeds: 2, seed };
            let curves = pool.install(|| simulate(&size)).unwrap();
            curves.into_iter().flat_map(|c| c.regret).map(f64::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(regrets(3, 1), regrets(3, 2));
        assert_ne!(regrets(3, 1), regrets(4, 1));
    }

    #[test]
    fn curves_tell_their_growth() {
        let curve = |f: &dyn Fn(f64) -> f64| Curve {
            policy: Policy::Even,
            regret: (1..=500).map(|t| f(f64::from(t))).collect(),
            standard_error: 0.0,
        };
        let linear = curve(&|t| 3.0 * t);
        assert!(
            (linear.exponent() - 1.0).abs() < 1e-9
                && (linear.late_over_early() - 1.0).abs() < 1e-9
        );
        let root = curve(&f64::sqrt);
        assert!((root.exponent() - 0.5).abs() < 1e-9);
        // sqrt(500) - sqrt(400) over sqrt(100).
        assert!((root.late_over_early() - 0.236).abs() < 1e-3);
    }

    /// No slate of any counts is answered more than the one that is called best.
    #[test]
    fn the_best_slate_is_the_best() {
        let person = Person::draw(5, 0, 10);
        for visit in &person.visits {
            let best = best_counts(|g, rank| visit.affinity[g] * person.relevance[g][rank]);
            let most = person.expected(visit, best);
            let mut rng = SeededRng::new(1, 0);
            for _ in 0..2000 {
                let mut counts = [0; N_TYPES];
                (0..N_SLOTS).for_each(|_| counts[rng.below(N_TYPES)] += 1);
                assert!(person.expected(visit, counts) <= most + 1e-12);
            }
        }
    }

    #[test]
    fn sizes_are_checked() {
        let size = Size { n_rounds: 9, n_users: 1, n_seeds: 1, seed: 0 };
        let error = simulate(&size).unwrap_err();
        assert_eq!(error.to_string(), "rounds: expected 10 or more, found 9");
    }

    #[test]
    fn places_are_shared_out() {
        assert_eq!(largest_remainder([0.55, 0.25, 0.2, 0.0, 0.0]), [6, 2, 2, 0, 0]);
        assert_eq!(largest_remainder([0.34, 0.33, 0.33, 0.0, 0.0]), [4, 3, 3, 0, 0]);
        assert_eq!(largest_remainder([1.0, 0.0, 0.0, 0.0, 0.0]), [10, 0, 0, 0, 0]);
    }
}
