//! Secrets: wiped from memory when dropped, compared in constant time, and
//! never printed, by `Debug` neither.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// The secret itself, to store it or to hand it to its owner.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Equality that takes the same time wherever the texts differ.
            pub fn matches(&self, other: &Self) -> bool {
                self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

secrets! {
    /// A `SecretAccessKey`: 40 characters.
    SecretAccessKey;
    /// A `SessionToken` of temporary credentials.
    SessionToken;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_but_do_not_print() {
        let key = SecretAccessKey::new("wJalrXUtnFEMI");
        assert!(key.matches(&SecretAccessKey::new("wJalrXUtnFEMI")));
        assert!(!key.matches(&SecretAccessKey::new("wJalrXUtnFEMJ")));
        assert!(!key.matches(&SecretAccessKey::new("")));
        assert_eq!(format!("{key:?}"), "SecretAccessKey(…)");
    }
}
