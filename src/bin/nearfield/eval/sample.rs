//! Who is measured: a log, the people of it that can be, and what is held out of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nearfield::build::interactions::{
    InteractionMatrix, InteractionOptions, Interactions, read_interactions,
};
use nearfield::eval::split::{Cut, by_share, by_time};
use nearfield::{Error, Index, Ordinal, Result, SeededRng};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::OTHER_MODES;
use super::methods::Known;

/// How a person's items are cut in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// A random share is held out.
    Share,
    /// The latest are held out.
    Time,
}

/// How a log becomes cases.
#[derive(clap::Args)]
pub struct LogOptions {
    /// The log that models were trained on. Popularity, item-kNN and EASE are trained on it, and
    /// novelty is counted in it. None of its users may be in LOG.
    #[arg(long, value_name = "LOG", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    train: Option<PathBuf>,
    /// The weight from which an interaction is a positive; those below are left out. With ratings
    /// of 1 to 5, 4 is usual [default: all above 0].
    #[arg(long, value_name = "WEIGHT", requires = "interactions", conflicts_with_all = OTHER_MODES, allow_negative_numbers = true)]
    positive: Option<f64>,
    /// Users with fewer positives are left out.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "interactions", conflicts_with_all = OTHER_MODES,
          value_parser = clap::value_parser!(u32).range(2..))]
    min_positives: u32,
    /// What is held out: a random share of each user's positives, or the latest.
    #[arg(long, value_enum, default_value_t = Split::Share, requires = "interactions", conflicts_with_all = OTHER_MODES)]
    split: Split,
    /// How much is held out, rounded down, but at least one item.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, requires = "interactions", conflicts_with_all = OTHER_MODES,
          value_parser = share)]
    holdout: f64,
    /// How often --split share cuts everybody anew [default: 5].
    #[arg(long, value_name = "N", requires = "interactions", conflicts_with_all = OTHER_MODES,
          value_parser = clap::value_parser!(u16).range(1..=100))]
    seeds: Option<u16>,
    /// Fold in the weights of the log (those of a pair that comes again added up) instead of 1 for
    /// every positive.
    #[arg(long, requires = "interactions", conflicts_with_all = OTHER_MODES)]
    weighted: bool,
    /// The logs' column of users [default: user, user_id and the like].
    #[arg(long, value_name = "FIELD", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    user_field: Option<String>,
    /// The logs' column of items [default: item, item_id and the like].
    #[arg(long, value_name = "FIELD", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    item_field: Option<String>,
    /// The logs' column of weights [default: weight, rating and the like].
    #[arg(long, value_name = "FIELD", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    weight_field: Option<String>,
    /// The logs' column of times [default: time, timestamp and the like].
    #[arg(long, value_name = "FIELD", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    time_field: Option<String>,
}

/// A share between 0 and 1, both excluded.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("expected a number between 0 and 1".into()),
    }
}

/// One person, cut once.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Position in [`Sample::users`].
    pub user: usize,
    pub seed: u64,
    pub history: Vec<Known>,
    pub held_out: Vec<Ordinal>,
}

/// What became of the log: everything that was left out is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Interactions that are positives, and those that are not.
    pub n_positives: usize,
    pub n_below: usize,
    /// Positives whose user and item came before.
    pub n_repeated: usize,
    /// Positives whose item the archive does not have, and how many items those are.
    pub n_unknown: usize,
    pub n_unknown_items: usize,
    /// Users with a positive, users with too few, and users of whose items the archive has fewer
    /// than two. The others are measured.
    pub n_users: usize,
    pub n_users_too_few: usize,
    pub n_users_unknown: usize,
    pub n_users_measured: usize,
}

/// The people who are measured.
pub struct Sample {
    pub users: Vec<String>,
    /// By seed, then user.
    pub cases: Vec<Case>,
    pub seeds: Vec<u64>,
    pub counts: Counts,
}

/// What models were trained on.
pub struct Train {
    /// Users by items; columns are ordinals.
    pub matrix: InteractionMatrix,
    /// How many users like each item.
    pub n_users_of: Vec<usize>,
    /// Interactions with items that the archive does not have.
    pub n_unknown: usize,
}

impl LogOptions {
    pub fn split(&self) -> Split {
        self.split
    }

    /// The training log, without its folders.
    pub fn train_name(&self) -> String {
        let name = self.train.as_ref().and_then(|path| path.file_name());
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn read(&self, path: &Path) -> Result<Interactions> {
        let options = InteractionOptions {
            user: self.user_field.clone(),
            item: self.item_field.clone(),
            weight: self.weight_field.clone(),
            time: self.time_field.clone(),
            min_weight: self.positive,
        };
        read_interactions(path, &options)
    }

    /// Reads the logs and cuts everybody.
    pub fn sample(&self, path: &Path, index: &Index) -> Result<(Sample, Option<Train>)> {
        if self.split == Split::Time && self.seeds.is_some() {
            let found = "it with --split time, where nothing is drawn";
            return Err(Error::arg("--seeds", "no --seeds, or --split share", found));
        }
        let log = self.read(path)?;
        let train = match &self.train {
            None => None,
            Some(train_path) => {
                let train = self.read(train_path)?;
                refuse_leaks(path, &log, train_path, &train)?;
                Some(Train::new(&train, index)?)
            }
        };
        Ok((self.cut(path, &log, index)?, train))
    }

    fn cut(&self, path: &Path, log: &Interactions, index: &Index) -> Result<Sample> {
        let (people, mut counts) = self.people(log, index)?;
        let n_seeds = match self.split {
            Split::Share => self.seeds.unwrap_or(5),
            Split::Time => 1,
        };
        let seeds: Vec<u64> = (0..u64::from(n_seeds)).collect();
        counts.n_users_measured = people.len();
        let mut cases = Vec::with_capacity(seeds.len() * people.len());
        for seed in &seeds {
            for (user, (name, items)) in people.iter().enumerate() {
                let cut = match self.split {
                    // A stream for each person: how they are cut depends on nobody else.
                    Split::Share => {
                        let mut rng = SeededRng::new(*seed, xxh3_64(name.as_bytes()));
                        by_share(items.len(), self.holdout, &mut rng)
                    }
                    Split::Time => by_time(&times(path, name, items)?, self.holdout),
                };
                let Some(Cut { history, held_out }) = cut else { continue };
                cases.push(Case {
                    user,
                    seed: *seed,
                    history: history.iter().map(|i| items[*i]).collect(),
                    held_out: held_out.iter().map(|i| items[*i].item).collect(),
                });
            }
        }
        if cases.is_empty() {
            return Err(nobody(path, self.min_positives, &counts));
        }
        let users = people.into_iter().map(|(name, _)| name.to_owned()).collect();
        Ok(Sample { users, cases, seeds, counts })
    }

    /// The people who can be measured, each with their items by id.
    fn people<'a>(&self, log: &'a Interactions, index: &Index) -> Result<(People<'a>, Counts)> {
        let known = |id: &String| index.ordinal(id);
        let ordinals: Vec<Option<Ordinal>> = log.items.iter().map(known).collect::<Result<_>>()?;
        let mut counts = Counts {
            n_positives: log.rows.len(),
            n_below: log.n_below,
            n_users: log.users.len(),
            n_unknown_items: ordinals.iter().filter(|o| o.is_none()).count(),
            ..Counts::default()
        };
        // By item id, so that a cut depends neither on the order of the log nor on the archive.
        let mut items_of: Vec<BTreeMap<&str, (u32, Known)>> =
            vec![BTreeMap::new(); log.users.len()];
        for row in &log.rows {
            let at_ms = row.at_ms;
            let weight = if self.weighted { row.weight } else { 1.0 };
            let ordinal = ordinals[row.item as usize];
            counts.n_unknown += usize::from(ordinal.is_none());
            let new = Known { item: ordinal.unwrap_or(Ordinal(0)), weight, at_ms };
            items_of[row.user as usize]
                .entry(&log.items[row.item as usize])
                .and_modify(|(_, old)| {
                    counts.n_repeated += 1;
                    old.weight += if self.weighted { weight } else { 0.0 };
                    old.at_ms = old.at_ms.max(at_ms);
                })
                .or_insert((row.item, new));
        }
        let mut people = Vec::new();
        for (name, items) in log.users.iter().zip(items_of) {
            let n_items = items.len();
            let is_known = |item: u32| ordinals[item as usize].is_some();
            let items = items.into_values().filter(|(item, _)| is_known(*item));
            let items: Vec<Known> = items.map(|(_, known)| known).collect();
            if n_items < self.min_positives as usize {
                counts.n_users_too_few += 1;
            } else if items.len() < 2 {
                counts.n_users_unknown += 1;
            } else {
                people.push((name.as_str(), items));
            }
        }
        Ok((people, counts))
    }
}

/// Users with their items.
type People<'a> = Vec<(&'a str, Vec<Known>)>;

fn times(path: &Path, user: &str, items: &[Known]) -> Result<Vec<i64>> {
    items
        .iter()
        .map(|known| {
            known.at_ms.ok_or_else(|| {
                let expected = "a time with every interaction (--time-field names the column), or \
                                --split share";
                let found = format!("none for user {user:?}");
                Error::input(path.display().to_string(), expected, found)
            })
        })
        .collect()
}

/// A user in both logs has been seen in training: what is measured of them says nothing.
fn refuse_leaks(
    path: &Path,
    log: &Interactions,
    train_path: &Path,
    train: &Interactions,
) -> Result<()> {
    let trained: BTreeSet<&str> = train.users.iter().map(String::as_str).collect();
    let seen: Vec<&String> = log.users.iter().filter(|u| trained.contains(u.as_str())).collect();
    if seen.is_empty() {
        return Ok(());
    }
    let some: Vec<String> = seen.iter().take(3).map(|user| format!("{user:?}")).collect();
    let more = if seen.len() > some.len() { ", ..." } else { "" };
    let expected = format!(
        "users of whom --train {} has nothing (take them out of one of the two)",
        train_path.display()
    );
    let found = format!("{} who are in both: {}{more}", seen.len(), some.join(", "));
    Err(Error::input(path.display().to_string(), expected, found))
}

fn nobody(path: &Path, least: u32, counts: &Counts) -> Error {
    let expected = format!("users with at least {least} positives, two of them in the archive");
    let found = format!(
        "none: of {} users {} have fewer, of the others {} have fewer than two items that the \
         archive knows (positives {}, below --positive {}, of unknown items {})",
        counts.n_users,
        counts.n_users_too_few,
        counts.n_users_unknown,
        counts.n_positives,
        counts.n_below,
        counts.n_unknown,
    );
    Error::input(path.display().to_string(), expected, found)
}

impl Train {
    fn new(log: &Interactions, index: &Index) -> Result<Self> {
        let ids = (0..index.len() as u32).map(|i| Ok(index.id(Ordinal(i))?.to_owned()));
        let (matrix, n_unknown) = log.matrix(&ids.collect::<Result<Vec<_>>>()?);
        let n_users_of = matrix.transposed().rows().map(<[u32]>::len).collect();
        Ok(Self { matrix, n_users_of, n_unknown })
    }

    pub fn n_users(&self) -> usize {
        self.matrix.n_users()
    }
}
