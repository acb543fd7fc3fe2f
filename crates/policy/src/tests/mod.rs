//! Stories: packets of one interface in their order, and what becomes of each.
//!
//! A story has one step a line:
//!
//! ```text
//! [+SECONDSs] PACKET | VERDICT      time passes, then a packet comes
//! rules: RULE; RULE                 the rules change
//! ```

pub(crate) mod notation;
mod oracle;

mod flows;
mod limits;
mod random;
mod tcp;

use crate::{CompiledRules, Tracker};
use notation::{packet, rules};
use oracle::Oracle;

#[track_caller]
fn check(rules_text: &str, story: &str) {
    let mut raw = rules(rules_text);
    let mut compiled = CompiledRules::compile(&raw).unwrap();
    let (mut tracker, mut oracle, mut now_ns) = (Tracker::new(), Oracle::default(), 1_000);
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(changed) = line.strip_prefix("rules:") {
            raw = rules(changed);
            compiled = CompiledRules::compile(&raw).unwrap();
            continue;
        }
        let (mut step, expected) = line.split_once('|').unwrap();
        if let Some((wait, rest)) = step.strip_prefix('+').and_then(|step| step.split_once("s ")) {
            now_ns += (wait.parse::<f64>().unwrap() * 1e9) as u64;
            step = rest;
        }
        let packet = packet(step.trim());
        let verdict = tracker.decide(&compiled, &packet, now_ns);
        assert_eq!(verdict.to_string(), expected.trim(), "{line}\nin{story}");
        assert_eq!(oracle.decide(&raw, &packet, now_ns), verdict, "oracle: {line}\nin{story}");
    }
}
