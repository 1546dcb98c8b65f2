//! Random profiles and random requests for any catalog with the columns of the fixtures: plain
//! text and the crate's own generator, so that they are the same on every target.

#![allow(dead_code, reason = "each test uses a part")]

use nearfield::{Entry, Event, Interaction, Kind, Placed, SeededRng, Selector, Shown};

/// The moment of all requests.
pub const NOW: i64 = 1_750_000_000_000;
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

const CONDITIONS: [&str; 8] = [
    "genres has \\\"jazz\\\"",
    "genres has any [\\\"rock\\\", \\\"blues\\\"] and year >= 1960",
    "not explicit",
    "explicit or rating > 5.5",
    "not seen(\\\"20d\\\")",
    "count(\\\"impression\\\", \\\"30d\\\") < 1",
    "year between 1950 and 2000",
    "released >= age(\\\"4000w\\\")",
];
const FORMULAS: [&str; 5] = [
    "rating / 10",
    "0.3 * (genres has \\\"rock\\\")",
    "-age(released) / 10000",
    "popularity / 500",
    "count() / 3",
];
const FIELDS: [&str; 5] = ["label", "genres", "explicit", "year", "released"];

fn pick<'a>(rng: &mut SeededRng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len())]
}

fn ids(rng: &mut SeededRng, n_items: usize, most: usize) -> String {
    let ids = (0..rng.below(most + 1)).map(|_| format!("\"{}\"", rng.below(n_items)));
    ids.collect::<Vec<_>>().join(",")
}

/// A random entry of a log for a catalog with ids "0" to `n_items - 1`.
pub fn entry(rng: &mut SeededRng, n_items: usize, sequence: u64) -> Entry {
    let device = [("device".to_owned(), pick(rng, &["tv", "phone"]).to_owned())];
    let source = [None, Some("party"), Some("home")][rng.below(3)].map(str::to_owned);
    let party = Selector { source: Some("party".into()), ..Selector::default() };
    let event = match rng.below(14) {
        0 => Event::Exclude { selector: party, forget_seen: rng.below(2) == 0 },
        1 => Event::Include { selector: party },
        2 | 3 => Event::Shown(Shown {
            slate: format!("slate {sequence}"),
            policy: None,
            context: device.to_vec(),
            items: (0..1 + rng.below(6) as u32)
                .map(|position| Placed {
                    item: rng.below(n_items).to_string(),
                    position,
                    propensity: None,
                })
                .collect(),
        }),
        _ => {
            let kinds = [Kind::Like, Kind::Dislike, Kind::Play, Kind::Save, Kind::Skip];
            Event::Interaction(Interaction {
                weight: (rng.below(4) == 0).then(|| rng.normal()),
                source,
                context: device.to_vec(),
                ..Interaction::new(rng.below(n_items).to_string(), kinds[rng.below(5)])
            })
        }
    };
    let at_ms = (NOW - (60.0 * DAY as f64 * rng.uniform()) as i64) as f64;
    Entry { device: "d".into(), sequence, at_ms, event }
}

/// A random request, as JSON. Whatever it asks for exists; its rules may be too many to be kept.
pub fn request(rng: &mut SeededRng, n_items: usize) -> String {
    let k = 1 + rng.below(24);
    let mut members = vec![format!(
        "\"k\":{k},\"now\":{},\"seed\":{}",
        NOW + rng.below(DAY as usize) as i64,
        rng.below(99)
    )];
    let one_in = |rng: &mut SeededRng, n: usize| rng.below(n) == 0;
    if one_in(rng, 3) {
        members.push(format!("\"where\":\"{}\"", pick(rng, &CONDITIONS)));
    }
    if one_in(rng, 4) {
        members.push(format!("\"exclude\":[{}]", ids(rng, n_items, 9)));
    }
    if one_in(rng, 4) {
        members.push(format!("\"after\":[{}]", ids(rng, n_items, 9)));
    }
    if one_in(rng, 3) {
        members.push("\"seen\":\"include\"".into());
    }
    if one_in(rng, 3) {
        members.push(format!("\"explain\":{}", rng.below(6)));
    }
    if one_in(rng, 3) {
        let focus = pick(rng, &["0", "0.4", "1"]);
        members.push(format!("\"context\":{{\"device\":\"tv\"}},\"focus\":{focus}"));
    }
    if one_in(rng, 4) {
        members.push(format!(
            "\"windows\":[{{\"name\":\"week\",\"days\":7,\"weight\":{}}},{{\"name\":\"all\"}}]",
            rng.below(3)
        ));
    }
    if one_in(rng, 4) {
        members.push(format!(
            "\"halflives\":{{\"play\":{},\"like\":50,\"save\":null}}",
            1 + rng.below(90)
        ));
    }
    if one_in(rng, 4) {
        let interests = pick(rng, &["\"auto\"", "2", "5"]);
        members.push(format!("\"interests\":{interests},\"labels\":[\"genres\",\"year\"]"));
    }
    if one_in(rng, 3) {
        let (taste, prior) =
            (pick(rng, &["1", "0", "0.5", "-1"]), pick(rng, &["0", "0.5", "-0.2"]));
        members.push(format!("\"weights\":{{\"taste\":{taste},\"prior\":{prior}}}"));
    }
    if one_in(rng, 4) {
        let weight = pick(rng, &["0.5", "-0.3", "2"]);
        members.push(format!(
            "\"freshness\":{{\"field\":\"released\",\"days\":3000,\"weight\":{weight}}}"
        ));
    }
    if one_in(rng, 3) {
        members.push(format!(
            "\"boosts\":[{{\"where\":\"{}\",\"weight\":{}}},{{\"name\":\"by formula\",\"value\":\"{}\",\"weight\":0.4}}]",
            pick(rng, &CONDITIONS),
            pick(rng, &["0.3", "-0.5", "4"]),
            pick(rng, &FORMULAS),
        ));
    }
    if one_in(rng, 4) {
        members.push(format!("\"floor\":{}", pick(rng, &["0.1", "0.5", "0.9"])));
    }
    if one_in(rng, 2) {
        let (method, strength) = (pick(rng, &["mmr", "dpp"]), pick(rng, &["0.2", "0.5", "1"]));
        members.push(format!("\"diversity\":{{\"method\":\"{method}\",\"strength\":{strength}}}"));
    }
    if one_in(rng, 3) {
        members.push(match rng.below(4) {
            0 => "\"calibration\":{\"field\":\"genres\",\"strength\":0.5,\"target\":{\"jazz\":2,\"rock\":1}}".into(),
            1 => "\"calibration\":{\"field\":\"explicit\",\"strength\":0.7,\"target\":\"bandit\"}".into(),
            2 => "\"calibration\":{\"field\":\"label\",\"strength\":0.4,\"target\":\"bandit\"}".into(),
            _ => format!("\"calibration\":{{\"field\":\"{}\",\"strength\":0.6}}", pick(rng, &FIELDS)),
        });
    }
    if one_in(rng, 3) {
        let (field, most) = (pick(rng, &FIELDS[..4]), 1 + rng.below(5));
        members.push(format!("\"caps\":{{\"{field}\":{most},\"released\":1}}"));
    }
    if one_in(rng, 3) {
        members.push(format!(
            "\"quotas\":[{{\"name\":\"first\",\"where\":\"{}\",\"least\":{}}},{{\"where\":\"explicit\",\"most\":{}}}]",
            pick(rng, &CONDITIONS),
            pick(rng, &["0", "0.2", "0.5"]),
            pick(rng, &["0.2", "0.5", "1"]),
        ));
    }
    let (mut pins, mut slots, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    if one_in(rng, 2) {
        for place in 0..k {
            let fits = |taken: &[String]| taken.len() < 3;
            match rng.below(8) {
                0 if fits(&pins) => {
                    let item = 3 * rng.below(n_items / 3) + pins.len();
                    pins.push(format!("{{\"item\":\"{item}\",\"position\":{place}}}"));
                }
                1 if fits(&slots) => slots.push(place.to_string()),
                2 if fits(&positions) => positions.push(place.to_string()),
                _ => {}
            }
        }
    }
    if !pins.is_empty() {
        members.push(format!("\"pins\":[{}]", pins.join(",")));
    }
    if !positions.is_empty() || one_in(rng, 6) {
        members.push(format!(
            "\"pools\":[{{\"name\":\"editor\",\"items\":[{}],\"positions\":[{}],\"least\":{}}}]",
            ids(rng, n_items, 8),
            positions.join(","),
            rng.below(2),
        ));
    }
    if one_in(rng, 3) {
        let (rate, hours) = (pick(rng, &["0.3", "1"]), pick(rng, &["24", "700"]));
        members.push(format!("\"rotation\":{{\"rate\":{rate},\"hours\":{hours}}}"));
    }
    if !slots.is_empty() {
        members.push(format!(
            "\"explore\":{{\"slots\":[{}],\"method\":\"{}\",\"candidates\":{}}}",
            slots.join(","),
            pick(rng, &["softmax", "thompson"]),
            2 + rng.below(40),
        ));
    }
    if one_in(rng, 6) {
        members.push(format!("\"candidates\":{}", 1 + rng.below(300)));
    }
    if one_in(rng, 2) {
        members.push("\"parts\":true".into());
    }
    if one_in(rng, 3) {
        members.push("\"trace\":true".into());
    }
    format!("{{{}}}", members.join(","))
}
