//! The `where` language: a bitmap equals evaluation item by item, errors name their position.

#![cfg(all(feature = "build", not(target_arch = "wasm32")))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::{Catalog, Error, Index, Metric, Ordinal, Value, parse_days};
use proptest::prelude::*;
use support::{GENRES, archive, open};

const N: usize = 203;

/// An expression as a tree, with a meaning of its own that shares no code with the engine.
#[derive(Clone, Debug)]
enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Number(&'static str, &'static str, f64),
    Between(&'static str, f64, f64),
    Date(&'static str, String),
    Label(bool, Vec<String>),
    Genres(&'static str, Vec<String>),
    Explicit(Option<bool>),
    Exists(&'static str),
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|t| format!("{t:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

impl Expr {
    fn text(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(Self::text).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::And(parts) => join(parts, " and "),
            Self::Or(parts) => join(parts, " or "),
            Self::Not(part) => format!("not {}", part.text()),
            Self::Number(field, operator, x) => format!("{field} {operator} {x}"),
            Self::Between(field, low, high) => format!("{field} between {low} and {high}"),
            Self::Date(operator, date) => format!("released {operator} {date:?}"),
            Self::Label(false, labels) => format!("label in {}", list(labels)),
            Self::Label(true, labels) => format!("label not in {}", list(labels)),
            Self::Genres("", genres) => format!("genres has {:?}", genres[0]),
            Self::Genres(word, genres) => format!("genres has {word} {}", list(genres)),
            Self::Explicit(None) => "explicit".into(),
            Self::Explicit(Some(is)) => format!("explicit == {is}"),
            Self::Exists(field) => format!("exists({field})"),
        }
    }

    fn holds(&self, catalog: Catalog<'_>, item: Ordinal) -> bool {
        let value = |field: &str| catalog.column(field).unwrap().value(item).unwrap();
        let compare = |a: f64, operator: &str, b: f64| match operator {
            "==" => a == b,
            "!=" => a != b,
            "<" => a < b,
            "<=" => a <= b,
            ">" => a > b,
            _ => a >= b,
        };
        match self {
            Self::And(parts) => parts.iter().all(|p| p.holds(catalog, item)),
            Self::Or(parts) => parts.iter().any(|p| p.holds(catalog, item)),
            Self::Not(part) => !part.holds(catalog, item),
            Self::Number(field, operator, x) => {
                value(field).as_number().is_some_and(|v| compare(v, operator, *x))
            }
            Self::Between(field, low, high) => {
                value(field).as_number().is_some_and(|v| *low <= v && v <= *high)
            }
            Self::Date(operator, date) => {
                let x = parse_days(date).unwrap() as f64;
                value("released").as_number().is_some_and(|v| compare(v, operator, x))
            }
            Self::Label(negated, labels) => {
                let has =
                    matches!(value("label"), Value::Category(l) if labels.iter().any(|x| x == l));
                has != *negated
            }
            Self::Genres(word, genres) => match value("genres") {
                Value::Tags(tags) => {
                    let has = |g: &String| tags.contains(&g.as_str());
                    if *word == "all" { genres.iter().all(has) } else { genres.iter().any(has) }
                }
                // `has all []` asks for nothing, which even an item without tags fulfils.
                _ => *word == "all" && genres.is_empty(),
            },
            Self::Explicit(is) => value("explicit") == Value::Flag(is.unwrap_or(true)),
            Self::Exists(field) => value(field) != Value::Null,
        }
    }
}

fn expressions() -> impl Strategy<Value = Expr> {
    let operator = || proptest::sample::select(OPERATORS.to_vec());
    let year = || (1930..2030i32).prop_map(f64::from);
    let tenth = || (-5..120i32).prop_map(|x| f64::from(x) / 10.0);
    let labels = proptest::collection::vec((0..14).prop_map(|i| format!("label {i}")), 0..4);
    let genre = || proptest::sample::select(GENRES.to_vec()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        (operator(), year()).prop_map(|(o, x)| Expr::Number("year", o, x)),
        (operator(), year()).prop_map(|(o, x)| Expr::Number("year", o, x + 0.5)),
        (operator(), tenth()).prop_map(|(o, x)| Expr::Number("rating", o, x)),
        (operator(), tenth()).prop_map(|(o, x)| Expr::Number("energy", o, x)),
        (year(), year()).prop_map(|(a, b)| Expr::Between("year", a, b)),
        (operator(), -15_000..15_000i64)
            .prop_map(|(o, d)| Expr::Date(o, nearfield::format_days(d))),
        (any::<bool>(), labels).prop_map(|(n, l)| Expr::Label(n, l)),
        genre().prop_map(|g| Expr::Genres("", vec![g])),
        (proptest::sample::select(vec!["any", "all"]), proptest::collection::vec(genre(), 0..3))
            .prop_map(|(w, g)| Expr::Genres(w, g)),
        proptest::option::of(any::<bool>()).prop_map(Expr::Explicit),
        proptest::sample::select(vec!["year", "label", "genres", "energy", "title", "explicit"])
            .prop_map(Expr::Exists),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

thread_local! {
    static INDEX: Index = open(&archive(N, 2, Metric::Cosine));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bitmap_equals_evaluation_item_by_item(expr in expressions()) {
        INDEX.with(|index| {
            let catalog = Catalog::new(index);
            let selected = catalog.select(&expr.text()).unwrap();
            for item in (0..N as u32).map(Ordinal) {
                prop_assert_eq!(selected.contains(item), expr.holds(catalog, item), "{} {:?}", expr.text(), item);
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_text_compiles_or_is_refused(text in "[a-z\"'`()<>=!,\\[\\] .0-9\\\\uD8ü-]{0,60}") {
        INDEX.with(|index| {
            if let Err(error) = Catalog::new(index).select(&text) {
                let is_typed = matches!(error, Error::Filter { .. });
                assert!(is_typed, "{error}");
            }
        });
    }
}

#[test]
fn errors_name_position_expected_and_found() {
    let deep = format!("{}explicit{}", "(".repeat(65), ")".repeat(65));
    let long = "x".repeat(10_001);
    INDEX.with(|index| {
        for (text, position, part) in [
            ("yaer > 3", 0, "did you mean \"year\"?"),
            ("__proto__ == 1", 0, "a column's name"),
            ("year > \"a\"", 7, "a number for \"year\" of kind integer"),
            ("year >", 6, "a string, a number, true or false"),
            ("year", 0, "an operator for \"year\""),
            ("genres == \"jazz\"", 10, "\"has\" for \"genres\""),
            ("genres in [\"jazz\"]", 0, "\"has any\""),
            ("label has \"x\"", 0, "a comparison or \"in\""),
            ("title == \"x\"", 9, "no test but exists"),
            ("released > \"1999-02-30\"", 11, "a date like"),
            ("explicit == 1", 12, "true or false"),
            ("label in [\"a\" \"b\"]", 14, "\",\" or \"]\""),
            ("(explicit", 9, "\")\""),
            ("explicit explicit", 9, "\"and\", \"or\" or the end"),
            ("year > 1e5", 7, "a number of at most 15 digits"),
            ("year > 1234567890123456", 7, "a number of at most 15 digits"),
            ("label == \"\\ud800\"", 9, "a string with JSON's escapes"),
            ("label == \"x", 9, "a closing \""),
            ("year ? 3", 5, "a name, a literal or an operator"),
            ("not", 3, "a column's name"),
            ("", 0, "a column's name"),
            (&deep, 64, "at most 64 levels"),
            (&long, 0, "at most 10000 bytes"),
        ] {
            match Catalog::new(index).select(text) {
                Err(Error::Filter { position: at, expected, .. }) => {
                    assert_eq!(at, position, "{text}: {expected}");
                    assert!(expected.contains(part), "{text}: {expected}");
                }
                other => panic!("{text}: {:?}", other.map(|s| s.count())),
            }
        }
    });
}

#[test]
fn quoted_names_and_escapes() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let plain = catalog.select("label == \"label 3\"").unwrap();
        assert!(plain.count() > 0);
        assert_eq!(catalog.select("`label` == \"label\\u00203\"").unwrap(), plain);
        assert_eq!(catalog.select("label in [\"nobody has this\"]").unwrap().count(), 0);
        assert_eq!(catalog.select("label == \"\\ud83c\\udfb7\"").unwrap().count(), 0);
    });
}

#[test]
fn facets_count_what_a_loop_counts() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let items = catalog.select("year < 1990").unwrap();
        let facets = catalog.facets("genres", &items).unwrap();
        for genre in GENRES {
            let expected =
                catalog.select(&format!("year < 1990 and genres has {genre:?}")).unwrap();
            let found = facets.iter().find(|(value, _)| value == genre).map_or(0, |f| f.1);
            assert_eq!(found, expected.count(), "{genre}");
        }
        assert!(facets.is_sorted_by(|a, b| a.1 >= b.1));
        let flags = catalog.facets("explicit", &items).unwrap();
        assert_eq!(flags.len(), 2);
        assert!(catalog.facets("title", &items).is_err());
    });
}

#[test]
fn titles_are_found_by_prefix_and_with_typing_errors() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let first = |text: &str| {
            let found = catalog.find(text, 5).unwrap();
            found
                .first()
                .map(|m| (catalog.title(m.item).unwrap().unwrap().to_lowercase(), m.n_errors))
        };
        for (text, part, n_errors) in [
            ("amel", "amélie", 0),
            ("oceans", "ocean's", 0),
            ("trian", "train", 1),
            ("oeans ni", "ocean's night", 1),
            ("ocaens nigth", "ocean's night", 2),
        ] {
            let (title, found) = first(text).unwrap_or_else(|| panic!("{text} is not found"));
            assert!(title.contains(part), "{text}: {title}");
            assert_eq!(found, n_errors, "{text}: {title}");
        }
        assert_eq!(first("zzzzzz"), None);
        assert_eq!(first("  ... "), None);
        assert!(catalog.find(&"a".repeat(201), 3).is_err());
    });
}
