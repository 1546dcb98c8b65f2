//! What a person did, as far as the language asks for it.
//!
//! A program over items of which a person knows a few hundred should not ask each of a million
//! items whether it is one of them. So a history predicate walks the history once, when it is
//! compiled, and becomes a set of items or a short list of counts.

use super::compile::Compiler;
use super::expr::{Expr, Kind as Syntax, Op, expected_name, fault};
use super::node::{Node, Number};
use crate::error::{Result, quoted};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kind::Kind;

/// One thing that a person did with an item of the archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deed {
    /// The item.
    pub item: Ordinal,
    /// What was done.
    pub kind: Kind,
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// Its signed weight; of an opinion the sign says which.
    pub weight: f64,
}

/// A person's history, as [`Scope`](super::Scope) carries it into a program.
///
/// The profile implements it; this room only knows that there is such a thing.
pub trait History {
    /// Calls `visit` with everything that was done with items of the archive and is not to be
    /// forgotten, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for damaged archives.
    fn each(&self, visit: &mut dyn FnMut(Deed)) -> Result<()>;
}

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// `"30d"` as milliseconds: a whole number of hours, days, weeks or years of 365 days.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (unit, digits) = text.as_bytes().split_last()?;
    let unit = match unit {
        b'h' => DAY_MS / 24,
        b'd' => DAY_MS,
        b'w' => 7 * DAY_MS,
        b'y' => 365 * DAY_MS,
        _ => return None,
    };
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    let number = digits.iter().try_fold(0, |number, digit| {
        Some(number * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?))
    });
    Some(number? * unit)
}

/// What is expected where a duration stands.
pub(super) const A_DURATION: &str = "a duration like \"12h\", \"30d\", \"2w\" or \"1y\"";

impl Compiler<'_> {
    /// `seen`, `liked` and `disliked`.
    pub(super) fn set(&mut self, position: usize, op: Op, arguments: &[Expr]) -> Result<Node> {
        let (_, window) = self.window(arguments, false)?;
        let mut set = ItemSet::empty(self.catalog.index.len());
        self.walk(position, window, &mut |deed| match op {
            Op::Seen if deed.kind.is_seen() => set.insert(deed.item),
            // The last opinion counts.
            Op::Liked | Op::Disliked if deed.kind.is_statement() => {
                let is_it = if op == Op::Liked { deed.weight > 0.0 } else { deed.weight < 0.0 };
                if is_it { set.insert(deed.item) } else { set.remove(deed.item) }
            }
            _ => {}
        })?;
        Ok(Node::Set(set))
    }

    /// `count`: how often something was done with the item.
    pub(super) fn count(&mut self, position: usize, arguments: &[Expr]) -> Result<Number> {
        let (kind, window) = self.window(arguments, true)?;
        let mut counts: Vec<(Ordinal, f64)> = Vec::new();
        self.walk(position, window, &mut |deed| {
            if kind.map_or(deed.kind.is_seen(), |kind| kind == deed.kind) {
                match counts.binary_search_by_key(&deed.item, |count| count.0) {
                    Ok(at) => counts[at].1 += 1.0,
                    Err(at) => counts.insert(at, (deed.item, 1.0)),
                }
            }
        })?;
        Ok(Number::Counts(counts))
    }

    /// Arguments of a history predicate: a kind, where `has_kind`, and a duration, either of which
    /// may be missing.
    fn window(&self, arguments: &[Expr], has_kind: bool) -> Result<(Option<Kind>, Option<i64>)> {
        let (mut kind, mut window) = (None, None);
        for argument in arguments {
            let argument = self.resolve(argument)?;
            let Syntax::Text(text) = &argument.kind else {
                return Err(fault(argument.position, A_DURATION, argument.describe()));
            };
            if window.is_none()
                && let Some(duration) = duration(text)
            {
                window = Some(duration);
            } else if has_kind && kind.is_none() && window.is_none() {
                kind = Kind::from_name(text);
                if kind.is_none() {
                    let known = Kind::ALL.map(Kind::as_str);
                    let expected =
                        expected_name("a duration, or a kind of interaction", text, &known);
                    return Err(fault(argument.position, expected, quoted(text)));
                }
            } else {
                return Err(fault(argument.position, A_DURATION, argument.describe()));
            }
        }
        Ok((kind, window))
    }

    /// Walks the history, or what of it lies in a window before now; keeps in mind until when the
    /// result will hold.
    fn walk(
        &mut self,
        position: usize,
        window: Option<i64>,
        visit: &mut dyn FnMut(Deed),
    ) -> Result<()> {
        let Some(history) = self.history else {
            return Err(fault(
                position,
                "no history here: this program is about items alone",
                "one",
            ));
        };
        self.use_history();
        let now = window.map(|_| self.now(position)).transpose()?;
        let (mut from, mut until) = (i64::MIN, i64::MAX);
        history.each(&mut |deed| {
            if let (Some(window), Some(now)) = (window, now) {
                // The moment at which it falls out of the window.
                let leaves = deed.at_ms.saturating_add(window + 1);
                if leaves <= now {
                    from = from.max(leaves);
                    return;
                }
                until = until.min(leaves);
            }
            visit(deed);
        })?;
        self.holds_between(from, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in
            [("1h", 3_600_000), ("30d", 30 * DAY_MS), ("0w", 0), ("2y", 730 * DAY_MS)]
        {
            assert_eq!(duration(text), Some(ms), "{text}");
        }
        for text in ["", "d", "30", "-1d", "1.5d", "1m", "1234567d", "1 d", "１d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
