//! Texts that only their writer can read again: encrypted and authenticated with
//! a key of 32 bytes.
//!
//! ```text
//! base64url( nonce, 16 bytes | ciphertext | tag, 16 bytes )
//! ciphertext = plaintext XOR HMAC-SHA256(key "encrypt", nonce | counter) …
//! tag        = HMAC-SHA256(key "authenticate", nonce | ciphertext)
//! ```
//!
//! The nonce must be drawn anew for each text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const NONCE: usize = 16;
const TAG: usize = 16;

/// Seals a text. None if the key schedule fails, which it does not.
pub fn seal(key: &[u8; 32], nonce: [u8; NONCE], text: &[u8]) -> Option<String> {
    let mut sealed = nonce.to_vec();
    sealed.extend(crypt(key, &nonce, text)?);
    let tag = hmac(&derived(key, "authenticate")?, &[&sealed])?;
    sealed.extend_from_slice(tag.get(..TAG)?);
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a sealed text. None if it was not sealed with this key, or changed since.
pub fn open(key: &[u8; 32], sealed: &str) -> Option<Vec<u8>> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed.trim()).ok()?;
    let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
    let expected = hmac(&derived(key, "authenticate")?, &[body])?;
    let is_genuine: bool = expected.get(..TAG)?.ct_eq(tag).into();
    let (nonce, text) = body.split_at_checked(NONCE).filter(|_| is_genuine)?;
    crypt(key, nonce, text)
}

/// Encrypts, and decrypts.
fn crypt(key: &[u8; 32], nonce: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let key = derived(key, "encrypt")?;
    let mut out = Vec::with_capacity(text.len());
    for (counter, chunk) in (0u32..).zip(text.chunks(32)) {
        let stream = hmac(&key, &[nonce, &counter.to_be_bytes()])?;
        out.extend(chunk.iter().zip(stream).map(|(byte, mask)| byte ^ mask));
    }
    Some(out)
}

fn derived(key: &[u8; 32], purpose: &str) -> Option<[u8; 32]> {
    hmac(key, &[purpose.as_bytes()])
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_with_its_key_only_and_unchanged(
            text in prop::collection::vec(any::<u8>(), 0..200), nonce: [u8; 16], at: usize, bit in 0..8u8
        ) {
            let sealed = seal(&[1; 32], nonce, &text).unwrap();
            prop_assert_eq!(open(&[1; 32], &sealed), Some(text));
            prop_assert_eq!(open(&[2; 32], &sealed), None);
            let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(open(&[1; 32], &URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }

    #[test]
    fn nonsense_does_not_open() {
        for text in ["", "x", "AAAA", "not base64!", &"A".repeat(42), &"A".repeat(43)] {
            assert_eq!(open(&[1; 32], text), None, "{text}");
        }
        assert!(!seal(&[1; 32], [0; 16], b"secret words").unwrap().contains("secret"));
    }
}
