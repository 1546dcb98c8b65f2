//! Requests from JSON: every member by its name, each with its range.

use super::{
    Boost, Calibration, Cap, DAY_MS, Diversity, DiversityMethod, Explore, ExploreMethod,
    Freshness, Interests, MAX_CANDIDATES, MAX_DAYS, MAX_INTERESTS, MAX_K, Mix, Pin, Pool, Quota,
    Request, Rotation, WEIGHTS,
};
use crate::catalog::{Json, Members};
use crate::error::{Error, Number, Result, quoted};
use crate::kind::Kind;
use crate::search::Effort;
use crate::slate::Scenarios;
use crate::slate::draw::SOFTMAX_TEMPERATURE;
use crate::taste::Window;
/// The members of a request in JSON.
pub(in crate::slate) const MEMBERS: [&str; 30] = [
    "scenario",
    "k",
    "where",
    "params",
    "now",
    "exclude",
    "recall",
    "seen",
    "explain",
    "seed",
    "context",
    "focus",
    "windows",
    "halflives",
    "interests",
    "labels",
    "weights",
    "freshness",
    "boosts",
    "floor",
    "diversity",
    "calibration",
    "caps",
    "quotas",
    "pins",
    "pools",
    "rotation",
    "explore",
    "candidates",
    "after",
];
/// And those that a scenario cannot set for others: they ask for more to be told.
const TELLING: [&str; 2] = ["parts", "trace"];

impl Request {
    /// Reads a request. What it does not say, the scenario that it names says, from `scenarios`
    /// (see [`Scenarios`]); members are not mixed. `null` takes a scenario's member back.
    ///
    /// # Errors
    /// [`Error::Arg`] that names the member: one that does not exist, is of another type or out of
    /// its range; for an unknown scenario, with the nearest name.
    pub fn from_json(text: &str, scenarios: &Scenarios) -> Result<Self> {
        let json = Json::read(text, "request")?;
        let known = [&MEMBERS[..], &TELLING].concat();
        let own = Members::of(&json, "request".into(), &known)?;
        let Some(name) = own.text("scenario")? else { return Self::from_members(&own) };
        let defaults = scenarios.text_of(name)?;
        let path = format!("scenarios.{name}");
        let json = Json::read(defaults, &path)?;
        let defaults = Members::of(&json, path, &MEMBERS)?;
        // By itself first, so that what is wrong in it is blamed on it.
        Self::from_members(&defaults)?;
        Self::from_members(&own.or(&defaults))
    }

    pub(in crate::slate) fn from_members(m: &Members<'_, '_>) -> Result<Self> {
        let default = Self::default();
        let weights = m.object("weights", &["taste", "prior"])?;
        let weight = |name| match &weights {
            Some(weights) => weights.number(name, -WEIGHTS, WEIGHTS),
            None => Ok(None),
        };
        let request = Self {
            k: m.whole("k", 1, MAX_K as u64)?.map_or(default.k, |k| k as usize),
            where_: m.program("where")?,
            params: m.program("params")?,
            now_ms: m.number("now", -8.64e15, 8.64e15)?.map(|now| now as i64),
            exclude: m.texts("exclude")?.unwrap_or_default(),
            effort: effort(m)?,
            include_seen: m.one_of("seen", &["exclude", "include"])? == Some(1),
            explain: m.whole("explain", 0, 1000)?.unwrap_or(0) as usize,
            seed: m.whole("seed", 0, 1 << 53)?.unwrap_or(0),
            context: context(m)?,
            focus: m.share("focus")?.unwrap_or(0.0),
            windows: windows(m)?,
            half_lives: half_lives(m)?,
            interests: interests(m)?,
            labels: m.texts("labels")?.unwrap_or_default(),
            taste_weight: weight("taste")?.unwrap_or(default.taste_weight),
            prior_weight: weight("prior")?.unwrap_or(default.prior_weight),
            freshness: freshness(m)?,
            boosts: boosts(m)?,
            floor: m.share("floor")?.unwrap_or(0.0),
            diversity: diversity(m)?,
            calibration: calibration(m)?,
            caps: caps(m)?,
            quotas: quotas(m)?,
            pins: pins(m)?,
            pools: pools(m)?,
            rotation: rotation(m)?,
            explore: explore(m)?,
            candidates: m
                .whole("candidates", 1, MAX_CANDIDATES as u64)?
                .map(|candidates| candidates as usize),
            after: m.texts("after")?.unwrap_or_default(),
            parts: m.flag("parts")?.unwrap_or(false),
            trace: m.flag("trace")?.unwrap_or(false),
        };
        request.check()?;
        Ok(request)
    }
}

fn effort(m: &Members<'_, '_>) -> Result<Effort> {
    match m.value("recall") {
        None => Ok(Effort::Usual),
        Some(Json::Number(share)) if *share > 0.0 && *share < 1.0 => {
            Ok(Effort::Recall(*share as f32))
        }
        Some(Json::Text(text)) if text == "exhaustive" => Ok(Effort::Exhaustive),
        Some(_) => m.mismatch("recall", "a number between 0 and 1, or \"exhaustive\""),
    }
}

fn context(m: &Members<'_, '_>) -> Result<Vec<(String, String)>> {
    let mut context = Vec::new();
    for (key, value) in m.pairs("context")? {
        let value = match value {
            Json::Text(text) => text.clone(),
            Json::Flag(flag) => flag.to_string(),
            Json::Number(x) => Number(*x).to_string(),
            _ => return m.mismatch("context", "an object of strings, numbers and flags"),
        };
        // Sorted as it grows; there are a handful.
        let place = context.partition_point(|(k, _): &(String, String)| k < key);
        context.insert(place, (key.clone(), value));
    }
    Ok(context)
}

fn windows(m: &Members<'_, '_>) -> Result<Vec<Window>> {
    let window = |w: &Members<'_, '_>| {
        let days = w.number("days", 1.0 / 24.0, MAX_DAYS)?;
        Ok(Window {
            name: w.text("name")?.unwrap_or("window").into(),
            max_age_ms: days.map(|days| (days * DAY_MS) as i64),
            weight: w.number("weight", 0.0, WEIGHTS)?.unwrap_or(1.0),
        })
    };
    let windows = each(&m.objects("windows", &["name", "days", "weight"])?, window)?;
    Ok(if windows.is_empty() { vec![Window::all()] } else { windows })
}

fn half_lives(m: &Members<'_, '_>) -> Result<Vec<(Kind, Option<f64>)>> {
    let half_life = |(name, value): &(String, Json<'_>)| {
        let days = match value {
            Json::Null => None,
            Json::Number(days) if *days > 0.0 && *days <= MAX_DAYS => Some(*days),
            _ => return m.mismatch("halflives", "days, positive, or null for never"),
        };
        match Kind::from_name(name) {
            Some(kind) => Ok((kind, days)),
            None => {
                let names = Kind::ALL.map(Kind::as_str).join(", ");
                Err(Error::arg(m.path("halflives"), format!("one of: {names}"), quoted(name)))
            }
        }
    };
    each(m.pairs("halflives")?, half_life)
}

fn interests(m: &Members<'_, '_>) -> Result<Interests> {
    if matches!(m.value("interests"), Some(Json::Text(text)) if text == "auto") {
        return Ok(Interests::Auto);
    }
    let most = m.whole("interests", 0, MAX_INTERESTS as u64)?;
    Ok(Interests::Most(most.unwrap_or(0) as usize))
}

fn freshness(m: &Members<'_, '_>) -> Result<Option<Freshness>> {
    let Some(f) = m.object("freshness", &["field", "days", "weight"])? else { return Ok(None) };
    Ok(Some(Freshness {
        field: f.need("field", "a column of dates", f.text("field")?)?.into(),
        days: f.need("days", "a number of days", f.number("days", 1.0 / 24.0, MAX_DAYS)?)?,
        weight: f.need("weight", "a number", f.number("weight", -WEIGHTS, WEIGHTS)?)?,
    }))
}

fn boosts(m: &Members<'_, '_>) -> Result<Vec<Boost>> {
    let boost = |b: &Members<'_, '_>| {
        let condition = b.program("where")?;
        let is_condition = condition.is_some();
        let program = match (condition, b.program("value")?) {
            (Some(program), None) | (None, Some(program)) => program,
            _ => return b.mismatch("where", "either `where` or `value`"),
        };
        let weight = b.need("weight", "a number", b.number("weight", -WEIGHTS, WEIGHTS)?)?;
        let name = b.text("name")?.unwrap_or(&program).into();
        Ok(Boost { name, program, is_condition, weight })
    };
    each(&m.objects("boosts", &["name", "where", "value", "weight"])?, boost)
}

fn diversity(m: &Members<'_, '_>) -> Result<Option<Diversity>> {
    let Some(d) = m.object("diversity", &["method", "strength"])? else { return Ok(None) };
    let method = match d.one_of("method", &["mmr", "dpp"])? {
        Some(1) => DiversityMethod::Dpp,
        _ => DiversityMethod::Mmr,
    };
    let strength = d.need("strength", "a number from 0 to 1", d.share("strength")?)?;
    Ok(Some(Diversity { method, strength }))
}

fn calibration(m: &Members<'_, '_>) -> Result<Option<Calibration>> {
    let known = ["field", "strength", "target"];
    let Some(c) = m.object("calibration", &known)? else { return Ok(None) };
    let target = match c.value("target") {
        None => Mix::History,
        Some(Json::Text(text)) if text == "history" => Mix::History,
        Some(Json::Text(text)) if text == "bandit" => Mix::Bandit,
        Some(Json::Object(members, _)) => {
            let share = |(value, share): &(String, Json<'_>)| match share {
                Json::Number(x) if *x >= 0.0 && *x <= WEIGHTS => Ok((value.clone(), *x)),
                _ => c.mismatch("target", "shares that are numbers and not negative"),
            };
            Mix::Given(each(members, share)?)
        }
        Some(_) => {
            return c.mismatch("target", "\"history\", \"bandit\" or an object of shares");
        }
    };
    Ok(Some(Calibration {
        field: c.need("field", "a column's name", c.text("field")?)?.into(),
        strength: c.need("strength", "a number from 0 to 1", c.share("strength")?)?,
        target,
    }))
}

fn caps(m: &Members<'_, '_>) -> Result<Vec<Cap>> {
    let cap = |(field, most): &(String, Json<'_>)| match most {
        Json::Number(most) if *most >= 1.0 && *most <= MAX_K as f64 && most.floor() == *most => {
            Ok(Cap { field: field.clone(), most: *most as usize })
        }
        _ => m.mismatch("caps", "an object of whole numbers, at least 1"),
    };
    each(m.pairs("caps")?, cap)
}

fn quotas(m: &Members<'_, '_>) -> Result<Vec<Quota>> {
    let quota = |q: &Members<'_, '_>| {
        let where_ = q.need("where", "a condition", q.program("where")?)?;
        Ok(Quota {
            name: q.text("name")?.unwrap_or(&where_).into(),
            where_,
            least: q.share("least")?.unwrap_or(0.0),
            most: q.share("most")?.unwrap_or(1.0),
        })
    };
    each(&m.objects("quotas", &["name", "where", "least", "most"])?, quota)
}

fn pins(m: &Members<'_, '_>) -> Result<Vec<Pin>> {
    let pin = |p: &Members<'_, '_>| {
        let position = p.whole("position", 0, MAX_K as u64 - 1)?;
        Ok(Pin {
            item: p.need("item", "an item's id", p.text("item")?)?.into(),
            position: p.need("position", "a place, from 0", position)? as usize,
        })
    };
    each(&m.objects("pins", &["item", "position"])?, pin)
}

fn pools(m: &Members<'_, '_>) -> Result<Vec<Pool>> {
    let pool = |p: &Members<'_, '_>| {
        Ok(Pool {
            name: p.need("name", "a name", p.text("name")?)?.into(),
            items: p.need("items", "a list of ids", p.texts("items")?)?,
            positions: places(p, "positions")?,
            least: p.whole("least", 0, MAX_K as u64)?.unwrap_or(0) as usize,
        })
    };
    each(&m.objects("pools", &["name", "items", "positions", "least"])?, pool)
}

/// What is read of each of some values. (Less code than an iterator's `collect`, which is made anew for every type.)
fn each<T, U>(values: &[T], read: impl Fn(&T) -> Result<U>) -> Result<Vec<U>> {
    let mut all = Vec::with_capacity(values.len());
    for value in values {
        all.push(read(value)?);
    }
    Ok(all)
}

/// Places of a list, from 0, each once.
fn places(m: &Members<'_, '_>, name: &str) -> Result<Vec<usize>> {
    let values = match m.value(name) {
        None => return Ok(Vec::new()),
        Some(Json::List(values)) => values,
        Some(_) => return m.mismatch(name, "a list of places, from 0"),
    };
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Json::Number(x)
                if *x >= 0.0
                    && *x < MAX_K as f64
                    && x.floor() == *x
                    && !places.contains(&(*x as usize)) =>
            {
                places.push(*x as usize);
            }
            _ => return m.mismatch(name, "a list of places, from 0, each once"),
        }
    }
    Ok(places)
}

fn rotation(m: &Members<'_, '_>) -> Result<Option<Rotation>> {
    let Some(r) = m.object("rotation", &["rate", "hours"])? else { return Ok(None) };
    let hours = r.number("hours", 0.01, 24.0 * MAX_DAYS)?;
    Ok(Some(Rotation {
        rate: r.need("rate", "a number from 0 to 1", r.share("rate")?)?,
        hours: r.need("hours", "a number of hours", hours)?,
    }))
}

fn explore(m: &Members<'_, '_>) -> Result<Option<Explore>> {
    let known = ["slots", "method", "temperature", "candidates"];
    let Some(e) = m.object("explore", &known)? else { return Ok(None) };
    let slots = places(&e, "slots")?;
    if slots.is_empty() {
        return e.mismatch("slots", "a list of places, from 0");
    }
    let method = match e.one_of("method", &["softmax", "thompson"])? {
        Some(1) => ExploreMethod::Thompson,
        _ => ExploreMethod::Softmax,
    };
    let usual = if method == ExploreMethod::Softmax { SOFTMAX_TEMPERATURE } else { 1.0 };
    Ok(Some(Explore {
        slots,
        method,
        temperature: e.number("temperature", 1e-6, WEIGHTS)?.unwrap_or(usual),
        candidates: e.whole("candidates", 2, 1000)?.unwrap_or(50) as usize,
    }))
}
