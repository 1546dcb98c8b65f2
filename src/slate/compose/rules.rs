//! What a list is composed from, and the rules it must keep.

use crate::error::{Error, Number, Result};
use crate::ids::Scored;

/// Everything that composition knows of items. A *candidate* is an item by its position here;
/// rules speak of candidates only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candidates<'a> {
    /// Items with their final scores, each item once. Composition changes the order of items,
    /// never a score. Equal scores keep the order they have here.
    pub items: &'a [Scored],
    /// The first so many compete for places, and the scale of relevance is theirs. Those behind
    /// them can be placed by pins and pools alone, or are items of earlier pages.
    pub n_ranked: usize,
    /// Vectors of all candidates, `dim` numbers each. Their lengths do not matter: items are
    /// compared by cosine. May be empty where [`Rules::diversity`] is [`Diversity::None`].
    pub vectors: &'a [f64],
    /// Numbers of one vector.
    pub dim: usize,
}

/// The rules of one list. The default asks for the ten best by score.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// Length of the list, 1 to 10,000.
    pub k: usize,
    /// Least relevance, 0 to 1, where 0 is the worst of the ranked candidates and 1 the best: the
    /// best therefore always stays. 0 lets all pass. Pins and pools pass it.
    pub floor: f64,
    /// How alike neighbours in the list may be.
    pub diversity: Diversity,
    /// Diversity looks at so many items together, 1 to 100: each item is compared with the
    /// `window - 1` before it, those of earlier pages included.
    pub window: usize,
    /// A mix of classes that the list should come near to.
    pub calibration: Option<Calibration<'a>>,
    /// Values that may come only so often.
    pub caps: &'a [Cap<'a>],
    /// Groups that must come at least, and at most, so often.
    pub quotas: &'a [Quota<'a>],
    /// Items that have a position.
    pub pins: &'a [Pin],
    /// Positions that belong to an editor's selection.
    pub pools: &'a [Pool<'a>],
    /// What moves items down that were shown lately.
    pub rotation: Option<Rotation<'a>>,
    /// Candidates that earlier pages of the same list showed, first page first. They do not come
    /// again; caps, quotas, diversity and calibration go on where those pages ended.
    pub before: &'a [usize],
    /// Whether [`Composition::trace`](super::Composition::trace) is asked for.
    pub trace: bool,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Self {
            k: 10,
            floor: 0.0,
            diversity: Diversity::None,
            // What a person sees at a time, generously: a screen or two.
            window: 20,
            calibration: None,
            caps: &[],
            quotas: &[],
            pins: &[],
            pools: &[],
            rotation: None,
            before: &[],
            trace: false,
        }
    }
}

/// How the likeness of an item to those before it counts against it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Diversity {
    /// Not at all.
    #[default]
    None,
    /// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the item with the highest
    /// `lambda * relevance - (1 - lambda) * cosine to the most similar item of the window`.
    Mmr {
        /// Weight of relevance, 0 to 1: 1 is the order by score, 0 is diversity alone.
        lambda: f64,
    },
    /// The most probable list of a determinantal point process, greedily (Chen, Zhang and Zhou,
    /// NeurIPS 2018): the item with the highest
    /// `(1 - strength) * relevance + strength * log(r)`, where `r` is the part of the item that
    /// all items of the window *together* do not explain.
    Dpp {
        /// Weight of diversity, 0 to 1: 0 is the order by score, 1 is diversity alone.
        strength: f64,
    },
}

/// Values of every candidate, flat: those of candidate `i` are
/// `codes[starts[i]..starts[i + 1]]`, each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// One more than there are candidates, from 0 to the number of codes, never falling.
    pub starts: &'a [u32],
    /// The values, as numbers that mean nothing but equality.
    pub codes: &'a [u32],
}

impl<'a> Values<'a> {
    /// The values of one candidate.
    #[must_use]
    pub fn of(&self, candidate: usize) -> &'a [u32] {
        &self.codes[self.starts[candidate] as usize..self.starts[candidate + 1] as usize]
    }

    fn check(&self, path: &str, n: usize) -> Result<()> {
        let is_whole = self.starts.len() == n + 1
            && self.starts.first() == Some(&0)
            && self.starts.windows(2).all(|s| s[0] <= s[1])
            && self.starts.last().is_some_and(|&end| end as usize == self.codes.len());
        if is_whole {
            return Ok(());
        }
        Err(Error::arg(path, format!("values of {n} candidates"), "other bounds of their codes"))
    }
}

/// No value more than `most` times: at most two of an artist. With `most` 1 it removes duplicates
/// by a field. An item with several values counts for each; one without values is always free.
#[derive(Clone, Copy, Debug)]
pub struct Cap<'a> {
    /// Its name in messages, usually the field's.
    pub name: &'a str,
    /// Most items of the list, earlier pages included, that share a value; at least 1.
    pub most: usize,
    /// What must not repeat.
    pub values: Values<'a>,
}

/// At least and at most so many items of a group.
#[derive(Clone, Copy, Debug)]
pub struct Quota<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Whether each candidate belongs to the group.
    pub members: &'a [bool],
    /// Least number in the list, earlier pages included. Each quota needs places of its own: their
    /// sum is at most that of all places.
    pub least: usize,
    /// Most in the list, earlier pages included.
    pub most: usize,
}

/// An item with a position. It counts for caps, quotas and all else, and none of them stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The item.
    pub candidate: usize,
    /// Where, from 0, below `k`. A list that falls short is closed up, so pins behind its last
    /// item follow that directly.
    pub position: usize,
}

/// Positions that belong to members of an editor's selection, the best for this person first.
/// As many members as its positions need are kept for them. (A pool that asks for a number of
/// items and no positions is a [`Quota`].)
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Whether each candidate is a member.
    pub members: &'a [bool],
    /// The positions, from 0, below `k`.
    pub positions: &'a [usize],
}

/// The mix that a list should come near to (Steck, RecSys 2018).
#[derive(Clone, Copy, Debug)]
pub struct Calibration<'a> {
    /// Classes of each candidate, as positions in `target`; those beyond it are no part of the
    /// mix. An item of several classes belongs to each by an equal share.
    pub classes: Values<'a>,
    /// The wanted share of each class: numbers from 0 up, which are divided by their sum.
    pub target: &'a [f64],
    /// Weight of the mix against relevance, 0 to 1.
    pub strength: f64,
}

/// Makes a refresh differ: an item that was shown lately loses relevance for a while.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// The share of its relevance that an item loses which was shown this moment, 0 to 1.
    pub rate: f64,
    /// For each candidate how fresh its last showing is, from 1 (now) to 0 (long ago, or never):
    /// see [`staleness`](super::staleness).
    pub staleness: &'a [f64],
}

/// Refuses what has no meaning. What cannot be *reached* is no error: the answer says so.
pub(super) fn check(candidates: &Candidates<'_>, rules: &Rules<'_>) -> Result<()> {
    let n = candidates.items.len();
    crate::slate::check_k(rules.k)?;
    share("floor", rules.floor)?;
    if !(1..=100).contains(&rules.window) {
        return Err(Error::arg("window", "a whole number from 1 to 100", rules.window));
    }
    if candidates.n_ranked > n {
        return Err(Error::arg("n_ranked", format!("at most {n}"), candidates.n_ranked));
    }
    for (i, item) in candidates.items.iter().enumerate() {
        if !item.score.is_finite() {
            let path = format!("items[{i}].score");
            return Err(Error::arg(path, "a finite number", Number(item.score)));
        }
    }
    match rules.diversity {
        Diversity::None => {}
        Diversity::Mmr { lambda } => share("diversity.lambda", lambda)?,
        Diversity::Dpp { strength } => share("diversity.strength", strength)?,
    }
    if rules.diversity != Diversity::None && candidates.vectors.len() != n * candidates.dim {
        let expected = format!("{n} times {} numbers", candidates.dim);
        return Err(Error::arg("vectors", expected, candidates.vectors.len()));
    }
    if let Some(calibration) = &rules.calibration {
        share("calibration.strength", calibration.strength)?;
        calibration.classes.check("calibration.classes", n)?;
        let sum: f64 = calibration.target.iter().sum();
        if !(sum > 0.0 && sum.is_finite() && calibration.target.iter().all(|&p| p >= 0.0)) {
            let expected = "shares from 0 up, not all of them 0";
            return Err(Error::arg("calibration.target", expected, "something else"));
        }
    }
    if let Some(rotation) = &rules.rotation {
        share("rotation.rate", rotation.rate)?;
        same_length("rotation.staleness", rotation.staleness.len(), n)?;
        for &staleness in rotation.staleness {
            share("rotation.staleness", staleness)?;
        }
    }
    for cap in rules.caps {
        if cap.most == 0 {
            let path = format!("caps.{}.most", cap.name);
            return Err(Error::arg(path, "at least 1; to leave items out, exclude them", 0));
        }
        cap.values.check(&format!("caps.{}.values", cap.name), n)?;
    }
    if let Some(&shown) = rules.before.iter().find(|&&b| b >= n) {
        return Err(Error::arg("before", format!("candidates below {n}"), shown));
    }
    check_quotas(rules, n)?;
    check_positions(rules, n)
}

fn check_quotas(rules: &Rules<'_>, n: usize) -> Result<()> {
    let places = rules.before.len() + rules.k;
    let mut needed = 0usize;
    for quota in rules.quotas {
        let path = format!("quotas.{}", quota.name);
        same_length(&path, quota.members.len(), n)?;
        if quota.least > quota.most {
            let expected = format!("a least of at most its most, {}", quota.most);
            return Err(Error::arg(path, expected, quota.least));
        }
        needed = needed.saturating_add(quota.least);
        if needed > places {
            let expected =
                format!("quotas whose least numbers sum to the {places} places or fewer");
            return Err(Error::arg(path, expected, format!("a sum of {needed} with this one")));
        }
    }
    Ok(())
}

/// Pins and pools: candidates that exist, and each position given away once.
fn check_positions(rules: &Rules<'_>, n: usize) -> Result<()> {
    let mut taken = vec![false; rules.k];
    let mut take = |path: String, position: usize| match taken.get_mut(position) {
        Some(is_taken) if !*is_taken => {
            *is_taken = true;
            Ok(())
        }
        Some(_) => Err(Error::arg(path, "a position that no other has", position)),
        None => Err(Error::arg(path, format!("a position below k, {}", rules.k), position)),
    };
    for (i, pin) in rules.pins.iter().enumerate() {
        take(format!("pins[{i}].position"), pin.position)?;
        let path = format!("pins[{i}]");
        if pin.candidate >= n {
            return Err(Error::arg(path, format!("a candidate below {n}"), pin.candidate));
        }
        if rules.pins[..i].iter().any(|p| p.candidate == pin.candidate) {
            return Err(Error::arg(path, "an item that is pinned once", "the same item again"));
        }
    }
    for pool in rules.pools {
        let path = format!("pools.{}", pool.name);
        same_length(&path, pool.members.len(), n)?;
        for &position in pool.positions {
            take(path.clone(), position)?;
        }
    }
    Ok(())
}

fn share(path: &str, x: f64) -> Result<()> {
    if (0.0..=1.0).contains(&x) {
        return Ok(());
    }
    Err(Error::arg(path, "a number from 0 to 1", Number(x)))
}

fn same_length(path: &str, found: usize, n: usize) -> Result<()> {
    if found == n {
        return Ok(());
    }
    Err(Error::arg(path, format!("one entry for each of {n} candidates"), found))
}
