//! How much of an interaction still counts: by its age, by the windows it lies in, by how far its
//! circumstances are those of the request.

use super::profile::Interaction;
use crate::error::{Error, Number, Result};
use crate::kind::Kind;

const HOUR_MS: i64 = 3_600_000;
const HOURS_A_DAY: f64 = 24.0;
/// A hundred half-lives. Smaller factors would end in numbers too small to divide by.
const NEGLIGIBLE: f64 = 1e-30;

/// Days after which an interaction counts half, unless [`TasteOptions::half_lives`] says
/// otherwise. `None`: it does not fade.
///
/// What people *say* (like, dislike, hide, rating) holds until they say something else: a
/// statement has a successor, so age need not guess. What they *do* is evidence of a time. A skip
/// tells of a mood more than of a taste, and negative evidence is the least certain there is: a
/// month. Plays are habits, which drift over seasons: three months. Finishing or keeping
/// something took a decision: half a year. A purchase, the firmest of deeds: a year. (Ding and
/// Li, CIKM 2005, fade by half-lives too, and find those of catalogs between weeks and a year.)
#[must_use]
pub const fn default_half_life_days(kind: Kind) -> Option<f64> {
    match kind {
        Kind::Skip => Some(30.0),
        Kind::Play | Kind::Impression => Some(90.0),
        Kind::Complete | Kind::Save => Some(180.0),
        Kind::Purchase => Some(365.0),
        Kind::Like | Kind::Dislike | Kind::Hide | Kind::Rating => None,
    }
}

/// A stretch of the past that is folded in by itself: this session, the last month, all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// What it is called, in errors.
    pub name: String,
    /// How far back it reaches: milliseconds, counted as ages are, in whole hours. `None`: to the
    /// beginning.
    pub max_age_ms: Option<i64>,
    /// Its weight in the user vector, relative to those of the other windows that have a history.
    /// Not negative.
    pub weight: f64,
}

impl Window {
    /// All of the past.
    #[must_use]
    pub fn all() -> Self {
        Self { name: "all".into(), max_age_ms: None, weight: 1.0 }
    }
}

/// What counts in a fold-in, and how much.
///
/// An interaction counts by a factor from 0 to 1: `2^(-age / half-life)` of its kind, times its
/// context factor. Each window is folded in by itself and the user vectors are mixed by the
/// windows' weights. The default is one window, no moment and no context: every factor is 1, and
/// the fold-in is the producer's own, to the bit.
///
/// ```
/// use nearfield::{TasteOptions, Window};
///
/// let day = 86_400_000;
/// let window = |name: &str, max_age_ms, weight| Window { name: name.into(), max_age_ms, weight };
/// let options = TasteOptions {
///     now_ms: Some(1_700_000_000_000),
///     windows: vec![
///         window("session", Some(day / 4), 0.3),
///         window("month", Some(30 * day), 0.3),
///         window("all", None, 0.4),
///     ],
///     context: vec![("device".into(), "tv".into())],
///     ..TasteOptions::default()
/// };
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TasteOptions {
    /// The moment that ages are counted from, milliseconds since 1970. Without it nothing ages.
    ///
    /// Ages are whole hours: the difference between the hour of this moment and that of the
    /// interaction. So all answers within an hour of the clock have the same bits. What lies in
    /// the future happens now.
    pub now_ms: Option<i64>,
    /// Half-lives in days instead of the kinds' own ([`default_half_life_days`]); `None`: such an
    /// interaction does not fade. The last word on a kind counts.
    pub half_lives: Vec<(Kind, Option<f64>)>,
    /// The windows; at least one with a weight above 0.
    pub windows: Vec<Window>,
    /// The circumstances of the request: keys with values.
    pub context: Vec<(String, String)>,
    /// How much the context matters, from 0 (not at all) to 1.
    ///
    /// With `share` of the request's pairs that an interaction has too, its factor is `1 -
    /// strength (1 - share)`. An interaction without a key of the request does not have its pair:
    /// at 1, only interactions that share a pair count, in proportion to the pairs they share.
    pub context_strength: f64,
}

impl Default for TasteOptions {
    fn default() -> Self {
        Self {
            now_ms: None,
            half_lives: Vec::new(),
            windows: vec![Window::all()],
            context: Vec::new(),
            context_strength: 0.5,
        }
    }
}

impl TasteOptions {
    /// # Errors
    /// [`Error::Arg`] naming the number that is not finite or out of range.
    pub(super) fn check(&self) -> Result<()> {
        for (kind, days) in &self.half_lives {
            if let Some(days) = days
                && !(*days > 0.0 && *days < f64::INFINITY)
            {
                let path = format!("halflives.{}", kind.as_str());
                return Err(Error::arg(path, "a number of days above 0", Number(*days)));
            }
        }
        for window in &self.windows {
            let weight = window.weight;
            if !(0.0..=1e6).contains(&weight) {
                let path = format!("windows.{}.weight", window.name);
                return Err(Error::arg(path, "a number from 0 to 1e6", Number(weight)));
            }
        }
        if !self.windows.iter().any(|w| w.weight > 0.0) {
            return Err(Error::arg("windows", "a window with a weight above 0", "none"));
        }
        if !(0.0..=1.0).contains(&self.context_strength) {
            let found = Number(self.context_strength);
            return Err(Error::arg("focus", "a number from 0 to 1", found));
        }
        Ok(())
    }

    /// The age of something that happened at `at_ms`, in whole hours; 0 for the future.
    pub(super) fn age_hours(&self, at_ms: i64) -> i64 {
        let hour = |ms: i64| ms.div_euclid(HOUR_MS);
        self.now_ms.map_or(0, |now| (hour(now) - hour(at_ms)).max(0))
    }

    /// What age leaves of an interaction of a kind.
    pub(super) fn fading(&self, kind: Kind, age_hours: i64) -> f64 {
        let stated = self.half_lives.iter().rev().find(|(k, _)| *k == kind);
        match stated.map_or_else(|| default_half_life_days(kind), |(_, days)| *days) {
            Some(days) if age_hours > 0 => libm::exp2(-(age_hours as f64) / (days * HOURS_A_DAY)),
            _ => 1.0,
        }
    }

    /// How much an interaction counts of which age leaves this much. What is
    /// [negligible](NEGLIGIBLE) is 0.
    pub(super) fn factor(&self, interaction: &Interaction, fading: f64) -> f64 {
        let factor = fading * self.context_factor(&interaction.context);
        if factor < NEGLIGIBLE { 0.0 } else { factor }
    }

    fn context_factor(&self, has: &[(String, String)]) -> f64 {
        if self.context.is_empty() {
            return 1.0;
        }
        let shared = self.context.iter().filter(|pair| has.contains(pair)).count();
        let share = shared as f64 / self.context.len() as f64;
        1.0 - self.context_strength * (1.0 - share)
    }
}

impl Window {
    /// Whether it reaches back as far as this age.
    pub(super) fn holds(&self, age_hours: i64) -> bool {
        self.max_age_ms.is_none_or(|most| age_hours.saturating_mul(HOUR_MS) <= most.max(0))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn ages_are_whole_hours_of_the_clock() {
        let options = |now_ms| TasteOptions { now_ms, ..TasteOptions::default() };
        let at = 1_000 * HOUR_MS + 1;
        for (now, hours) in [
            (at, 0),
            (at + HOUR_MS - 2, 0),
            (at + HOUR_MS - 1, 1),
            (at + 2 * HOUR_MS - 2, 1),
            (at - 5 * HOUR_MS, 0),
            (i64::MAX, i64::MAX / HOUR_MS - 1_000),
        ] {
            assert_eq!(options(Some(now)).age_hours(at), hours, "{now}");
        }
        assert_eq!(options(None).age_hours(at), 0);
        assert_eq!(options(Some(i64::MIN)).age_hours(i64::MAX), 0);
        assert!(options(Some(i64::MAX)).age_hours(i64::MIN) > 0);
    }

    fn factor(options: &TasteOptions, interaction: &Interaction, age_hours: i64) -> f64 {
        options.factor(interaction, options.fading(interaction.kind, age_hours))
    }

    #[test]
    fn factors_are_halved_by_each_half_life_and_by_strangeness() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let play = Interaction {
            item: "1".into(),
            kind: Kind::Play,
            weight: None,
            source: None,
            taste: true,
            context: vec![pair("device", "tv"), pair("hour", "9")],
        };
        let mut options = TasteOptions { context_strength: 0.8, ..TasteOptions::default() };
        assert_eq!(factor(&options, &play, 0), 1.0);
        assert_eq!(factor(&options, &play, 90 * 24), 0.5);
        assert_eq!(factor(&options, &Interaction { kind: Kind::Like, ..play.clone() }, 9999), 1.0);
        options.half_lives = vec![(Kind::Play, Some(1.0)), (Kind::Play, Some(2.0))];
        assert_eq!(factor(&options, &play, 96), 0.25);
        options.half_lives.push((Kind::Play, None));
        assert_eq!(factor(&options, &play, i64::MAX), 1.0);
        for (context, expected) in [
            (vec![pair("device", "tv")], 1.0),
            (vec![pair("device", "phone")], 1.0 - 0.8),
            (vec![pair("mood", "blue")], 1.0 - 0.8),
            (vec![pair("device", "tv"), pair("mood", "blue")], 1.0 - 0.8 * 0.5),
        ] {
            options.context = context;
            assert_eq!(factor(&options, &play, 0), expected);
        }
    }

    #[test]
    fn wrong_numbers_are_named() {
        let good = TasteOptions::default;
        let window = |weight| vec![Window { weight, ..Window::all() }];
        for (options, path) in [
            (
                TasteOptions { half_lives: vec![(Kind::Play, Some(0.0))], ..good() },
                "halflives.play",
            ),
            (
                TasteOptions { half_lives: vec![(Kind::Skip, Some(f64::NAN))], ..good() },
                "halflives.skip",
            ),
            (TasteOptions { windows: window(-1.0), ..good() }, "windows.all.weight"),
            (TasteOptions { windows: window(f64::NAN), ..good() }, "windows.all.weight"),
            (TasteOptions { windows: window(0.0), ..good() }, "windows"),
            (TasteOptions { windows: vec![], ..good() }, "windows"),
            (TasteOptions { context_strength: 1.5, ..good() }, "focus"),
            (TasteOptions { context_strength: f64::NAN, ..good() }, "focus"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{path}: ")), "{error}");
        }
        good().check().unwrap();
    }
}
