//! Methods asked for everybody, and what came out.

use nearfield::Result;
use nearfield::eval::lists::catalog_coverage;
use nearfield::eval::statistics::{Estimate, quantile};

use super::methods::Method;
use super::sample::Sample;
use super::yardstick::{What, Yardstick};
use crate::progress::Stage;

/// What one method reached.
pub struct Outcome {
    pub name: String,
    pub about: String,
    /// By case, then measure.
    pub values: Vec<Vec<Option<f64>>>,
    /// By case.
    pub latencies_ms: Vec<f64>,
    /// By measure. Those that are no means over lists have no error.
    pub estimates: Vec<Option<Estimate>>,
}

impl Outcome {
    /// Asks a method for every case.
    pub fn of(
        method: &mut Method<'_>,
        sample: &Sample,
        yardstick: &Yardstick<'_>,
    ) -> Result<Self> {
        let stage = Stage::steps(&format!("asking {}", method.name), sample.cases.len());
        let mut values = Vec::with_capacity(sample.cases.len());
        let mut latencies_ms = Vec::with_capacity(sample.cases.len());
        let mut lists = Vec::with_capacity(sample.cases.len());
        for (i, case) in sample.cases.iter().enumerate() {
            let answer = method.ask(&case.history)?;
            values.push(yardstick.of(case, &answer.ranked, method.depth));
            lists.push(yardstick.list(&answer.ranked).to_vec());
            latencies_ms.push(answer.ms);
            stage.set(i as u64);
        }
        let mean_coverage = || {
            let of_seed = |seed: &u64| {
                let cases = sample.cases.iter().zip(&lists).filter(|(case, _)| case.seed == *seed);
                catalog_coverage(cases.map(|(_, list)| &list[..]), yardstick.index().len())
            };
            sample.seeds.iter().map(of_seed).sum::<f64>() / sample.seeds.len() as f64
        };
        let exact = |mean| Estimate { mean, error: None };
        let estimate = |(i, what): (usize, What)| match what {
            What::Coverage => Some(exact(mean_coverage())),
            What::LatencyP50 => quantile(&latencies_ms, 0.5).map(exact),
            What::LatencyP99 => quantile(&latencies_ms, 0.99).map(exact),
            _ => {
                let by_user = sample.cases.iter().zip(&values);
                Estimate::clustered(by_user.filter_map(|(case, v)| Some((case.user, v[i]?))))
            }
        };
        let whats = yardstick.measures.iter().map(|measure| measure.what);
        let estimates = whats.enumerate().map(estimate).collect();
        let (name, about) = (method.name.clone(), method.about.clone());
        Ok(Self { name, about, values, latencies_ms, estimates })
    }

    /// By how much this one's measure at `position` is above another's, list by list: the mean of
    /// the differences where both have a value.
    pub fn minus(&self, other: &Self, sample: &Sample, position: usize) -> Option<Estimate> {
        let both = self.values.iter().zip(&other.values).zip(&sample.cases);
        Estimate::clustered(
            both.filter_map(|((a, b), case)| Some((case.user, a[position]? - b[position]?))),
        )
    }
}
