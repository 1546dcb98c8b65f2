//! How another policy would have done, estimated from what one policy showed and logged.
//!
//! A log holds slots: what an item earned that was shown there, and its *propensity*, the
//! probability with which the logging policy put it there. A policy to be evaluated is told by
//! the probability with which it would have put the same item there. With weights
//! `w = target / propensity`, rewards `r` and means over slots:
//!
//! | estimator | value |
//! |---|---|
//! | IPS (Horvitz and Thompson 1952) | `mean(w r)` |
//! | SNIPS (Swaminathan and Joachims 2015) | `mean(w r) / mean(w)` |
//! | DR (Dudik, Langford and Li 2011) | `mean(q_target + w (r - q))` |
//!
//! where `q` is what some model predicts for the item shown, and `q_target` its mean over what the
//! evaluated policy would show. IPS and DR are unbiased when propensities are right; SNIPS trades
//! a small bias for less variance. Each value is a mean reward *per slot*.
//!
//! **Slots are decisions of their own.** Each is reweighted given what was drawn before it in its
//! slate. That is what logged conditional propensities allow, and it supposes that an item's
//! reward hangs on the item and its place and not on its neighbours. Slots of one slate are not
//! taken for independent, though: standard errors are clustered by slate.
//!
//! **Slots without a propensity are left out and counted.** They did not explore, and nothing can
//! be said of what they might have shown. Values are about slots that explore, and no others.
//!
//! **Few slots may carry all the weight.** The effective sample size (Kish 1965),
//! `(sum w)^2 / sum w^2`, says how many unweighted slots would tell as much. Below
//! [`FEWEST_EFFECTIVE`], [`evaluate`] refuses: the value would be that of a few lucky or unlucky
//! slots, and its standard error, computed from the same few, would not show it.

use crate::error::{Error, Number, Result};

/// The least effective sample size that is reported on.
pub const FEWEST_EFFECTIVE: f64 = 100.0;

/// One slot of a logged slate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// The slate it belongs to, numbered as you like.
    pub slate: u64,
    /// What the item that was shown earned.
    pub reward: f64,
    /// How probable the logging policy was to show it here, in (0, 1]; `None` where it did not
    /// explore.
    pub propensity: Option<f64>,
    /// How probable the evaluated policy is to show it here, in [0, 1].
    pub target: f64,
}

/// What a model of rewards says of a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// The reward of the item that was shown.
    pub shown: f64,
    /// The mean reward of what the evaluated policy would show: over all its items, by their
    /// probabilities.
    pub target: f64,
}

/// An estimated mean reward per slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard error, clustered by slate; infinite where there is one slate only.
    pub standard_error: f64,
}

/// What a log says of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Slots with a propensity: what the estimates are made from.
    pub n_slots: usize,
    /// Slots without: left out.
    pub n_left_out: usize,
    /// Slates that the former belong to.
    pub n_slates: usize,
    /// Effective sample size, from 1 to `n_slots`.
    pub effective_sample_size: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// The mean weight: near 1 where propensities are right and the logging policy can show
    /// whatever the evaluated one would.
    pub mean_weight: f64,
    /// Mean reward as logged.
    pub logged: Estimate,
    /// Inverse propensity score.
    pub ips: Estimate,
    /// Self-normalised inverse propensity score.
    pub snips: Estimate,
    /// Doubly robust, where there is a model.
    pub dr: Option<Estimate>,
}

/// Everything at once, refused where it would mislead. `model` predicts rewards, by position of
/// the slot in `slots`.
///
/// ```
/// use nearfield::eval::off_policy::{Slot, evaluate};
///
/// // Two items shown at random, of which the second is always liked: always showing it earns 1.
/// let slots: Vec<Slot> = (0..400)
///     .map(|i| i % 2)
///     .map(|shown| Slot {
///         slate: 0, reward: f64::from(shown), propensity: Some(0.5), target: f64::from(shown),
///     })
///     .zip(0..)
///     .map(|(slot, slate)| Slot { slate, ..slot })
///     .collect();
/// let evaluation = evaluate(&slots, None)?;
/// assert_eq!((evaluation.logged.value, evaluation.ips.value), (0.5, 1.0));
/// assert_eq!(evaluation.effective_sample_size, 200.0);
/// # Ok::<(), nearfield::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] for a slot with numbers outside their ranges, for a log without any propensity, for one to which the evaluated policy gives no weight, and below
/// [`FEWEST_EFFECTIVE`].
pub fn evaluate(slots: &[Slot], model: Option<&dyn Fn(usize) -> Predicted>) -> Result<Evaluation> {
    let bare = estimate(slots, model)?;
    if !(bare.effective_sample_size >= FEWEST_EFFECTIVE) {
        return Err(Error::input(
            "effective sample size",
            "at least 100: log more slates that explore, or evaluate a policy that is nearer to \
             the one that logged",
            format_args!("{} of {} slots", Number(bare.effective_sample_size), bare.n_slots),
        ));
    }
    Ok(bare)
}

/// The bare estimators: as [`evaluate`], whatever the effective sample size. For comparing with
/// other implementations; not for deciding by.
///
/// # Errors
/// As [`evaluate`] but for the last.
pub fn estimate(slots: &[Slot], model: Option<&dyn Fn(usize) -> Predicted>) -> Result<Evaluation> {
    let mut explored = Vec::with_capacity(slots.len());
    for (i, slot) in slots.iter().enumerate() {
        slot.check(&format!("slots[{i}]"))?;
        if let Some(propensity) = slot.propensity {
            explored.push((i, slot, slot.target / propensity));
        }
    }
    if explored.is_empty() {
        return Err(Error::input(
            "propensity",
            "at least one slot that explored: only draws with a known probability tell of \
             policies that were not in use",
            format_args!("none in {} slots", slots.len()),
        ));
    }
    let n = explored.len() as f64;
    let sum = |f: &dyn Fn(f64) -> f64| explored.iter().map(|(_, _, w)| f(*w)).sum::<f64>();
    let (sum_weights, sum_squares) = (sum(&|w| w), sum(&|w| w * w));
    if sum_weights == 0.0 {
        let expected = "a policy that could have shown at least one of the items of the log";
        return Err(Error::input("target", expected, "0 in every slot"));
    }
    let mean_weight = sum_weights / n;
    let of = |term: &dyn Fn(usize, &Slot, f64) -> f64| {
        explored.iter().map(|(i, slot, w)| (slot.slate, term(*i, slot, *w))).collect::<Vec<_>>()
    };
    let ips = of(&|_, slot, w| w * slot.reward);
    let snips_value = mean(&ips) / mean_weight;
    // The delta method: to first order a ratio of means varies as the mean of these.
    let snips = of(&|_, slot, w| w * (slot.reward - snips_value) / mean_weight);
    let dr = match model {
        None => None,
        Some(model) => {
            let terms = of(&|i, slot, w| {
                let predicted = model(i);
                predicted.target + w * (slot.reward - predicted.shown)
            });
            if let Some(at) = terms.iter().position(|(_, term)| !term.is_finite()) {
                let place = format!("slots[{}]: predicted", explored[at].0);
                return Err(Error::input(place, "finite predictions", "one that is not"));
            }
            Some(Estimate::mean_of(&terms))
        }
    };
    let mut slates: Vec<u64> = explored.iter().map(|(_, slot, _)| slot.slate).collect();
    slates.sort_unstable();
    slates.dedup();
    Ok(Evaluation {
        n_slots: explored.len(),
        n_left_out: slots.len() - explored.len(),
        n_slates: slates.len(),
        effective_sample_size: sum_weights * sum_weights / sum_squares,
        largest_weight: explored.iter().map(|(_, _, w)| *w).fold(0.0, f64::max),
        mean_weight,
        logged: Estimate::mean_of(&of(&|_, slot, _| slot.reward)),
        ips: Estimate::mean_of(&ips),
        snips: Estimate { value: snips_value, ..Estimate::mean_of(&snips) },
        dr,
    })
}

impl Slot {
    /// Whether its numbers are in range: in a slot that is left out too, where a wrong target
    /// says that the log is not what it seems.
    ///
    /// # Errors
    /// [`Error::Input`] with the place, as you name it, and the field.
    pub fn check(&self, place: &str) -> Result<()> {
        let wrong = |field: &str, expected: &str, found: f64| {
            Err(Error::input(format!("{place}: {field}"), expected, Number(found)))
        };
        // Sums of their squares stay finite: 2^120 of reward, 2^200 of weight, 2^40 slots.
        if !(self.reward.abs() <= (1_u64 << 60) as f64) {
            return wrong("reward", "a number of at most 2^60", self.reward);
        }
        if !(0.0..=1.0).contains(&self.target) {
            return wrong("target", "a probability from 0 to 1", self.target);
        }
        match self.propensity {
            Some(p) if !(1e-30..=1.0).contains(&p) => {
                wrong("propensity", "null, or a probability above 0 (1e-30 or more)", p)
            }
            _ => Ok(()),
        }
    }
}

fn mean(terms: &[(u64, f64)]) -> f64 {
    terms.iter().map(|(_, term)| term).sum::<f64>() / terms.len() as f64
}

impl Estimate {
    /// The mean of terms, each with its slate, and its error: with `S_g` the sum of a slate's
    /// deviations from the mean, and G slates, `sqrt(G / (G - 1) * sum of S_g^2) / n`. Where every
    /// slot is a slate of its own that is the usual one.
    fn mean_of(terms: &[(u64, f64)]) -> Self {
        let value = mean(terms);
        let mut by_slate = terms.to_vec();
        // Stable, so that a slate's terms are added in the order of the log.
        by_slate.sort_by_key(|(slate, _)| *slate);
        let (mut n_slates, mut squares) = (0.0, 0.0);
        for slate in by_slate.chunk_by(|a, b| a.0 == b.0) {
            let deviation: f64 = slate.iter().map(|(_, term)| term - value).sum();
            n_slates += 1.0;
            squares += deviation * deviation;
        }
        let standard_error = if n_slates > 1.0 {
            (n_slates / (n_slates - 1.0) * squares).sqrt() / terms.len() as f64
        } else {
            f64::INFINITY
        };
        Self { value, standard_error }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    fn slot(slate: u64, reward: f64, propensity: Option<f64>, target: f64) -> Slot {
        Slot { slate, reward, propensity, target }
    }

    /// By hand: weights 2, 0.5 and 0, rewards 1, 1 and 0, one slot left out.
    #[test]
    fn values_are_the_formulas() {
        let slots = [
            slot(0, 1.0, Some(0.25), 0.5),
            slot(0, 9.0, None, 1.0),
            slot(1, 1.0, Some(1.0), 0.5),
            slot(2, 0.0, Some(0.5), 0.0),
        ];
        let predicted = |i| Predicted { shown: [0.5, f64::NAN, 0.5, 0.25][i], target: 0.5 };
        let found = estimate(&slots, Some(&predicted)).unwrap();
        assert_eq!((found.n_slots, found.n_left_out, found.n_slates), (3, 1, 3));
        assert_eq!(found.ips.value, 2.5 / 3.0);
        assert_eq!(found.snips.value, 1.0);
        assert_eq!(found.dr.unwrap().value, (1.5 + 0.75 + 0.5) / 3.0);
        assert_eq!(found.logged.value, 2.0 / 3.0);
        assert_eq!(found.effective_sample_size, 6.25 / 4.25);
        assert_eq!((found.largest_weight, found.mean_weight), (2.0, 2.5 / 3.0));
        let sd = |x: [f64; 3]| {
            let mean = x.iter().sum::<f64>() / 3.0;
            (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 2.0).sqrt()
        };
        let expected = sd([2.0, 0.5, 0.0]) / 3.0_f64.sqrt();
        assert!((found.ips.standard_error - expected).abs() < 1e-15);
    }

    /// What the package obp computes from the same log: tests/eval/off_policy.py makes the file.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn values_are_those_of_obp() {
        let text = std::fs::read_to_string("tests/fixtures/off-policy.json").unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let number = |v: &serde_json::Value, key: &str| v[key].as_f64().unwrap();
        let rows = file["slots"].as_array().unwrap();
        let slots: Vec<Slot> = (0..)
            .zip(rows)
            .map(|(i, r)| {
                slot(i, number(r, "reward"), r["propensity"].as_f64(), number(r, "target"))
            })
            .collect();
        let predicted = |i: usize| Predicted {
            shown: number(&rows[i], "predicted"),
            target: number(&rows[i], "predicted_target"),
        };
        let found = estimate(&slots, Some(&predicted)).unwrap();
        let expected = &file["obp"];
        for (name, found) in
            [("ips", found.ips), ("snips", found.snips), ("dr", found.dr.unwrap())]
        {
            let expected = number(expected, name);
            assert!((found.value - expected).abs() < 1e-12, "{name}: {} {expected}", found.value);
        }
        assert!(slots.len() > 20 && found.n_left_out > 2);
    }

    /// 500 logs of 300 slates of 2 slots: the truth lies within two standard errors as often as
    /// it should (95 %), although both slots of a slate share their luck.
    #[test]
    fn errors_cover_the_truth() {
        let (logging, evaluated) = ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]);
        let rates = [0.2, 0.4, 0.6];
        let truth: f64 = evaluated.iter().zip(rates).map(|(p, r)| p * r).sum();
        let mut covered = [0; 3];
        let mut sums = [0.0; 3];
        for seed in 0..500 {
            let mut rng = SeededRng::new(seed, 0);
            let mut items = Vec::new();
            let mut slots = Vec::new();
            for slate in 0..300 {
                let luck = rng.uniform();
                for _ in 0..2 {
                    let u = rng.uniform();
                    let item = usize::from(u >= 0.5) + usize::from(u >= 0.8);
                    let reward = f64::from(u8::from(luck < rates[item]));
                    slots.push(slot(slate, reward, Some(logging[item]), evaluated[item]));
                    items.push(item);
                }
            }
            // A model that is wrong: DR must not mind.
            let predicted =
                |i: usize| Predicted { shown: 0.5 - 0.1 * items[i] as f64, target: 0.37 };
            let found = evaluate(&slots, Some(&predicted)).unwrap();
            for (i, e) in [found.ips, found.snips, found.dr.unwrap()].iter().enumerate() {
                covered[i] += u32::from((e.value - truth).abs() <= 1.96 * e.standard_error);
                sums[i] += e.value / 500.0;
            }
        }
        for i in 0..3 {
            // 500 times 0.95 with standard error 4.9; a little less for SNIPS, whose error is
            // right to first order only.
            assert!((455..=495).contains(&covered[i]), "{i}: {} of 500", covered[i]);
            // The standard error of one value is about 0.03, of 500 together 0.0014.
            assert!((sums[i] - truth).abs() < 0.006, "{i}: {} for {truth}", sums[i]);
        }
    }

    #[test]
    fn what_would_mislead_is_refused() {
        let message = |slots: &[Slot]| evaluate(slots, None).unwrap_err().to_string();
        let closed = [slot(0, 1.0, None, 1.0), slot(1, 0.0, None, 1.0)];
        assert!(message(&closed).ends_with("found none in 2 slots"), "{}", message(&closed));
        assert!(message(&[]).ends_with("found none in 0 slots"));
        let elsewhere = [slot(0, 1.0, Some(0.5), 0.0)];
        assert!(message(&elsewhere).starts_with("target: expected a policy that could"));
        // 10,000 slots, of which one weighs as much as all others together.
        let mut lopsided: Vec<Slot> = (0..10_000).map(|i| slot(i, 0.0, Some(1.0), 0.5)).collect();
        assert!(evaluate(&lopsided, None).is_ok());
        lopsided[0].propensity = Some(0.0001);
        let text = message(&lopsided);
        assert!(text.starts_with("effective sample size: expected at least 100"), "{text}");
        assert!(text.ends_with("of 10000 slots"), "{text}");
        assert!(estimate(&lopsided, None).is_ok());
    }

    #[test]
    fn bad_numbers_are_named() {
        for (wrong, field) in [
            (slot(0, f64::NAN, Some(0.5), 0.5), "reward"),
            (slot(0, 1.0, Some(0.0), 0.5), "propensity"),
            (slot(0, 1.0, Some(1.1), 0.5), "propensity"),
            (slot(0, 1.0, Some(f64::NAN), 0.5), "propensity"),
            (slot(0, 1.0, Some(0.5), -0.1), "target"),
            (slot(0, 1.0, None, f64::NAN), "target"),
        ] {
            let slots = [slot(0, 1.0, Some(0.5), 0.5), wrong];
            let error = estimate(&slots, None).unwrap_err().to_string();
            assert!(error.starts_with(&format!("slots[1]: {field}: expected ")), "{error}");
        }
        let slots = [slot(0, 1.0, Some(0.5), 0.5)];
        let predicted = |_| Predicted { shown: f64::NAN, target: 0.0 };
        let error = estimate(&slots, Some(&predicted)).unwrap_err().to_string();
        assert!(error.starts_with("slots[0]: predicted: expected finite"), "{error}");
    }
}
