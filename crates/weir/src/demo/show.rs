//! What the demo prints: rows as records arrive, and what was sent beside what
//! was recorded.

use super::lab::{CLIENT, DB, WEB};
use super::traffic::{DOWN, NTP_BYTES, UP};
use std::collections::BTreeMap;

/// One record of the demo's format, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<String>);

impl Row {
    /// `None` for a line with another number of fields.
    pub fn read(line: &str) -> Option<Self> {
        let fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
        (fields.len() == 15).then_some(Self(fields))
    }

    fn field(&self, index: usize) -> &str {
        &self.0[index]
    }

    pub fn interface(&self) -> &str {
        self.field(2)
    }

    fn number(&self, index: usize) -> u64 {
        self.field(index).parse().unwrap_or(0)
    }

    fn status(&self) -> &str {
        self.field(13)
    }

    /// The row of the live table.
    pub fn line(&self) -> String {
        let f = |index| self.field(index);
        let seconds =
            |index: usize| f(index).get(f(index).len().saturating_sub(5)..).unwrap_or_default().to_owned();
        format!(
            "{:<21} {:<15} {:<15} {:>5} {:>5} {:>5} {:>7} {:>7} …{} …{} {:<6} {:<8} {:>4}",
            f(2),
            f(3),
            f(4),
            f(5),
            f(6),
            f(7),
            f(8),
            f(9),
            seconds(10),
            seconds(11),
            f(12),
            f(13),
            f(14)
        )
    }
}

/// The head of the live table.
pub fn head() -> String {
    format!(
        "{:<21} {:<15} {:<15} {:>5} {:>5} {:>5} {:>7} {:>7} {:<6} {:<6} {:<6} {:<8} {:>4}",
        "interface-id",
        "srcaddr",
        "dstaddr",
        "sport",
        "dport",
        "proto",
        "packets",
        "bytes",
        "start",
        "end",
        "action",
        "status",
        "tcp"
    )
}

/// One line of the comparison at the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    pub sent: String,
    pub recorded: String,
    pub right: bool,
}

/// Compares what was sent with what was recorded.
pub fn compare(rows: &[Row], db_eni: &str, pings: u64, pings_before_deny: u64) -> Vec<Check> {
    let totals = totals(rows);
    let client = CLIENT.to_string();
    let web = WEB.to_string();
    let mut checks = Vec::new();
    let mut check =
        |sent: String, flow: (&str, &str, &str, &str, &str, &str), wanted: &dyn Fn(&Total) -> bool| {
            let key = [flow.0, flow.1, flow.2, flow.3, flow.4, flow.5].map(str::to_owned);
            let total = totals.get(&key).cloned().unwrap_or_default();
            let recorded = format!(
                "{} record(s) {}: {} packets, {} bytes, tcp-flags {}",
                total.records, flow.5, total.packets, total.bytes, total.tcp_flags
            );
            checks.push(Check { sent, recorded, right: total.records > 0 && wanted(&total) });
        };
    // 20 bytes IP and 20 bytes TCP in each packet; options only make it more.
    let payload = |bytes: usize| move |t: &Total| t.bytes >= t.packets * 40 + bytes as u64 && t.packets >= 4;
    check(
        format!("TCP 22 from the client: SYN, {UP} bytes up, FIN"),
        (&client, &web, "*", "22", "6", "ACCEPT"),
        &|t| payload(UP)(t) && t.tcp_flags == 3,
    );
    check(
        format!("its answers: SYN-ACK, {DOWN} bytes down, FIN"),
        (&web, &client, "22", "*", "6", "ACCEPT"),
        &|t| payload(DOWN)(t) && t.tcp_flags == 19,
    );
    for port in ["3389", "8080"] {
        check(
            format!("TCP {port} from the client: 1 SYN of 60 bytes"),
            (&client, &web, "*", port, "6", "REJECT"),
            &|t| (t.packets, t.bytes, t.tcp_flags) == (1, 60, 2),
        );
    }
    let ntp = (NTP_BYTES + 28) as u64;
    check(
        format!("UDP 123 to the client: 1 packet of {ntp} bytes"),
        (&web, &client, "*", "123", "17", "ACCEPT"),
        &|t| (t.packets, t.bytes) == (1, ntp),
    );
    check(
        format!("its answer, let in by the tracked flow: 1 packet of {ntp} bytes"),
        (&client, &web, "123", "*", "17", "ACCEPT"),
        &|t| (t.packets, t.bytes) == (1, ntp),
    );
    for (what, from, to, action, count) in [
        ("ping requests", &client, &web, "ACCEPT", pings),
        ("ping replies before the ACL's deny", &web, &client, "ACCEPT", pings_before_deny),
        ("ping replies after it", &web, &client, "REJECT", pings - pings_before_deny),
    ] {
        check(format!("{count} {what}, 84 bytes each"), (from, to, "0", "0", "1", action), &|t| {
            (t.packets, t.bytes) == (count, count * 84)
        });
    }
    let nodata = rows.iter().filter(|row| row.interface() == db_eni && row.status() == "NODATA").count();
    let others = rows.iter().filter(|row| row.interface() == db_eni && row.status() != "NODATA").count();
    checks.push(Check {
        sent: format!("nothing to or from {DB}"),
        recorded: format!("{nodata} NODATA record(s), {others} others"),
        right: nodata > 0 && others == 0,
    });
    checks
}

#[derive(Debug, Clone, Default)]
struct Total {
    records: u64,
    packets: u64,
    bytes: u64,
    tcp_flags: u64,
}

/// Sums per source, destination, ports, protocol and action; the port that the
/// system picked is `*`.
fn totals(rows: &[Row]) -> BTreeMap<[String; 6], Total> {
    let port = |text: &str| match text.parse::<u16>() {
        Ok(port) if port >= 32_768 => "*".to_owned(),
        _ => text.to_owned(),
    };
    let mut totals: BTreeMap<[String; 6], Total> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.status() == "OK") {
        let key = [
            row.field(3).to_owned(),
            row.field(4).to_owned(),
            port(row.field(5)),
            port(row.field(6)),
            row.field(7).to_owned(),
            row.field(12).to_owned(),
        ];
        let total = totals.entry(key).or_default();
        total.records += 1;
        total.packets += row.number(8);
        total.bytes += row.number(9);
        total.tcp_flags |= row.number(14);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ping_example_is_recognised_and_a_wrong_count_is_not() {
        let row = |from, to, packets: u64, action| {
            let bytes = packets * 84;
            Row::read(&format!("3 1 eni-web {from} {to} 0 0 1 {packets} {bytes} 1 2 {action} OK 0")).unwrap()
        };
        let (client, web) = ("203.0.113.12", "10.0.1.10");
        let rows =
            [row(client, web, 8, "ACCEPT"), row(web, client, 4, "ACCEPT"), row(web, client, 4, "REJECT")];
        let right = |rows: &[Row]| {
            let checks = compare(rows, "eni-db", 8, 4);
            checks
                .iter()
                .filter(|check| check.sent.contains("ping"))
                .map(|check| check.right)
                .collect::<Vec<_>>()
        };
        assert_eq!(right(&rows), [true, true, true]);
        let rows = [row(client, web, 7, "ACCEPT"), row(web, client, 4, "ACCEPT")];
        assert_eq!(right(&rows), [false, true, false]);
    }
}
