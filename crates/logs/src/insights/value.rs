//! Numbers in texts.

/// The number that a whole text is: digits with a sign, a fraction, an
/// exponent. Nothing else counts, and nothing that is not finite.
pub fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if digits.len() <= 15 && digits.len() == text.len() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(digits.bytes().fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0')) as f64);
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// A number as a text, without an exponent or zeros at its end. `None` for
/// what is not finite.
pub fn number_text(n: f64) -> Option<String> {
    // 2^53: up to there every whole number is exact.
    if n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0 {
        return Some((n as i64).to_string());
    }
    n.is_finite().then(|| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers() {
        for (text, wanted) in [
            ("0", Some(0.0)),
            ("007", Some(7.0)),
            ("-12", Some(-12.0)),
            ("+1.5", Some(1.5)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("1234567890123456789", Some(1_234_567_890_123_456_789.0)),
            ("", None),
            ("-", None),
            (".", None),
            ("nan", None),
            ("inf", None),
            ("1e999", None),
            ("0x1", None),
            ("1 ", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(number(text), wanted, "{text}");
        }
        for (n, wanted) in [
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (1e15, Some("1000000000000000")),
            (1e17, Some("100000000000000000")),
            (2.50, Some("2.5")),
            (1.0 / 3.0, Some("0.3333333333333333")),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(number_text(n).as_deref(), wanted);
        }
    }
}
