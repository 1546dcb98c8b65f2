//! Measuring answers: metrics, hold-outs, intervals, estimates from logs, simulated people, and the
//! synthetic data that benches run on.

pub mod lists;
pub mod metrics;
pub mod off_policy;
#[cfg(feature = "build")]
pub mod simulate;
pub mod split;
pub mod statistics;
#[cfg(feature = "build")]
pub mod synthetic;
