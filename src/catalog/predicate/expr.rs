//! A program as a tree, whatever its spelling: what the two readers make, the writers print and
//! the compiler types.

use super::{MAX_DEPTH, json, text, write};
use crate::edit_distance::edit_distance;
use crate::error::{Error, Result, quoted};

/// Longest program as text, in bytes.
const MAX_TEXT: usize = 10_000;
/// Longest program as JSON, in bytes: every text of the permitted length has a JSON spelling of
/// this length (`a+a+a` is the least dense, `{"field":"a"},` for two bytes).
pub(super) const MAX_JSON: usize = 100_000;

/// What a call computes. The names are the words and symbols of both spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Or,
    And,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Between,
    In,
    Has,
    Any,
    All,
    Add,
    /// With one argument: negation.
    Subtract,
    Multiply,
    Divide,
    Exists,
    Age,
    Seen,
    Liked,
    Disliked,
    Count,
}

/// Every operation: its name, and the fewest and the most arguments it takes.
pub(super) const OPS: [(Op, &str, usize, usize); 24] = [
    (Op::Or, "or", 0, usize::MAX),
    (Op::And, "and", 0, usize::MAX),
    (Op::Not, "not", 1, 1),
    (Op::Equal, "==", 2, 2),
    (Op::NotEqual, "!=", 2, 2),
    (Op::Less, "<", 2, 2),
    (Op::LessOrEqual, "<=", 2, 2),
    (Op::Greater, ">", 2, 2),
    (Op::GreaterOrEqual, ">=", 2, 2),
    (Op::Between, "between", 3, 3),
    (Op::In, "in", 2, 2),
    (Op::Has, "has", 2, 2),
    (Op::Any, "any", 2, 2),
    (Op::All, "all", 2, 2),
    (Op::Add, "+", 2, usize::MAX),
    (Op::Subtract, "-", 1, 2),
    (Op::Multiply, "*", 2, usize::MAX),
    (Op::Divide, "/", 2, 2),
    (Op::Exists, "exists", 1, 1),
    (Op::Age, "age", 1, 1),
    (Op::Seen, "seen", 0, 1),
    (Op::Liked, "liked", 0, 1),
    (Op::Disliked, "disliked", 0, 1),
    (Op::Count, "count", 0, 2),
];

/// Those that text writes as `name(arguments)`.
const FIRST_FUNCTION: usize = 18;

impl Op {
    /// Its name in both spellings.
    pub(super) fn name(self) -> &'static str {
        OPS[self as usize].1
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        OPS.iter().find(|op| op.1 == name).map(|op| op.0)
    }

    /// The function with this name, as text calls it.
    pub(super) fn function(name: &str) -> Option<Self> {
        OPS[FIRST_FUNCTION..].iter().find(|op| op.1 == name).map(|op| op.0)
    }

    /// Names that text calls functions by.
    pub(super) fn functions() -> impl Iterator<Item = &'static str> {
        OPS[FIRST_FUNCTION..].iter().map(|op| op.1)
    }

    /// Whether text writes it as `name(arguments)`.
    pub(super) const fn is_function(self) -> bool {
        self as usize >= FIRST_FUNCTION
    }
}

/// A program of the language: read from text or JSON, not yet tied to an archive.
///
#[doc = include_str!("../../../LANGUAGE.md")]
///
/// # Programs as values
/// Two programs are equal where they do the same in the same order; where they stood in their
/// text, how they were spelled and superfluous parentheses make no difference.
///
/// ```
/// use nearfield::Expr;
///
/// let program = Expr::read(r#"genres has "jazz" and not explicit"#)?;
/// let json = r#"{"and":[{"has":[{"field":"genres"},"jazz"]},{"not":{"field":"explicit"}}]}"#;
/// assert_eq!(program.to_json(), json);
/// assert_eq!(Expr::read(json)?, program);
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expr {
    /// Where it began in its text, in characters.
    pub(super) position: usize,
    depth: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Expr>),
    Field(String),
    Param(String),
    Call(Op, Vec<Expr>),
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Expr {
    /// Reads a program in either spelling: what begins with `{` is JSON, since no text does.
    ///
    /// # Errors
    /// [`Error::Filter`] with the position of the first wrong character, what was expected there
    /// and what was found.
    pub fn read(program: &str) -> Result<Self> {
        if program.bytes().find(|byte| !byte.is_ascii_whitespace()) == Some(b'{') {
            json::read(program, MAX_JSON)
        } else {
            text::read(program, MAX_TEXT)
        }
    }

    /// The program as text, with no more parentheses than it needs: what [`Expr::read`] reads as
    /// this very program. Strings are written with JSON's escapes.
    ///
    /// The text is canonical: programs are equal exactly where their texts are, however they were
    /// spelled. Who only wants to know whether two programs are one compares them (`==`), which
    /// costs a module that prints no numbers nothing.
    #[must_use]
    pub fn to_text(&self) -> String {
        write::text(self)
    }

    /// The program as JSON, without spaces: what [`Expr::read`] reads as this very program. A
    /// program that is a single literal or parameter is written alike in both spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        write::json(self)
    }

    const fn leaf(position: usize, kind: Kind) -> Self {
        Self { position, depth: 1, kind }
    }

    pub(super) const fn flag(position: usize, it: bool) -> Self {
        Self::leaf(position, Kind::Flag(it))
    }

    /// Zero has no sign: `-0` and `0` are one program, and are written alike.
    pub(super) const fn number(position: usize, it: f64) -> Self {
        Self::leaf(position, Kind::Number(it + 0.0))
    }

    pub(super) const fn text(position: usize, it: String) -> Self {
        Self::leaf(position, Kind::Text(it))
    }

    pub(super) const fn field(position: usize, name: String) -> Self {
        Self::leaf(position, Kind::Field(name))
    }

    pub(super) const fn param(position: usize, name: String) -> Self {
        Self::leaf(position, Kind::Param(name))
    }

    /// Whether it is a value on its own.
    pub(super) fn is_literal(&self) -> bool {
        match &self.kind {
            Kind::List(all) => all.iter().all(Self::is_literal),
            kind => matches!(kind, Kind::Flag(_) | Kind::Number(_) | Kind::Text(_)),
        }
    }

    /// A list of literals and parameters.
    pub(super) fn list(position: usize, all: Vec<Self>) -> Result<Self> {
        for one in &all {
            if matches!(one.kind, Kind::List(_) | Kind::Field(_) | Kind::Call(..)) {
                return Err(fault(one.position, "a literal or a parameter", "something else"));
            }
        }
        Ok(Self { position, depth: 2, kind: Kind::List(all) })
    }

    /// A call. What is the same program becomes the same tree: `and` within `and`, `(a + b) + c`,
    /// the negation of a number, `and` of one thing or of none.
    #[inline(never)]
    pub(super) fn call(position: usize, op: Op, mut arguments: Vec<Self>) -> Result<Self> {
        let (_, name, least, most) = OPS[op as usize];
        if !(least..=most).contains(&arguments.len()) {
            let expected = match (least, most) {
                (0, 1) => "at most one argument",
                (0, _) => "at most two arguments",
                (1, 1) => "one argument",
                (2, usize::MAX) => "at least two arguments",
                (1, _) => "one or two arguments",
                (3, _) => "three arguments",
                _ => "two arguments",
            };
            let found = format!("{}", arguments.len());
            return Err(fault(position, format!("{expected} of {}", quoted(name)), found));
        }
        if op == Op::Subtract
            && let [Self { kind: Kind::Number(x), .. }] = arguments[..]
        {
            return Ok(Self::number(position, -x));
        }
        let is_logical = matches!(op, Op::And | Op::Or);
        if is_logical && arguments.len() < 2 {
            return Ok(arguments.pop().unwrap_or_else(|| Self::flag(position, op == Op::And)));
        }
        if is_logical || matches!(op, Op::Add | Op::Multiply) {
            let mut flat = Vec::new();
            for (i, argument) in arguments.into_iter().enumerate() {
                match argument.kind {
                    // Not `a + (b + c)`: it rounds otherwise.
                    Kind::Call(inner, more) if inner == op && (i == 0 || is_logical) => {
                        if i == 0 {
                            flat = more
                        } else {
                            flat.extend(more)
                        }
                    }
                    _ => flat.push(argument),
                }
            }
            arguments = flat;
        }
        let depth = 1 + arguments.iter().map(|a| a.depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(fault(position, "at most 64 levels of nesting", "more"));
        }
        Ok(Self { position, depth, kind: Kind::Call(op, arguments) })
    }
}

/// An [`Error::Filter`].
#[cold]
#[inline(never)]
pub(super) fn fault(
    position: usize,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Error {
    Error::Filter { position, expected: expected.into(), found: found.into() }
}

/// What an unknown name should have been: the nearest one, or the list of all.
#[cold]
#[inline(never)]
pub(crate) fn expected_name(what: &str, name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|k| (edit_distance(name, k), *k))
        .filter(|(distance, nearest)| *distance as usize <= nearest.len() / 2)
        .min();
    match nearest {
        Some((_, nearest)) => format!("{what} (did you mean {}?)", quoted(nearest)),
        None => format!("{what}, one of: {}", known.join(", ")),
    }
}
