//! Instants as AWS writes them.

use time::OffsetDateTime;
use weir_types::time::UnixMillis;

/// `2020-02-04T11:46:13.000Z`, the form of EC2.
pub fn iso_millis(at: UnixMillis) -> String {
    let instant = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{}.{:03}Z", seconds_part(instant), instant.millisecond())
}

/// `2020-02-04T11:46:13Z`, the form of IAM and STS.
pub fn iso_seconds(at: UnixMillis) -> String {
    let instant = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{}Z", seconds_part(instant))
}

fn seconds_part(t: OffsetDateTime) -> String {
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
}

/// Reads an instant of RFC 3339.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let instant = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(instant.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_aws_does() {
        assert_eq!(iso_millis(UnixMillis(1_580_816_773_831)), "2020-02-04T11:46:13.831Z");
        assert_eq!(iso_seconds(UnixMillis(1_580_816_773_831)), "2020-02-04T11:46:13Z");
        assert_eq!(iso_seconds(UnixMillis(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(parse("2020-02-04T11:46:13.831Z"), Some(UnixMillis(1_580_816_773_831)));
        assert_eq!(parse("2020-02-04"), None);
    }
}
