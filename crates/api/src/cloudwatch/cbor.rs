//! CBOR (RFC 8949) as Smithy RPC v2 uses it, to and from JSON values.
//!
//! Read: everything but byte strings becomes the JSON value that it is; tag 1
//! (an instant) its number of seconds; other tags their content. Numbers that
//! JSON has not (NaN, infinity) become texts. Written: members whose name is in
//! [`super::wire::INSTANTS`] get tag 1; numbers with a fraction's type are
//! doubles, so that clients read what their model says.

use super::wire::INSTANTS;
use serde_json::{Map, Number, Value};

/// Structures within each other.
const MAX_DEPTH: usize = 32;

/// `None`: the bytes are not CBOR, or hold what JSON cannot.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { bytes, depth: 0 };
    let value = reader.value()?;
    reader.bytes.is_empty().then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Major type, the five low bits, and the argument; `None` as argument: of
    /// indefinite length.
    fn head(&mut self) -> Option<(u8, u8, Option<u64>)> {
        let [first] = *self.take(1)? else { return None };
        let low = first & 0x1f;
        let argument = match low {
            0..=23 => u64::from(low),
            24..=27 => {
                let bytes = self.take(1 << (low - 24))?;
                bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
            }
            31 => return Some((first >> 5, low, None)),
            _ => return None,
        };
        Some((first >> 5, low, Some(argument)))
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let (major, low, argument) = self.head()?;
        let value = match (major, argument) {
            (0, Some(n)) => Value::from(n),
            (1, Some(n)) => Value::from(-1 - i64::try_from(n).ok()?),
            (3, length) => Value::from(self.text(length)?),
            (4, length) => {
                let mut items = Vec::new();
                while self.goes_on(length, items.len())? {
                    items.push(self.value()?);
                }
                Value::Array(items)
            }
            (5, length) => {
                let mut members = Map::new();
                let mut count = 0;
                while self.goes_on(length, count)? {
                    let (3, _, key) = self.head()? else { return None };
                    let key = self.text(key)?;
                    members.insert(key, self.value()?);
                    count += 1;
                }
                Value::Object(members)
            }
            (6, Some(_)) => self.value()?,
            (7, Some(bits)) => match low {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 | 23 => Value::Null,
                25 => float(half(u16::try_from(bits).ok()?)),
                26 => float(f64::from(f32::from_bits(u32::try_from(bits).ok()?))),
                27 => float(f64::from_bits(bits)),
                _ => return None,
            },
            _ => return None,
        };
        self.depth -= 1;
        Some(value)
    }

    fn goes_on(&mut self, length: Option<u64>, done: usize) -> Option<bool> {
        match length {
            Some(length) => Some((done as u64) < length),
            None if *self.bytes.first()? == 0xff => {
                self.take(1)?;
                Some(false)
            }
            None => Some(true),
        }
    }

    fn text(&mut self, length: Option<u64>) -> Option<String> {
        if let Some(length) = length {
            let bytes = self.take(usize::try_from(length).ok()?)?;
            return str::from_utf8(bytes).ok().map(str::to_owned);
        }
        let mut whole = String::new();
        while self.goes_on(None, 0)? {
            let (3, _, Some(length)) = self.head()? else { return None };
            whole.push_str(&self.text(Some(length))?);
        }
        Some(whole)
    }
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::from(value.to_string()), Value::Number)
}

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

/// A value as CBOR.
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put(value, false, &mut out);
    out
}

fn head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = n.to_be_bytes();
    match n {
        0..=23 => out.push(major | n as u8),
        24..=0xff => out.extend([major | 24, bytes[7]]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend(bytes);
        }
    }
}

fn put(value: &Value, is_instant: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Number(number) => {
            if is_instant {
                head(6, 1, out);
            }
            match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(n), _, _) => head(0, n, out),
                (_, Some(n), _) => head(1, n.unsigned_abs() - 1, out),
                (_, _, float) => {
                    out.push(0xfb);
                    out.extend(float.unwrap_or_default().to_be_bytes());
                }
            }
        }
        Value::String(text) => {
            head(3, text.len() as u64, out);
            out.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| put(item, is_instant, out));
        }
        Value::Object(members) => {
            head(5, members.len() as u64, out);
            for (name, member) in members {
                put(&Value::from(name.as_str()), false, out);
                put(member, INSTANTS.contains(&name.as_str()), out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn samples_of_the_rfc() {
        for (hex, expected) in [
            ("00", json!(0)),
            ("1903e8", json!(1000)),
            ("1bffffffffffffffff", json!(u64::MAX)),
            ("3903e7", json!(-1000)),
            ("f93e00", json!(1.5)),
            ("f90001", json!(5.960_464_477_539_063e-8)),
            ("fa47c35000", json!(100_000.0)),
            ("fb3ff199999999999a", json!(1.1)),
            ("f97e00", json!("NaN")),
            ("c11a514b67b0", json!(1_363_896_240)),
            ("c1fb41d452d9ec200000", json!(1_363_896_240.5)),
            ("6449455446", json!("IETF")),
            ("7f657374726561646d696e67ff", json!("streaming")),
            ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
            ("a26161f56162f6", json!({"a": true, "b": null})),
        ] {
            assert_eq!(read(&hex::decode(hex).unwrap()), Some(expected), "{hex}");
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        for hex in ["", "18", "62c328", "ff", "1c", "a1", "a10102", "0000", "5800", "9f01"] {
            assert_eq!(read(&hex::decode(hex).unwrap()), None, "{hex}");
        }
        assert_eq!(read(&[0x81; 100_000]), None);
        assert_eq!(read(&hex::decode("9bffffffffffffffff").unwrap()), None);
    }

    #[test]
    fn values_round_trip_and_instants_are_tagged() {
        for value in [
            json!({"a": [1, -1, 300, 70_000, 5_000_000_000_u64, -5_000_000_000_i64, 1.5, null, true, "ä"]}),
            json!({"Timestamps": [1.5, 2], "Values": [1.0]}),
        ] {
            assert_eq!(read(&write(&value)), Some(value));
        }
        assert_eq!(hex::encode(write(&json!({"Timestamp": 1}))), "a16954696d657374616d70c101");
        assert_eq!(hex::encode(write(&json!(2.0))), "fb4000000000000000");
    }
}
