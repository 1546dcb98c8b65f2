//! One method with one setting turned step by step: what each step gains and costs.

mod trade;
mod windows;

use std::path::Path;

use nearfield::{Effort, Recommender, Request, Result, Searcher};

use super::methods::{Known, Method, recommended, record_history, timed};
use super::outcome::Outcome;
use super::sample::Sample;
use super::yardstick::{What, Yardstick};
use crate::archive::open;

/// A sweep that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Asked {
    /// How good lists are when fewer of a person's items are known.
    History,
    /// How good and how fast lists are when less of the archive is looked at.
    Effort,
    /// What unlike items cost: both rules for diversity, from strength 0 on. Lists are composed.
    Diversity,
    /// What the history's mix over --mix costs, from strength 0 on. Lists are composed.
    Calibration,
    /// What popularity brings where it is added to the taste.
    Prior,
    /// What recent interactions are worth beside all of them. For logs with times, split by time.
    Windows,
}

/// What sweeps turn a setting of.
pub struct Base {
    /// With as many items as are asked for.
    pub request: Request,
    /// The column that calibration is over.
    pub mix: Option<String>,
}

/// What a curve goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The setting itself, step by step.
    Setting,
    /// A measure that the setting moves: a trade-off.
    Measure(What),
}

/// How the other methods are drawn beside a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// As lines at their height: where they stand along says nothing here.
    Levels,
    /// As points: they make the same trade.
    Points,
}

/// A curve that is drawn: `up` over `along`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curve {
    pub along: Along,
    pub up: What,
    pub others: Others,
}

/// One setting, its steps, and what was measured at each.
pub struct Sweep {
    pub title: String,
    /// What is turned.
    pub setting: String,
    pub about: String,
    /// By step: what it is set to, and the outcome there.
    pub steps: Vec<(String, Outcome)>,
    pub curves: Vec<Curve>,
}

impl Sweep {
    /// Asks each step's method for everybody.
    fn of(
        title: &str,
        setting: &str,
        about: &str,
        curves: &[Curve],
        steps: Vec<(String, Method<'_>)>,
        sample: &Sample,
        yardstick: &Yardstick<'_>,
    ) -> Result<Self> {
        let measure = |(step, mut method): (String, Method<'_>)| {
            Ok((step, Outcome::of(&mut method, sample, yardstick)?))
        };
        Ok(Self {
            title: title.into(),
            setting: setting.into(),
            about: about.into(),
            steps: steps.into_iter().map(measure).collect::<Result<_>>()?,
            curves: curves.to_vec(),
        })
    }
}

impl Asked {
    /// # Errors
    /// [`Error::Arg`](nearfield::Error::Arg) for a sweep that this archive or these arguments do not have.
    pub fn run(
        self,
        archive: &Path,
        base: &Base,
        sample: &Sample,
        yardstick: &Yardstick<'_>,
    ) -> Result<Vec<Sweep>> {
        match self {
            Self::History => Ok(vec![history(archive, &base.request, sample, yardstick)?]),
            Self::Effort => Ok(vec![effort(archive, &base.request, sample, yardstick)?]),
            Self::Diversity => trade::diversity(archive, base, sample, yardstick),
            Self::Calibration => Ok(vec![trade::calibration(archive, base, sample, yardstick)?]),
            Self::Prior => Ok(vec![trade::prior(archive, base, sample, yardstick)?]),
            Self::Windows => windows::windows(archive, base, sample, yardstick),
        }
    }
}

/// Lengths of histories. Most is learned from the first few items.
const LENGTHS: [usize; 7] = [1, 2, 3, 5, 10, 20, 50];

fn history(
    archive: &Path,
    base: &Request,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Sweep> {
    let longest = sample.cases.iter().map(|case| case.history.len()).max().unwrap_or(0);
    let lengths = LENGTHS.into_iter().filter(|n| *n < longest).map(|n| (n.to_string(), n));
    let all = std::iter::once(("all".to_owned(), longest));
    let mut steps = Vec::new();
    for (step, length) in lengths.chain(all) {
        let mut recommender = Recommender::new(open(archive)?);
        let base = base.clone();
        let method = Method::new(format!("fold-in of {step}"), "", base.k, move |history| {
            let (others, last) = history.split_at(history.len().saturating_sub(length));
            record_history(&mut recommender, last)?;
            // What is not folded in is known all the same, and cannot be what is held out.
            let id = |known: &Known| recommender.index().id(known.item);
            let exclude = others.iter().map(|known| Ok(id(known)?.to_owned()));
            let exclude = exclude.chain(base.exclude.iter().cloned().map(Ok));
            let request = Request { exclude: exclude.collect::<Result<_>>()?, ..base.clone() };
            timed(|| recommended(&mut recommender, &request))
        });
        steps.push((step, method));
    }
    let by_length = Curve { along: Along::Setting, up: What::Recall, others: Others::Levels };
    let traded =
        Curve { along: Along::Measure(What::Novelty), up: What::Recall, others: Others::Points };
    Sweep::of(
        "How soon it gets good",
        "items folded in",
        "Fold-in when only the last so many items of each history are known (of a random split: \
         random ones; people with shorter histories stay in with what they have).",
        &[by_length, traded],
        steps,
        sample,
        yardstick,
    )
}

/// Asked-for shares of what an exhaustive search would find.
const RECALLS: [f32; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

fn effort(
    archive: &Path,
    base: &Request,
    sample: &Sample,
    yardstick: &Yardstick<'_>,
) -> Result<Sweep> {
    let mut efforts: Vec<(String, Effort)> =
        RECALLS.iter().map(|r| (r.to_string(), Effort::Recall(*r))).collect();
    efforts.push(("exhaustive".into(), Effort::Exhaustive));
    let mut steps = Vec::new();
    for (step, effort) in efforts {
        let request = Request { effort, ..base.clone() };
        let method = Method::requested(archive, format!("effort {step}"), "", request)?;
        steps.push((step, method));
    }
    let curve = Curve {
        along: Along::Measure(What::LatencyP50),
        up: What::Recall,
        others: Others::Levels,
    };
    let index = yardstick.index();
    let least = Searcher::n_blocks(index, base.k, index.len(), Effort::Recall(RECALLS[0]));
    let mut about = String::from(
        "Fold-in when a search is asked for this share of what an exhaustive one finds.",
    );
    if least >= index.len().div_ceil(32) {
        about.push_str(" This archive is so small that every step looks at all of it.");
    }
    Sweep::of("What looking at less costs", "effort", &about, &[curve], steps, sample, yardstick)
}
