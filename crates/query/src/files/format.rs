//! Which format the lines of an input have, and what stands around them.
//!
//! ```text
//! 2 123456789010 eni-... OK                                    a line of S3, Firehose, CloudWatch
//! 2014-12-14T04:06:50.000Z 2 123456789010 eni-... OK           CloudWatch export to S3
//! 2014-12-14T04:06:50+00:00 eni-...-all 2 123456789010 ... OK  aws logs tail
//! EVENTS\t1418530010000\t2 123456789010 ... OK\t1418530010000  aws logs get-log-events --output text
//! ```
//!
//! Lines may end with CR LF: some editor or transfer has made them so.

use weir_flow::field::Field;
use weir_flow::format::{LogFormat, LogFormatError};
use weir_flow::text::{MalformedLine, parse_line};

/// What stands around the record in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    None,
    /// Only the CR of the line end.
    CarriageReturn,
    /// A time and as many words as make this many together before the record.
    Words(usize),
    /// The columns of `aws logs ... --output text`; other lines are none.
    Events,
}

/// What the command line says about formats.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--format`
    pub format: Option<LogFormat>,
    /// Whether `--format` may be what is written instead, if the input says or
    /// shows that it has another: `--output text` without `--to-format`.
    pub may_be_output: bool,
    /// Whether an unknown format is good enough, because only lines are looked
    /// at: it is taken for the default.
    pub is_optional: bool,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub framing: Framing,
    pub format: LogFormat,
}

/// Why the format of an input is not known.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("its header line has fields that no flow log has: {0}")]
    Header(LogFormatError),
    #[error("its first line is a header line divided by {0}; flow logs are divided by single spaces")]
    Divided(&'static str),
    #[error("its header line says '{header}', but --format is another")]
    Disagree { header: String },
    #[error(
        "the format of its lines is not known: there is no header line, and the first line is not of the \
         default format ({0})"
    )]
    Unknown(MalformedLine),
}

/// How many lines at the beginning are looked at, in case the first is malformed.
const LINES: usize = 20;

/// Looks at the beginning of a text. The last line may be cut off, unless it is
/// the only one.
pub fn find(head: &[u8], given: &Given) -> Result<Found, FormatError> {
    let mut lines: Vec<&[u8]> =
        head.split(|&b| b == b'\n').filter(|line| !line.is_empty()).take(LINES + 1).collect();
    if lines.len() > 1 && !head.ends_with(b"\n") {
        lines.pop();
    }
    let is_events = |line: &&[u8]| line.starts_with(b"EVENTS\t");
    let framings: &[Framing] = match lines.first() {
        _ if lines.iter().any(is_events) || lines.first().is_some_and(|line| is_events_head(line)) => {
            &[Framing::Events]
        }
        Some(line) if is_time(line) => &[Framing::Words(1), Framing::Words(2)],
        _ if lines.iter().any(|line| line.ends_with(b"\r")) => &[Framing::CarriageReturn],
        _ => &[Framing::None],
    };
    let mut problem = None;
    for &framing in framings {
        let records: Vec<&str> =
            lines.iter().filter_map(|line| std::str::from_utf8(framing.record(line)?).ok()).collect();
        match of_lines(&records, given) {
            Ok(format) => return Ok(Found { framing, format }),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    match problem {
        Some(problem) if !given.is_optional => Err(problem),
        _ => Ok(Found { framing: Framing::None, format: LogFormat::default() }),
    }
}

fn of_lines(lines: &[&str], given: &Given) -> Result<LogFormat, FormatError> {
    let Some(first) = lines.first() else {
        return Ok(given.format.clone().unwrap_or_default());
    };
    if is_header(first) {
        let header = LogFormat::from_header(first).map_err(FormatError::Header)?;
        return match &given.format {
            Some(format) if *format != header && !given.may_be_output => {
                Err(FormatError::Disagree { header: (*first).to_owned() })
            }
            _ => Ok(header),
        };
    }
    let fits = |format: &LogFormat| lines.iter().any(|line| parse_line(format, 1, line).is_ok());
    let default = LogFormat::default();
    match &given.format {
        Some(format) if !given.may_be_output || fits(format) || !fits(&default) => Ok(format.clone()),
        None if !fits(&default) => match parse_line(&default, 1, first) {
            Err(problem) => {
                Err(other_divider(first).map_or(FormatError::Unknown(problem), FormatError::Divided))
            }
            Ok(_) => Ok(default),
        },
        _ => Ok(default),
    }
}

/// A line whose first word is a field's name, or half of whose words are: no
/// value of a first field looks like one.
fn is_header(line: &str) -> bool {
    let is_name = |word: &str| Field::by_name_or_column(word).is_some();
    let words = line.split(' ').count();
    let names = line.split(' ').filter(|word| is_name(word)).count();
    line.split(' ').next().is_some_and(is_name) || (words > 1 && names * 2 >= words)
}

/// What divides the names of a header line that is none: of a CSV file, mostly.
fn other_divider(line: &str) -> Option<&'static str> {
    let is_name = |word: &str| Field::by_name_or_column(word.trim_matches('"')).is_some();
    let dividers = [(',', "commas"), ('\t', "tabs"), (';', "semicolons"), ('|', "bars")];
    let divides = |&(divider, _): &(char, _)| {
        let mut words = line.split(divider);
        words.next().is_some_and(is_name) && words.next().is_some_and(is_name)
    };
    dividers.into_iter().find(divides).map(|(_, name)| name)
}

/// Whether a text is records that are divided by tabs, maybe with times beside
/// them: `aws logs ... --query 'events[].message' --output text`.
pub fn is_tabbed(head: &[u8], given: &Given) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let default = LogFormat::default();
    let is_record =
        |text: &str| given.format.iter().chain([&default]).any(|format| parse_line(format, 1, text).is_ok());
    !line.starts_with(b"EVENTS\t")
        && std::str::from_utf8(line).is_ok_and(|line| {
            let mut parts = line.trim_end_matches('\r').split('\t').take(4);
            line.contains('\t') && parts.any(is_record)
        })
}

/// The lines before the events: tokens for the next page, or searched streams.
fn is_events_head(line: &[u8]) -> bool {
    line.starts_with(b"SEARCHEDLOGSTREAMS\t")
        || (line.starts_with(b"b/") && memchr::memmem::find(line, b"\tf/").is_some())
}

/// `2014-12-14T04:06:50` and whatever follows up to a space.
fn is_time(line: &[u8]) -> bool {
    line.len() > 20
        && line.iter().zip(b"0000-00-00T00:00:00").all(|(&byte, &shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'T' => byte == b'T' || byte == b' ',
            other => byte == other,
        })
}

impl Framing {
    /// The record in a line without its line end; `None` if the line has none.
    pub fn record(self, line: &[u8]) -> Option<&[u8]> {
        if self == Self::None {
            return Some(line);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self {
            Self::None | Self::CarriageReturn => Some(line),
            Self::Words(words) => {
                if !is_time(line) {
                    // Not as the others are: let it be seen as it is.
                    return Some(line);
                }
                let end = memchr::memchr_iter(b' ', line).nth(words - 1);
                Some(end.and_then(|end| line.get(end + 1..)).unwrap_or(line))
            }
            // EVENTS, [event id], ingestion time, [stream], message, time.
            Self::Events => {
                let event = line.strip_prefix(b"EVENTS\t")?;
                event.split(|&byte| byte == b'\t').rev().nth(1)
            }
        }
    }

    /// Replaces `records` by the records of a block, a line each.
    pub fn strip(self, block: &[u8], records: &mut Vec<u8>) {
        records.clear();
        for line in block.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(record) = self.record(line) {
                records.extend_from_slice(record);
                records.push(b'\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 \
                        1418530010 1418530070 ACCEPT OK";

    fn check(head: &str, format: Option<&str>, may_be_output: bool) -> Result<(Framing, String), String> {
        let given = Given {
            format: format.map(|text| LogFormat::parse(text).unwrap()),
            may_be_output,
            is_optional: false,
        };
        find(head.as_bytes(), &given)
            .map(|found| (found.framing, found.format.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn formats_and_framings_are_found() {
        let v2 = LogFormat::DEFAULT;
        let header = LogFormat::default().header();
        let short = "${srcaddr} ${dstaddr}";
        for (head, given, may_be_output, framing, format) in [
            (format!("{LINE}\n"), None, false, Framing::None, v2),
            (format!("{LINE}\n{LINE}\n2 12345"), None, false, Framing::None, v2),
            // A malformed line at the beginning does not hide the format.
            (format!("2 x\n{LINE}\n"), None, false, Framing::None, v2),
            (format!("{header}\n{LINE}\n"), None, false, Framing::None, v2),
            (format!("{}\n{LINE}\n", header.replace('-', "_")), None, false, Framing::None, v2),
            ("dstaddr srcaddr\n".to_owned(), None, false, Framing::None, "${dstaddr} ${srcaddr}"),
            ("10.0.0.1 10.0.0.2\n".to_owned(), Some(short), false, Framing::None, short),
            (format!("2014-12-14T04:06:50.000Z {LINE}\n"), None, false, Framing::Words(1), v2),
            (
                format!("2014-12-14T04:06:50.123456+00:00 eni-1-all {LINE}\n"),
                None,
                false,
                Framing::Words(2),
                v2,
            ),
            (format!("b/1\tf/2\nEVENTS\t1\t{LINE}\t1\n"), None, false, Framing::Events, v2),
            (format!("EVENTS\t99\t1\teni-1-all\t{LINE}\t1\n"), None, false, Framing::Events, v2),
            ("b/1\tf/2\n".to_owned(), None, false, Framing::Events, v2),
            (format!("{LINE}\r\n"), None, false, Framing::CarriageReturn, v2),
            (format!("{header}\r\n{LINE}\r\n"), None, false, Framing::CarriageReturn, v2),
            (format!("2014-12-14T04:06:50.000Z {LINE}\r\n"), None, false, Framing::Words(1), v2),
            (format!("b/1\tf/2\r\nEVENTS\t1\t{LINE}\t1\r\n"), None, false, Framing::Events, v2),
            (String::new(), None, false, Framing::None, v2),
            // --output text --format: the input says or shows that it has another.
            (format!("{header}\n{LINE}\n"), Some(short), true, Framing::None, v2),
            (format!("{LINE}\n"), Some(short), true, Framing::None, v2),
            ("10.0.0.1 10.0.0.2\n".to_owned(), Some(short), true, Framing::None, short),
        ] {
            let found = check(&head, given, may_be_output);
            assert_eq!(found, Ok((framing, format.to_owned())), "{head} {given:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (head, given, message) in [
            ("10.0.0.1 10.0.0.2\n", None, "the format of its lines is not known: "),
            ("srcaddr dstadr\n", None, "its header line has fields that no flow log has: "),
            (
                "\"srcaddr\",\"end\"\n\"1.2.3.4\",\"5\"\n",
                None,
                "its first line is a header line divided by commas",
            ),
            ("log_status\tend\n", None, "its first line is a header line divided by tabs"),
            ("srcaddr dstaddr\n", Some("${srcaddr}"), "its header line says 'srcaddr dstaddr', but "),
        ] {
            let error = check(head, given, false).unwrap_err();
            assert!(error.starts_with(message), "{head}: {error}");
        }
    }

    #[test]
    fn records_divided_by_tabs_are_known() {
        let given =
            Given { format: Some(LogFormat::parse("${srcaddr} ${bytes}").unwrap()), ..Given::default() };
        for (head, expected) in [
            (format!("{LINE}\t{LINE}\n"), true),
            (format!("{LINE}\t{LINE}"), true),
            (format!("1418530010000\t{LINE}\r\n"), true),
            (format!("{LINE}\n{LINE}\t{LINE}\n"), false),
            (format!("EVENTS\t1\t{LINE}\t1\n"), false),
            ("10.0.0.1 5\t10.0.0.2 6\n".to_owned(), true),
            ("10.0.0.1 x\t10.0.0.2 y\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_tabbed(head.as_bytes(), &given), expected, "{head}");
        }
    }

    #[test]
    fn framings_are_stripped() {
        for (framing, block, records) in [
            (
                Framing::Words(1),
                "2014-12-14T04:06:50.000Z a b\nc d\n2014-12-14T04:06:50.000Z e",
                "a b\nc d\ne\n",
            ),
            (Framing::Events, "b/1\tf/2\nEVENTS\t1\ta b\t1\nEVENTS\t9\t1\ts\tc d\t1\n", "a b\nc d\n"),
            (Framing::CarriageReturn, "a b\r\n\r\nc\rd\ne f\r", "a b\n\nc\rd\ne f\n"),
            (Framing::Words(1), "2014-12-14T04:06:50.000Z a b\r\nc d\r\n", "a b\nc d\n"),
        ] {
            let mut found = Vec::new();
            framing.strip(block.as_bytes(), &mut found);
            assert_eq!(String::from_utf8(found).unwrap(), records);
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_the_records_are_lines(head in r"((EVENTS\t|b/1\tf/|2014-12-14T04:06:50Z |version )?[a-z2 \t\r-]{0,12}\n?){0,6}") {
            let _ = is_tabbed(head.as_bytes(), &Given::default());
            let found = find(head.as_bytes(), &Given { is_optional: true, ..Given::default() });
            let framing = found.map_or(Framing::Events, |found| found.framing);
            let mut records = Vec::new();
            framing.strip(head.as_bytes(), &mut records);
            let one_by_one = head.split_inclusive('\n').filter_map(|line| {
                framing.record(line.strip_suffix('\n').unwrap_or(line).as_bytes())
            });
            let expected: Vec<u8> = one_by_one.flat_map(|record| [record, b"\n"].concat()).collect();
            prop_assert_eq!(records, expected);
        }
    }
}
