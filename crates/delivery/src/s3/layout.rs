//! Where objects lie and what they are called.
//!
//! ```text
//! plain  [prefix/]AWSLogs/{account}/vpcflowlogs/{region}/{yyyy}/{MM}/{dd}/[{HH}/]{file}
//! hive   [prefix/]AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/
//!        year={yyyy}/month={MM}/day={dd}/[hour={HH}/]{file}
//! file   {account}_vpcflowlogs_{region}_{flow-log-id}_{YYYYMMDD}T{HHmm}Z_{hash}.log.gz|.log.parquet
//! ```
//!
//! Source: VPC user guide, "Flow log files" (publish to Amazon S3).

use crate::spool::Header;
use time::OffsetDateTime;
use weir_types::flow_log::FileFormat;

/// The length of a slot. Source: the same page, "every 5 minutes".
pub(super) const SLOT_S: i64 = 300;

/// How a flow log's objects are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// Empty, or with a slash at its end.
    pub prefix: &'a str,
    pub file_format: FileFormat,
    pub hive_compatible_partitions: bool,
    pub per_hour_partition: bool,
}

impl Layout<'_> {
    /// The key of an object of the slot that a file's last window ends in.
    /// `hash`: eight hexadecimal digits.
    pub fn key(&self, header: &Header, hash: &str) -> String {
        let Header { account, region, flow_log, window_end_s, .. } = header;
        let at = OffsetDateTime::from_unix_timestamp(slot_s(*window_end_s));
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute) = (at.hour(), at.minute());
        let mut key = format!("{}AWSLogs/", self.prefix);
        key += &match self.hive_compatible_partitions {
            false => format!("{account}/vpcflowlogs/{region}/{year:04}/{month:02}/{day:02}/"),
            true => format!(
                "aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/\
                 year={year:04}/month={month:02}/day={day:02}/"
            ),
        };
        if self.per_hour_partition {
            let name = if self.hive_compatible_partitions { "hour=" } else { "" };
            key += &format!("{name}{hour:02}/");
        }
        let ending = match self.file_format {
            FileFormat::PlainText => "log.gz",
            FileFormat::Parquet => "log.parquet",
        };
        key += &format!(
            "{account}_vpcflowlogs_{region}_{flow_log}_{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z_{hash}.{ending}"
        );
        key
    }
}

/// When the slot of a window begins. Unix seconds.
pub(super) fn slot_s(window_end_s: i64) -> i64 {
    window_end_s.div_euclid(SLOT_S) * SLOT_S
}
