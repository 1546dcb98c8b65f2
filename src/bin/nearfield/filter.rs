//! `--where` and what belongs to it, alike in every command that lists items.

use nearfield::{Error, Limits, Result, parse_days};

/// Which items may come back.
#[derive(clap::Args)]
pub struct Filter {
    /// Only items for which this is true: 'genres has "Drama" and year >= 1990', or the same as
    /// JSON.
    #[arg(long = "where", value_name = "EXPR")]
    where_: Option<String>,
    /// Values of the parameters in EXPR, as JSON: '{"from": 1990}'.
    #[arg(long, value_name = "JSON", requires = "where_")]
    params: Option<String>,
    /// The day that age("30d") and the like count back from, as 1999-12-31.
    #[arg(long, value_name = "DATE", requires = "where_")]
    now: Option<String>,
}

impl Filter {
    /// The limits of an answer with at most `k` items.
    pub fn limits(&self, k: u16) -> Result<Limits<'_>> {
        let now_ms = match &self.now {
            None => None,
            Some(day) => Some(
                86_400_000
                    * parse_days(day)
                        .ok_or_else(|| Error::arg("--now", "a date like 1999-12-31", day))?,
            ),
        };
        Ok(Limits {
            k: usize::from(k),
            where_: self.where_.as_deref(),
            params: self.params.as_deref(),
            now_ms,
            ..Limits::default()
        })
    }
}
