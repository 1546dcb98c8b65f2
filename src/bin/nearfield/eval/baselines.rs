//! The methods that need a training log: item-kNN and EASE.

use std::path::Path;

use nearfield::Ordinal;
use nearfield::build::neighbours::{MAX_EASE_ITEMS, ease, item_knn};
use nearfield::{Index, Result};

use super::OTHER_MODES;
use super::methods::{
    Known, Method, best_outside, mean_vector, popularity, prior, timed, vector_alone,
};
use super::sample::Train;
use crate::archive::grouped;
use crate::progress::Stage;

/// A method that fold-in is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Baseline {
    VectorAlone,
    MeanVector,
    Popularity,
    ItemKnn,
    Ease,
}

/// What baselines can be told.
#[derive(clap::Args)]
pub struct BaselineOptions {
    /// Baselines to leave out, separated by commas.
    #[arg(
        long,
        value_name = "NAMES",
        value_enum,
        value_delimiter = ',',
        requires = "interactions", conflicts_with_all = OTHER_MODES
    )]
    without: Vec<Baseline>,
    /// EASE's regularisation. Larger suits larger logs.
    #[arg(long, value_name = "LAMBDA", default_value_t = 200.0, requires = "train", conflicts_with_all = OTHER_MODES)]
    ease_lambda: f64,
    /// How many neighbours an item has in item-kNN.
    #[arg(long, value_name = "M", default_value_t = 100, requires = "train", conflicts_with_all = OTHER_MODES,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    knn_neighbours: u32,
    /// What item-kNN adds to the denominator of its cosines, against neighbours by accident.
    #[arg(long, value_name = "X", default_value_t = 10.0, requires = "train", conflicts_with_all = OTHER_MODES, value_parser = above_0)]
    knn_shrinkage: f64,
}

fn above_0(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x >= 0.0 && x.is_finite() => Ok(x),
        _ => Err("expected a number of at least 0".into()),
    }
}

impl BaselineOptions {
    /// The baselines that there can be here, and in a sentence each why another cannot.
    pub fn methods<'a>(
        &self,
        archive: &Path,
        index: &'a Index,
        decoded: &'a [f64],
        train: Option<&Train>,
        k: usize,
    ) -> Result<(Vec<Method<'a>>, Vec<String>)> {
        let is_wanted = |baseline| !self.without.contains(&baseline);
        let (mut methods, mut notes) = (Vec::new(), Vec::new());
        if is_wanted(Baseline::VectorAlone) {
            methods.extend(vector_alone(archive, decoded, k)?);
        }
        if is_wanted(Baseline::MeanVector) {
            methods.push(mean_vector(decoded, index.dim(), k));
        }
        match train {
            Some(train) => self.learned(index, train, k, &mut methods, &mut notes)?,
            None => {
                if is_wanted(Baseline::Popularity) {
                    match prior(index, k)? {
                        Some(method) => methods.push(method),
                        None => notes.push(
                            "Popularity is not shown: there is no --train log to count it in, and \
                             the archive has no prior."
                                .into(),
                        ),
                    }
                }
                notes.push(
                    "Item-kNN and EASE are not shown, and novelty is not measured: they need the \
                     log that the model was trained on (--train)."
                        .into(),
                );
                notes.push(
                    "Without --train nobody has checked that these people were unseen in training. \
                     If they were not, the figures are too high."
                        .into(),
                );
            }
        }
        Ok((methods, notes))
    }

    fn learned<'a>(
        &self,
        index: &Index,
        train: &Train,
        k: usize,
        methods: &mut Vec<Method<'a>>,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let is_wanted = |baseline| !self.without.contains(&baseline);
        if is_wanted(Baseline::Popularity) {
            methods.push(popularity(&train.n_users_of, k));
        }
        if is_wanted(Baseline::ItemKnn) {
            let _stage = Stage::spinner("learning item-kNN");
            let (m, shrinkage) = (self.knn_neighbours as usize, self.knn_shrinkage);
            let weights = item_knn(&train.matrix, shrinkage, m);
            let about = format!(
                "Item-kNN: the sum of the cosines between an item's training users and those of \
                 each item of the history, over the {m} nearest, shrunk by {shrinkage}."
            );
            methods.push(by_scores("item-kNN", about, k, move |h| weights.scores(h)));
        }
        if is_wanted(Baseline::Ease) && index.len() > MAX_EASE_ITEMS {
            notes.push(format!(
                "EASE is not shown: it is computed for at most {} items, since its cost grows with \
                 their cube.",
                grouped(MAX_EASE_ITEMS as u64)
            ));
        } else if is_wanted(Baseline::Ease) {
            let _stage = Stage::spinner("learning EASE");
            let weights = ease(&train.matrix, self.ease_lambda)?;
            let about = format!(
                "EASE (Steck 2019) on the training log, lambda {}: item-item weights in closed \
                 form, {} bytes of them.",
                self.ease_lambda,
                grouped(8 * (index.len() as u64).pow(2))
            );
            methods.push(by_scores("EASE", about, k, move |h| weights.scores(h)));
        }
        Ok(())
    }
}

/// A method that scores all items for a history, by the ordinals in it.
fn by_scores<'a>(
    name: &str,
    about: String,
    k: usize,
    scores: impl Fn(&[u32]) -> Vec<f64> + 'a,
) -> Method<'a> {
    Method::new(name, about, k, move |history: &[Known]| {
        timed(|| {
            let items: Vec<u32> =
                history.iter().map(|Known { item: Ordinal(i), .. }| *i).collect();
            Ok(best_outside(history, scores(&items).into_iter(), k))
        })
    })
}
