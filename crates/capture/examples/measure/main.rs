//! Measurements of capture, for `bench/capture/run`: what a packet costs, what
//! tables and interfaces cost, and an agent to send traffic past.
//!
//! ```text
//! measure cost                      nanoseconds a packet, by BPF test run
//! measure spin MODE                 one packet of a known flow, again and again: for a profiler
//! measure flows COUNT               so many concurrent flows: memory, a window's end
//! measure interfaces NETNS COUNT    devices cable0… of a namespace: attach, memory, a window's end
//! measure synflood SOURCES          accepted packets beside and after spoofed SYNs
//! measure watch NETNS DEVICE MODE   attach until standard input ends, then say what was counted
//! measure udp FROM TO ADDRESS N     N small datagrams between two namespaces
//! measure tcp FROM TO ADDRESS MB    a stream between two namespaces
//! ```
//!
//! One line of JSON each, root needed. The frames go nowhere, or between
//! namespaces that the caller made.

#[path = "../../src/tests/frame.rs"]
#[allow(dead_code, clippy::unwrap_used)]
mod frame;

mod cost;
mod live;
mod tables;
mod usage;

use std::process::ExitCode;

type Answer = Result<String, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["cost"] => cost::cost(),
        ["spin", mode] => cost::spin(mode),
        ["flows", count] => number(count).and_then(tables::flows),
        ["interfaces", namespace, count] => {
            number(count).and_then(|count| tables::interfaces(namespace, count))
        }
        ["synflood", sources] => number(sources).and_then(tables::synflood),
        ["watch", namespace, device, mode] => live::watch(namespace, device, mode),
        ["udp", from, to, address, count] => number(count).and_then(|n| live::udp(from, to, address, n)),
        ["tcp", from, to, address, megabytes] => {
            number(megabytes).and_then(|n| live::tcp(from, to, address, n))
        }
        _ => Err("unknown arguments: see the head of crates/capture/examples/measure/main.rs".into()),
    };
    match answer {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u32, Box<dyn std::error::Error>> {
    Ok(text.parse()?)
}
