//! Parses every line of a file with VRL's `parse_aws_vpc_flow_log` and prints
//! how many it could.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use vrl::compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState};
use vrl::value::{Secrets, Value};

fn main() {
    let path = std::env::args().nth(1).expect("usage: vrl-peer FILE");
    let program = compile(". = parse_aws_vpc_flow_log!(.message)", &vrl::stdlib::all()).expect("it compiles").program;
    let file = BufReader::with_capacity(1 << 20, std::fs::File::open(path).expect("the file opens"));
    let (mut parsed, mut refused) = (0u64, 0u64);
    let timezone = TimeZone::default();
    let mut state = RuntimeState::default();
    for line in file.lines().skip(1) {
        let message = Value::from(line.expect("text"));
        let mut target = TargetValue {
            value: Value::Object(BTreeMap::from([("message".into(), message)])),
            metadata: Value::Object(BTreeMap::new()),
            secrets: Secrets::default(),
        };
        match program.resolve(&mut Context::new(&mut target, &mut state, &timezone)) {
            Ok(_) => parsed += 1,
            Err(_) => refused += 1,
        }
    }
    println!("{parsed} parsed, {refused} refused");
}
