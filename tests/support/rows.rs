//! The language a second time: programs evaluated one item at a time, from their JSON, by the
//! plainest code. It shares nothing with the engine but reading values and dates.

use nearfield::{Catalog, Deed, History, Kind, Ordinal, SeededRng, Value, parse_days};
use serde_json::Value as Json;

/// The moment of all requests, in the middle of a day.
pub const NOW: i64 = 1_700_000_000_000;
pub const DAY: i64 = 86_400_000;

/// A history of one person, oldest first.
pub struct Past(pub Vec<Deed>);

impl History for Past {
    fn each(&self, visit: &mut dyn FnMut(Deed)) -> nearfield::Result<()> {
        self.0.iter().for_each(|deed| visit(*deed));
        Ok(())
    }
}

/// A random history of two months, with items among the first `n`.
pub fn past(n: usize) -> Past {
    let mut rng = SeededRng::new(5, 0);
    let mut deeds: Vec<Deed> = (0..150)
        .map(|_| {
            let kind = Kind::ALL[rng.below(Kind::ALL.len())];
            let at_ms = NOW - rng.below(60 * DAY as usize) as i64;
            let weight = kind.default_weight().unwrap_or_else(|| rng.normal());
            Deed { item: Ordinal(rng.below(n) as u32), kind, at_ms, weight }
        })
        .collect();
    deeds.sort_by_key(|deed| deed.at_ms);
    Past(deeds)
}

/// What a program refers to.
pub struct Rows<'a> {
    pub catalog: Catalog<'a>,
    pub past: &'a Past,
    pub params: &'a Json,
}

/// What a part of a program is for one item; `None` where there is nothing.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Flag(Option<bool>),
    Number(Option<f64>),
    Date(Option<f64>),
    Text(Option<String>),
    Tags(Option<Vec<String>>),
}

impl Rows<'_> {
    /// Whether a program that compiles is true of an item.
    pub fn is_true(&self, program: &Json, item: Ordinal) -> bool {
        self.cell(program, item) == Cell::Flag(Some(true))
    }

    /// A program's number of an item.
    pub fn number(&self, program: &Json, item: Ordinal) -> Option<f64> {
        match self.cell(program, item) {
            Cell::Number(x) => x,
            // A missing flag is a flag that is not true.
            Cell::Flag(is) => Some(f64::from(u8::from(is == Some(true)))),
            other => panic!("{program} is {other:?}"),
        }
    }

    fn resolved<'b>(&'b self, program: &'b Json) -> &'b Json {
        match program.get("param") {
            Some(name) => &self.params[name.as_str().unwrap()],
            None => program,
        }
    }

    fn cell(&self, program: &Json, item: Ordinal) -> Cell {
        let program = self.resolved(program);
        let (op, arguments) = match program {
            Json::Bool(is) => return Cell::Flag(Some(*is)),
            Json::Number(x) => return Cell::Number(x.as_f64()),
            Json::String(text) => return Cell::Text(Some(text.clone())),
            Json::Object(call) => call.iter().next().unwrap(),
            other => panic!("{other} is no value"),
        };
        let one = [arguments.clone()];
        let arguments = arguments.as_array().map_or(&one[..], |all| &all[..]);
        let is = |part: &Json| self.is_true(part, item);
        let flag = |is| Cell::Flag(Some(is));
        match op.as_str() {
            "field" => self.column(arguments[0].as_str().unwrap(), item),
            "and" => flag(arguments.iter().all(is)),
            "or" => flag(arguments.iter().any(is)),
            "not" => flag(!is(&arguments[0])),
            "between" => flag(
                self.compare(">=", &arguments[0], &arguments[1], item)
                    && self.compare("<=", &arguments[0], &arguments[2], item),
            ),
            "in" => {
                let list = self.resolved(&arguments[1]).as_array().unwrap();
                flag(list.iter().any(|one| self.compare("==", &arguments[0], one, item)))
            }
            "has" | "any" | "all" => flag(self.has(op, &arguments[0], &arguments[1], item)),
            "+" | "*" | "-" | "/" => {
                let mut numbers = arguments.iter().map(|a| self.number(a, item));
                let first = numbers.next().unwrap();
                if arguments.len() == 1 {
                    return Cell::Number(first.map(|x| 0.0 - x));
                }
                let result = numbers.fold(first, |a, b| {
                    let (a, b) = (a?, b?);
                    let x = match op.as_str() {
                        "+" => a + b,
                        "*" => a * b,
                        "-" => a - b,
                        _ => a / b,
                    };
                    x.is_finite().then_some(x)
                });
                Cell::Number(result)
            }
            "exists" => {
                let name = arguments[0]["field"].as_str().unwrap();
                flag(self.catalog.column(name).unwrap().value(item).unwrap() != Value::Null)
            }
            "age" => match self.cell(&arguments[0], item) {
                Cell::Text(Some(text)) => {
                    Cell::Date(Some((NOW - duration(&text).unwrap()).div_euclid(DAY) as f64))
                }
                Cell::Date(day) => Cell::Number(day.map(|day| (NOW / DAY) as f64 - day)),
                other => panic!("age of {other:?}"),
            },
            "seen" => flag(self.deeds(arguments, item).any(|d| d.kind.is_seen())),
            "liked" | "disliked" => {
                let last = self.deeds(arguments, item).filter(|d| d.kind.is_statement()).last();
                let sign = if op == "liked" { 1.0 } else { -1.0 };
                flag(last.is_some_and(|d| d.weight * sign > 0.0))
            }
            "count" => {
                let texts = arguments.iter().map(|a| self.resolved(a).as_str().unwrap());
                let kind = texts.filter_map(Kind::from_name).next();
                let counts = |d: &Deed| kind.map_or(d.kind.is_seen(), |kind| d.kind == kind);
                Cell::Number(Some(self.deeds(arguments, item).filter(counts).count() as f64))
            }
            operator => flag(self.compare(operator, &arguments[0], &arguments[1], item)),
        }
    }

    fn column(&self, name: &str, item: Ordinal) -> Cell {
        use nearfield::FieldKind;
        let column = self.catalog.column(name).unwrap();
        let value = column.value(item).unwrap();
        match column.kind() {
            FieldKind::Flag => Cell::Flag(match value {
                Value::Flag(is) => Some(is),
                _ => None,
            }),
            FieldKind::Integer | FieldKind::Real => Cell::Number(value.as_number()),
            FieldKind::Date => Cell::Date(value.as_number()),
            FieldKind::Tags => Cell::Tags(match value {
                Value::Tags(tags) => Some(tags.into_iter().map(str::to_owned).collect()),
                _ => None,
            }),
            _ => Cell::Text((value != Value::Null).then(|| value.to_string())),
        }
    }

    fn compare(&self, operator: &str, a: &Json, b: &Json, item: Ordinal) -> bool {
        let day = |text: Option<String>| parse_days(&text.unwrap()).map(|day| day as f64);
        let ordering = match (self.cell(a, item), self.cell(b, item)) {
            (Cell::Flag(a), Cell::Flag(b)) => a.zip(b).map(|(a, b)| a.cmp(&b)),
            (Cell::Number(a), Cell::Number(b)) | (Cell::Date(a), Cell::Date(b)) => {
                a.zip(b).and_then(|(a, b)| a.partial_cmp(&b))
            }
            (Cell::Date(a), Cell::Text(b)) => a.zip(day(b)).and_then(|(a, b)| a.partial_cmp(&b)),
            (Cell::Text(a), Cell::Date(b)) => day(a).zip(b).and_then(|(a, b)| a.partial_cmp(&b)),
            (Cell::Text(a), Cell::Text(b)) => a.zip(b).map(|(a, b)| a.cmp(&b)),
            (a, b) => panic!("{a:?} {operator} {b:?}"),
        };
        ordering.is_some_and(|ordering| match operator {
            "==" => ordering.is_eq(),
            "!=" => ordering.is_ne(),
            "<" => ordering.is_lt(),
            "<=" => ordering.is_le(),
            ">" => ordering.is_gt(),
            _ => ordering.is_ge(),
        })
    }

    fn has(&self, op: &str, it: &Json, what: &Json, item: Ordinal) -> bool {
        let Cell::Tags(tags) = self.cell(it, item) else { panic!("{it} has no tags") };
        let tags = tags.unwrap_or_default();
        let has = |tag: &Json| {
            let tag = self.resolved(tag).as_str().unwrap();
            tags.iter().any(|t| t == tag)
        };
        let what = self.resolved(what);
        match op {
            "has" => has(what),
            "any" => what.as_array().unwrap().iter().any(has),
            // `has all []` asks for nothing, which even an item without tags fulfils.
            _ => what.as_array().unwrap().iter().all(has),
        }
    }

    /// What was done with an item, within the duration among the arguments, if there is one.
    fn deeds(&self, arguments: &[Json], item: Ordinal) -> impl Iterator<Item = Deed> {
        let texts = arguments.iter().map(|a| self.resolved(a).as_str().unwrap());
        let since = texts.filter_map(duration).next().map_or(i64::MIN, |window| NOW - window);
        self.past.0.iter().copied().filter(move |d| d.item == item && d.at_ms >= since)
    }
}

/// `"30d"` in milliseconds.
fn duration(text: &str) -> Option<i64> {
    let units = [("h", DAY / 24), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];
    let (unit, ms) = units.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    Some(text.strip_suffix(unit)?.parse::<u32>().ok()? as i64 * ms)
}
