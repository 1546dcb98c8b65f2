//! Slates, as JavaScript gets them: ordinals and scores as typed arrays, the rest as small objects.

use js_sys::{Array, Float64Array, Object, Uint32Array};
use wasm_bindgen::JsValue;

use super::error::set;
use super::text::texts;
use crate::error::Result;
use crate::ids::Scored;
use crate::load::Index;
use crate::slate::{Passed, Recommender, Slate, Step, Unmet};
use crate::taste::{Axis, Interest, Label, LabelValue, Share, TasteSummary};

/// An answer to a question for `k` items: a scenario may have said how many.
pub(super) fn slate(recommender: &Recommender, slate: &Slate, k: usize) -> Result<Object> {
    let index = recommender.index();
    let answer = Object::new();
    set(&answer, "ordinals", ordinals(&slate.items));
    set(&answer, "scores", scores(&slate.items));
    set(&answer, "requested", k as f64);
    set(&answer, "qualifying", slate.n_qualifying as f64);
    set(&answer, "basis", slate.basis.as_str());
    if slate.approximate {
        set(&answer, "approximate", true);
    }
    if !slate.because.is_empty() {
        set(&answer, "because", list(&slate.because, |shares| because(index, shares))?);
    }
    if let Some(parts) = &slate.parts {
        set(&answer, "part_names", texts(&parts.names));
        set(&answer, "parts", Float64Array::from(parts.values.as_slice()));
    }
    if let Some(policy) = &slate.policy {
        set(&answer, "policy", policy.as_str());
        set(&answer, "propensities", list(&slate.propensities, |p| Ok(optional(*p)))?);
        set(&answer, "explored", ordinals(&slate.explored));
        set(&answer, "explored_relevance", scores(&slate.explored));
    }
    if !slate.interests.is_empty() {
        set(&answer, "interests", list(&slate.interests, |i| interest(index, i))?);
        let number = |i: &Option<usize>| Ok(optional(i.map(|i| i as f64)));
        set(&answer, "interest_of", list(&slate.interest_of, number)?);
    }
    if !slate.trace.is_empty() {
        set(&answer, "trace", list(&slate.trace, |s| step(index, s))?);
    }
    if !slate.unmet.is_empty() {
        set(&answer, "unmet", list(&slate.unmet, |u| Ok(unmet(u)))?);
    }
    if !slate.warnings.is_empty() {
        set(&answer, "warnings", texts(&slate.warnings));
    }
    Ok(answer)
}

/// A page about somebody's taste.
pub(super) fn summary(index: &Index, summary: &TasteSummary) -> Result<Object> {
    let page = Object::new();
    set(&page, "interests", list(&summary.interests, |i| interest(index, i))?);
    let share = |(value, share): &(String, f64)| {
        let object = Object::new();
        set(&object, "value", value.as_str());
        set(&object, "share", *share);
        Ok(object.into())
    };
    set(&page, "mix", list(&summary.mix, share)?);
    for (name, of) in [
        ("exploring", &summary.exploring),
        ("niche", &summary.niche),
        ("new", &summary.new),
        ("varied", &summary.varied),
    ] {
        if let Some(of) = of {
            set(&page, name, axis(of));
        }
    }
    Ok(page)
}

/// Parts of a score.
fn because(index: &Index, shares: &[Share]) -> Result<JsValue> {
    list(shares, |share| {
        let object = Object::new();
        set(&object, "item", index.id(share.item)?);
        set(&object, "kind", share.kind.as_str());
        set(&object, "at_ms", share.at_ms as f64);
        set(&object, "share", share.share);
        Ok(object.into())
    })
    .map(JsValue::from)
}

fn interest(index: &Index, interest: &Interest) -> Result<JsValue> {
    let object = Object::new();
    set(&object, "medoid", index.id(interest.medoid)?);
    set(&object, "size", interest.members.len() as f64);
    set(&object, "importance", interest.importance);
    set(&object, "labels", list(&interest.labels, |l| Ok(label(l)))?);
    Ok(object.into())
}

fn label(label: &Label) -> JsValue {
    let object = Object::new();
    set(&object, "field", label.column.as_str());
    match &label.value {
        LabelValue::Text(text) => set(&object, "value", text.as_str()),
        LabelValue::Decade(year) => set(&object, "decade", *year as f64),
    }
    object.into()
}

fn axis(axis: &Axis) -> Object {
    let object = Object::new();
    set(&object, "value", axis.value);
    set(&object, "measured", axis.measured);
    set(&object, "n_items", axis.n_items as f64);
    object
}

fn step(index: &Index, step: &Step) -> Result<JsValue> {
    let object = Object::new();
    set(&object, "position", step.position as f64);
    set(&object, "item", index.id(step.item)?);
    set(&object, "reason", step.reason);
    if let Some(rule) = &step.rule {
        set(&object, "rule", rule.as_str());
    }
    set(&object, "passed", list(&step.passed, |p| passed(index, p))?);
    Ok(object.into())
}

fn passed(index: &Index, passed: &Passed) -> Result<JsValue> {
    let object = Object::new();
    set(&object, "item", index.id(passed.item)?);
    set(&object, "why", passed.why);
    if let Some(rule) = &passed.rule {
        set(&object, "rule", rule.as_str());
    }
    if let Some((to, similarity)) = passed.similar {
        set(&object, "similarTo", index.id(to)?);
        set(&object, "similarity", similarity);
    }
    Ok(object.into())
}

fn unmet(unmet: &Unmet) -> JsValue {
    let object = Object::new();
    set(&object, "what", unmet.what);
    set(&object, "name", unmet.name.as_str());
    set(&object, "missing", unmet.missing as f64);
    object.into()
}

fn list<T>(values: &[T], one: impl Fn(&T) -> Result<JsValue>) -> Result<Array> {
    values.iter().map(one).collect()
}

fn optional(x: Option<f64>) -> JsValue {
    x.map_or(JsValue::UNDEFINED, JsValue::from_f64)
}

fn ordinals(items: &[Scored]) -> Uint32Array {
    Uint32Array::from(items.iter().map(|i| i.ordinal.0).collect::<Vec<u32>>().as_slice())
}

fn scores(items: &[Scored]) -> Float64Array {
    Float64Array::from(items.iter().map(|i| i.score).collect::<Vec<f64>>().as_slice())
}
