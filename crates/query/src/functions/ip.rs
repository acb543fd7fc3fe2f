//! IPADDRESS and IPPREFIX. An address is 16 bytes, as IPv6 has them (IPv4
//! mapped); a prefix is its text.
//!
//! Source: Trino documentation, "IP address functions".

use super::scalar::{Returns, get, longs, map_text, scalar, texts, wrong};
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, StringArray, cast::AsArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

const ADDRESS: DataType = DataType::FixedSizeBinary(16);

pub(super) fn functions(session: &SessionContext) -> Vec<ScalarUDF> {
    // `contains` of arrays stays what it is.
    if let Ok(function) = datafusion::execution::FunctionRegistry::udf(session, "array_has") {
        ARRAY_HAS.get_or_init(|| function);
    }
    let (address, text, truth) =
        (Returns::Type(|| ADDRESS), Returns::Type(|| DataType::Utf8), Returns::Type(|| DataType::Boolean));
    vec![
        scalar("to_ipaddress", 1..=1, address, |args, _, _| read(&args[0], true)),
        scalar("try_ipaddress", 1..=1, address, |args, _, _| read(&args[0], false)),
        scalar("ip_to_text", 1..=1, text, |args, rows, _| match args[0].data_type() {
            DataType::FixedSizeBinary(16) => {
                let found = args[0].as_fixed_size_binary();
                let shown = (0..rows).map(|row| found.is_valid(row).then(|| show(found.value(row))));
                Ok(Arc::new(shown.collect::<StringArray>()))
            }
            _ => Ok(Arc::new(texts(&args[0])?)),
        }),
        scalar("to_ipprefix", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |values| prefix(values[0]).map(|found| Some(shown_prefix(found))))
        }),
        scalar("ip_prefix", 2..=2, text, |args, rows, _| {
            let (addresses, bits) = (read(&args[0], true)?, longs(&args[1])?);
            let addresses = addresses.as_fixed_size_binary();
            let found = (0..rows).map(|row| {
                if addresses.is_null(row) || bits.is_null(row) {
                    return Ok(None);
                }
                let whole = format!("{}/{}", show(addresses.value(row)), bits.value(row));
                Ok(Some(shown_prefix(prefix(&whole)?)))
            });
            Ok(Arc::new(found.collect::<Result<StringArray>>()?))
        }),
        scalar("ip_subnet_min", 1..=1, address, |args, rows, _| edge(&args[0], rows, false)),
        scalar("ip_subnet_max", 1..=1, address, |args, rows, _| edge(&args[0], rows, true)),
        scalar("is_subnet_of", 2..=2, truth, |args, rows, _| within(&args[0], &args[1], rows)),
        scalar("contains", 2..=2, truth, |args, rows, _| match args[0].data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => within(&args[0], &args[1], rows),
            _ => array_has(args, rows),
        }),
    ]
}

static ARRAY_HAS: OnceLock<Arc<ScalarUDF>> = OnceLock::new();

fn array_has(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    use datafusion::arrow::datatypes::Field;
    use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
    let Some(function) = ARRAY_HAS.get() else { return wrong("arrays have no contains here") };
    let item = match args[0].data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().clone()
        }
        other => return wrong(format!("contains needs an array or a prefix, not {other}")),
    };
    let needle = super::scalar::to(&args[1], &item)?;
    let fields = [args[0].data_type(), &item].map(|kind| Arc::new(Field::new("a", kind.clone(), true)));
    let found = function.invoke_with_args(ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(args[0].clone()), ColumnarValue::Array(needle)],
        arg_fields: fields.to_vec(),
        number_rows: rows,
        return_field: Arc::new(Field::new("contains", DataType::Boolean, true)),
        config_options: Arc::default(),
    })?;
    found.into_array(rows)
}

/// An address in 16 bytes; `None` if the text is none.
fn address(text: &str) -> Option<Ipv6Addr> {
    match text.parse().ok()? {
        IpAddr::V4(v4) => Some(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => Some(v6),
    }
}

/// The text of an address of 16 bytes.
pub fn show(bytes: &[u8]) -> String {
    let bytes: [u8; 16] = bytes.try_into().unwrap_or_default();
    let v6 = Ipv6Addr::from(bytes);
    v6.to_ipv4_mapped().map_or_else(|| v6.to_string(), |v4| v4.to_string())
}

fn read(array: &ArrayRef, must: bool) -> Result<ArrayRef> {
    if array.data_type() == &ADDRESS {
        return Ok(array.clone());
    }
    let texts = texts(array)?;
    let mut found = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    for text in &texts {
        match text.map(|text| (text, address(text))) {
            Some((_, Some(address))) => found.append_value(address.octets())?,
            Some((text, None)) if must => return wrong(format!("Cannot cast value to IPADDRESS: {text}")),
            _ => found.append_null(),
        }
    }
    Ok(Arc::new(found.finish()))
}

/// The first and the last address of a prefix, its length in bits, and whether it is IPv4.
type Prefix = (u128, u128, u32, bool);

fn prefix(text: &str) -> Result<Prefix> {
    let bad = || wrong(format!("Invalid CIDR: {text}"));
    let Some((base, bits)) = text.split_once('/') else { return bad() };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return bad() };
    let (base, is_v4) = match base {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped(), true),
        IpAddr::V6(v6) => (v6, v6.to_ipv4_mapped().is_some()),
    };
    let width = if is_v4 { 32 } else { 128 };
    if bits > width {
        return bad();
    }
    let free = width - bits;
    let mask = if free == 128 { u128::MAX } else { (1u128 << free) - 1 };
    let base = u128::from(base);
    Ok((base & !mask, base | mask, bits, is_v4))
}

fn shown_prefix((first, _, bits, _): Prefix) -> String {
    format!("{}/{bits}", show(&first.to_be_bytes()))
}

fn edge(prefixes: &ArrayRef, rows: usize, last: bool) -> Result<ArrayRef> {
    let prefixes = texts(prefixes)?;
    let mut found = FixedSizeBinaryBuilder::with_capacity(rows, 16);
    for row in 0..rows {
        match get(&prefixes, row) {
            Some(text) => {
                let (low, high, ..) = prefix(text)?;
                found.append_value(if last { high } else { low }.to_be_bytes())?;
            }
            None => found.append_null(),
        }
    }
    Ok(Arc::new(found.finish()))
}

/// Whether prefixes contain addresses or prefixes.
fn within(prefixes: &ArrayRef, what: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    let prefixes = texts(prefixes)?;
    let addresses: Option<&FixedSizeBinaryArray> = what.as_fixed_size_binary_opt();
    let others = if addresses.is_some() { StringArray::new_null(0) } else { texts(what)? };
    // Mostly one literal.
    let mut known: Option<(String, Prefix)> = None;
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let Some(text) = get(&prefixes, row) else {
            found.push(None);
            continue;
        };
        if known.as_ref().is_none_or(|(same, _)| same != text) {
            known = Some((text.to_owned(), prefix(text)?));
        }
        let Some((_, (low, high, ..))) = known else { continue };
        let range = match addresses {
            Some(addresses) if addresses.is_valid(row) => {
                let bytes: [u8; 16] = addresses.value(row).try_into().unwrap_or_default();
                Some((u128::from_be_bytes(bytes), u128::from_be_bytes(bytes)))
            }
            Some(_) => None,
            None => match get(&others, row) {
                Some(other) if other.contains('/') => {
                    prefix(other).map(|(low, high, ..)| Some((low, high)))?
                }
                Some(other) => match address(other) {
                    Some(address) => Some((address.into(), address.into())),
                    None => return wrong(format!("Cannot cast value to IPADDRESS: {other}")),
                },
                None => None,
            },
        };
        found.push(range.map(|(first, last)| low <= first && last <= high));
    }
    Ok(Arc::new(BooleanArray::from(found)))
}
