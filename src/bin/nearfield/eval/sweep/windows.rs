//! What recent interactions are worth beside all of them.

use std::path::Path;

use nearfield::{Error, Recommender, Request, Result, Window};

use super::{Along, Base, Curve, Others, Sweep};
use crate::archive::open;
use crate::eval::methods::{Method, recommended, record_history, timed};
use crate::eval::sample::Sample;
use crate::eval::yardstick::{What, Yardstick};

/// Shares of the user vector that the recent window has; all of the past has the rest.
const SHARES: [f64; 8] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9];
const HOUR_MS: i64 = 3_600_000;
/// The windows tried, each by itself.
const WINDOWS: [(&str, i64, &str); 2] = [
    ("session", 3 * HOUR_MS, "What the last three hours are worth"),
    ("month", 30 * 24 * HOUR_MS, "What the last month is worth"),
];

/// One sweep for each window. A person's moment is that of the last interaction known of them.
pub fn windows(
    archive: &Path,
    base: &Base,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Vec<Sweep>> {
    let mut known = sample.cases.iter().flat_map(|case| &case.history);
    if known.any(|known| known.at_ms.is_none()) {
        let expected = "a time with every interaction (--time-field names the column)";
        return Err(Error::arg("--sweep windows", expected, "interactions without one"));
    }
    let of = |(name, max_age_ms, title): &(&str, i64, &str)| {
        let steps = SHARES.iter().map(|share| {
            Ok((share.to_string(), step(archive, &base.request, name, *max_age_ms, *share)?))
        });
        let about = "The user vector is mixed of two: one folded in from all interactions, one from \
                     those of the window, with this share. Who has none in it keeps the first.";
        let by_share = Curve { along: Along::Setting, up: What::Recall, others: Others::Levels };
        let steps = steps.collect::<Result<_>>()?;
        Sweep::of(title, &format!("{name} share"), about, &[by_share], steps, sample, yardstick)
    };
    WINDOWS.iter().map(of).collect()
}

fn step(
    archive: &Path,
    base: &Request,
    name: &str,
    max_age_ms: i64,
    share: f64,
) -> Result<Method<'static>> {
    let mut recommender = Recommender::new(open(archive)?);
    let all = Window { weight: 1.0 - share, ..Window::all() };
    let recent = Window { name: name.into(), max_age_ms: Some(max_age_ms), weight: share };
    let mut request = Request { windows: vec![all, recent], ..base.clone() };
    Ok(Method::new(format!("{name} {share}"), "", request.k, move |history| {
        record_history(&mut recommender, history)?;
        request.now_ms = history.iter().filter_map(|known| known.at_ms).max();
        timed(|| recommended(&mut recommender, &request))
    }))
}
