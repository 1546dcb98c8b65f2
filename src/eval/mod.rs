//! Measuring answers: metrics, and the synthetic data that benches run on.

pub mod metrics;
#[cfg(feature = "build")]
pub mod synthetic;
