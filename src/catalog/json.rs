//! JSON values with places: how requests and scenarios are read.
//!
//! The tokens are those of the predicate language, whose strings and numbers are JSON's; so a
//! number reads to the same bits on every target, and the module carries one parser and not two.
//! What is read is a small tree, and [`Members`] takes it apart by name: every error names the
//! member by its path, what it must be and what it is, and no member is passed over.

use super::predicate::lex::{Lexer, Token};
use super::predicate::{expected_name, member};
use crate::error::{Error, Number, Result, quoted};

/// Longest text that is read: a request has some hundred bytes, an archive's scenarios some
/// thousand.
const MAX_BYTES: usize = 1 << 20;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Json<'a>>),
    /// Members in the order of the text, and the text itself: a member may be a program.
    Object(Vec<(String, Json<'a>)>, &'a str),
}

impl<'a> Json<'a> {
    /// Reads a text that is one value. `path` names it in errors.
    pub(crate) fn read(text: &'a str, path: &str) -> Result<Self> {
        let read = || {
            let mut lexer = Lexer::new(text, MAX_BYTES, 0)?;
            let value = value(&mut lexer)?;
            match lexer.token {
                Token::End => Ok(value),
                _ => lexer.fail("the end"),
            }
        };
        read().map_err(|error| match error {
            Error::Filter { position, expected, found } => {
                Error::arg(path, expected, format!("{found} at character {position}"))
            }
            other => other,
        })
    }

    /// The value in a few words.
    fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(x) => Number(*x).to_string(),
            Self::Text(text) => quoted(text),
            Self::List(_) => "a list".into(),
            Self::Object(..) => "an object".into(),
        }
    }
}

#[inline(never)]
fn value<'a>(lexer: &mut Lexer<'a>) -> Result<Json<'a>> {
    let literal = match &mut lexer.token {
        Token::Text(text) => Json::Text(std::mem::take(text)),
        Token::Number(x) => Json::Number(*x),
        Token::Word("true") => Json::Flag(true),
        Token::Word("false") => Json::Flag(false),
        Token::Word("null") => Json::Null,
        Token::Symbol("-") => {
            lexer.advance()?;
            match lexer.token {
                Token::Number(x) => Json::Number(-x),
                _ => return lexer.fail("a number"),
            }
        }
        Token::Symbol("[") => {
            lexer.advance()?;
            let mut values = Vec::new();
            if !lexer.take("]")? {
                loop {
                    values.push(lexer.inside(value)?);
                    if lexer.take("]")? {
                        break;
                    }
                    lexer.need(",")?;
                }
            }
            return Ok(Json::List(values));
        }
        Token::Symbol("{") => {
            let start = lexer.start();
            lexer.advance()?;
            let mut members: Vec<(String, Json<'a>)> = Vec::new();
            let mut end = lexer.end();
            if !lexer.take("}")? {
                loop {
                    let name = member(lexer)?;
                    if members.iter().any(|(known, _)| *known == name) {
                        return lexer.fail(&format!("each member once, {} again", quoted(&name)));
                    }
                    members.push((name, lexer.inside(value)?));
                    end = lexer.end();
                    if lexer.take("}")? {
                        break;
                    }
                    lexer.need(",")?;
                }
            }
            return Ok(Json::Object(members, lexer.between(start, end)));
        }
        _ => return lexer.fail("a JSON value"),
    };
    lexer.advance()?;
    Ok(literal)
}

/// The members of an object, by name.
pub(crate) struct Members<'j, 'a> {
    path: String,
    members: &'j [(String, Json<'a>)],
    /// What is read where `members` lacks it.
    defaults: &'j [(String, Json<'a>)],
}

impl<'j, 'a> Members<'j, 'a> {
    /// The members of `value`, which must be an object with no other members than `known`.
    #[inline(never)]
    pub(crate) fn of(value: &'j Json<'a>, path: String, known: &[&str]) -> Result<Self> {
        let Json::Object(members, _) = value else {
            return Err(Error::arg(path, "an object", value.describe()));
        };
        for (name, _) in members {
            if !known.contains(&name.as_str()) {
                return Err(Error::arg(
                    path,
                    expected_name("a member", name, known),
                    quoted(name),
                ));
            }
        }
        Ok(Self { path, members, defaults: &[] })
    }

    /// The same, with what another object says wherever this one is silent.
    pub(crate) fn or(mut self, defaults: &Self) -> Self {
        self.defaults = defaults.members;
        self
    }

    /// The path of a member, for errors.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A member that is there and not null.
    #[inline(never)]
    pub(crate) fn value(&self, name: &str) -> Option<&'j Json<'a>> {
        let find = |members: &'j [(String, Json<'a>)]| members.iter().find(|(n, _)| n == name);
        let value = &find(self.members).or_else(|| find(self.defaults))?.1;
        (*value != Json::Null).then_some(value)
    }

    /// The error of a member that is something else than `expected`.
    #[cold]
    #[inline(never)]
    pub(crate) fn mismatch<T>(&self, name: &str, expected: &str) -> Result<T> {
        let found = self.value(name).map_or("nothing".into(), Json::describe);
        Err(Error::arg(self.path(name), expected, found))
    }

    /// A member that must be there.
    pub(crate) fn need<T>(&self, name: &str, expected: &str, found: Option<T>) -> Result<T> {
        match found {
            Some(value) => Ok(value),
            None => self.mismatch(name, expected),
        }
    }

    #[inline(never)]
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => self.mismatch(name, "true or false"),
        }
    }

    #[inline(never)]
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'j str>> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => self.mismatch(name, "a string"),
        }
    }

    /// A number within a range.
    #[inline(never)]
    pub(crate) fn number(&self, name: &str, low: f64, high: f64) -> Result<Option<f64>> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Number(x)) if (low..=high).contains(x) => Ok(Some(*x)),
            Some(_) => {
                let expected = format!("a number from {} to {}", Number(low), Number(high));
                self.mismatch(name, &expected)
            }
        }
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&self, name: &str) -> Result<Option<f64>> {
        self.number(name, 0.0, 1.0)
    }

    /// One of a few strings: which.
    #[inline(never)]
    pub(crate) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<usize>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let is_it = |a: &&str| matches!(value, Json::Text(text) if text == a);
        match allowed.iter().position(is_it) {
            Some(i) => Ok(Some(i)),
            None => self.mismatch(name, &format!("one of: {}", allowed.join(", "))),
        }
    }

    /// A whole number within a range.
    #[inline(never)]
    pub(crate) fn whole(&self, name: &str, low: u64, high: u64) -> Result<Option<u64>> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Number(x)) if (low as f64..=high as f64).contains(x) && x.floor() == *x => {
                Ok(Some(*x as u64))
            }
            Some(_) => self.mismatch(name, &format!("a whole number from {low} to {high}")),
        }
    }

    /// A list of strings.
    #[inline(never)]
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        let text = |value: &Json<'_>| match value {
            Json::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self.value(name) {
            None => Ok(None),
            Some(Json::List(values)) => match values.iter().map(text).collect() {
                Some(texts) => Ok(Some(texts)),
                None => self.mismatch(name, "a list of strings"),
            },
            Some(_) => self.mismatch(name, "a list of strings"),
        }
    }

    /// A program, in either spelling.
    #[inline(never)]
    pub(crate) fn program(&self, name: &str) -> Result<Option<String>> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(Json::Object(_, text)) => Ok(Some((*text).into())),
            Some(Json::Flag(flag)) => Ok(Some(flag.to_string())),
            Some(_) => self.mismatch(name, "a condition, as text or as an object"),
        }
    }

    /// An object within this one.
    pub(crate) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Members<'j, 'a>>> {
        self.value(name).map(|value| Members::of(value, self.path(name), known)).transpose()
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str, known: &[&str]) -> Result<Vec<Members<'j, 'a>>> {
        let values = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(Json::List(values)) => values,
            Some(_) => return self.mismatch(name, "a list of objects"),
        };
        let path = |i: usize| format!("{}.{name}[{i}]", self.path);
        values.iter().enumerate().map(|(i, v)| Members::of(v, path(i), known)).collect()
    }

    /// Names and values that are chosen freely: a context, a mix.
    pub(crate) fn pairs(&self, name: &str) -> Result<&'j [(String, Json<'a>)]> {
        match self.value(name) {
            None => Ok(&[]),
            Some(Json::Object(members, _)) => Ok(members),
            Some(_) => self.mismatch(name, "an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#"{"a": [1, -2.5, "x\n"], "b": {"has": ["g", "h"]}, "c": null, "d": true}"#;
        let json = Json::read(text, "request").unwrap();
        let members = Members::of(&json, "request".into(), &["a", "b", "c", "d"]).unwrap();
        assert_eq!(members.program("b").unwrap().unwrap(), r#"{"has": ["g", "h"]}"#);
        assert_eq!(members.value("c"), None);
        assert_eq!(members.flag("d").unwrap(), Some(true));
        let Some(Json::List(list)) = members.value("a") else { panic!("a list") };
        assert_eq!(list[1], Json::Number(-2.5));
        assert_eq!(list[2], Json::Text("x\n".into()));
    }

    #[test]
    fn errors_name_the_member() {
        let fail = |text: &str| {
            let json = Json::read(text, "request")?;
            let members = Members::of(&json, "request".into(), &["k", "inner"])?;
            members.whole("k", 1, 10)?;
            let inner = members.object("inner", &["strength"])?;
            inner.map(|inner| inner.number("strength", 0.0, 1.0)).transpose().map(drop)
        };
        let message = |text: &str| fail(text).unwrap_err().to_string();
        assert!(
            message(r#"{"k": 11}"#).starts_with("request.k: expected a whole number from 1 to")
        );
        assert!(message(r#"{"k": "1"}"#).contains("found \"1\""));
        assert!(message(r#"{"K": 1}"#).contains('k'));
        assert!(message(r#"{"inner": {"strenght": 1}}"#).contains("strength"));
        assert!(message(r#"{"inner": {"strength": 1e9}}"#).starts_with("request.inner.strength"));
        assert!(message(r#"{"k": 1, "k": 2}"#).contains("once"));
        assert!(message(r#"{"k": 1"#).contains("at character"));
        assert!(message("[1]").contains("an object"));
        assert!(fail(r#"{"k": 3, "inner": {"strength": 0.5}}"#).is_ok());
        let deep = "[".repeat(10_000);
        assert!(message(&deep).contains("nesting"));
    }

    #[test]
    fn another_object_fills_the_gaps() {
        let (own, other) = (r#"{"k": 1, "seed": null}"#, r#"{"k": 2, "seed": 3, "floor": 0.5}"#);
        let (own, other) = (Json::read(own, "a").unwrap(), Json::read(other, "b").unwrap());
        let known = ["k", "seed", "floor"];
        let other = Members::of(&other, "b".into(), &known).unwrap();
        let both = Members::of(&own, "a".into(), &known).unwrap().or(&other);
        assert_eq!(both.whole("k", 0, 9).unwrap(), Some(1));
        assert_eq!(both.whole("seed", 0, 9).unwrap(), None, "null takes a default back");
        assert_eq!(both.number("floor", 0.0, 1.0).unwrap(), Some(0.5));
    }
}
