//! Seeded random numbers that are the same on every target.
//!
//! ChaCha8 gives the bits. The normal sampler is ours because those of common crates lean on the
//! platform's logarithm, whose last bit differs between native code and WebAssembly.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of random numbers: a function of its seed and stream number alone.
#[derive(Clone, Debug)]
pub struct SeededRng {
    bits: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl SeededRng {
    /// The stream `stream` of `seed`. Streams of one seed are independent, so each user of
    /// randomness takes its own and none disturbs another.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut bits = ChaCha8Rng::seed_from_u64(seed);
        bits.set_stream(stream);
        Self { bits, spare_normal: None }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n. The bias of this multiply-shift is below n / 2^64.
    ///
    /// `n` is at least 1; for 0 the answer is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Standard normal, by the polar method (Marsaglia and Bray 1964), which needs one logarithm
    /// and no trigonometry.
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s < 1.0 && s > 0.0 {
                let factor = (-2.0 * libm::log(s) / s).sqrt();
                self.spare_normal = Some(v * factor);
                return u * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn streams_are_fixed_and_differ() {
        let draw = |seed, stream| SeededRng::new(seed, stream).bits();
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }

    #[test]
    fn normal_has_mean_0_and_variance_1() {
        let mut rng = SeededRng::new(7, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance =
            draws.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / draws.len() as f64;
        // Standard errors are 0.0032 and 0.0045; the bounds are four of each.
        assert!(mean.abs() < 0.013, "{mean}");
        assert!((variance - 1.0).abs() < 0.018, "{variance}");
    }
}
