//! Names of members as JavaScript strings, each made once.
//!
//! Making a string from bytes costs a call of the host's decoder. A request and its answer name
//! fifteen members, and in a profile of small searches that decoder took a fifteenth of the time.

use std::cell::RefCell;

use wasm_bindgen::JsValue;

thread_local! {
    static NAMES: RefCell<Vec<(&'static str, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// The name as a JavaScript string. There are some forty names, all of them in this folder.
pub(super) fn name(name: &'static str) -> JsValue {
    NAMES.with_borrow_mut(|names| {
        if let Some((_, value)) = names.iter().find(|(known, _)| *known == name) {
            return value.clone();
        }
        let value = JsValue::from_str(name);
        names.push((name, value.clone()));
        value
    })
}
