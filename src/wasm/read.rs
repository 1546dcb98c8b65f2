//! Requests from JavaScript, member by member.
//!
//! Own members only, so that nothing on a prototype is read; every error names the member, what
//! it must be and what it is. (serde would carry its general error texts, and with them the
//! formatting of floats, a third of the whole module.)

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

use super::names::name;
use crate::error::{Error, Number, Result, quoted};

/// A plain object, and the path to it for errors.
pub(super) struct Reader {
    object: Object,
    path: &'static str,
}

impl Reader {
    /// Reads `value`, which must be an object with no other members than `known`.
    #[inline(never)]
    pub(super) fn new(
        value: &JsValue,
        path: &'static str,
        known: &[&'static str],
    ) -> Result<Self> {
        let Some(object) = value.dyn_ref::<Object>() else {
            return Err(Error::arg(path, "an object", describe(value)));
        };
        let keys = Object::keys(object);
        let n_known = known.iter().filter(|key| Object::has_own(object, &name(key))).count();
        // Only where there are more than the known ones is it worth asking for their names.
        if keys.length() as usize > n_known {
            for key in keys.iter().filter_map(|key| key.as_string()) {
                if !known.contains(&key.as_str()) {
                    let expected = format!("one of: {}", known.join(", "));
                    return Err(Error::arg(path, expected, quoted(&key)));
                }
            }
        }
        Ok(Self { object: object.clone(), path })
    }

    /// A member that is there and neither `undefined` nor `null`.
    #[inline(never)]
    pub(super) fn value(&self, key: &'static str) -> Option<JsValue> {
        let key = name(key);
        if !Object::has_own(&self.object, &key) {
            return None;
        }
        // A getter that throws leaves the member absent.
        let value = Reflect::get(&self.object, &key).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    /// The error of a member that is something else than `expected`.
    #[inline(never)]
    pub(super) fn mismatch<T>(
        &self,
        key: &'static str,
        expected: &str,
        found: &JsValue,
    ) -> Result<T> {
        Err(Error::arg(format!("{}.{key}", self.path), expected, describe(found)))
    }

    fn as_some<T>(
        &self,
        key: &'static str,
        expected: &str,
        convert: impl Fn(&JsValue) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match convert(&value) {
            Some(converted) => Ok(Some(converted)),
            None => self.mismatch(key, expected, &value),
        }
    }

    #[inline(never)]
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>> {
        self.as_some(key, "a string", JsValue::as_string)
    }

    #[inline(never)]
    pub(super) fn number(&self, key: &'static str) -> Result<Option<f64>> {
        // Not NaN, which a conversion to whole numbers would take for 0.
        self.as_some(key, "a number", |value| value.as_f64().filter(|x| !x.is_nan()))
    }

    #[inline(never)]
    pub(super) fn flag(&self, key: &'static str) -> Result<Option<bool>> {
        self.as_some(key, "true or false", JsValue::as_bool)
    }

    /// A whole number from 0 to 2^53.
    #[inline(never)]
    pub(super) fn whole(&self, key: &'static str) -> Result<Option<u64>> {
        let whole = |value: &JsValue| {
            let x = value.as_f64()?;
            ((0.0..=9_007_199_254_740_992.0).contains(&x) && x.floor() == x).then_some(x as u64)
        };
        self.as_some(key, "a whole number that is not negative", whole)
    }
}

/// A value in a few words.
fn describe(value: &JsValue) -> String {
    if let Some(text) = value.as_string() {
        return quoted(&text);
    }
    if let Some(x) = value.as_f64() {
        return Number(x).to_string();
    }
    match value.as_bool() {
        Some(flag) => flag.to_string(),
        None if value.is_undefined() => "nothing".into(),
        None if value.is_null() => "null".into(),
        None if value.is_function() => "a function".into(),
        None if Array::is_array(value) => "an array".into(),
        None => "an object or symbol".into(),
    }
}
