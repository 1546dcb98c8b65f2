//! Measuring answers: metrics, estimates from logs, simulated people, and the synthetic data that
//! benches run on.

pub mod metrics;
pub mod off_policy;
#[cfg(feature = "build")]
pub mod simulate;
#[cfg(feature = "build")]
pub mod synthetic;
