//! The surface for JavaScript: converts and delegates, decides nothing.
//!
//! One instance of the module holds one archive. The caller reserves the archive's buffer, writes
//! the bytes into linear memory itself (there is no other copy), and opens it. The TypeScript
//! package wraps all of this; its API is the documented one.

mod convert;
mod error;
mod names;
mod profile;
mod read;
mod slate;
mod text;

use js_sys::{Array, Object};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Error;
use crate::ids::Ordinal;
use crate::load::{AlignedBytes, Index};
use crate::search::Effort;
use crate::slate::{Limits, Recommender, Request, Scenarios, Slate, Target};
use crate::taste::SummaryColumns;

type JsResult<T> = Result<T, JsValue>;

/// An archive, a profile, and the answers.
#[wasm_bindgen]
pub struct Engine {
    state: State,
    /// What [`Engine::nearest`] found last.
    found: Vec<f64>,
}

enum State {
    /// The buffer is being filled.
    Loading(AlignedBytes),
    /// The archive is open. Boxed: the other states are small.
    Open(Box<Recommender>),
    /// Opening failed; the buffer is gone.
    Failed,
}

#[wasm_bindgen]
impl Engine {
    /// Reserves a buffer for an archive of `length` bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(length: usize) -> JsResult<Engine> {
        let bytes = AlignedBytes::zeroed(length).map_err(error::to_js)?;
        Ok(Self { state: State::Loading(bytes), found: Vec::new() })
    }

    /// Byte address of the buffer in linear memory; 0 where opening failed. It stays where it is
    /// while the archive arrives.
    pub fn address(&self) -> usize {
        match &self.state {
            State::Loading(bytes) => bytes.as_slice().as_ptr() as usize,
            State::Open(recommender) => recommender.index().bytes().as_slice().as_ptr() as usize,
            State::Failed => 0,
        }
    }

    /// Takes notice that the first `arrived` bytes of the archive are in the buffer, validates
    /// them, and opens the archive if they suffice. Returns whether it is open.
    pub fn arrive(&mut self, arrived: usize) -> JsResult<bool> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Loading(bytes) => match Index::open_part(bytes, arrived) {
                Ok(index) => self.state = State::Open(Box::new(Recommender::new(index))),
                Err((Error::NotReady { .. }, bytes)) => self.state = State::Loading(bytes),
                Err((error, _)) => return Err(error::to_js(error)),
            },
            State::Open(mut recommender) => {
                let result = recommender.arrive(arrived);
                self.state = State::Open(recommender);
                result.map_err(error::to_js)?;
            }
            State::Failed => return Err(not_open()),
        }
        Ok(matches!(self.state, State::Open(_)))
    }

    /// Compares the sections that have arrived, and end behind the first `from` bytes, with their
    /// checks.
    pub fn verify(&self, from: usize) -> JsResult<()> {
        self.recommender()?.index().verify_from(from).map_err(error::to_js)
    }

    /// What the archive holds.
    pub fn info(&self) -> JsResult<Object> {
        convert::info(self.recommender()?).map_err(error::to_js)
    }

    /// The caller's ids of these ordinals.
    pub fn ids(&self, ordinals: &[u32]) -> JsResult<Array> {
        let index = self.recommender()?.index();
        let ids = ordinals.iter().map(|ordinal| index.id(Ordinal(*ordinal)));
        Ok(text::texts(&ids.collect::<crate::error::Result<Vec<_>>>().map_err(error::to_js)?))
    }

    /// Whether the archive has this item.
    pub fn has(&self, id: &str) -> JsResult<bool> {
        Ok(self.recommender()?.index().ordinal(id).map_err(error::to_js)?.is_some())
    }

    /// The ordinal of an item, or `undefined`.
    pub fn ordinal(&self, id: &str) -> JsResult<Option<u32>> {
        Ok(self.recommender()?.index().ordinal(id).map_err(error::to_js)?.map(|o| o.0))
    }

    /// One plain object an item, with these columns.
    pub fn cards(&self, ordinals: &[u32], fields: Vec<String>) -> JsResult<Array> {
        convert::cards(self.recommender()?, ordinals, &fields).map_err(error::to_js)
    }

    /// How many items have each value of a column, most frequent first.
    pub fn facets(&mut self, field: &str, limit: Option<u32>, request: &str) -> JsResult<Array> {
        let (recommender, request) = self.asked(request)?;
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        convert::facets(recommender, field, limit, &request).map_err(error::to_js)
    }

    /// How many items a request is about.
    pub fn count(&mut self, request: &str) -> JsResult<usize> {
        let (recommender, request) = self.asked(request)?;
        Ok(recommender.select(&request.limits()).map_err(error::to_js)?.count())
    }

    /// More like an item, or else a vector.
    pub fn similar(
        &mut self,
        id: Option<String>,
        vector: &[f32],
        request: &str,
    ) -> JsResult<Object> {
        let (recommender, request) = self.asked(request)?;
        let target = id.as_deref().map_or(Target::Vector(vector), Target::Item);
        answer(recommender, request.k, |nf| nf.similar(target, &request.limits()))
    }

    /// The `k` items nearest to a vector, when nothing else is asked: what [`Engine::similar`] gives, without
    /// a request's text and an answer's object, which are a third of a small search. `recall` is a share;
    /// NaN stands for the archive's own, and infinity for all items.
    ///
    /// Gives the byte address in linear memory, up to the next call, of f64s: how many items were found, how
    /// many qualify, 1 or 0 for whether scores are approximate, then the ordinals, then the scores. (An array of
    /// JavaScript's own for each answer took longer than some of the search's steps.)
    pub fn nearest(&mut self, vector: &[f32], k: usize, recall: f64) -> JsResult<usize> {
        let effort = match recall {
            f64::INFINITY => Effort::Exhaustive,
            share if (0.0..=1.0).contains(&share) => Effort::Recall(share as f32),
            _ => Effort::Usual,
        };
        let limits = Limits { k, effort, ..Limits::default() };
        let nf = self.recommender_mut()?;
        let answer = nf.similar(Target::Vector(vector), &limits).map_err(error::to_js)?;
        let (items, approximate) = (&answer.items, f64::from(u8::from(answer.approximate)));
        self.found.clear();
        self.found.extend([items.len() as f64, answer.n_qualifying as f64, approximate]);
        self.found.extend(items.iter().map(|item| f64::from(item.ordinal.0)));
        self.found.extend(items.iter().map(|item| item.score));
        Ok(self.found.as_ptr() as usize)
    }

    /// Items by title. `text` must be `text.normalize("NFKD").toLowerCase()`.
    pub fn find(&mut self, text: &str, request: &str) -> JsResult<Object> {
        let (recommender, request) = self.asked(request)?;
        answer(recommender, request.k, |nf| nf.find(text, &request.limits()))
    }

    /// What the person may like.
    pub fn recommend(&mut self, request: &str) -> JsResult<Object> {
        let (recommender, request) = self.asked(request)?;
        answer(recommender, request.k, |nf| nf.recommend(&request))
    }

    /// These items in the person's order.
    pub fn rank(&mut self, ids: Vec<String>, request: &str) -> JsResult<Object> {
        let (recommender, request) = self.asked(request)?;
        answer(recommender, request.k, |nf| nf.rank(&ids, &request))
    }

    /// What somebody may like who likes and dislikes these.
    pub fn discover(
        &mut self,
        like: Vec<String>,
        dislike: Vec<String>,
        request: &str,
    ) -> JsResult<Object> {
        let (recommender, request) = self.asked(request)?;
        answer(recommender, request.k, |nf| nf.discover(&like, &dislike, &request))
    }

    /// One slate for each of the person's interests.
    pub fn rows(&mut self, request: &str) -> JsResult<Array> {
        let (recommender, request) = self.asked(request)?;
        let rows = recommender.rows(&request).map_err(error::to_js)?;
        rows.iter()
            .map(|row| slate::slate(recommender, row, request.k).map_err(error::to_js))
            .collect()
    }

    /// What is to be said of the person's taste; `undefined` where nothing is known.
    pub fn summary(
        &mut self,
        mix: Option<String>,
        age: Option<String>,
        request: &str,
    ) -> JsResult<Option<Object>> {
        let (recommender, request) = self.asked(request)?;
        let labels: Vec<&str> = request.labels.iter().map(String::as_str).collect();
        let columns = SummaryColumns { mix: mix.as_deref(), age: age.as_deref(), labels: &labels };
        let summary = recommender.summary(&request, &columns).map_err(error::to_js)?;
        let page = |summary: &_| slate::summary(recommender.index(), summary);
        summary.as_ref().map(page).transpose().map_err(error::to_js)
    }

    /// Ordinals of items to ask a new person about.
    pub fn onboarding(&mut self, request: &str) -> JsResult<Vec<u32>> {
        let (recommender, request) = self.asked(request)?;
        let items = recommender.onboarding(&request).map_err(error::to_js)?;
        Ok(items.iter().map(|item| item.0).collect())
    }

    /// Sets the scenarios that requests may name beside those of the archive.
    pub fn set_scenarios(&mut self, json: &str) -> JsResult<()> {
        let scenarios = Scenarios::from_json(json).map_err(error::to_js)?;
        self.recommender_mut()?.set_scenarios(scenarios);
        Ok(())
    }

    /// Adds an entry to the profile; false where it is there already.
    pub fn append(&mut self, entry: &JsValue) -> JsResult<bool> {
        let entry = profile::entry(entry).map_err(error::to_js)?;
        self.recommender_mut()?.record(entry).map_err(error::to_js)
    }

    /// Forgets the person.
    pub fn clear_profile(&mut self) -> JsResult<()> {
        self.recommender_mut()?.clear_profile();
        Ok(())
    }

    /// Drops what is older than a maximum age, both in milliseconds; see `Profile::compact`.
    pub fn compact_profile(&mut self, now_ms: f64, max_age_ms: f64) -> JsResult<()> {
        // Whatever numbers they are: the conversions saturate.
        self.recommender_mut()?.compact_profile(now_ms as i64, max_age_ms as u64);
        Ok(())
    }

    /// The profile's entries in canonical order.
    pub fn entries(&self) -> JsResult<Array> {
        Ok(profile::entries(self.recommender()?.profile()))
    }
}

impl Engine {
    /// The recommender, and what it is asked for, from JSON.
    fn asked(&mut self, request: &str) -> JsResult<(&mut Recommender, Request)> {
        let recommender = self.recommender_mut()?;
        let request = recommender.read_request(request).map_err(error::to_js)?;
        Ok((recommender, request))
    }

    fn recommender(&self) -> JsResult<&Recommender> {
        match &self.state {
            State::Open(recommender) => Ok(recommender),
            _ => Err(not_open()),
        }
    }

    fn recommender_mut(&mut self) -> JsResult<&mut Recommender> {
        match &mut self.state {
            State::Open(recommender) => Ok(recommender),
            _ => Err(not_open()),
        }
    }
}

/// The answer to a question for `k` items.
fn answer(
    recommender: &mut Recommender,
    k: usize,
    ask: impl FnOnce(&mut Recommender) -> crate::error::Result<Slate>,
) -> JsResult<Object> {
    let found = ask(recommender).map_err(error::to_js)?;
    slate::slate(recommender, &found, k).map_err(error::to_js)
}

fn not_open() -> JsValue {
    error::to_js(Error::arg("engine", "an archive that was opened", "none"))
}
