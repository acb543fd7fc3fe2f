//! `GET /metrics`: what was put since the server started, and the alarms'
//! states, in Prometheus' text format.
//!
//! A metric `RejectedSsh` of `FlowLogs` is the two counters
//! `flowlogs_rejectedssh_sum` and `flowlogs_rejectedssh_count`. An alarm is
//! `weir_alarm_state`, 1 for the state that it has.

use std::collections::BTreeMap;
use std::fmt::Write;
use weir_metrics::alarm::StateValue;
use weir_metrics::{Metrics, Total};

/// The text.
pub fn render(metrics: &Metrics) -> String {
    let mut families: BTreeMap<String, Vec<Total>> = BTreeMap::new();
    for total in metrics.totals() {
        let name = name(&format!("{}_{}", total.id.namespace, total.id.name));
        families.entry(name).or_default().push(total);
    }
    let mut out = String::new();
    for (name, totals) in &families {
        for (kind, value) in [("sum", (|t| t.sum) as fn(&Total) -> f64), ("count", |t| t.count)] {
            line(&mut out, format_args!("# TYPE {name}_{kind} counter"));
            for total in totals {
                line(&mut out, format_args!("{name}_{kind}{{{}}} {}", labels(total), value(total)));
            }
        }
    }
    let alarms = metrics.alarms.all();
    if !alarms.is_empty() {
        line(&mut out, format_args!("# TYPE weir_alarm_state gauge"));
    }
    for alarm in alarms {
        for state in [StateValue::Ok, StateValue::Alarm, StateValue::InsufficientData] {
            let (account, region) = (escaped(&alarm.scope.account), escaped(&alarm.scope.region));
            let (alarm_name, state_name) = (escaped(&alarm.name), state.as_str());
            let is = u8::from(alarm.state.value == state);
            line(
                &mut out,
                format_args!(
                    "weir_alarm_state{{account=\"{account}\",region=\"{region}\",alarm=\"{alarm_name}\",state=\"{state_name}\"}} {is}"
                ),
            );
        }
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "{text}");
}

/// Letters, digits and `_`, not a digit first.
fn name(text: &str) -> String {
    let replaced = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = text.chars().map(replaced).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn labels(total: &Total) -> String {
    let own = [("account", &total.scope.account), ("region", &total.scope.region)];
    let own = own.into_iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value)));
    let dimensions = total.id.dimensions.iter().map(|(key, value)| {
        let key = name(key);
        let key = if key == "account" || key == "region" { format!("dimension_{key}") } else { key };
        format!("{key}=\"{}\"", escaped(value))
    });
    own.chain(dimensions).collect::<Vec<_>>().join(",")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
