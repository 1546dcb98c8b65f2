//! Errors as JavaScript sees them: an `Error` with name, code, message and details.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use super::names::name;
use crate::error::Error;

/// Sets a property of an object that this module made: such objects are extensible, so that
/// setting cannot fail.
pub(super) fn set(object: &Object, key: &'static str, value: impl Into<JsValue>) {
    set_value(object, key, &value.into());
}

/// The part of [`set`] that need not exist for every type and place: it is called 40 times.
#[inline(never)]
fn set_value(object: &Object, key: &'static str, value: &JsValue) {
    let _ = Reflect::set(object, &name(key), value);
}

/// This crate's error as a JavaScript `Error`.
#[expect(clippy::needless_pass_by_value, reason = "serves map_err")]
pub(super) fn to_js(error: Error) -> JsValue {
    let details = Object::new();
    match &error {
        Error::Arg { path, expected, found } => {
            set(&details, "path", path.as_str());
            set(&details, "expected", expected.as_str());
            set(&details, "found", found.as_str());
        }
        Error::Filter { position, expected, found } => {
            set(&details, "position", *position as u32);
            set(&details, "expected", expected.as_str());
            set(&details, "found", found.as_str());
        }
        Error::Corrupt { section, check } => {
            set(&details, "section", *section);
            set(&details, "check", *check);
        }
        Error::Version { found, oldest, newest } => {
            set(&details, "found", *found);
            set(&details, "oldest", *oldest);
            set(&details, "newest", *newest);
        }
        Error::NotReady { section } => set(&details, "section", *section),
        Error::Memory { needed_bytes } => set(&details, "needed_bytes", *needed_bytes as f64),
        _ => {}
    }
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name("NearfieldError");
    set(&thrown, "code", error.code().as_str());
    set(&thrown, "details", &details);
    thrown.into()
}
