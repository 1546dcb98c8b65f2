//! One method with one setting turned step by step: what each step gains and costs.

use std::path::Path;

use nearfield::{Effort, Recommender, Request, Result, Searcher};

use super::methods::{Method, recommended, record_history, timed};
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
    pub fn run(self, archive: &Path, sample: &Sample, yardstick: &Yardstick<'_>) -> Result<Sweep> {
        match self {
            Self::History => history(archive, sample, yardstick),
            Self::Effort => effort(archive, sample, yardstick),
        }
    }
}

/// Lengths of histories. Most is learned from the first few items.
const LENGTHS: [usize; 7] = [1, 2, 3, 5, 10, 20, 50];

fn history(archive: &Path, sample: &Sample, yardstick: &Yardstick<'_>) -> Result<Sweep> {
    let longest = sample.cases.iter().map(|case| case.history.len()).max().unwrap_or(0);
    let lengths = LENGTHS.into_iter().filter(|n| *n < longest).map(|n| (n.to_string(), n));
    let all = std::iter::once(("all".to_owned(), longest));
    let k = yardstick.depths().deepest();
    let mut steps = Vec::new();
    for (step, length) in lengths.chain(all) {
        let mut recommender = Recommender::new(open(archive)?);
        let method = Method::new(format!("fold-in of {step}"), "", move |history| {
            let (others, last) = history.split_at(history.len().saturating_sub(length));
            record_history(&mut recommender, last)?;
            // What is not folded in is known all the same, and cannot be what is held out.
            let id = |known: &super::methods::Known| recommender.index().id(known.item);
            let exclude = others.iter().map(|known| Ok(id(known)?.to_owned()));
            let exclude: Vec<String> = exclude.collect::<Result<_>>()?;
            let request = Request { k, exclude, ..Request::default() };
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

fn effort(archive: &Path, sample: &Sample, yardstick: &Yardstick<'_>) -> Result<Sweep> {
    let mut efforts: Vec<(String, Effort)> =
        RECALLS.iter().map(|r| (r.to_string(), Effort::Recall(*r))).collect();
    efforts.push(("exhaustive".into(), Effort::Exhaustive));
    let k = yardstick.depths().deepest();
    let mut steps = Vec::new();
    for (step, effort) in efforts {
        let mut recommender = Recommender::new(open(archive)?);
        let method = Method::new(format!("fold-in, effort {step}"), "", move |history| {
            record_history(&mut recommender, history)?;
            let request = Request { k, effort, ..Request::default() };
            timed(|| recommended(&mut recommender, &request))
        });
        steps.push((step, method));
    }
    let curve = Curve {
        along: Along::Measure(What::LatencyP50),
        up: What::Recall,
        others: Others::Levels,
    };
    let index = yardstick.index();
    let least = Searcher::n_probes(index, k, index.len(), Effort::Recall(RECALLS[0]));
    let mut about = String::from(
        "Fold-in when a search is asked for this share of what an exhaustive one finds.",
    );
    if least >= index.lists().len() {
        about.push_str(" This archive is so small that every step looks at all of it.");
    }
    Sweep::of("What looking at less costs", "effort", &about, &[curve], steps, sample, yardstick)
}
