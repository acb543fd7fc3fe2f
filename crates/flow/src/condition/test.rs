//! What one field is tested for.

use super::glob::Glob;
use crate::value::Value;
use std::fmt::{self, Write};
use std::net::IpAddr;
use weir_types::net::IpNet;

/// `!=` and the like are a `Not` around these.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Null,
    /// Within one of these, both ends included.
    Numbers(Vec<(i64, i64)>),
    /// In one of these; one address is a network of full length.
    Networks(Vec<IpNet>),
    /// One of these.
    Texts(Vec<String>),
    Like(Glob),
}

impl Test {
    pub fn holds(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Null, value) => value.is_null(),
            (Self::Numbers(_), Value::Int(number)) => self.holds_for_number(number),
            (Self::Networks(_), value) => {
                value.as_ip().is_some_and(|address| self.holds_for_address(address))
            }
            (Self::Texts(_) | Self::Like(_), Value::Text(text)) => self.holds_for_text(text),
            (Self::Like(_), Value::Ip(address)) => {
                let mut text = AddressText { bytes: [0; 64], len: 0 };
                // 45 bytes at most.
                let _ = write!(text, "{address}");
                self.holds_for_text(text.as_str())
            }
            _ => false,
        }
    }

    #[inline]
    pub fn holds_for_number(&self, number: i64) -> bool {
        match self {
            Self::Numbers(ranges) => ranges.iter().any(|&(low, high)| low <= number && number <= high),
            _ => false,
        }
    }

    pub fn holds_for_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
            _ => false,
        }
    }

    pub fn holds_for_text(&self, text: &str) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|expected| expected == text),
            Self::Like(glob) => glob.matches(text),
            Self::Networks(_) => text.parse().is_ok_and(|address| self.holds_for_address(address)),
            Self::Null | Self::Numbers(_) => false,
        }
    }

    /// A text that stands in every line for which the test holds.
    pub fn literal(&self) -> Option<String> {
        let literal = match self {
            Self::Numbers(ranges) => match ranges.as_slice() {
                [(low, high)] if low == high => low.to_string(),
                _ => return None,
            },
            // An IPv6 address may be spelled in several ways.
            Self::Networks(networks) => match networks.as_slice() {
                [IpNet::V4(one)] if one.prefix_len() == 32 => one.addr().to_string(),
                _ => return None,
            },
            Self::Texts(texts) => match texts.as_slice() {
                [one] => one.clone(),
                _ => return None,
            },
            Self::Like(glob) => glob.longest_part().to_owned(),
            Self::Null => return None,
        };
        Some(literal).filter(|literal| !literal.is_empty())
    }
}

/// An address's text, without an allocation.
struct AddressText {
    bytes: [u8; 64],
    len: usize,
}

impl AddressText {
    fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

impl Write for AddressText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.len + part.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(part.as_bytes());
        self.len = end;
        Ok(())
    }
}
