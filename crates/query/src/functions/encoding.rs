//! Bytes as texts and back. Source: Trino documentation, "Binary functions and
//! operators", "URL functions".

use super::hash;
use super::scalar::{Returns, long, longs, map_text, scalar, texts, to, wrong};
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use datafusion::arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray, cast::AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use std::fmt::Write;
use std::sync::Arc;

fn shown(args: &[ArrayRef], show: impl Fn(&[u8]) -> String) -> Result<ArrayRef> {
    let bytes = to(&args[0], &DataType::Binary)?;
    let all = bytes.as_binary::<i32>().iter().map(|bytes| bytes.map(&show));
    Ok(Arc::new(all.collect::<StringArray>()))
}

fn read(args: &[ArrayRef], read: impl Fn(&str) -> Result<Vec<u8>>) -> Result<ArrayRef> {
    let values = texts(&args[0])?;
    let found: Vec<Option<Vec<u8>>> =
        values.iter().map(|value| value.map(&read).transpose()).collect::<Result<_>>()?;
    Ok(Arc::new(found.iter().map(Option::as_deref).collect::<BinaryArray>()))
}

fn digest(args: &[ArrayRef], of: impl Fn(&[u8]) -> Vec<u8>) -> Result<ArrayRef> {
    let bytes = to(&args[0], &DataType::Binary)?;
    let found: Vec<Option<Vec<u8>>> = bytes.as_binary::<i32>().iter().map(|bytes| bytes.map(&of)).collect();
    Ok(Arc::new(found.iter().map(Option::as_deref).collect::<BinaryArray>()))
}

fn decode(engine: &GeneralPurpose, text: &str) -> Result<Vec<u8>> {
    engine.decode(text).or_else(|error| wrong(format!("Invalid base64: {error}")))
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|n| n as u8)).collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => {
            Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
        }
        _ => wrong(format!("Invalid hex string: {text}")),
    }
}

/// As HTML's forms are sent: a blank is `+`.
fn url_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => write!(out, "%{other:02X}").unwrap_or_default(),
        }
    }
    out
}

pub(super) fn url_decode(text: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => return wrong(format!("Illegal hex characters in escape (%) pattern: {text}")),
                }
            }
            other => other,
        });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let (text, bytes) = (Returns::Type(|| DataType::Utf8), Returns::Type(|| DataType::Binary));
    vec![
        scalar("to_base64", 1..=1, text, |args, _, _| shown(args, |bytes| STANDARD.encode(bytes))),
        scalar("to_base64url", 1..=1, text, |args, _, _| shown(args, |bytes| URL_SAFE.encode(bytes))),
        scalar("from_base64", 1..=1, bytes, |args, _, _| read(args, |text| decode(&STANDARD, text))),
        scalar("from_base64url", 1..=1, bytes, |args, _, _| read(args, |text| decode(&URL_SAFE, text))),
        scalar("to_hex", 1..=1, text, |args, rows, _| {
            if args[0].data_type().is_integer() {
                return map_text(args, rows, |v| Ok(v[0].parse::<i64>().ok().map(|n| format!("{n:X}"))));
            }
            shown(args, |bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect())
        }),
        scalar("from_hex", 1..=1, bytes, |args, _, _| read(args, unhex)),
        scalar("crc32", 1..=1, Returns::Type(|| DataType::Int64), |args, _, _| {
            let values = to(&args[0], &DataType::Binary)?;
            let sums = values.as_binary::<i32>().iter().map(|bytes| {
                let mut crc = flate2::Crc::new();
                crc.update(bytes?);
                Some(i64::from(crc.sum()))
            });
            Ok(Arc::new(sums.collect::<Int64Array>()))
        }),
        scalar("sha1", 1..=1, bytes, |args, _, _| digest(args, |bytes| hash::sha1(bytes).to_vec())),
        scalar("xxhash64", 1..=1, bytes, |args, _, _| {
            digest(args, |bytes| hash::xxhash64(bytes, 0).to_be_bytes().to_vec())
        }),
        scalar("to_big_endian_64", 1..=1, bytes, |args, rows, _| {
            let numbers = longs(&args[0])?;
            let all = (0..rows).map(|row| long(&numbers, row).map(|n| n.to_be_bytes()));
            Ok(Arc::new(all.collect::<BinaryArray>()))
        }),
        scalar("from_big_endian_64", 1..=1, Returns::Type(|| DataType::Int64), |args, _, _| {
            let values = to(&args[0], &DataType::Binary)?;
            let each = |bytes: Option<&[u8]>| match bytes.map(<[u8; 8]>::try_from) {
                Some(Ok(bytes)) => Ok(Some(i64::from_be_bytes(bytes))),
                Some(Err(_)) => wrong("expected 8-byte input"),
                None => Ok(None),
            };
            Ok(Arc::new(values.as_binary::<i32>().iter().map(each).collect::<Result<Int64Array>>()?))
        }),
        scalar("url_encode", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| Ok(Some(url_encode(v[0]))))
        }),
        scalar("url_decode", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| url_decode(v[0]).map(Some))
        }),
    ]
}
