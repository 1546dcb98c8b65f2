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

use convert::Request;
use js_sys::{Array, Object, Uint32Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Error;
use crate::ids::Ordinal;
use crate::load::{AlignedBytes, Index};
use crate::slate::{Recommender, Target};

type JsResult<T> = Result<T, JsValue>;

/// An archive, a profile, and the answers.
#[wasm_bindgen]
pub struct Engine {
    state: State,
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
        Ok(Self { state: State::Loading(bytes) })
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
    pub fn ids(&self, ordinals: &Uint32Array) -> JsResult<Array> {
        let ids = Array::new();
        for ordinal in ordinals.to_vec() {
            let id = self.recommender()?.index().id(Ordinal(ordinal)).map_err(error::to_js)?;
            ids.push(&id.into());
        }
        Ok(ids)
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
    pub fn cards(&self, ordinals: &Uint32Array, fields: Vec<String>) -> JsResult<Array> {
        convert::cards(self.recommender()?, &ordinals.to_vec(), &fields).map_err(error::to_js)
    }

    /// How many items have each value of a column, most frequent first.
    pub fn facets(&mut self, field: &str, request: &JsValue) -> JsResult<Array> {
        let request = Request::read(request, &["limit"]).map_err(error::to_js)?;
        convert::facets(self.recommender_mut()?, field, &request).map_err(error::to_js)
    }

    /// How many items a request is about.
    pub fn count(&mut self, request: &JsValue) -> JsResult<usize> {
        let request = Request::read(request, &[]).map_err(error::to_js)?;
        let items = self.recommender_mut()?.select(&request.limits()).map_err(error::to_js)?;
        Ok(items.count())
    }

    /// More like an item or a vector.
    pub fn similar(&mut self, request: &JsValue) -> JsResult<Object> {
        let known = ["id", "vector", "k", "exclude", "recall"];
        let request = Request::read(request, &known).map_err(error::to_js)?;
        let target = match (&request.id, &request.vector) {
            (Some(id), None) => Target::Item(id),
            (None, Some(vector)) => Target::Vector(vector),
            _ => {
                let expected = "either an id or a Float32Array";
                return Err(error::to_js(Error::arg("target", expected, "neither or both")));
            }
        };
        let recommender = self.recommender_mut()?;
        let slate = recommender.similar(target, &request.limits()).map_err(error::to_js)?;
        convert::slate(recommender, &slate).map_err(error::to_js)
    }

    /// What the person may like.
    pub fn recommend(&mut self, request: &JsValue) -> JsResult<Object> {
        let known = ["k", "exclude", "recall", "seen", "explain"];
        let request = Request::read(request, &known).map_err(error::to_js)?;
        let recommender = self.recommender_mut()?;
        let slate = recommender
            .recommend(&request.limits(), request.exclude_seen, request.explain)
            .map_err(error::to_js)?;
        convert::slate(recommender, &slate).map_err(error::to_js)
    }

    /// Items by title. `text` must be `text.normalize("NFKD").toLowerCase()`.
    pub fn find(&mut self, text: &str, request: &JsValue) -> JsResult<Object> {
        let request = Request::read(request, &["k", "exclude"]).map_err(error::to_js)?;
        let recommender = self.recommender_mut()?;
        let slate = recommender.find(text, &request.limits()).map_err(error::to_js)?;
        convert::slate(recommender, &slate).map_err(error::to_js)
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

fn not_open() -> JsValue {
    error::to_js(Error::arg("engine", "an archive that was opened", "none"))
}
