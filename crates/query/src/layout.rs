//! What the place of an object says about its records: AWS's layouts of flow
//! logs in S3, plain and Hive-compatible.
//!
//! ```text
//! AWSLogs/{account}/vpcflowlogs/{region}/{yyyy}/{MM}/{dd}/[{HH}/]{file}
//! AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/year=/month=/day=/[hour=/]{file}
//! {account}_vpcflowlogs_{region}_{flow log id}_{YYYYMMDD}T{HHmm}Z_{hash}.log.gz|.log.parquet
//! ```
//!
//! The file's name alone says nearly all of it, so that files that were copied
//! into one folder are understood too; where folders say it as well, they
//! decide, because that is what Athena sees.
//!
//! Source: VPC user guide, "Flow log files".

use datafusion::arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

/// The partition columns, in this order.
pub const COLUMNS: [(&str, DataType); 7] = [
    ("aws_account_id", DataType::Utf8View),
    ("aws_region", DataType::Utf8View),
    ("date", DataType::Date32),
    ("year", DataType::Int32),
    ("month", DataType::Int32),
    ("day", DataType::Int32),
    ("hour", DataType::Int32),
];

/// The place of `aws_region` in [`COLUMNS`].
pub const REGION: usize = 1;

/// How much earlier or later than the five minutes in a file's name records may
/// begin or end: an aggregation interval and late records, with room to spare.
const SLACK_SECONDS: i64 = 3600;
const SLOT_SECONDS: i64 = 300;

/// What a path says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Of the flow log's owner.
    pub account: Option<String>,
    pub region: Option<String>,
    /// Year, month, day; UTC.
    pub date: Option<(i32, i32, i32)>,
    pub hour: Option<i32>,
    /// When the five minutes begin that the file is of, in seconds since 1970.
    pub slot: Option<i64>,
}

impl Place {
    /// Of a path with `/` between its names.
    pub fn of(path: &str) -> Self {
        let mut place = Self::default();
        let mut names: Vec<&str> = path.split('/').collect();
        if let Some(file) = names.pop() {
            place.read_file(file);
        }
        place.read_folders(&names);
        place
    }

    fn read_file(&mut self, file: &str) {
        let mut parts = file.split('_');
        let (Some(account), Some(service), Some(region), Some(id), Some(time)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let Some(slot) = slot(time) else { return };
        if service != "vpcflowlogs" || !is_account(account) || !id.starts_with("fl-") {
            return;
        }
        self.account = Some(account.to_owned());
        self.region = Some(region.to_owned());
        let Slot { date, hour, seconds } = slot;
        (self.date, self.hour, self.slot) = (Some(date), Some(hour), Some(seconds));
    }

    fn read_folders(&mut self, names: &[&str]) {
        let pairs: Vec<(&str, &str)> = names.iter().filter_map(|name| name.split_once('=')).collect();
        let value = |key: &str| pairs.iter().rev().find(|(own, _)| *own == key).map(|&(_, value)| value);
        let number = |key: &str| value(key).and_then(|value| value.parse::<i32>().ok());
        if let Some(account) = value("aws-account-id") {
            self.account = Some(account.to_owned());
        }
        if let Some(region) = value("aws-region") {
            self.region = Some(region.to_owned());
        }
        if let (Some(year), Some(month), Some(day)) = (number("year"), number("month"), number("day")) {
            self.date = Some((year, month, day)).filter(|&date| days(date).is_some()).or(self.date);
            self.hour = number("hour").or(self.hour);
        }
        let Some(service) = names.iter().rposition(|name| *name == "vpcflowlogs") else { return };
        if let Some(account) = service.checked_sub(1).and_then(|place| names.get(place))
            && is_account(account)
        {
            self.account = Some((*account).to_owned());
        }
        let mut rest = names.iter().skip(service + 1);
        if let Some(region) = rest.next() {
            self.region = Some((*region).to_owned());
        }
        let mut number = |digits: usize| {
            let name = rest.next().filter(|name| name.len() == digits)?;
            name.parse::<i32>().ok()
        };
        if let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) {
            self.date = Some((year, month, day)).filter(|&date| days(date).is_some()).or(self.date);
            self.hour = number(2).or(self.hour);
        }
    }

    /// Whether it says nothing.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The values of [`COLUMNS`].
    pub fn values(&self) -> Vec<ScalarValue> {
        let text = |text: &Option<String>| ScalarValue::Utf8View(text.clone());
        let part = |part: fn((i32, i32, i32)) -> i32| ScalarValue::Int32(self.date.map(part));
        vec![
            text(&self.account),
            text(&self.region),
            ScalarValue::Date32(self.date.and_then(days)),
            part(|(year, _, _)| year),
            part(|(_, month, _)| month),
            part(|(_, _, day)| day),
            ScalarValue::Int32(self.hour),
        ]
    }

    /// Between which seconds since 1970 its records begin and end.
    pub fn seconds(&self) -> Option<(i64, i64)> {
        self.slot.map(|slot| (slot - SLACK_SECONDS, slot + SLOT_SECONDS + SLACK_SECONDS))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

struct Slot {
    date: (i32, i32, i32),
    hour: i32,
    seconds: i64,
}

/// `20180620T1620Z`
fn slot(text: &str) -> Option<Slot> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 4 {
        return None;
    }
    let number = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<i32>().ok();
    let date = (number(date, 0, 4)?, number(date, 4, 6)?, number(date, 6, 8)?);
    let (hour, minute) = (number(time, 0, 2)?, number(time, 2, 4)?);
    let seconds = i64::from(days(date)?) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60;
    (hour < 24 && minute < 60).then_some(Slot { date, hour, seconds })
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; `None` if there
/// is no such day.
fn days((year, month, day): (i32, i32, i32)) -> Option<i32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let before: i32 = lengths.iter().take(usize::try_from(month).ok()? - 1).sum();
    let past = year - 1;
    Some(past * 365 + past / 4 - past / 100 + past / 400 + before + day - 1 - 719_162)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_all_layouts_are_understood() {
        let file = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";
        let date = Some((2018, 6, 20));
        for (folder, account, region, date, hour) in [
            ("", "123456789012", "us-east-1", date, Some(16)),
            ("copied", "123456789012", "us-east-1", date, Some(16)),
            (
                "p/AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20",
                "123456789012",
                "us-east-1",
                date,
                Some(16),
            ),
            (
                "AWSLogs/210987654321/vpcflowlogs/eu-west-1/2018/06/21/01",
                "210987654321",
                "eu-west-1",
                Some((2018, 6, 21)),
                Some(1),
            ),
            (
                "AWSLogs/aws-account-id=210987654321/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2018/\
                 month=06/day=21/hour=02",
                "210987654321",
                "eu-west-1",
                Some((2018, 6, 21)),
                Some(2),
            ),
            // Not a day: the file decides.
            (
                "AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/02/30",
                "123456789012",
                "us-east-1",
                date,
                Some(16),
            ),
        ] {
            let path = format!("{folder}/{file}");
            let expected = Place {
                account: Some(account.to_owned()),
                region: Some(region.to_owned()),
                date,
                hour,
                slot: Some(1_529_511_600),
            };
            assert_eq!(Place::of(&path), expected, "{path}");
        }
        let folders = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/16/part-0.parquet";
        let place = Place::of(folders);
        assert_eq!((place.date, place.hour, place.slot), (date, Some(16), None));
        for path in
            ["flow.log", "a/b/flow.log.gz", "AWSLogs/x.gz", "1_vpcflowlogs_r_fl-1_20180620T1620Z_h.gz"]
        {
            assert!(Place::of(path).is_unknown(), "{path}");
        }
    }

    #[test]
    fn days_since_1970() {
        for (date, expected) in [
            ((1970, 1, 1), Some(0)),
            ((1969, 12, 31), Some(-1)),
            ((2000, 2, 29), Some(11_016)),
            ((2018, 6, 20), Some(17_702)),
            ((2100, 2, 29), None),
            ((2018, 0, 1), None),
            ((2018, 13, 1), None),
            ((2018, 1, 0), None),
        ] {
            assert_eq!(days(date), expected, "{date:?}");
        }
    }
}
