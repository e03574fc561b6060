//! Logistic function and hyperbolic tangent in arithmetic that compilers turn into vector instructions.

/// Adding it rounds to an integer, which then stands in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// Exponent bias of a 32-bit float.
const BIAS: i32 = 127;
/// Beyond these the result would leave the range of a 32-bit float.
const RANGE: (f32, f32) = (-87.0, 88.0);

/// `e^x` to about 2 units in the last place: `2^k` times a polynomial on `[-ln 2 / 2, ln 2 / 2]` (Cephes, `expf`).
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep the loop around it from being vectorised")]
#[expect(clippy::excessive_precision, reason = "the constants as Cephes prints them")]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.max(RANGE.0).min(RANGE.1);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = x - k * 0.693_359_375 - k * -2.121_944_4e-4;
    let p = 1.987_569_15e-4;
    let p = p * r + 1.398_199_950_7e-3;
    let p = p * r + 8.333_451_907_3e-3;
    let p = p * r + 4.166_579_589_4e-2;
    let p = p * r + 1.666_666_545_9e-1;
    let p = p * r + 5.000_000_120_1e-1;
    let mantissa = p * r * r + r + 1.0;
    let exponent = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    mantissa * f32::from_bits(((exponent + BIAS) << 23) as u32)
}

/// `1 / (1 + e^-x)`
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `tanh x = 2 sigmoid(2x) - 1`
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
pub(crate) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_standard_library() {
        for step in -4000..=4000_i32 {
            let x = step as f32 * 0.02;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 5e-7, "exp({x})");
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs() < 2e-7, "sigmoid({x})");
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7, "tanh({x})");
        }
        assert_eq!((sigmoid(1e9), sigmoid(-1e9) < 1e-30, tanh(-1e9)), (1.0, true, -1.0));
    }
}
