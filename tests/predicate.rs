//! The language: a bitmap equals evaluation item by item, both spellings are one program, errors
//! name their position.

#![cfg(all(feature = "build", not(target_arch = "wasm32")))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::{
    Catalog, Deed, Error, Expr, Formula, Index, ItemSet, Kind, Metric, Ordinal, Predicate, Scope,
    SeededRng, Value, format_days, parse_days,
};
use proptest::prelude::*;
use support::rows::{DAY, NOW, Past, past};
use support::{GENRES, archive, open};

const N: usize = 203;

/// An expression as a tree, with a meaning of its own that shares no code with the engine.
#[derive(Clone, Debug)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Number(&'static str, &'static str, f64),
    Between(&'static str, f64, f64),
    Date(&'static str, String),
    Label(bool, Vec<String>),
    Genres(&'static str, Vec<String>),
    Explicit(Option<bool>),
    Exists(&'static str),
    /// A sum of columns, flags and numbers, compared with a number.
    Sum(Vec<Term>, &'static str, f64),
    /// Years since a date, as a quotient, compared with a number.
    Age(&'static str, f64),
    /// Since when: days before now.
    Since(&'static str, i64),
    Seen(Option<i64>),
    Opinion(bool, Option<i64>),
    Count(Option<Kind>, Option<i64>, &'static str, f64),
}

/// What sums are made of.
#[derive(Clone, Debug)]
enum Term {
    Times(f64, &'static str),
    Explicit,
}

fn window(days: Option<i64>) -> String {
    days.map_or(String::new(), |days| format!("\"{days}d\""))
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|t| format!("{t:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

impl Tree {
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
            Self::Sum(terms, operator, x) => {
                let terms: Vec<String> = terms
                    .iter()
                    .map(|term| match term {
                        Term::Times(x, field) => format!("{x} * {field}"),
                        Term::Explicit => "1 * (not explicit)".into(),
                    })
                    .collect();
                format!("{} {operator} {x}", terms.join(" + "))
            }
            Self::Age(operator, years) => format!("age(released) / 365 {operator} {years}"),
            Self::Since(operator, days) => format!("released {operator} age(\"{days}d\")"),
            Self::Seen(days) => format!("seen({})", window(*days)),
            Self::Opinion(true, days) => format!("liked({})", window(*days)),
            Self::Opinion(false, days) => format!("disliked({}) != false", window(*days)),
            Self::Count(kind, days, operator, x) => {
                let kind = kind.map(|kind| format!("{:?}", kind.as_str()));
                let arguments: Vec<String> =
                    kind.into_iter().chain(days.map(|_| window(*days))).collect();
                format!("count({}) {operator} {x}", arguments.join(", "))
            }
        }
    }

    fn holds(&self, catalog: Catalog<'_>, past: &Past, item: Ordinal) -> bool {
        let deeds = |days: &Option<i64>| {
            let since = days.map_or(i64::MIN, |days| NOW - days * DAY);
            past.0.iter().filter(move |d| d.item == item && d.at_ms >= since)
        };
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
            Self::And(parts) => parts.iter().all(|p| p.holds(catalog, past, item)),
            Self::Or(parts) => parts.iter().any(|p| p.holds(catalog, past, item)),
            Self::Not(part) => !part.holds(catalog, past, item),
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
            Self::Sum(terms, operator, x) => {
                let terms: Option<Vec<f64>> = terms
                    .iter()
                    .map(|term| match term {
                        Term::Times(x, field) => value(field).as_number().map(|v| x * v),
                        Term::Explicit => {
                            Some(f64::from(u8::from(value("explicit") != Value::Flag(true))))
                        }
                    })
                    .collect();
                // In the order in which they are written: sums round.
                let sum = terms.and_then(|t| t.into_iter().reduce(|a, b| a + b));
                sum.is_some_and(|sum| compare(sum, operator, *x))
            }
            Self::Age(operator, years) => value("released")
                .as_number()
                .is_some_and(|day| compare(((NOW / DAY) as f64 - day) / 365.0, operator, *years)),
            Self::Since(operator, days) => {
                let day = (NOW - days * DAY).div_euclid(DAY) as f64;
                value("released").as_number().is_some_and(|v| compare(v, operator, day))
            }
            Self::Seen(days) => deeds(days).any(|d| d.kind.is_seen()),
            Self::Opinion(likes, days) => deeds(days)
                .rfind(|d| d.kind.is_statement())
                .is_some_and(|d| if *likes { d.weight > 0.0 } else { d.weight < 0.0 }),
            Self::Count(kind, days, operator, x) => {
                let counts = |d: &&Deed| kind.map_or(d.kind.is_seen(), |kind| d.kind == kind);
                compare(deeds(days).filter(counts).count() as f64, operator, *x)
            }
        }
    }
}

fn expressions() -> impl Strategy<Value = Tree> {
    let operator = || proptest::sample::select(OPERATORS.to_vec());
    let year = || (1930..2030i32).prop_map(f64::from);
    let tenth = || (-5..120i32).prop_map(|x| f64::from(x) / 10.0);
    let labels = proptest::collection::vec((0..14).prop_map(|i| format!("label {i}")), 0..4);
    let genre = || proptest::sample::select(GENRES.to_vec()).prop_map(str::to_owned);
    let days = || proptest::option::of(0..70i64);
    let kind = proptest::sample::select(Kind::ALL.to_vec());
    let number = proptest::sample::select(vec!["year", "rating", "energy", "popularity"]);
    let term = prop_oneof![
        3 => (tenth(), number).prop_map(|(x, field)| Term::Times(x, field)),
        1 => Just(Term::Explicit),
    ];
    let leaf = prop_oneof![
        (operator(), year()).prop_map(|(o, x)| Tree::Number("year", o, x)),
        (operator(), year()).prop_map(|(o, x)| Tree::Number("year", o, x + 0.5)),
        (operator(), tenth()).prop_map(|(o, x)| Tree::Number("rating", o, x)),
        (operator(), tenth()).prop_map(|(o, x)| Tree::Number("energy", o, x)),
        (year(), year()).prop_map(|(a, b)| Tree::Between("year", a, b)),
        (operator(), -15_000..15_000i64).prop_map(|(o, d)| Tree::Date(o, format_days(d))),
        (any::<bool>(), labels).prop_map(|(n, l)| Tree::Label(n, l)),
        genre().prop_map(|g| Tree::Genres("", vec![g])),
        (proptest::sample::select(vec!["any", "all"]), proptest::collection::vec(genre(), 0..3))
            .prop_map(|(w, g)| Tree::Genres(w, g)),
        proptest::option::of(any::<bool>()).prop_map(Tree::Explicit),
        proptest::sample::select(vec!["year", "label", "genres", "energy", "title", "explicit"])
            .prop_map(Tree::Exists),
        (proptest::collection::vec(term, 1..4), operator(), tenth())
            .prop_map(|(t, o, x)| Tree::Sum(t, o, x * 100.0)),
        (operator(), (-10..60i32).prop_map(f64::from)).prop_map(|(o, x)| Tree::Age(o, x)),
        (operator(), 0..9_999i64).prop_map(|(o, d)| Tree::Since(o, d)),
        days().prop_map(Tree::Seen),
        (any::<bool>(), days()).prop_map(|(l, d)| Tree::Opinion(l, d)),
        (proptest::option::of(kind), days(), operator(), (0..3i32).prop_map(f64::from))
            .prop_map(|(k, d, o, x)| Tree::Count(k, d, o, x)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::And),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::Or),
            inner.prop_map(|e| Tree::Not(Box::new(e))),
        ]
    })
}

thread_local! {
    static INDEX: Index = open(&archive(N, 2, Metric::Cosine));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bitmap_equals_evaluation_item_by_item_in_both_spellings(tree in expressions()) {
        INDEX.with(|index| {
            let catalog = Catalog::new(index);
            let past = past(N);
            let scope = Scope { now_ms: Some(NOW), history: Some(&past), ..Scope::default() };
            let program = Expr::read(&tree.text()).unwrap();
            for again in [program.to_text(), program.to_json()] {
                prop_assert_eq!(&Expr::read(&again).unwrap(), &program, "{}", again);
            }
            let predicate = Predicate::compile(catalog, &program, &scope).unwrap();
            let selected = predicate.select(catalog).unwrap();
            let flags = Formula::compile(catalog, &program, &scope).unwrap();
            let flags = flags.values(catalog).unwrap();
            for item in (0..N as u32).map(Ordinal) {
                let expected = tree.holds(catalog, &past, item);
                prop_assert_eq!(selected.contains(item), expected, "{} {:?}", tree.text(), item);
                prop_assert_eq!(flags[item.index()] == 1.0, expected);
            }
            // At both ends of the time for which it claims to hold it does.
            let (from, until) = predicate.holds_for();
            for now in [from.max(NOW - 90 * DAY), (until - 1).min(NOW + 90 * DAY)] {
                let scope = Scope { now_ms: Some(now), ..scope };
                let then = Predicate::compile(catalog, &program, &scope).unwrap();
                prop_assert_eq!(&then.select(catalog).unwrap(), &selected, "{}", tree.text());
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_text_compiles_or_is_refused(text in "[a-z\"'`()<>=!,\\[\\]{}$:*/+ .0-9\\\\uD8ü-]{0,60}") {
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
    let deep = format!("{}explicit{}", "(".repeat(129), ")".repeat(129));
    let nots = format!("{}explicit", "not ".repeat(70));
    let lists = format!("{{\"not\":{}", "[".repeat(200));
    let long = "x".repeat(10_001);
    INDEX.with(|index| {
        for (text, position, part) in [
            ("yaer > 3", 0, "did you mean \"year\"?"),
            ("__proto__ == 1", 0, "a column's name"),
            ("constructor", 0, "a column's name"),
            ("year > \"a\"", 7, "a number for \"year\" of kind integer"),
            ("\"a\" < year", 0, "a number for \"year\" of kind integer"),
            ("year >", 6, "a column, a literal, a function"),
            ("year", 0, "an operator for \"year\""),
            ("7", 0, "a condition"),
            // Found by fuzzing: written as JSON, this began as text does.
            (" [$x]", 1, "a condition or a number"),
            ("genres == \"jazz\"", 10, "\"has\" for \"genres\""),
            ("genres in [\"jazz\"]", 0, "\"has any\""),
            ("genres has [\"jazz\"]", 11, "a string for \"genres\""),
            ("genres has any \"jazz\"", 15, "a list of strings for \"genres\""),
            ("genres has any [\"jazz\", 3]", 24, "a string for \"genres\""),
            ("label has \"x\"", 0, "a comparison or \"in\""),
            ("label < \"x\"", 8, "== or != with a string"),
            ("title == \"x\"", 9, "no test but exists"),
            ("released > \"1999-02-30\"", 11, "a date like"),
            ("released > 3", 11, "a date like"),
            ("explicit == 1", 12, "true or false"),
            ("explicit == explicit", 12, "true or false"),
            ("label in [\"a\" \"b\"]", 14, "\",\" or \"]\""),
            ("label in [year]", 10, "a literal or a parameter"),
            ("label in \"a\"", 9, "a list for \"label\""),
            ("(explicit", 9, "\")\""),
            ("explicit explicit", 9, "\"and\", \"or\" or the end"),
            ("1 < year < 3", 9, "\"and\", \"or\" or the end"),
            ("not explicit == true == false", 21, "\"and\", \"or\" or the end"),
            ("year > 1e999", 7, "a decimal number"),
            ("year > 12abc", 7, "a decimal number"),
            ("year > NaN", 7, "a column's name"),
            ("label == \"\\ud800\"", 9, "a string in double quotes with JSON's escapes"),
            ("label == \"x", 9, "a string in double quotes"),
            ("`label", 0, "a name between backquotes"),
            ("year ? 3", 5, "a name, a literal or an operator"),
            ("not", 3, "a column, a literal, a function"),
            ("", 0, "a column, a literal, a function"),
            ("seem(\"3d\")", 0, "a function (did you mean \"seen\"?)"),
            ("exists()", 0, "one argument of \"exists\""),
            ("exists(3)", 7, "a column"),
            ("age(\"3\") > 2", 4, "a date column, or a duration"),
            ("released > age(\"30d\")", 11, "no moment"),
            ("seen()", 0, "no history"),
            ("year > $from", 7, "a parameter given with the request"),
            ("year + label > 3", 7, "a number for \"label\" of kind category"),
            ("{\"an\": [true]}", 1, "an operation (did you mean \"and\"?)"),
            ("{\"__proto__\": [true]}", 1, "an operation, one of: field, param"),
            ("{\"field\": 3}", 10, "a string"),
            ("{\"and\": [null]}", 9, "an object, a list or a literal"),
            ("{\"and\": [true], \"or\": []}", 14, "\"}\""),
            ("{\"field\": \"year\"} ", 1, "an operator for \"year\""),
            ("{\"field\": \"explicit\"} 3", 22, "the end"),
            ("{\"not\": [true, false]}", 1, "one argument of \"not\""),
            (
                "{\"in\": [{\"field\": \"label\"}, [{\"field\": \"label\"}]]}",
                30,
                "a literal or a parameter",
            ),
            (&deep, 129, "at most 64 levels"),
            (&nots, 24, "at most 64 levels"),
            (&lists, 7 + 129, "at most 64 levels"),
            (&long, 0, "at most 10000 bytes"),
        ] {
            match Catalog::new(index).select(text) {
                Err(Error::Filter { position: at, expected, .. }) => {
                    assert!(expected.contains(part), "{text}: {expected}");
                    assert_eq!(at, position, "{text}: {expected}");
                }
                other => panic!("{text}: {:?}", other.map(|s| s.count())),
            }
        }
    });
}

#[test]
fn parameters_stand_for_literals_and_lists() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let select = |program: &str, params: &str| {
            let scope = Scope { params: Some(params), ..Scope::default() };
            Predicate::compile(catalog, &Expr::read(program)?, &scope)?.select(catalog)
        };
        let expected = catalog
            .select("year >= 1960 and genres has any [\"jazz\", \"soul\"] and explicit == true");
        let program = "year >= $from and genres has any $`the genres` and explicit == $is";
        let params = r#"{"from": 1.96e3, "the genres": ["jazz", "soul"], "is": true, "more": -1}"#;
        assert_eq!(select(program, params).unwrap(), expected.unwrap());
        let text = select(program, r#"{"from": 1960}"#).unwrap_err().to_string();
        assert!(text.contains("at character 33: expected a parameter"), "{text}");
        for params in ["{\"from\": null}", "{\"from\": {}}", "[1]", "", "{\"from\": [\"a\", 3]}"] {
            let error = select("label in $from", params).unwrap_err();
            assert_eq!(error.code().as_str(), "E_ARG", "{params}: {error}");
        }
        let error = select("year > $x", "{\"x\": \"1960\"}").unwrap_err().to_string();
        assert!(error.contains("found the parameter \"x\""), "{error}");
    });
}

/// Found by fuzzing: a test of a flag was taken for the flag, which may have no value.
#[test]
fn a_test_of_a_flag_is_true_or_false_where_the_flag_is_neither() {
    INDEX.with(|index| {
        let select = |program| Catalog::new(index).select(program).unwrap();
        let known = select("exists(explicit)").count();
        assert!(known < N);
        let n_true = select("explicit").count();
        assert_eq!(select("explicit == false").count(), known - n_true);
        assert_eq!(select("true != explicit").count(), known - n_true);
        assert_eq!(select("(explicit == true) == false").count(), N - n_true);
        assert_eq!(select("not (((explicit) == true) != true)").count(), n_true);
        assert_eq!(select("(explicit == false) != true").count(), N - (known - n_true));
    });
}

#[test]
fn numbers_of_items() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let program = Expr::read("2 * rating - popularity / (rating - rating) + 1").unwrap();
        let formula = Formula::compile(catalog, &program, &Scope::default()).unwrap();
        assert!(formula.values(catalog).unwrap().iter().all(|x| x.is_nan()));
        let program = Expr::read("1 - (year - 1940) / 80 * 2").unwrap();
        let formula = Formula::compile(catalog, &program, &Scope::default()).unwrap();
        let values = formula.values(catalog).unwrap();
        for item in (0..N as u32).map(Ordinal) {
            match catalog.column("year").unwrap().value(item).unwrap().as_number() {
                Some(year) => assert_eq!(values[item.index()], 1.0 - (year - 1940.0) / 80.0 * 2.0),
                None => assert!(values[item.index()].is_nan()),
            }
        }
        for program in ["label", "\"a\"", "released"] {
            let program = Expr::read(program).unwrap();
            assert!(Formula::compile(catalog, &program, &Scope::default()).is_err());
        }
    });
}

#[test]
fn whole_numbers_that_f64_cannot_tell_apart_are_compared_exactly() {
    use nearfield::build::{BuildOptions, ColumnValues, Embeddings, NamedColumn, Table, build};
    let two_to_53 = 1i64 << 53;
    let values = vec![Some(two_to_53 - 1), Some(two_to_53), Some(two_to_53 + 1), None];
    let table = Table {
        ids: (0..4).map(|i| i.to_string()).collect(),
        columns: vec![NamedColumn { name: "x".into(), values: ColumnValues::Integer(values) }],
    };
    let vectors = Embeddings { dim: 2, values: vec![1.0; 8] };
    let index = open(&build(&table, &vectors, &BuildOptions::default()).unwrap().bytes);
    for (operator, expected) in [
        ("==", vec![1]),
        ("!=", vec![0, 2]),
        ("<", vec![0]),
        ("<=", vec![0, 1]),
        (">", vec![2]),
        (">=", vec![1, 2]),
    ] {
        for program in [
            format!("x {operator} 9007199254740992"),
            format!("x {operator} 9.007199254740992e15"),
        ] {
            let selected = Catalog::new(&index).select(&program).unwrap();
            let ordinals: Vec<u32> = selected.iter().map(|item| item.0).collect();
            assert_eq!(ordinals, expected, "{program}");
        }
    }
}

/// Every width in which numbers and codes are packed, lists from none to longer than what is
/// compared at once, and sizes around the words and chunks of a bitmap.
#[test]
fn all_widths_and_sizes_equal_evaluation_item_by_item() {
    use nearfield::build::{BuildOptions, ColumnValues, Embeddings, NamedColumn, Table, build};
    let mut rng = SeededRng::new(11, 0);
    for (n, distinct) in [
        (1, 3),
        (31, 3),
        (32, 200),
        (33, 300),
        (64, 300),
        (2047, 200),
        (2048, 300),
        (2049, 300),
        (4200, 70_000),
    ] {
        // Longer ones where they must make up the number of different strings.
        let longest = 5.max(3 * distinct / n).min(60);
        let mut whole = |bits: u32| -> Vec<Option<i64>> {
            let mut one = |_| (rng.below(9) > 0).then(|| (rng.bits() >> (64 - bits)) as i64 - 77);
            (0..n).map(&mut one).collect()
        };
        let numbers = [whole(7), whole(15), whole(31), whole(62)];
        let tags: Vec<Option<Vec<String>>> = (0..n)
            .map(|i| {
                let length = if i % 50 == 7 { 20 } else { rng.below(longest + 1) };
                let list = (0..length).map(|_| format!("t{}", rng.below(distinct))).collect();
                (rng.below(9) > 0).then_some(list)
            })
            .collect();
        let labels: Vec<Option<String>> =
            tags.iter().map(|list| list.as_ref().and_then(|list| list.first().cloned())).collect();
        let names = ["a", "b", "c", "d"];
        let mut columns: Vec<NamedColumn> = (names.iter().zip(&numbers))
            .map(|(name, values)| NamedColumn {
                name: (*name).into(),
                values: ColumnValues::Integer(values.clone()),
            })
            .collect();
        columns
            .push(NamedColumn { name: "tags".into(), values: ColumnValues::Tags(tags.clone()) });
        let values = ColumnValues::Category(labels.clone());
        columns.push(NamedColumn { name: "label".into(), values });
        let table = Table { ids: (0..n).map(|i| i.to_string()).collect(), columns };
        let vectors = Embeddings { dim: 2, values: vec![1.0; 2 * n] };
        let index = open(&build(&table, &vectors, &BuildOptions::default()).unwrap().bytes);
        let catalog = Catalog::new(&index);
        // Archives have an order of their own; ids are the rows of the table.
        let rows: Vec<usize> =
            (0..n).map(|o| index.id(Ordinal(o as u32)).unwrap().parse().unwrap()).collect();
        let check = |program: &str, holds: &dyn Fn(usize) -> bool| {
            let expected = ItemSet::from_fn(n, |ordinal| holds(rows[ordinal]));
            assert_eq!(catalog.select(program).unwrap(), expected, "{n}: {program}");
        };
        for (name, values) in names.iter().zip(&numbers) {
            let mut some = || values[rng.below(n)].unwrap_or(0);
            let (x, y) = (some(), some());
            let (low, high) = (x.min(y), x.max(y));
            // Literals are f64, and what is stored is compared with them without rounding.
            let [from, to] = [low, high].map(|x| x as f64 as i128);
            check(&format!("{name} between {low} and {high}"), &|i| {
                values[i].is_some_and(|v| (from..=to).contains(&i128::from(v)))
            });
        }
        for count in [1, 2, 3, 20] {
            let some: Vec<String> =
                (0..count).map(|_| format!("t{}", rng.below(distinct))).collect();
            let has = |i: usize| {
                tags[i].as_ref().is_some_and(|list| list.iter().any(|tag| some.contains(tag)))
            };
            let is = |i: usize| labels[i].as_ref().is_some_and(|label| some.contains(label));
            let small = |i: usize| numbers[0][i].is_some_and(|v| v < 0);
            let list = list(&some);
            check(&format!("tags has any {list}"), &has);
            check(&format!("tags has any {list} and a < 0"), &|i| has(i) && small(i));
            check(&format!("a < 0 or not tags has any {list}"), &|i| small(i) || !has(i));
            check(&format!("label in {list}"), &is);
        }
    }
}

#[test]
fn equal_programs_are_written_alike() {
    for (text, same, json) in [
        (
            "a and (b and c)",
            "a and b and c",
            r#"{"and":[{"field":"a"},{"field":"b"},{"field":"c"}]}"#,
        ),
        (
            "((a or b)) and c",
            "(a or b) and c",
            r#"{"and":[{"or":[{"field":"a"},{"field":"b"}]},{"field":"c"}]}"#,
        ),
        ("a not in [1]", "not a in [1]", r#"{"not":{"in":[{"field":"a"},[1]]}}"#),
        (
            "(a-b)-(c-d)<-3",
            "a - b - (c - d) < -3",
            r#"{"<":[{"-":[{"-":[{"field":"a"},{"field":"b"}]},{"-":[{"field":"c"},{"field":"d"}]}]},-3]}"#,
        ),
        (
            "-(a + b) * 2 > - c",
            "-(a + b) * 2 > -c",
            r#"{">":[{"*":[{"-":{"+":[{"field":"a"},{"field":"b"}]}},2]},{"-":{"field":"c"}}]}"#,
        ),
        (
            "(not a) == $`x y`",
            "(not a) == $`x y`",
            r#"{"==":[{"not":{"field":"a"}},{"param":"x y"}]}"#,
        ),
        ("`in` has any []", "`in` has any []", r#"{"any":[{"field":"in"},[]]}"#),
        (
            "not `a``b` == \"\\\"\"",
            "not `a``b` == \"\\\"\"",
            r#"{"not":{"==":[{"field":"a`b"},"\""]}}"#,
        ),
        (
            "seen() or count(\"play\", \"7d\") >= 1e30",
            "seen() or count(\"play\", \"7d\") >= 1e30",
            r#"{"or":[{"seen":[]},{">=":[{"count":["play","7d"]},1e30]}]}"#,
        ),
    ] {
        let program = Expr::read(text).unwrap();
        assert_eq!(program.to_text(), same);
        assert_eq!(program.to_json(), json);
        assert_eq!(Expr::read(same).unwrap(), program);
        assert_eq!(Expr::read(json).unwrap(), program);
    }
    // `and` of one thing is that thing, of nothing is true.
    for (json, text) in [
        (r#"{"and": []}"#, "true"),
        (r#"{"or": []}"#, "false"),
        (r#"{"or": {"field": "a"}}"#, "a"),
    ] {
        assert_eq!(Expr::read(json).unwrap().to_text(), text);
    }
}

#[test]
fn text_is_canonical() {
    for spellings in [
        &[
            "genres has \"jazz\" and not explicit",
            " ( genres\thas\n\"jazz\" )and((not(explicit)))",
            "`genres` has \"\\u006aazz\" and not `explicit`",
            r#"{"and":[{"has":[{"field":"genres"},"jazz"]},{"not":{"field":"explicit"}}]}"#,
            r#" { "and" : [ {"has": [{"field": "genres"}, "jazz"]}, {"not": [{"field": "explicit"}]} ] }"#,
        ][..],
        &[
            "year > -100 and year < 0 and rating == 0.5",
            "year > -1e2 and (year < -0 and rating == 5e-1)",
            "(year>-100.0 and year<0.0) and rating==0.50",
            r#"{"and":[{">":[{"field":"year"},{"-":100}]},{"<":[{"field":"year"},-0]},{"==":[{"field":"rating"},0.5]}]}"#,
        ],
        &[
            "not label in [\"a\", $x]",
            "label not in [\"a\",$`x`]",
            r#"{"not":{"in":[{"field":"label"},["a",{"param":"x"}]]}}"#,
        ],
    ] {
        let programs: Vec<Expr> = spellings.iter().map(|one| Expr::read(one).unwrap()).collect();
        for (program, spelling) in programs.iter().zip(spellings) {
            assert_eq!(*program, programs[0], "{spelling}");
            assert_eq!(program.to_text(), spellings[0], "{spelling}");
            assert_eq!(Expr::read(&program.to_text()).unwrap().to_text(), spellings[0]);
            assert_eq!(Expr::read(&program.to_json()).unwrap().to_text(), spellings[0]);
        }
    }
    // Where the programs differ, so do the texts.
    let different =
        ["year > 1", "year >= 1", "not year > 1", "1 < year", "\"year\" > 1", "$year > 1"];
    for (i, one) in different.iter().enumerate() {
        for other in &different[..i] {
            let (one, other) = (Expr::read(one).unwrap(), Expr::read(other).unwrap());
            assert_ne!(one, other);
            assert_ne!(one.to_text(), other.to_text());
        }
    }
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
        let facets = catalog.facets("genres", &items, 100).unwrap();
        for genre in GENRES {
            let expected =
                catalog.select(&format!("year < 1990 and genres has {genre:?}")).unwrap();
            let found = facets.iter().find(|(value, _)| *value == genre).map_or(0, |f| f.1);
            assert_eq!(found, expected.count(), "{genre}");
        }
        assert!(facets.is_sorted_by(|a, b| a.1 >= b.1));
        for limit in [0, 1, 3, 5, 6, 7] {
            let few = catalog.facets("genres", &items, limit).unwrap();
            assert_eq!(few, facets[..limit.min(facets.len())]);
        }
        let flags = catalog.facets("explicit", &items, 100).unwrap();
        assert_eq!(flags.len(), 2);
        assert!(catalog.facets("title", &items, 100).is_err());
    });
}

#[test]
fn titles_are_found_by_prefix_and_with_typing_errors() {
    INDEX.with(|index| {
        let catalog = Catalog::new(index);
        let first = |text: &str| {
            let found = catalog.find(text, 5, &ItemSet::full(N)).unwrap();
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
        assert!(catalog.find(&"a".repeat(201), 3, &ItemSet::full(N)).is_err());
    });
}
