//! Tree to program: names become columns, strings become codes, numbers become bounds on the
//! stored values, history predicates become sets. All type errors are found here.

use super::bounds::bounds;
use super::expr::{Expr, Kind, Op, expected_name, fault};
use super::history::{A_DURATION, DAY_MS, History, duration};
use super::node::{Comparison, Node, Number};
use crate::catalog::Catalog;
use crate::error::{self, Result, quoted};
use crate::format::FieldKind;

/// What a program is compiled for.
pub(super) struct Compiler<'a> {
    pub(super) catalog: Catalog<'a>,
    pub(super) params: &'a [(String, Expr)],
    pub(super) now_ms: Option<i64>,
    pub(super) history: Option<&'a dyn History>,
    pub(super) uses_history: bool,
    /// The moments for which the program would come out the same: from the first up to, and not
    /// with, the second.
    pub(super) holds: (i64, i64),
}

/// A part of a program with its type.
enum Typed<'e> {
    Flag(Node),
    Number(Number),
    /// Days since 1970-01-01.
    Date(Number),
    Text(&'e str),
    Category(usize),
    Tags(usize),
    /// A column of texts, which only `exists` looks at.
    Prose,
    List,
}

/// Most runs of codes that are compared with one after the other.
const MOST_RUNS: usize = 4;

const A_DATE: &str = "a date like \"1999-12-31\" or age(\"30d\")";

impl<'a> Compiler<'a> {
    /// A program that is true or false.
    pub(super) fn condition(&mut self, expr: &Expr) -> Result<Node> {
        match self.part(expr)? {
            Typed::Flag(node) => Ok(node),
            _ => self.mismatch(expr, expr, "a condition: an operator", expr),
        }
    }

    /// A program that is a number; true counts as 1 and false as 0.
    pub(super) fn number(&mut self, expr: &Expr) -> Result<Number> {
        match self.part(expr)? {
            Typed::Number(number) => Ok(number),
            Typed::Flag(node) => Ok(Number::Flag(Box::new(node))),
            _ => self.mismatch(expr, expr, "a number", expr),
        }
    }

    #[inline(never)]
    fn part<'e>(&mut self, expr: &'e Expr) -> Result<Typed<'e>>
    where
        'a: 'e,
    {
        let expr = self.resolve(expr)?;
        Ok(match &expr.kind {
            Kind::Flag(is) => Typed::Flag(Node::Const(*is)),
            Kind::Number(x) => Typed::Number(Number::Const(*x)),
            Kind::Text(text) => Typed::Text(text),
            Kind::List(_) => Typed::List,
            // Parameters were put in their place above.
            Kind::Field(name) | Kind::Param(name) => {
                let field = self.field(expr.position, name)?;
                match self.catalog.nth(field).kind() {
                    FieldKind::Flag => Typed::Flag(Node::Flag(field, true)),
                    FieldKind::Category => Typed::Category(field),
                    FieldKind::Tags => Typed::Tags(field),
                    FieldKind::Integer | FieldKind::Real => Typed::Number(Number::Field(field)),
                    FieldKind::Date => Typed::Date(Number::Field(field)),
                    FieldKind::Text => Typed::Prose,
                }
            }
            Kind::Call(op, arguments) => self.call(expr, *op, arguments)?,
        })
    }

    #[inline(never)]
    fn field(&self, position: usize, name: &str) -> Result<usize> {
        self.catalog
            .columns()
            .position(|c| c.name() == name)
            .ok_or_else(|| fault(position, self.catalog.expected_name(name), quoted(name)))
    }

    /// A parameter's value for the parameter, anything else for itself.
    #[inline(never)]
    pub(super) fn resolve<'e>(&self, expr: &'e Expr) -> Result<&'e Expr>
    where
        'a: 'e,
    {
        let Kind::Param(name) = &expr.kind else { return Ok(expr) };
        let params: &'a [(String, Expr)] = self.params;
        params.iter().find(|p| p.0 == *name).map(|p| &p.1).ok_or_else(|| {
            let known: Vec<&str> = params.iter().map(|p| p.0.as_str()).collect();
            let expected = expected_name("a parameter given with the request", name, &known);
            fault(expr.position, expected, quoted(name))
        })
    }

    fn call(&mut self, expr: &Expr, op: Op, arguments: &[Expr]) -> Result<Typed<'static>> {
        let node = match (op, arguments) {
            (Op::And | Op::Or, _) => {
                let mut parts = Vec::new();
                for argument in arguments {
                    self.condition(argument)?.add_to(&mut parts);
                }
                if op == Op::And { Node::And(parts) } else { Node::Or(parts) }
            }
            (Op::Not, [part]) => Node::Not(Box::new(self.condition(part)?)),
            (Op::Exists, [it]) => match &it.kind {
                Kind::Field(name) => Node::Exists(self.field(it.position, name)?),
                _ => return Err(fault(it.position, "a column", it.describe())),
            },
            (Op::Between, [it, low, high]) => {
                let from = self.compare(Comparison::GreaterOrEqual, it, low)?;
                let to = self.compare(Comparison::LessOrEqual, it, high)?;
                both(from, to)
            }
            (Op::In, [it, list]) => self.among(it, list)?,
            (Op::Has | Op::Any | Op::All, [it, what]) => self.has(op, it, what)?,
            (Op::Seen | Op::Liked | Op::Disliked, _) => self.set(expr.position, op, arguments)?,
            (Op::Count, _) => return Ok(Typed::Number(self.count(expr.position, arguments)?)),
            (Op::Age, [it]) => return self.age(expr.position, it),
            (Op::Add | Op::Multiply, _) => {
                let parts = arguments.iter().map(|a| self.number(a)).collect::<Result<_>>()?;
                return Ok(Typed::Number(match op {
                    Op::Add => Number::Sum(parts),
                    _ => Number::Product(parts),
                }));
            }
            (Op::Subtract | Op::Divide, [a, b]) => {
                let (a, b) = (Box::new(self.number(a)?), Box::new(self.number(b)?));
                return Ok(Typed::Number(match op {
                    Op::Subtract => Number::Difference(a, b),
                    _ => Number::Quotient(a, b),
                }));
            }
            (Op::Subtract, [it]) => {
                let zero = Box::new(Number::Const(0.0));
                return Ok(Typed::Number(Number::Difference(zero, Box::new(self.number(it)?))));
            }
            (op, [a, b]) => self.compare(comparison(op), a, b)?,
            // Numbers of arguments were checked when the tree was made.
            _ => return Err(fault(expr.position, "other arguments", quoted(op.name()))),
        };
        Ok(Typed::Flag(node))
    }

    /// `age("30d")`: the day that long ago. `age(released)`: how many days ago that was.
    fn age(&mut self, position: usize, it: &Expr) -> Result<Typed<'static>> {
        let back = match self.part(it)? {
            Typed::Text(text) => duration(text),
            Typed::Date(Number::Field(_)) => Some(0),
            _ => None,
        };
        let Some(back) = back else {
            let expected = format!("a date column, or {A_DURATION}");
            return Err(fault(it.position, expected, it.describe()));
        };
        let day = (self.now(position)? - back).div_euclid(DAY_MS);
        self.holds_between(day * DAY_MS + back, (day + 1) * DAY_MS + back);
        let day = Number::Const(day as f64);
        Ok(match self.part(it)? {
            Typed::Date(date) => Typed::Number(Number::Difference(Box::new(day), Box::new(date))),
            _ => Typed::Date(day),
        })
    }

    pub(super) fn now(&self, position: usize) -> Result<i64> {
        self.now_ms
            .ok_or_else(|| fault(position, "no age here: this program is given no moment", "one"))
    }

    pub(super) fn use_history(&mut self) {
        self.uses_history = true;
    }

    /// Notes that the program would come out otherwise before `from`, and from `until` on.
    pub(super) fn holds_between(&mut self, from: i64, until: i64) {
        self.holds = (self.holds.0.max(from), self.holds.1.min(until));
    }

    /// `value COMPARISON value`; false where one of them is missing, `!=` included.
    #[inline(never)]
    fn compare(&mut self, comparison: Comparison, a: &Expr, b: &Expr) -> Result<Node> {
        let (left, right) = (self.part(a)?, self.part(b)?);
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        Ok(match (left, right) {
            // What stands on the left is what a test is about.
            (left @ (Typed::Text(_) | Typed::Number(Number::Const(_))), right)
                if !matches!(right, Typed::Text(_) | Typed::Number(Number::Const(_))) =>
            {
                self.pair(comparison.mirrored(), (b, right), (a, left))?
            }
            (Typed::Flag(Node::Const(is)), Typed::Flag(node)) if is_equality => {
                equals(b, node, is == (comparison == Comparison::Equal))
            }
            (left, right) => self.pair(comparison, (a, left), (b, right))?,
        })
    }

    fn pair(
        &mut self,
        comparison: Comparison,
        (a, left): (&Expr, Typed<'_>),
        (b, right): (&Expr, Typed<'_>),
    ) -> Result<Node> {
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let expected = match (left, right) {
            (Typed::Flag(node), Typed::Flag(Node::Const(is))) if is_equality => {
                return Ok(equals(a, node, is == (comparison == Comparison::Equal)));
            }
            (Typed::Number(left), Typed::Number(right))
            | (Typed::Date(left), Typed::Date(right)) => {
                return Ok(self.numbers(comparison, left, right));
            }
            (Typed::Date(left), Typed::Text(text)) => match crate::date::parse_days(text) {
                Some(days) => {
                    return Ok(self.numbers(comparison, left, Number::Const(days as f64)));
                }
                None => A_DATE,
            },
            (Typed::Category(field), Typed::Text(_)) if is_equality => {
                let node = self.codes(field, a, std::slice::from_ref(b))?;
                return Ok(unless(comparison, field, node));
            }
            (Typed::Flag(_), _) => "== or != with true or false",
            (Typed::Category(_), _) => "== or != with a string",
            (Typed::Number(_), _) => "a number",
            (Typed::Date(_), _) => A_DATE,
            (Typed::Tags(_), _) => "\"has\"",
            (Typed::Prose, _) => "no test but exists(...)",
            (Typed::Text(_) | Typed::List, _) => "a column on one side",
        };
        self.mismatch(a, b, expected, b)
    }

    #[inline(never)]
    fn numbers(&self, comparison: Comparison, left: Number, right: Number) -> Node {
        if let (Number::Field(field), Number::Const(x)) = (&left, &right)
            && !self.catalog.nth(*field).is_float()
        {
            let range = bounds(self.catalog.nth(*field), comparison, *x);
            let node =
                range.map_or(Node::NONE, |(low, high)| Node::Range { field: *field, low, high });
            return unless(comparison, *field, node);
        }
        Node::Compare(comparison, left, right)
    }

    /// `value in list`.
    fn among(&mut self, it: &Expr, list: &Expr) -> Result<Node> {
        let list = self.resolve(list)?;
        let Kind::List(all) = &list.kind else {
            return self.mismatch(it, list, "a list", list);
        };
        match self.part(it)? {
            Typed::Category(field) => self.codes(field, it, all),
            Typed::Number(_) | Typed::Date(_) => {
                let each = all.iter().map(|one| self.compare(Comparison::Equal, it, one));
                Ok(Node::Or(each.collect::<Result<_>>()?))
            }
            Typed::Tags(_) => self.mismatch(it, it, "\"has any\"", list),
            _ => self.mismatch(it, it, "no list", list),
        }
    }

    fn has(&mut self, op: Op, it: &Expr, what: &Expr) -> Result<Node> {
        let Typed::Tags(field) = self.part(it)? else {
            return self.mismatch(it, it, "a comparison or \"in\"", &Expr::word("has"));
        };
        let what = self.resolve(what)?;
        let list = match &what.kind {
            Kind::List(all) if op != Op::Has => &all[..],
            Kind::Text(_) if op == Op::Has => std::slice::from_ref(what),
            _ if op == Op::Has => return self.mismatch(it, what, "a string", what),
            _ => return self.mismatch(it, what, "a list of strings", what),
        };
        if op == Op::All {
            let each = list.iter().map(|one| self.codes(field, it, std::slice::from_ref(one)));
            return Ok(Node::And(each.collect::<Result<_>>()?));
        }
        self.codes(field, it, list)
    }

    /// The category, or one of the tags, is one of these strings. A string that no item has is no
    /// error: catalogs change, and a saved filter must not break with them.
    fn codes(&mut self, field: usize, it: &Expr, list: &[Expr]) -> Result<Node> {
        let column = self.catalog.nth(field);
        let mut accept = vec![false; column.n_distinct()];
        for one in list {
            let one = self.resolve(one)?;
            let Kind::Text(text) = &one.kind else {
                return self.mismatch(it, one, "a string", one);
            };
            if let Some(code) = column.code(text)? {
                accept[code] = true;
            }
        }
        // A few runs of codes are compared faster than looked up.
        let mut runs = Vec::new();
        let mut at = 0;
        for run in accept.chunk_by(|a, b| a == b) {
            if run[0] {
                runs.push((at as u64, (at + run.len() - 1) as u64));
            }
            at += run.len();
        }
        if runs.len() > MOST_RUNS {
            return Ok(Node::Codes(field, accept));
        }
        let is_tags = column.kind() == FieldKind::Tags;
        let test = |(low, high)| match is_tags {
            true => Node::Tags { field, low, high },
            false => Node::Range { field, low, high },
        };
        Ok(match runs[..] {
            [run] => test(run),
            _ => Node::Or(runs.into_iter().map(test).collect()),
        })
    }

    /// A type error at `at` about `subject`, which names the column where it is one.
    #[cold]
    #[inline(never)]
    fn mismatch<T>(&self, subject: &Expr, at: &Expr, expected: &str, found: &Expr) -> Result<T> {
        let column = match &subject.kind {
            Kind::Field(name) => self.catalog.column(name).ok(),
            _ => None,
        };
        let expected = match column {
            Some(column) => {
                let (name, kind) = (quoted(column.name()), column.kind().as_str());
                format!("{expected} for {name} of kind {kind}")
            }
            None => expected.to_owned(),
        };
        Err(fault(at.position, expected, found.describe()))
    }
}

const fn comparison(op: Op) -> Comparison {
    match op {
        Op::Equal => Comparison::Equal,
        Op::NotEqual => Comparison::NotEqual,
        Op::Less => Comparison::Less,
        Op::LessOrEqual => Comparison::LessOrEqual,
        Op::Greater => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    }
}

/// A test, or its opposite. A flag column is like other columns: comparing it with either is false
/// where it has no value. (A test of one, `(explicit == true) == false`, is true or false.)
fn equals(it: &Expr, node: Node, is: bool) -> Node {
    match node {
        Node::Flag(field, _) if matches!(it.kind, Kind::Field(_)) => Node::Flag(field, is),
        node if is => node,
        node => Node::Not(Box::new(node)),
    }
}

/// For `!=`, the items that have a value and are not these.
fn unless(comparison: Comparison, field: usize, node: Node) -> Node {
    if comparison != Comparison::NotEqual {
        return node;
    }
    Node::And(vec![Node::Exists(field), Node::Not(Box::new(node))])
}

/// Both tests; two ranges of one column are one.
fn both(a: Node, b: Node) -> Node {
    match (a, b) {
        (
            Node::Range { field, low, high },
            Node::Range { field: other, low: low_too, high: high_too },
        ) if field == other => {
            let (low, high) = (low.max(low_too), high.min(high_too));
            if low <= high { Node::Range { field, low, high } } else { Node::NONE }
        }
        (a, b) => Node::And(vec![a, b]),
    }
}

impl Expr {
    /// A word of the language, for messages.
    fn word(word: &str) -> Self {
        Self::field(0, word.to_owned())
    }

    /// What it is, in a few words.
    #[cold]
    #[inline(never)]
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            Kind::Flag(is) => format!("{is}"),
            Kind::Number(x) => format!("the number {}", error::Number(*x)),
            Kind::Text(text) => format!("the string {}", quoted(text)),
            Kind::List(_) => "a list".into(),
            Kind::Field(name) => quoted(name),
            Kind::Param(name) => format!("the parameter {}", quoted(name)),
            Kind::Call(op, _) => quoted(op.name()),
        }
    }
}
