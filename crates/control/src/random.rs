//! Random numbers from the operating system, for ids and secrets.

use crate::error::{ControlError, Result};

/// 128 random bits, as the `from_random` of ids wants them.
pub fn bits() -> Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| ControlError::Random)?;
    Ok(u128::from_le_bytes(bytes))
}

/// `length` characters drawn evenly from `alphabet` (at most 256 characters).
pub fn text(length: usize, alphabet: &[u8]) -> Result<String> {
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(length);
    while out.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|_| ControlError::Random)?;
        for byte in bytes.map(usize::from).into_iter().filter(|byte| *byte < limit) {
            if out.len() < length {
                out.push(char::from(alphabet[byte % alphabet.len()]));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_have_the_asked_length_and_alphabet() {
        for length in [0, 1, 20, 300] {
            let text = super::text(length, b"ABC7").unwrap();
            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|b| b"ABC7".contains(&b)), "{text}");
        }
        assert_ne!(super::bits().unwrap(), super::bits().unwrap());
    }
}
