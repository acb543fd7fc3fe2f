//! LogFormat: which fields a flow log writes, and in which order.
//!
//! ```text
//! template  ${version} ${account-id} ${interface-id} ...    CreateFlowLogs, DescribeFlowLogs
//! header      version    account-id    interface-id  ...    first line of an S3 text object
//! ```
//!
//! Fields are divided by exactly one space; a record's line has the same shape.
//!
//! Source: EC2 API, CreateFlowLogs, `LogFormat`; VPC user guide, "Flow log records".

use crate::field::{Family, Field};
use std::fmt;
use std::str::FromStr;

/// A checked list of fields.
///
/// Invariants: at least one field, none twice, and not fields of VPC and of
/// transit gateway flow logs mixed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogFormat {
    fields: Box<[Field]>,
    version: u8,
}

/// Why a text is no LogFormat. Columns count bytes from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFormatError {
    #[error("the format has no field: write at least one, such as ${{srcaddr}}")]
    Empty,
    #[error("unknown field '{name}' at column {column}{}", hint(.nearest))]
    UnknownField { name: String, column: usize, nearest: Option<Field> },
    #[error("field '{field}' stands twice, the second time at column {column}: leave one out")]
    Repeated { field: Field, column: usize },
    #[error(
        "'{first}' and '{second}' belong to different kinds of flow logs (VPC and transit gateway): \
         leave one out"
    )]
    MixedFamilies { first: Field, second: Field },
    #[error("expected a field such as ${{srcaddr}} at column {column}, found '{found}'")]
    NotAField { column: usize, found: String },
    #[error("the field at column {column} has no closing '}}'")]
    Unclosed { column: usize },
    #[error("expected one space between fields at column {column}")]
    Separator { column: usize },
    #[error("a space too many at column {column}: fields are divided by one space, with none at the ends")]
    ExtraSpace { column: usize },
}

fn hint(nearest: &Option<Field>) -> String {
    nearest.map(|field| format!(": did you mean '{field}'?")).unwrap_or_default()
}

impl LogFormat {
    /// The format of a flow log that was created without one. It never grows.
    pub const DEFAULT: &'static str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} \
        ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

    /// A format of these fields.
    pub fn new(fields: &[Field]) -> Result<Self, LogFormatError> {
        // Each column is where the field begins in the header line.
        let mut column = 1;
        let columns = fields.iter().map(|field| {
            let at = column;
            column += field.name().len() + 1;
            (at, *field)
        });
        Self::checked(columns.collect())
    }

    /// The template of CreateFlowLogs: `${srcaddr} ${dstaddr}`.
    pub fn parse(template: &str) -> Result<Self, LogFormatError> {
        let mut fields = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let column = 1 + template.len() - rest.len();
            let Some(after_brace) = rest.strip_prefix("${") else {
                return Err(match rest.split(' ').next() {
                    Some("") | None => LogFormatError::ExtraSpace { column },
                    Some(found) => LogFormatError::NotAField { column, found: found.to_owned() },
                });
            };
            // A name has no space: a brace that closes after one is another field's.
            let name_len = after_brace.find(['}', ' ']).unwrap_or(after_brace.len());
            let (name, after_name) = after_brace.split_at(name_len);
            let Some(after) = after_name.strip_prefix('}') else {
                return Err(LogFormatError::Unclosed { column });
            };
            fields.push((column, known(name, column + 2, Field::by_name(name))?));
            rest = match after.strip_prefix(' ') {
                Some("") => return Err(LogFormatError::ExtraSpace { column: template.len() }),
                Some(next) => next,
                None if after.is_empty() => after,
                None => return Err(LogFormatError::Separator { column: 1 + template.len() - after.len() }),
            };
        }
        Self::checked(fields)
    }

    /// The first line of a text object: names with hyphens or underscores,
    /// divided by single spaces, without `${}`.
    pub fn from_header(line: &str) -> Result<Self, LogFormatError> {
        let mut fields = Vec::new();
        let mut column = 1;
        for name in line.split(' ').filter(|_| !line.is_empty()) {
            if name.is_empty() {
                return Err(LogFormatError::ExtraSpace { column });
            }
            fields.push((column, known(name, column, Field::by_name_or_column(name))?));
            column += name.len() + 1;
        }
        Self::checked(fields)
    }

    fn checked(columns: Vec<(usize, Field)>) -> Result<Self, LogFormatError> {
        for (i, &(column, field)) in columns.iter().enumerate() {
            if columns.iter().take(i).any(|&(_, earlier)| earlier == field) {
                return Err(LogFormatError::Repeated { field, column });
            }
        }
        let fields: Box<[Field]> = columns.into_iter().map(|(_, field)| field).collect();
        let first_of = |family| fields.iter().copied().find(|field| field.family() == family);
        if let (Some(first), Some(second)) = (first_of(Family::Vpc), first_of(Family::TransitGateway)) {
            return Err(LogFormatError::MixedFamilies { first, second });
        }
        let version = fields.iter().map(|field| field.version()).max().ok_or(LogFormatError::Empty)?.max(2);
        Ok(Self { fields, version })
    }

    /// In the order of the record's values.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What the `version` field of the format's records says: the highest
    /// version among the fields.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Where in a line the value of `field` stands, from 0.
    pub fn position(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|&own| own == field)
    }

    /// The header line of a text object, without a newline.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name()).collect();
        names.join(" ")
    }
}

fn known(name: &str, column: usize, field: Option<Field>) -> Result<Field, LogFormatError> {
    field.ok_or_else(|| LogFormatError::UnknownField {
        name: name.to_owned(),
        column,
        nearest: Field::nearest(name),
    })
}

/// [`LogFormat::DEFAULT`]: the fields of version 2 in the order of the table.
impl Default for LogFormat {
    fn default() -> Self {
        let fields = Field::ALL.iter().copied().filter(|field| field.version() == 2).collect();
        Self { fields, version: 2 }
    }
}

impl FromStr for LogFormat {
    type Err = LogFormatError;
    fn from_str(template: &str) -> Result<Self, LogFormatError> {
        Self::parse(template)
    }
}

/// The template.
impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.fields.iter().enumerate() {
            write!(f, "{}${{{field}}}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_is_what_its_text_says() {
        let format = LogFormat::default();
        assert_eq!(format.to_string(), LogFormat::DEFAULT);
        assert_eq!(LogFormat::parse(LogFormat::DEFAULT), Ok(format.clone()));
        assert_eq!(
            format.header(),
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start \
             end action log-status"
        );
    }

    #[test]
    fn the_version_is_the_highest_of_the_fields() {
        for (template, version) in [
            (LogFormat::DEFAULT, 2),
            ("${srcaddr}", 2),
            ("${version} ${vpc-id}", 3),
            ("${region} ${vpc-id}", 4),
            ("${traffic-path} ${srcaddr}", 5),
            ("${tgw-id} ${srcaddr}", 6),
            ("${ecs-task-id}", 7),
            ("${next-hop-vpc-id}", 11),
        ] {
            assert_eq!(LogFormat::parse(template).unwrap().version(), version, "{template}");
        }
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        for (template, message) in [
            ("", "the format has no field: write at least one, such as ${srcaddr}"),
            (" ", "a space too many at column 1: fields are divided by one space, with none at the ends"),
            (
                "${srcaddr} ",
                "a space too many at column 11: fields are divided by one space, with none at the ends",
            ),
            (
                "${srcaddr}  ${end}",
                "a space too many at column 12: fields are divided by one space, with none at the ends",
            ),
            ("${srcaddr}${end}", "expected one space between fields at column 11"),
            ("${srcaddr},${end}", "expected one space between fields at column 11"),
            ("srcaddr", "expected a field such as ${srcaddr} at column 1, found 'srcaddr'"),
            ("${end} {start}", "expected a field such as ${srcaddr} at column 8, found '{start}'"),
            ("${end} ${start", "the field at column 8 has no closing '}'"),
            ("${end ${start}", "the field at column 1 has no closing '}'"),
            ("${end} ${srcadr}", "unknown field 'srcadr' at column 10: did you mean 'srcaddr'?"),
            ("${log_status}", "unknown field 'log_status' at column 3: did you mean 'log-status'?"),
            ("${weather}", "unknown field 'weather' at column 3"),
            ("${}", "unknown field '' at column 3"),
            ("${end} ${end}", "field 'end' stands twice, the second time at column 8: leave one out"),
            (
                "${tgw-id} ${vpc-id}",
                "'vpc-id' and 'tgw-id' belong to different kinds of flow logs (VPC and transit gateway): \
                 leave one out",
            ),
        ] {
            assert_eq!(LogFormat::parse(template).unwrap_err().to_string(), message, "{template}");
        }
    }

    #[test]
    fn headers_may_have_hyphens_or_underscores() {
        let format = LogFormat::parse("${pkt-srcaddr} ${log-status}").unwrap();
        assert_eq!(LogFormat::from_header("pkt-srcaddr log-status"), Ok(format.clone()));
        assert_eq!(LogFormat::from_header("pkt_srcaddr log_status"), Ok(format));
        assert_eq!(LogFormat::from_header(""), Err(LogFormatError::Empty));
        assert_eq!(LogFormat::from_header("end  start"), Err(LogFormatError::ExtraSpace { column: 5 }));
        assert_eq!(LogFormat::from_header("end start "), Err(LogFormatError::ExtraSpace { column: 11 }));
        assert_eq!(
            LogFormat::from_header("end sttart"),
            Err(LogFormatError::UnknownField {
                name: "sttart".to_owned(),
                column: 5,
                nearest: Some(Field::Start)
            })
        );
    }

    proptest! {
        #[test]
        fn any_choice_of_fields_comes_back_from_both_texts(
            fields in proptest::sample::subsequence(Field::ALL.to_vec(), 1..12).prop_shuffle()
        ) {
            if let Ok(format) = LogFormat::new(&fields) {
                prop_assert_eq!(format.fields(), &fields[..]);
                prop_assert_eq!(&LogFormat::parse(&format.to_string()).unwrap(), &format);
                prop_assert_eq!(&LogFormat::from_header(&format.header()).unwrap(), &format);
            } else {
                let tgw = fields.iter().any(|f| f.family() == Family::TransitGateway);
                prop_assert!(tgw && fields.iter().any(|f| f.family() == Family::Vpc));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[$ {}a-z-]{0,40}|.{0,40}") {
            let _ = LogFormat::from_header(&text);
            if let Ok(format) = LogFormat::parse(&text) {
                prop_assert_eq!(format.to_string(), text);
            }
        }
    }
}
