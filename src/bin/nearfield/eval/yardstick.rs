//! What is measured of a list, and how it is called and explained wherever it is shown.

use nearfield::eval::lists::{
    calibration_error, cosine_distance, intra_list_distance, mix, novelty,
};
use nearfield::eval::metrics::{hit_at_k, ndcg_at_k, recall_at_k};
use nearfield::{Index, Ordinal};

use super::Depths;
use super::methods::Known;
use super::rules::{Categories, Rule};
use super::sample::{Case, Train};

/// A measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Recall,
    Ndcg,
    HitRate,
    Coverage,
    Novelty,
    Distance,
    Calibration,
    /// Whether the rule at this position is kept.
    Kept(usize),
    LatencyP50,
    LatencyP99,
}

/// Which values of a measure are good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Best {
    Highest,
    Lowest,
    /// More of it is neither good nor bad.
    Neither,
}

/// A measure as it is shown.
pub struct Measure {
    pub what: What,
    /// In JSON.
    pub name: String,
    /// Above a column or along an axis.
    pub label: String,
    /// Exactly what it is, in a sentence or two.
    pub about: String,
    pub best: Best,
    pub digits: usize,
}

impl Measure {
    /// Whether it is a mean over lists, so that methods can be compared list by list.
    pub fn is_mean(&self) -> bool {
        !matches!(self.what, What::Coverage | What::LatencyP50 | What::LatencyP99)
    }

    pub fn show(&self, value: f64) -> String {
        format!("{value:.*}", self.digits)
    }

    /// A difference, with its sign unless it is zero to these digits.
    pub fn show_signed(&self, value: f64) -> String {
        let text = format!("{value:+.*}", self.digits);
        let is_zero = text.chars().all(|c| "+-0.".contains(c));
        if is_zero { self.show(0.0) } else { text }
    }
}

/// Everything that lists are held against.
pub struct Yardstick<'a> {
    depths: Depths,
    index: &'a Index,
    /// The decoded vectors, by rows.
    decoded: &'a [f64],
    train: Option<&'a Train>,
    categories: Option<Categories>,
    rules: Vec<Rule>,
    pub measures: Vec<Measure>,
}

impl<'a> Yardstick<'a> {
    pub fn new(
        depths: Depths,
        index: &'a Index,
        decoded: &'a [f64],
        train: Option<&'a Train>,
        categories: Option<Categories>,
        rules: Vec<Rule>,
    ) -> Self {
        let mut measures = found(depths);
        measures.extend(train.map(|_| novelty_in_bits()));
        measures.push(distance_between_items());
        measures.extend(categories.as_ref().map(|c| calibration_over(&c.field)));
        measures.extend(rules.iter().enumerate().map(|(i, rule)| kept(i, rule)));
        measures.extend(latency(depths));
        Self { depths, index, decoded, train, categories, rules, measures }
    }

    pub fn depths(&self) -> Depths {
        self.depths
    }

    pub fn index(&self) -> &'a Index {
        self.index
    }

    /// The first `k` of a ranking.
    pub fn list<'r>(&self, ranked: &'r [Ordinal]) -> &'r [Ordinal] {
        &ranked[..self.depths.k.min(ranked.len())]
    }

    /// What one list, of which `depth` items were asked for, is by each measure, in their order.
    /// `None` for what is not a list's own, for what this list or this history does not have, and
    /// for what goes deeper than the list.
    pub fn of(&self, case: &Case, ranked: &[Ordinal], depth: usize) -> Vec<Option<f64>> {
        let list = self.list(ranked);
        let value = |measure: &Measure| match measure.what {
            What::Recall => Some(recall_at_k(ranked, &case.held_out, self.depths.k)),
            What::Ndcg => (depth >= self.depths.ndcg_k)
                .then(|| ndcg_at_k(ranked, &case.held_out, self.depths.ndcg_k)),
            What::HitRate => Some(hit_at_k(ranked, &case.held_out, self.depths.k)),
            What::Novelty => self.train.and_then(|train| {
                novelty(list, |item| train.n_users_of[item.index()], train.n_users())
            }),
            What::Distance => Some(intra_list_distance(list, |a, b| {
                cosine_distance(self.vector(*a), self.vector(*b))
            })),
            What::Calibration => {
                self.categories.as_ref().and_then(|c| calibration(c, &case.history, list))
            }
            What::Kept(i) => self.rules.get(i).map(|rule| f64::from(rule.is_kept(list))),
            What::Coverage | What::LatencyP50 | What::LatencyP99 => None,
        };
        self.measures.iter().map(value).collect()
    }

    fn vector(&self, item: Ordinal) -> &[f64] {
        &self.decoded[item.index() * self.index.dim()..][..self.index.dim()]
    }
}

/// How far a list's mix is from that of the history; `None` where the history has no category.
fn calibration(categories: &Categories, history: &[Known], list: &[Ordinal]) -> Option<f64> {
    let of = |item: Ordinal| categories.of(item).iter().copied();
    let liked = history.iter().filter(|known| known.weight > 0.0);
    let wanted = mix(liked.map(|known| (known.weight, of(known.item))), categories.n)?;
    let found = mix(list.iter().map(|item| (1.0, of(*item))), categories.n);
    Some(calibration_error(&wanted, &found.unwrap_or_else(|| vec![0.0; categories.n])))
}

fn found(Depths { k, ndcg_k }: Depths) -> Vec<Measure> {
    vec![
        Measure {
            what: What::Recall,
            name: "recall_at_k".into(),
            label: format!("recall@{k}"),
            about: format!(
                "Held-out items among the first {k}, divided by the smaller of {k} and the number \
                 of held-out items."
            ),
            best: Best::Highest,
            digits: 4,
        },
        Measure {
            what: What::Ndcg,
            name: "ndcg_at_k".into(),
            label: format!("ndcg@{ndcg_k}"),
            about: format!(
                "Held-out items among the first {ndcg_k}, each worth 1 / log2(rank + 1), divided \
                 by the same sum for the best ranking there is, cut off at {ndcg_k} too. Not of \
                 requests whose lists are shorter."
            ),
            best: Best::Highest,
            digits: 4,
        },
        Measure {
            what: What::HitRate,
            name: "hit_rate".into(),
            label: format!("hit@{k}"),
            about: format!("The share of lists with at least one held-out item in the first {k}."),
            best: Best::Highest,
            digits: 3,
        },
        Measure {
            what: What::Coverage,
            name: "catalog_coverage".into(),
            label: "coverage".into(),
            about: format!(
                "The share of the archive's items that stand among the first {k} of anybody; the \
                 mean over seeds. It grows with the number of users."
            ),
            best: Best::Neither,
            digits: 3,
        },
    ]
}

fn novelty_in_bits() -> Measure {
    Measure {
        what: What::Novelty,
        name: "novelty".into(),
        label: "novelty".into(),
        about:
            "The mean of -log2 of the share of training users who like an item, over the list, \
                in bits: each bit halves the audience. An item that nobody likes counts as liked \
                by one (MeanInvUserFreq of RecTools)."
                .into(),
        best: Best::Neither,
        digits: 2,
    }
}

fn distance_between_items() -> Measure {
    Measure {
        what: What::Distance,
        name: "intra_list_distance".into(),
        label: "distance".into(),
        about: "Intra-list distance: 1 minus the cosine of two items' decoded vectors, the mean \
                over all pairs of the list (IntraListDiversity of RecTools)."
            .into(),
        best: Best::Neither,
        digits: 3,
    }
}

fn calibration_over(field: &str) -> Measure {
    Measure {
        what: What::Calibration,
        name: "calibration_error".into(),
        label: "mix error".into(),
        about: format!(
            "Calibration error: the Kullback-Leibler divergence, in nats, of the list's mix over \
             {field} from that of the history, smoothed with 0.01 (Steck 2018). 0 is the same mix."
        ),
        best: Best::Lowest,
        digits: 3,
    }
}

fn kept(position: usize, rule: &Rule) -> Measure {
    Measure {
        what: What::Kept(position),
        name: rule.label.clone(),
        label: rule.label.clone(),
        about: format!("The share of lists that keep this rule: {}.", rule.about),
        best: Best::Highest,
        digits: 3,
    }
}

fn latency(depths: Depths) -> [Measure; 2] {
    let (deepest, k) = (depths.deepest(), depths.k);
    let of = |what, name: &str, label: &str, which| Measure {
        what,
        name: name.into(),
        label: label.into(),
        about: format!(
            "The time a list took on this machine, natively on one thread, from a recorded history \
             on: {which}. Lists are {deepest} long; where a request is measured, {k}."
        ),
        // A method that does nothing is the fastest.
        best: Best::Neither,
        digits: 3,
    };
    [
        of(What::LatencyP50, "latency_p50_ms", "p50 ms", "half of the lists took no longer"),
        of(What::LatencyP99, "latency_p99_ms", "p99 ms", "99 of 100 took no longer"),
    ]
}
