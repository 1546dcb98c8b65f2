//! Which part of a log an exclusion is about, and the key-value pairs that describe a moment.

use serde::{Deserialize, Serialize};

use crate::catalog::Expr;
use crate::error::{Error, Number, Result, quoted};

/// Times that a calendar can show: years 1 to 9999. What lies outside is a clock or unit error.
const TIMES_MS: std::ops::RangeInclusive<f64> = -62_135_596_800_000.0..=253_402_300_799_999.0;
/// Longest id, source, device name, key or value, in bytes.
const MAX_TEXT: usize = 1024;
/// Most pairs of one context. Bandits and filters use a handful; the bound keeps entries small.
const MAX_PAIRS: usize = 16;

/// Which interactions an exclusion is about: all conditions that are there must hold.
///
/// Two selectors are the same where they have the same conditions. Programs are compared as
/// programs: their spelling, text or JSON, makes no difference.
///
/// ```
/// use nearfield::Selector;
///
/// // What was played on the television on one evening in June 2026.
/// let guests = Selector {
///     from_ms: Some(1_781_805_600_000),
///     to_ms: Some(1_781_820_000_000),
///     context: vec![("device".into(), "tv".into())],
///     ..Selector::default()
/// };
/// assert_ne!(guests, Selector::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Interactions from this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Interactions with this item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Interactions with items for which this condition is true, in either spelling of the
    /// language. It is about columns alone: with ages, history or parameters in it, what counts
    /// for a taste would change without a word of the person. In an archive for which it does not
    /// compile it selects nothing.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub where_: Option<String>,
    /// Interactions at this time or later: milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// Interactions before this time, which is itself outside: ranges that meet do not overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
    /// Interactions whose context has all of these pairs. Kept sorted by key.
    #[serde(default, with = "pairs", skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<(String, String)>,
}

/// What a selector looks at: an interaction, or one item of a slate that was shown.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) item: &'a str,
    pub(super) source: Option<&'a str>,
    pub(super) at_ms: i64,
    pub(super) context: &'a [(String, String)],
}

impl Selector {
    /// Whether it selects something with an item that is, or is not, among those of its condition.
    pub(super) fn selects(&self, subject: Subject<'_>, is_among: impl FnOnce() -> bool) -> bool {
        self.item.as_deref().is_none_or(|item| item == subject.item)
            && (self.source.is_none() || self.source.as_deref() == subject.source)
            && self.from_ms.is_none_or(|from| subject.at_ms >= from)
            && self.to_ms.is_none_or(|to| subject.at_ms < to)
            && self.context.iter().all(|pair| subject.context.contains(pair))
            && (self.where_.is_none() || is_among())
    }

    /// Whether all conditions but the program are the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.source == other.source
            && self.item == other.item
            && (self.from_ms, self.to_ms) == (other.from_ms, other.to_ms)
            && self.context == other.context
            && self.where_.is_some() == other.where_.is_some()
    }

    /// Refuses a selector without conditions, and conditions that no interaction could meet or no
    /// archive could read; sorts the context.
    pub(super) fn check(&mut self) -> Result<()> {
        let has_texts = self.source.is_some() || self.item.is_some() || self.where_.is_some();
        let has_times = self.from_ms.is_some() || self.to_ms.is_some();
        if !has_texts && !has_times && self.context.is_empty() {
            let expected = "a source, item, condition, time or context";
            return Err(Error::arg("selector", expected, "none"));
        }
        for (path, text) in [("selector.source", &self.source), ("selector.item", &self.item)] {
            if let Some(text) = text {
                check_text(path, text)?;
            }
        }
        if let Some(program) = &self.where_ {
            Expr::read(program)?;
        }
        for (path, time) in [("selector.from", self.from_ms), ("selector.to", self.to_ms)] {
            if let Some(time) = time {
                check_time(path, time as f64)?;
            }
        }
        if let (Some(from), Some(to)) = (self.from_ms, self.to_ms)
            && from >= to
        {
            return Err(Error::arg("selector.to", "a time after `from`", Number(to as f64)));
        }
        check_context("selector.context", &mut self.context)
    }
}

/// Refuses what is no time of a calendar.
#[inline(never)]
pub(super) fn check_time(path: &str, at_ms: f64) -> Result<()> {
    if TIMES_MS.contains(&at_ms) {
        return Ok(());
    }
    let expected = "milliseconds since 1970, in the years 1 to 9999";
    Err(Error::arg(path, expected, Number(at_ms)))
}

/// Refuses texts that are empty or too long to be an id or a name.
#[inline(never)]
pub(super) fn check_text(path: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > MAX_TEXT {
        let found = format!("{} bytes", text.len());
        return Err(Error::arg(path, format!("1 to {MAX_TEXT} bytes"), found));
    }
    Ok(())
}

/// Sorts a context by key; refuses keys that come twice, and what is too much.
#[inline(never)]
pub(super) fn check_context(path: &str, context: &mut [(String, String)]) -> Result<()> {
    if context.len() > MAX_PAIRS {
        let expected = format!("at most {MAX_PAIRS} pairs");
        return Err(Error::arg(path, expected, context.len()));
    }
    for i in 0..context.len() {
        check_text(path, &context[i].0)?;
        check_text(path, &context[i].1)?;
        // By insertion: there are at most sixteen, and mostly they come in order.
        for j in (1..=i).rev() {
            if context[j - 1].0 == context[j].0 {
                return Err(Error::arg(path, "each key once", quoted(&context[j].0)));
            }
            if context[j - 1].0 < context[j].0 {
                break;
            }
            context.swap(j - 1, j);
        }
    }
    Ok(())
}

/// Pairs as one object: `{"device":"tv","hour":"evening"}`.
///
/// Into a list and not a map, so that a key that stands twice is found and refused.
pub(super) mod pairs {
    use std::fmt;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    type Pairs = Vec<(String, String)>;

    pub(in crate::taste) fn serialize<S: Serializer>(
        pairs: &[(String, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
    }

    pub(in crate::taste) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Pairs, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Pairs::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}
