//! Syntax tree to tests over one archive: names become columns, strings become codes, numbers
//! become bounds on the stored values. All type errors are found here.

use super::Node;
use super::parse::{At, Comparison, Literal, Syntax, Test};
use crate::catalog::Catalog;
use crate::catalog::column::{Column, Value};
use crate::error::{Error, Number, Result, quoted};
use crate::format::FieldKind;

pub(super) fn compile(catalog: Catalog<'_>, syntax: &Syntax) -> Result<Node> {
    let all = |parts: &[Syntax]| parts.iter().map(|p| compile(catalog, p)).collect::<Result<_>>();
    Ok(match syntax {
        Syntax::And(parts) => Node::And(all(parts)?),
        Syntax::Or(parts) => Node::Or(all(parts)?),
        Syntax::Not(part) => Node::Not(Box::new(compile(catalog, part)?)),
        Syntax::Test(name, test) => {
            let Some((field, column)) =
                catalog.columns().enumerate().find(|(_, c)| c.name() == name.it)
            else {
                return Err(Error::Filter {
                    position: name.position,
                    expected: catalog.expected_name(&name.it),
                    found: quoted(&name.it),
                });
            };
            compile_test(&Subject { field, column, name }, test)?
        }
    })
}

/// The column a test is about.
struct Subject<'a> {
    field: usize,
    column: Column<'a>,
    name: &'a At<String>,
}

impl Subject<'_> {
    #[cold]
    #[inline(never)]
    fn mismatch<T>(&self, position: usize, expected: &str, found: impl Into<String>) -> Result<T> {
        let kind = self.column.kind().as_str();
        let expected = format!("{expected} for {} of kind {kind}", quoted(&self.name.it));
        Err(Error::Filter { position, expected, found: found.into() })
    }
}

fn compile_test(subject: &Subject<'_>, test: &Test) -> Result<Node> {
    let field = subject.field;
    let kind = subject.column.kind();
    match test {
        Test::Exists => Ok(Node::Exists { field }),
        Test::IsTrue if kind == FieldKind::Flag => Ok(Node::Flag { field, is: true }),
        Test::IsTrue => subject.mismatch(subject.name.position, "an operator", "none"),
        Test::HasAny(list) if kind == FieldKind::Tags => codes(subject, list),
        Test::HasAll(list) if kind == FieldKind::Tags => {
            let each = list.iter().map(|l| codes(subject, std::slice::from_ref(l)));
            Ok(Node::And(each.collect::<Result<_>>()?))
        }
        Test::HasAny(_) | Test::HasAll(_) => {
            subject.mismatch(subject.name.position, "a comparison or \"in\"", "\"has\"")
        }
        Test::In(list) => match kind {
            FieldKind::Category => codes(subject, list),
            FieldKind::Integer | FieldKind::Real | FieldKind::Date => {
                let each = list.iter().map(|l| compare(subject, Comparison::Equal, l));
                Ok(Node::Or(each.collect::<Result<_>>()?))
            }
            FieldKind::Tags => subject.mismatch(subject.name.position, "\"has any\"", "\"in\""),
            _ => subject.mismatch(subject.name.position, "no list", "\"in\""),
        },
        Test::Between(low, high) => Ok(Node::And(vec![
            compare(subject, Comparison::GreaterOrEqual, low)?,
            compare(subject, Comparison::LessOrEqual, high)?,
        ])),
        Test::Compare(comparison, literal) => compare(subject, *comparison, literal),
    }
}

/// The category, or one of the tags, is one of these strings. A string that no item has is no
/// error: catalogs change, and a saved filter must not break with them.
#[inline(never)]
fn codes(subject: &Subject<'_>, list: &[At<Literal>]) -> Result<Node> {
    let mut accept = vec![false; subject.column.n_distinct()];
    for literal in list {
        let Literal::Text(text) = &literal.it else {
            return subject.mismatch(literal.position, "a string", describe(&literal.it));
        };
        if let Some(code) = subject.column.code(text)? {
            accept[code] = true;
        }
    }
    Ok(Node::Codes { field: subject.field, accept })
}

fn describe(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => format!("the string {}", quoted(text)),
        Literal::Number(x) => format!("the number {}", Number(*x)),
        Literal::Flag(x) => format!("{x}"),
    }
}

/// `value COMPARISON literal`; false where there is no value, `!=` included.
fn compare(subject: &Subject<'_>, comparison: Comparison, literal: &At<Literal>) -> Result<Node> {
    if comparison == Comparison::NotEqual {
        let equal = compare(subject, Comparison::Equal, literal)?;
        let exists = Node::Exists { field: subject.field };
        return Ok(Node::And(vec![exists, Node::Not(Box::new(equal))]));
    }
    let field = subject.field;
    match (subject.column.kind(), &literal.it) {
        (FieldKind::Flag, Literal::Flag(is)) if comparison == Comparison::Equal => {
            Ok(Node::Flag { field, is: *is })
        }
        (FieldKind::Category, Literal::Text(_)) if comparison == Comparison::Equal => {
            codes(subject, std::slice::from_ref(literal))
        }
        (FieldKind::Integer, Literal::Number(x)) => Ok(range(subject, comparison, *x)),
        (FieldKind::Real, Literal::Number(x)) if subject.column.is_float() => {
            let (low, high) = match comparison {
                Comparison::Equal | Comparison::NotEqual => (*x, *x),
                Comparison::Less | Comparison::LessOrEqual => (f64::MIN, *x),
                Comparison::Greater | Comparison::GreaterOrEqual => (*x, f64::MAX),
            };
            let (low_open, high_open) =
                (comparison == Comparison::Greater, comparison == Comparison::Less);
            Ok(Node::Float { field, low, high, low_open, high_open })
        }
        (FieldKind::Real, Literal::Number(x)) => Ok(range(subject, comparison, *x)),
        (FieldKind::Date, Literal::Text(text)) => match crate::date::parse_days(text) {
            Some(days) => Ok(range(subject, comparison, days as f64)),
            None => subject.mismatch(
                literal.position,
                "a date like \"1999-12-31\"",
                describe(&literal.it),
            ),
        },
        (kind, found) => {
            let expected = match kind {
                FieldKind::Flag => "== or != with true or false",
                FieldKind::Category => "== or != with a string",
                FieldKind::Integer | FieldKind::Real => "a number",
                FieldKind::Date => "a date like \"1999-12-31\"",
                FieldKind::Tags => "\"has\"",
                FieldKind::Text => "no test but exists(...)",
            };
            subject.mismatch(literal.position, expected, describe(found))
        }
    }
}

/// Raw values are differences to a base, so a comparison with `x` is a range of raw values. The
/// ends are found by bisection on what a raw value *means*, with the very comparison that the
/// language promises: no arithmetic on bounds that could round or overflow.
fn range(subject: &Subject<'_>, comparison: Comparison, x: f64) -> Node {
    let column = subject.column;
    let largest = match column.packed().1 {
        8 => u64::MAX,
        width => (1u64 << (8 * width)) - 1,
    };
    // The number of raw values in 0..=largest before the first that satisfies a monotone test.
    let before_first = |holds: &dyn Fn(std::cmp::Ordering) -> bool| -> Option<u64> {
        let satisfied = |raw| holds(compare_number(&column.number(raw), x));
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
    let first_at_least = before_first(&std::cmp::Ordering::is_ge);
    let first_above = before_first(&std::cmp::Ordering::is_gt);
    let field = subject.field;
    let none = Node::Range { field, low: 1, high: 0 };
    let up_to = |first: Option<u64>| match first {
        None => Node::Range { field, low: 0, high: largest },
        Some(0) => none.clone(),
        Some(first) => Node::Range { field, low: 0, high: first - 1 },
    };
    let from = |first: Option<u64>| match first {
        None => none.clone(),
        Some(low) => Node::Range { field, low, high: largest },
    };
    match comparison {
        Comparison::Less => up_to(first_at_least),
        Comparison::LessOrEqual => up_to(first_above),
        Comparison::Greater => from(first_above),
        Comparison::GreaterOrEqual => from(first_at_least),
        Comparison::Equal | Comparison::NotEqual => {
            Node::And(vec![from(first_at_least), up_to(first_above)])
        }
    }
}

/// A column's number against a literal, exactly: whole numbers beyond 2^53 are not rounded.
fn compare_number(value: &Value<'_>, x: f64) -> std::cmp::Ordering {
    match value {
        Value::Integer(whole) | Value::Date(whole) => {
            // Both are exact in i128 once the literal is split into floor and fraction.
            let floor = x.floor();
            if floor >= 1e19 {
                return std::cmp::Ordering::Less;
            }
            if floor <= -1e19 {
                return std::cmp::Ordering::Greater;
            }
            i128::from(*whole).cmp(&(floor as i128)).then(0.0f64.total_cmp(&(x - floor)))
        }
        other => other.as_number().map_or(std::cmp::Ordering::Less, |n| n.total_cmp(&(x + 0.0))),
    }
}
