//! Reading logs of interactions: who did what, with which weight, when.
//!
//! A log is a table with a column of users and one of items, and perhaps one of weights and one of
//! times: CSV, TSV, JSON lines or RecBole's `.inter`, plain or gzipped. Like the readers of items,
//! this one accepts nothing silently: what is wrong is an error that names file, line and field.

mod csv;
mod jsonl;
mod matrix;

use std::collections::HashMap;
use std::path::Path;

pub use matrix::InteractionMatrix;

use super::input::shown;
use super::input::source::{Encoding, Source};
use crate::error::{Error, Result};

/// Endings of files of interactions. `.inter` is RecBole's: TSV with a kind behind each name.
const ENDINGS: [(&str, Encoding); 5] = [
    ("jsonl", Encoding::JsonLines),
    ("ndjson", Encoding::JsonLines),
    ("csv", Encoding::Separated(b',')),
    ("tsv", Encoding::Separated(b'\t')),
    ("inter", Encoding::Separated(b'\t')),
];

/// What the four columns of a log are usually called; the first that is there is taken.
const USUAL: [&[&str]; 4] = [
    &["user", "user_id", "userId", "userid", "uid"],
    &["item", "item_id", "itemId", "itemid", "iid", "movieId"],
    &["weight", "rating", "score", "count"],
    &["timestamp", "time", "at_ms", "at", "ts"],
];

/// The columns of a log, by their places in [`USUAL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    User = 0,
    Item = 1,
    Weight = 2,
    Time = 3,
}

impl Role {
    const ALL: [Self; 4] = [Self::User, Self::Item, Self::Weight, Self::Time];

    /// What an error says is missing, and the option that names it.
    const fn wanted(self) -> &'static str {
        match self {
            Self::User => "a column of users (--user-field names it)",
            Self::Item => "a column of items (--item-field names it)",
            Self::Weight => "a column of weights",
            Self::Time => "a column of times",
        }
    }
}

/// How a log is read. Columns that are not named are looked for under their usual names: `user`,
/// `user_id`; `item`, `item_id`; `weight`, `rating`; `timestamp`, `time`; and a few more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InteractionOptions {
    /// The column of users.
    pub user: Option<String>,
    /// The column of items.
    pub item: Option<String>,
    /// The column of weights. Where there is none, every weight is 1.
    pub weight: Option<String>,
    /// The column of times: numbers of seconds, milliseconds or microseconds since 1970.
    pub time: Option<String>,
    /// Interactions below this weight are left out and counted; `None` leaves out what is not
    /// above 0. With ratings of 1 to 5, 4 is usual: what was liked.
    pub min_weight: Option<f64>,
}

impl InteractionOptions {
    fn named(&self, role: Role) -> Option<&str> {
        match role {
            Role::User => self.user.as_deref(),
            Role::Item => self.item.as_deref(),
            Role::Weight => self.weight.as_deref(),
            Role::Time => self.time.as_deref(),
        }
    }
}

/// One interaction of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InteractionRow {
    /// Place in [`Interactions::users`].
    pub user: u32,
    /// Place in [`Interactions::items`].
    pub item: u32,
    /// Its weight, finite; 1 in a log without weights.
    pub weight: f64,
    /// Milliseconds since 1970, in a log with times.
    pub at_ms: Option<i64>,
}

/// The unit of a log's times, found by their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds since 1970: all times are below 10^11, the year 5138.
    Seconds,
    /// Milliseconds: all times are below 10^14.
    Milliseconds,
    /// Microseconds: all times are below 10^17.
    Microseconds,
}

impl TimeUnit {
    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
        }
    }

    fn to_ms(self, time: f64) -> i64 {
        // Floor, so that times before 1970 are cut to the same side.
        match self {
            Self::Seconds => (time * 1e3).floor() as i64,
            Self::Milliseconds => time.floor() as i64,
            Self::Microseconds => (time / 1e3).floor() as i64,
        }
    }
}

/// A log of interactions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// The users' ids, in the order of their first interaction that counts.
    pub users: Vec<String>,
    /// The items' ids, in the order of their first interaction that counts.
    pub items: Vec<String>,
    /// The interactions, in the order of the file. The same pair may come again.
    pub rows: Vec<InteractionRow>,
    /// Interactions left out: their weights are too low.
    pub n_below: usize,
    /// The unit that times were taken to be in; `None` in a log without times.
    pub time_unit: Option<TimeUnit>,
}

impl Interactions {
    /// Who interacted with which of these items at all: a binary matrix whose columns stand in
    /// the order of `ids`. Its rows are the log's users, those without any of the items included.
    /// Also the number of interactions whose items are not among `ids`.
    #[must_use]
    pub fn matrix(&self, ids: &[String]) -> (InteractionMatrix, usize) {
        let place: HashMap<&str, u32> = ids.iter().map(String::as_str).zip(0..).collect();
        let columns: Vec<Option<u32>> =
            self.items.iter().map(|item| place.get(item.as_str()).copied()).collect();
        let mut n_unknown = 0;
        let mut rows = vec![Vec::new(); self.users.len()];
        for row in &self.rows {
            match columns[row.item as usize] {
                Some(column) => rows[row.user as usize].push(column),
                None => n_unknown += 1,
            }
        }
        (InteractionMatrix::new(ids.len(), rows), n_unknown)
    }
}

/// Reads a log from `.csv`, `.tsv`, `.inter`, `.jsonl` or `.ndjson`, plain or gzipped (`.gz`).
///
/// ```
/// use nearfield::build::interactions::{InteractionOptions, read_interactions};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("log.inter");
/// std::fs::write(&path, "user_id:token\titem_id:token\ttimestamp:float\nu1\ti7\t881250949\n")?;
/// let log = read_interactions(&path, &InteractionOptions::default())?;
/// assert_eq!((log.users[0].as_str(), log.items[0].as_str()), ("u1", "i7"));
/// assert_eq!(log.rows[0].at_ms, Some(881_250_949_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Input`] naming file, line and field for
/// everything that is wrong in it.
pub fn read_interactions(path: &Path, options: &InteractionOptions) -> Result<Interactions> {
    let mut no_progress = |_| ();
    let source = Source::open_as(path, &ENDINGS, &mut no_progress)?;
    let log = Log::new(&source.file, options.min_weight);
    match source.encoding {
        Encoding::JsonLines => jsonl::read(source, log, options),
        Encoding::Separated(delimiter) => csv::read(source, log, delimiter, options),
    }
}

/// A log while it is read.
struct Log {
    file: String,
    min_weight: Option<f64>,
    users: Names,
    items: Names,
    /// Rows whose times are still in the file's unit.
    rows: Vec<(InteractionRow, Option<f64>)>,
    n_below: usize,
    /// The line of the time that is largest by absolute value, and that value.
    longest: Option<(u64, f64)>,
}

/// Different names, in the order of their first use.
#[derive(Default)]
struct Names {
    all: Vec<String>,
    places: HashMap<String, u32>,
}

impl Names {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.all.len() as u32;
        self.all.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

impl Log {
    fn new(file: &str, min_weight: Option<f64>) -> Self {
        Self {
            file: file.to_owned(),
            min_weight,
            users: Names::default(),
            items: Names::default(),
            rows: Vec::new(),
            n_below: 0,
            longest: None,
        }
    }

    fn place(&self, line: u64, field: &str) -> String {
        format!("{}:{line}: {field}", self.file)
    }

    /// A number of column `field`.
    fn number(&self, line: u64, field: &str, text: &str) -> Result<f64> {
        match text.trim().parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(x),
            _ => Err(Error::input(self.place(line, field), "a finite number", shown(text))),
        }
    }

    /// Takes one interaction; ids must not be empty.
    fn push(
        &mut self,
        line: u64,
        ids: [(&str, &str); 2],
        weight: f64,
        time: Option<f64>,
    ) -> Result<()> {
        for (field, id) in ids {
            if id.is_empty() {
                return Err(Error::input(self.place(line, field), "an id", "nothing"));
            }
        }
        let counts = self.min_weight.map_or(weight > 0.0, |least| weight >= least);
        if !counts {
            self.n_below += 1;
            return Ok(());
        }
        if let Some(time) = time
            && self.longest.is_none_or(|(_, longest)| time.abs() > longest)
        {
            self.longest = Some((line, time.abs()));
        }
        let (user, item) = (self.users.place(ids[0].1), self.items.place(ids[1].1));
        self.rows.push((InteractionRow { user, item, weight, at_ms: None }, time));
        Ok(())
    }

    fn finish(self, time_field: &str) -> Result<Interactions> {
        let time_unit = match self.longest {
            None => None,
            Some((_, longest)) if longest < 1e11 => Some(TimeUnit::Seconds),
            Some((_, longest)) if longest < 1e14 => Some(TimeUnit::Milliseconds),
            Some((_, longest)) if longest < 1e17 => Some(TimeUnit::Microseconds),
            Some((line, longest)) => {
                let place = self.place(line, time_field);
                let expected = "seconds, milliseconds or microseconds since 1970";
                return Err(Error::input(place, expected, longest));
            }
        };
        let timed = |(row, time): (InteractionRow, Option<f64>)| InteractionRow {
            at_ms: time.zip(time_unit).map(|(time, unit)| unit.to_ms(time)),
            ..row
        };
        Ok(Interactions {
            users: self.users.all,
            items: self.items.all,
            rows: self.rows.into_iter().map(timed).collect(),
            n_below: self.n_below,
            time_unit,
        })
    }
}

#[cfg(test)]
mod tests;
