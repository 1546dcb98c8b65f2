//! Measuring answers: metrics, hold-outs, intervals, and the synthetic data that benches run on.

pub mod lists;
pub mod metrics;
pub mod split;
pub mod statistics;
#[cfg(feature = "build")]
pub mod synthetic;
