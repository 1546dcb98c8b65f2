//! Scenarios: named defaults of requests, which the catalog's owner decides.

use super::request::{MEMBERS, Request};
use crate::catalog::{Json, Members};
use crate::error::{Error, Result, quoted};

/// Named defaults of requests: a home page, an item's page, a radio. Written as one JSON object
/// whose members are requests:
///
/// ```
/// use nearfield::{Request, Scenarios};
///
/// let scenarios = Scenarios::from_json(
///     r#"{"home": {"k": 20, "diversity": {"strength": 0.3}}, "radio": {"k": 50, "floor": 0.2}}"#,
/// )?;
/// let request = Request::from_json(r#"{"scenario": "radio", "k": 5}"#, &scenarios)?;
/// assert_eq!((request.k, request.floor), (5, 0.2));
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenarios {
    /// Names and the text of each request.
    named: Vec<(String, String)>,
}

impl Scenarios {
    /// Reads scenarios and checks each of them.
    ///
    /// # Errors
    /// [`Error::Arg`] that names the scenario and the member, as [`Request::from_json`] does.
    pub fn from_json(text: &str) -> Result<Self> {
        let json = Json::read(text, "scenarios")?;
        let Json::Object(members, _) = &json else {
            return Err(Error::arg("scenarios", "an object of requests", "something else"));
        };
        let mut named = Vec::with_capacity(members.len());
        for (name, value) in members {
            let path = format!("scenarios.{name}");
            Request::from_members(&Members::of(value, path, &MEMBERS)?)?;
            if let Json::Object(_, text) = value {
                named.push((name.clone(), (*text).to_owned()));
            }
        }
        Ok(Self { named })
    }

    /// These, and those of `others` that have other names.
    #[must_use]
    pub fn before(mut self, others: Self) -> Self {
        for (name, text) in others.named {
            if !self.named.iter().any(|(known, _)| *known == name) {
                self.named.push((name, text));
            }
        }
        self
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// The request of a scenario as JSON.
    pub(super) fn text_of(&self, name: &str) -> Result<&str> {
        match self.named.iter().find(|(n, _)| n == name) {
            Some((_, text)) => Ok(text),
            None => {
                let names: Vec<&str> = self.names().collect();
                let expected = match names.is_empty() {
                    true => "no scenario: neither archive nor caller has any".into(),
                    false => crate::catalog::expected_name("a scenario", name, &names),
                };
                Err(Error::arg("request.scenario", expected, quoted(name)))
            }
        }
    }
}
