//! Trade-offs of a slate: what diversity, calibration and popularity give, and what they cost.

use std::path::Path;

use nearfield::{Calibration, Catalog, Diversity, DiversityMethod, Error, Mix, Request, Result};

use super::{Along, Base, Curve, Others, Sweep};
use crate::eval::methods::Method;
use crate::eval::sample::Sample;
use crate::eval::yardstick::{What, Yardstick};

/// Strengths of diversity and calibration. Small ones do most that costs little.
const STRENGTHS: [f64; 12] = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95];
/// Weights of popularity, in units of the taste score.
const WEIGHTS: [f64; 8] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0];

/// A step for each of some numbers: what `turn` makes of the request by it.
fn steps<'a>(
    archive: &Path,
    request: &Request,
    numbers: &[f64],
    turn: impl Fn(&mut Request, f64),
) -> Result<Vec<(String, Method<'a>)>> {
    let step = |x: &f64| {
        let mut request = request.clone();
        turn(&mut request, *x);
        let method = Method::requested(archive, format!("step {x}"), "", request)?;
        Ok((x.to_string(), method))
    };
    numbers.iter().map(step).collect()
}

/// Recall against what the setting moves.
fn against(what: What) -> Curve {
    Curve { along: Along::Measure(what), up: What::Recall, others: Others::Points }
}

/// A slate of as many items as recall is measured at: it is made as a whole.
fn slate(base: &Base, yardstick: &Yardstick<'_>) -> Request {
    Request { k: yardstick.depths().k, ..base.request.clone() }
}

/// One sweep for each rule.
pub fn diversity(
    archive: &Path,
    base: &Base,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Vec<Sweep>> {
    let of = |(method, title, name): (DiversityMethod, &str, &str)| {
        let turn = |request: &mut Request, strength| {
            request.diversity = Some(Diversity { method, strength });
        };
        let steps = steps(archive, &slate(base, yardstick), &STRENGTHS, turn)?;
        let about = "Slates with diversity, from strength 0, where scores alone decide, to nearly \
                     1: what they still find, against how unlike each other their items are.";
        let curves = [against(What::Distance)];
        Sweep::of(title, name, about, &curves, steps, sample, yardstick)
    };
    let mmr = (DiversityMethod::Mmr, "What diversity costs: MMR", "mmr strength");
    let dpp = (DiversityMethod::Dpp, "What diversity costs: DPP", "dpp strength");
    [mmr, dpp].into_iter().map(of).collect()
}

pub fn calibration(
    archive: &Path,
    base: &Base,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Sweep> {
    let Some(field) = &base.mix else {
        let expected = "--mix FIELD beside it, the column that slates are calibrated over";
        return Err(Error::arg("--sweep calibration", expected, "none"));
    };
    let turn = |request: &mut Request, strength| {
        let (field, target) = (field.clone(), Mix::History);
        request.calibration = Some(Calibration { field, strength, target });
    };
    let steps = steps(archive, &slate(base, yardstick), &STRENGTHS, turn)?;
    let about = format!(
        "Slates calibrated to the history's mix over {field} (Steck 2018), from strength 0, where \
         scores alone decide, to nearly 1: what they still find, against how far their mix is off."
    );
    let curves = [against(What::Calibration)];
    let (title, name) = ("What the history's mix costs", "calibration strength");
    Sweep::of(title, name, &about, &curves, steps, sample, yardstick)
}

pub fn prior(
    archive: &Path,
    base: &Base,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Sweep> {
    if !Catalog::new(yardstick.index()).has_prior() {
        let expected = "an archive with a prior (nearfield build --prior)";
        return Err(Error::arg("--sweep prior", expected, "none"));
    }
    let turn = |request: &mut Request, weight| request.prior_weight = weight;
    let steps = steps(archive, &base.request, &WEIGHTS, turn)?;
    let about = "Popularity added to the taste with this weight, beside what it counts for people \
                 of whom little is known: what lists find, against how little known their items \
                 are.";
    let by_weight = Curve { along: Along::Setting, up: What::Recall, others: Others::Levels };
    let curves = [by_weight, against(What::Novelty)];
    let (title, name) = ("What popularity brings", "prior weight");
    Sweep::of(title, name, about, &curves, steps, sample, yardstick)
}
