//! Decimal numbers to f64.
//!
//! The standard library's parser is exact for any number of digits, with tables of 10 kB that do
//! not compress: a sixth of what a page downloads. This one is exact for up to 15 digits with
//! exponents within ±22 (both the digits and the power of ten are exact in f64 then, and one
//! operation rounds once: Clinger, PLDI 1990), which is what people write. For everything else it
//! carries 120 bits, where the standard needs at most 54 plus those that decide a tie; so what a
//! program printed with all its digits comes back as the very same number.

/// An unsigned decimal number, `12`, `.5`, `12.5e-3`. `None` where `text` is none, or is too large
/// for f64. Digits after the nineteenth count as zeros, and so do numbers below the least normal
/// one, 2.2e-308.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    let (digits, mut exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&text[..at], whole(&text[at + 1..])?),
        None => (text, 0),
    };
    let mut mantissa = 0u64;
    let (mut has_digits, mut behind_point) = (false, false);
    for byte in digits {
        match byte {
            b'.' if !behind_point => behind_point = true,
            b'0'..=b'9' => {
                has_digits = true;
                if mantissa < 1_000_000_000_000_000_000 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    exponent -= i32::from(behind_point);
                } else {
                    exponent += i32::from(!behind_point);
                }
            }
            _ => return None,
        }
    }
    let x = scale(mantissa, exponent);
    (has_digits && x.is_finite()).then_some(x)
}

/// `-12`, `+3`; at most 9999 either way, beyond which no digits matter.
fn whole(text: &[u8]) -> Option<i32> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut x = 0;
    for byte in digits {
        x = (x * 10 + i32::from(byte.is_ascii_digit().then(|| byte - b'0')?)).min(9999);
    }
    Some(if is_negative { -x } else { x })
}

/// `mantissa * 10^exponent`.
fn scale(mantissa: u64, exponent: i32) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    if mantissa < 1 << 53 && exponent.unsigned_abs() <= 22 {
        let tens = (0..exponent.abs()).fold(1.0, |tens, _| tens * 10.0);
        let x = mantissa as f64;
        return if exponent < 0 { x / tens } else { x * tens };
    }
    // The number is `x * 2^binary`; x keeps between 2^120 and 2^124, so that ten times it fits.
    let (mut x, mut binary) = (u128::from(mantissa), 0);
    // 10^±400 is beyond f64 for any mantissa.
    for _ in 0..exponent.unsigned_abs().min(400) {
        while x >> 120 == 0 {
            x <<= 1;
            binary -= 1;
        }
        if exponent < 0 {
            x = tenth(x);
        } else {
            x = (x << 3) + (x << 1);
            while x >> 124 != 0 {
                x >>= 1;
                binary += 1;
            }
        }
    }
    // The upper half with a last bit that says whether there is a lower one: the conversion then
    // rounds as it would with all bits.
    while x >> 120 == 0 {
        x <<= 1;
        binary -= 1;
    }
    let upper = (x >> 64) as u64 | u64::from(x as u64 != 0);
    // Below the normal numbers it would round a second time.
    let x = libm::scalbn(upper as f64, binary + 64);
    if x < f64::MIN_POSITIVE { 0.0 } else { x }
}

/// Long division by ten, 32 bits at a time: a general division of 128 bits is a kilobyte.
fn tenth(x: u128) -> u128 {
    let (mut quotient, mut rest) = (0, 0u64);
    for shift in [96, 64, 32, 0] {
        let part = rest << 32 | u64::from((x >> shift) as u32);
        quotient = quotient << 32 | u128::from(part / 10);
        rest = part % 10;
    }
    quotient
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn what_was_printed_comes_back() {
        let mut rng = SeededRng::new(1, 0);
        let half = |rng: &mut SeededRng| rng.below(1 << 31) as u64;
        let random: Vec<f64> =
            (0..20_000).map(|_| f64::from_bits(half(&mut rng) << 32 | half(&mut rng))).collect();
        let edges = [0.0, 1.0, 0.1, 1e22, 1e23, f64::MAX, f64::MIN_POSITIVE, 0.30000000000000004];
        for x in random.into_iter().chain(edges).filter(|x| x.is_normal() || *x == 0.0) {
            assert_eq!(parse(format!("{x:e}").as_bytes()), Some(x), "{x:e}");
            if (1e-9..1e21).contains(&x) {
                assert_eq!(parse(format!("{x}").as_bytes()), Some(x), "{x}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "e5", "1e", "1.2.3", "1e5e5", "12a", "1e999", "0x10", "1e+", "٣"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        for (text, x) in [("1.", 1.0), (".5", 0.5), ("1e-999", 0.0), ("1e-310", 0.0), ("007", 7.0)]
        {
            assert_eq!(parse(text.as_bytes()), Some(x), "{text}");
        }
    }
}
