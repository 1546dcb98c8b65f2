//! Means that say how sure they are, and quantiles.

use std::collections::BTreeMap;

/// A mean with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Its standard error; `None` where one cluster alone was measured, which says nothing about
    /// how others differ.
    pub error: Option<f64>,
}

impl Estimate {
    /// The mean of values of which those of one cluster belong together, as those of one person
    /// who was measured with several seeds: they are alike, and count as less than so many
    /// independent ones.
    ///
    /// With `d` the deviations from the mean, `S` their sum within a cluster, `G` clusters and `N`
    /// values, the error is `sqrt(G / (G - 1) * sum of S^2) / N` (the cluster-robust variance of a
    /// mean, Liang and Zeger 1986). With one value a cluster that is the usual standard error.
    /// `None` without values.
    ///
    /// ```
    /// use nearfield::eval::statistics::Estimate;
    ///
    /// let estimate = Estimate::clustered([(0, 1.0), (1, 2.0), (2, 3.0)]).unwrap();
    /// assert_eq!(estimate.mean, 2.0);
    /// // The usual: standard deviation 1, over the root of 3.
    /// assert!((estimate.error.unwrap() - 1.0 / 3f64.sqrt()).abs() < 1e-15);
    /// ```
    pub fn clustered(values: impl IntoIterator<Item = (usize, f64)>) -> Option<Self> {
        let values: Vec<(usize, f64)> = values.into_iter().collect();
        let n = values.len() as f64;
        let mean = values.iter().map(|(_, x)| x).sum::<f64>() / n;
        let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
        for (cluster, x) in &values {
            *sums.entry(*cluster).or_default() += x - mean;
        }
        let g = sums.len() as f64;
        let squares: f64 = sums.values().map(|s| s * s).sum();
        let error = (sums.len() > 1).then(|| (g / (g - 1.0) * squares).sqrt() / n);
        (!values.is_empty()).then_some(Self { mean, error })
    }

    /// Bounds of the 95 % interval: 1.96 standard errors to both sides (normal approximation; with
    /// fewer than about 30 clusters it is too narrow). `None` where there is no error.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.error.map(|e| (self.mean - 1.96 * e, self.mean + 1.96 * e))
    }
}

/// The smallest value that at least a share `q` (0 to 1) of all values do not exceed (the nearest
/// rank, without interpolation: it is a value that occurred). `None` without values.
///
/// ```
/// use nearfield::eval::statistics::quantile;
///
/// assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.0));
/// assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.99), Some(4.0));
/// ```
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64 - 1e-9).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_count_as_what_they_are() {
        // Deviations from 3: user 0 has -2 and -1, user 1 has 1 and 2. S = -3, 3; G = 2, N = 4.
        let estimate = Estimate::clustered([(0, 1.0), (1, 4.0), (0, 2.0), (1, 5.0)]).unwrap();
        assert_eq!(estimate, Estimate { mean: 3.0, error: Some(6.0 / 4.0) });
        assert_eq!(estimate.interval(), Some((3.0 - 1.96 * 1.5, 3.0 + 1.96 * 1.5)));
        // The same person measured ten times over is no surer than once.
        let often = |times: usize| {
            let values = (0..times).flat_map(|_| [(0, 1.0), (1, 4.0), (2, 4.0)]);
            Estimate::clustered(values).unwrap().error.unwrap()
        };
        assert!((often(1) - often(10)).abs() < 1e-15);
    }

    #[test]
    fn one_cluster_has_no_error_and_none_has_no_mean() {
        let one = Estimate::clustered([(7, 1.0), (7, 3.0)]).unwrap();
        assert_eq!((one.mean, one.error, one.interval()), (2.0, None, None));
        assert_eq!(Estimate::clustered([]), None);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        for (q, expected) in [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert_eq!(quantile(&values, q), Some(expected), "{q}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.99), Some(3.0));
    }
}
