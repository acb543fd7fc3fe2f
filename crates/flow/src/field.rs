//! THE TABLE of record fields, and how to find a row of it.
//!
//! One row per field (`table.rs`): its name in a LogFormat, the version that
//! brought it, its type, its meaning, and how its value is got from a
//! [`Record`]. Parser, writer, header line, columns and help follow from the
//! table; nothing else in Weir lists fields.
//!
//! Sources: VPC user guide, "Flow log records" (versions 2 to 11); transit
//! gateway guide, "Transit Gateway Flow Log records" (version 6).

mod table;

pub use table::Field;

use crate::record::Record;
use crate::value::Value;
use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

/// What values of a field look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An IANA protocol number, 0 to 255.
    Protocol,
    /// 0 to 65535.
    Port,
    /// 0 to 2^31 - 1.
    Int32,
    /// 0 to 2^63 - 1.
    Int64,
    /// An IPv4 or IPv6 address.
    Address,
    Text,
}

impl Kind {
    /// The largest number allowed; `None` if values are no numbers.
    pub fn max(self) -> Option<i64> {
        match self {
            Self::Protocol => Some(u8::MAX.into()),
            Self::Port => Some(u16::MAX.into()),
            Self::Int32 => Some(i32::MAX.into()),
            Self::Int64 => Some(i64::MAX),
            Self::Address | Self::Text => None,
        }
    }
}

/// The type of a field's column in the Parquet files that AWS writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParquetType {
    Int32,
    Int64,
    /// BYTE_ARRAY with logical type STRING.
    String,
}

impl ParquetType {
    /// AWS's word in the documentation: `INT_32`, `INT_64`, `STRING`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Int32 => "INT_32",
            Self::Int64 => "INT_64",
            Self::String => "STRING",
        }
    }
}

/// Which flow logs have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    Vpc,
    TransitGateway,
    Both,
}

/// How a value is got: from the record and the version of the format that asks.
type Getter = for<'r, 'a> fn(&'r Record<'a>, u8) -> Value<'a>;

struct Row {
    name: &'static str,
    column: &'static str,
    version: u8,
    kind: Kind,
    family: Family,
    nullable: bool,
    meaning: &'static str,
    get: Getter,
}

impl Field {
    /// The name in a LogFormat and in header lines: `pkt-srcaddr`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name of the column in Parquet and SQL: `pkt_srcaddr`.
    pub fn column(self) -> &'static str {
        self.row().column
    }

    /// The version of flow logs that brought the field: 2 to 11; 0 for Weir's own.
    pub fn version(self) -> u8 {
        self.row().version
    }

    pub fn kind(self) -> Kind {
        self.row().kind
    }

    pub fn parquet_type(self) -> ParquetType {
        match self.kind() {
            Kind::Protocol | Kind::Port | Kind::Int32 => ParquetType::Int32,
            Kind::Int64 => ParquetType::Int64,
            Kind::Address | Kind::Text => ParquetType::String,
        }
    }

    pub fn family(self) -> Family {
        self.row().family
    }

    /// Whether `-` may stand for a value.
    pub fn is_nullable(self) -> bool {
        self.row().nullable
    }

    /// One sentence for help and documentation.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// The value in `record`. `format_version` is what the `version` field says:
    /// [`LogFormat::version`](crate::format::LogFormat::version).
    pub fn get<'a>(self, record: &Record<'a>, format_version: u8) -> Value<'a> {
        (self.row().get)(record, format_version)
    }

    /// The field of this name, written with hyphens.
    pub fn by_name(name: &str) -> Option<Self> {
        let found = BY_NAME.binary_search_by(|field| field.name().cmp(name)).ok()?;
        BY_NAME.get(found).copied()
    }

    /// The field of this name, written with hyphens or with underscores.
    pub fn by_name_or_column(name: &str) -> Option<Self> {
        let hyphened = |b| if b == b'_' { b'-' } else { b };
        let found = BY_NAME
            .binary_search_by(|field| -> Ordering { field.name().bytes().cmp(name.bytes().map(hyphened)) })
            .ok()?;
        BY_NAME.get(found).copied()
    }

    /// The field that somebody who wrote `name` probably meant: the nearest
    /// name by edits of one letter, if a third of the letters or fewer differ.
    /// Case and underscores are forgiven (`srcAddr`, `log_status`).
    pub fn nearest(name: &str) -> Option<Self> {
        // Longer than any name with its allowance: not worth the comparison.
        if name.is_empty() || name.len() > 64 {
            return None;
        }
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        let squashed = name.replace('-', "");
        Self::ALL
            .iter()
            .map(|&field| {
                let edits = edit_distance(field.name(), &name)
                    .min(edit_distance(&field.name().replace('-', ""), &squashed));
                (edits, field)
            })
            .min_by_key(|&(edits, _)| edits)
            .filter(|&(edits, field)| edits <= (field.name().len() / 3).max(1))
            .map(|(_, field)| field)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

static BY_NAME: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields = Field::ALL.to_vec();
    fields.sort_unstable_by_key(|field| field.name());
    fields
});

/// Letters to insert, delete or replace to make one text of the other (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a_char) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, &b_char) in row.iter_mut().skip(1).zip(&b) {
            left = (diagonal + usize::from(a_char != b_char)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_table_has_every_field_of_every_version() {
        let mut per_version = BTreeMap::new();
        for field in Field::ALL {
            *per_version.entry(field.version()).or_insert(0) += 1;
        }
        let expected =
            [(2, 14), (3, 7), (4, 4), (5, 4), (6, 18), (7, 10), (8, 1), (9, 1), (10, 1), (11, 12), (0, 5)];
        assert_eq!(per_version, BTreeMap::from(expected));
        assert_eq!(Field::ALL.iter().filter(|f| f.family() != Family::TransitGateway).count(), 59);
        // The transit gateway's default format.
        assert_eq!(Field::ALL.iter().filter(|f| f.family() != Family::Vpc).count(), 36);
    }

    #[test]
    fn rows_are_well_formed_and_found_by_both_names() {
        for &field in Field::ALL {
            let name = field.name();
            assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{name}");
            assert_eq!(field.column(), name.replace('-', "_"));
            assert_eq!(Field::by_name(name), Some(field));
            assert_eq!(Field::by_name_or_column(name), Some(field));
            assert_eq!(Field::by_name_or_column(field.column()), Some(field));
            assert!(field.meaning().ends_with('.') && field.meaning().len() > 10, "{name}");
            assert_eq!(field.family() == Family::TransitGateway, field.version() == 6, "{name}");
        }
        assert_eq!(Field::by_name("log_status"), None);
    }

    #[test]
    fn types_are_those_of_the_parquet_files_of_aws() {
        for (name, expected) in [
            ("version", "INT_32"),
            ("account-id", "STRING"),
            ("srcaddr", "STRING"),
            ("dstport", "INT_32"),
            ("protocol", "INT_32"),
            ("packets", "INT_64"),
            ("end", "INT_64"),
            ("tcp-flags", "INT_32"),
            ("traffic-path", "INT_32"),
            ("encryption-status", "INT_32"),
            ("packets-lost-blackhole", "INT_64"),
            ("next-hop-az-id", "STRING"),
        ] {
            assert_eq!(Field::by_name(name).unwrap().parquet_type().as_str(), expected, "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_finds_the_name_that_was_meant() {
        for (typed, meant) in [
            ("srcadr", Some("srcaddr")),
            ("src-addr", Some("srcaddr")),
            ("srcAddr", Some("srcaddr")),
            ("log_status", Some("log-status")),
            ("logStatus", Some("log-status")),
            ("tcpflags", Some("tcp-flags")),
            ("pkt-src-addr", Some("pkt-srcaddr")),
            ("acount-id", Some("account-id")),
            ("instance-tag-3", Some("instance-tag")),
            ("byte", Some("bytes")),
            ("nexthop-vpc-id", Some("next-hop-vpc-id")),
            ("weather", None),
            ("", None),
            ("ß", None),
        ] {
            assert_eq!(Field::nearest(typed).map(Field::name), meant, "{typed}");
        }
    }

    #[test]
    fn edit_distances() {
        for (a, b, edits) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("end", "and", 1)] {
            assert_eq!(edit_distance(a, b), edits, "{a} {b}");
            assert_eq!(edit_distance(b, a), edits, "{b} {a}");
        }
    }
}
