//! Comparisons with a literal as ranges of stored numbers.

use std::cmp::Ordering;

use super::node::Comparison;
use crate::catalog::column::{Column, Value};

/// The stored numbers whose meaning compares so with `x`: from the first to the last, or `None`
/// where there are none. `NotEqual` is no range and is asked for as `Equal`.
///
/// Stored numbers are differences to a base, so what a comparison selects is a range of them. Its
/// ends are found by bisection on what a stored number *means*, with the very comparison that the
/// language promises: no arithmetic on bounds that could round or overflow.
pub(super) fn bounds(column: Column<'_>, comparison: Comparison, x: f64) -> Option<(u64, u64)> {
    let largest = match column.packed().1 {
        8 => u64::MAX,
        width => (1u64 << (8 * width)) - 1,
    };
    // The first stored number that satisfies a monotone test.
    let first = |holds: fn(Ordering) -> bool| -> Option<u64> {
        let satisfied = |raw| holds(compare(&column.number(raw), x));
        if !satisfied(largest) {
            return None;
        }
        let (mut low, mut high) = (0, largest);
        while low < high {
            let middle = low + (high - low) / 2;
            if satisfied(middle) { high = middle } else { low = middle + 1 }
        }
        Some(low)
    };
    let (at_least, above) = (first(Ordering::is_ge), first(Ordering::is_gt));
    let (low, end) = match comparison {
        Comparison::Less => (Some(0), at_least),
        Comparison::LessOrEqual => (Some(0), above),
        Comparison::Greater => (above, None),
        Comparison::GreaterOrEqual => (at_least, None),
        Comparison::Equal | Comparison::NotEqual => (at_least, above),
    };
    let high = match end {
        Some(end) => end.checked_sub(1)?,
        None => largest,
    };
    low.filter(|low| *low <= high).map(|low| (low, high))
}

/// A column's number against a literal, exactly: whole numbers beyond 2^53 are not rounded.
fn compare(value: &Value<'_>, x: f64) -> Ordering {
    match value {
        Value::Integer(whole) | Value::Date(whole) => {
            // Both are exact in i128 once the literal is split into floor and fraction.
            let floor = x.floor();
            if floor >= 1e19 {
                return Ordering::Less;
            }
            if floor <= -1e19 {
                return Ordering::Greater;
            }
            i128::from(*whole).cmp(&(floor as i128)).then(0.0f64.total_cmp(&(x - floor)))
        }
        other => other.as_number().map_or(Ordering::Less, |n| n.total_cmp(&(x + 0.0))),
    }
}
