//! Traffic between two namespaces, and an agent that watches it.

use crate::Answer;
use crate::usage::{bpf_mib, cpu_s, memory_mib};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use weir_capture::{Capture, InterfaceNumber, Sizes, netns};
use weir_policy::CompiledRules;
use weir_types::id::{EniId, SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, IpNet};
use weir_types::orders::{Attachment, Mode, Side};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

const INTERFACE: InterfaceNumber = InterfaceNumber(1);
const PORT: u16 = 5201;

pub fn open_rules() -> Result<CompiledRules, Box<dyn std::error::Error>> {
    let everywhere: IpNet = "0.0.0.0/0".parse()?;
    let mut rules = InterfaceRules::default();
    for direction in Direction::BOTH {
        rules.acl.push(AclRule {
            number: 100,
            direction,
            allow: true,
            matches: Match::All,
            peer: everywhere,
        });
        rules.groups.push(GroupRule {
            group: SecurityGroupId::from_random(1),
            rule: SecurityGroupRuleId::from_random(1),
            direction,
            // Not everything from everywhere: such flows would not be tracked.
            matches: Match::All,
            peers: vec!["0.0.0.0/1".parse()?, "128.0.0.0/1".parse()?],
        });
    }
    Ok(CompiledRules::compile(&rules)?)
}

pub fn attachment(namespace: &str, device: &str, mode: Mode, number: u32) -> Attachment {
    Attachment {
        interface: EniId::from_random(number.into()),
        device: device.to_owned(),
        netns: Some(namespace.to_owned()),
        mode,
        side: Side::Instance,
    }
}

/// Attached from the line `ready` to the end of standard input.
pub fn watch(namespace: &str, device: &str, mode: &str) -> Answer {
    let mode = match mode {
        "observe" => Mode::Observe,
        "evaluate" => Mode::Evaluate,
        "enforce" => Mode::Enforce,
        other => return Err(format!("no mode '{other}'").into()),
    };
    let capture = Capture::start(Sizes::default())?;
    capture.attach(INTERFACE, &attachment(namespace, device, mode, 1), &open_rules()?)?;
    let loaded = cpu_s();
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let window = capture.close_window()?;
    let flows = &window.interfaces[&INTERFACE].flows;
    let of = |protocol: u8| {
        let wanted = flows.iter().filter(move |flow| flow.protocol.0 == protocol);
        wanted.fold((0, 0), |(packets, bytes), flow| (packets + flow.packets, bytes + flow.bytes))
    };
    let (udp, tcp) = (of(17), of(6));
    Ok(format!(
        r#"{{"udp_packets": {}, "tcp_packets": {}, "tcp_bytes": {}, "cpu_s": {}, "rss_mib": {:.1}, "kernel_mib": {:.1}}}"#,
        udp.0,
        tcp.0,
        tcp.1,
        cpu_s() - loaded,
        memory_mib("VmRSS:"),
        bpf_mib()
    ))
}

/// One sender as fast as it can, one receiver that reads what it gets.
pub fn udp(from: &str, to: &str, address: &str, count: u32) -> Answer {
    let receiver = netns::enter(to, || UdpSocket::bind((address, PORT)))??;
    receiver.set_read_timeout(Some(Duration::from_millis(100)))?;
    let sender = netns::enter(from, || UdpSocket::bind("0.0.0.0:5200"))??;
    sender.connect((address, PORT))?;
    let done = AtomicBool::new(false);
    let (seconds, sent, received) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut buffer, mut received) = ([0; 64], 0u32);
            loop {
                match receiver.recv(&mut buffer) {
                    Ok(_) => received += 1,
                    Err(_) if done.load(Ordering::SeqCst) => break received,
                    Err(_) => {}
                }
            }
        });
        let begin = Instant::now();
        let mut sent = 0u32;
        while sent < count {
            if sender.send(&[0; 18]).is_ok() {
                sent += 1;
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        done.store(true, Ordering::SeqCst);
        (seconds, sent, reader.join().unwrap_or(0))
    });
    Ok(format!(r#"{{"seconds": {seconds}, "sent": {sent}, "received": {received}, "cpu_s": {}}}"#, cpu_s()))
}

/// One connection with large writes.
pub fn tcp(from: &str, to: &str, address: &str, megabytes: u32) -> Answer {
    let listener = netns::enter(to, || TcpListener::bind((address, PORT)))??;
    let mut sender = netns::enter(from, || TcpStream::connect((address, PORT)))??;
    let (mut receiver, _) = listener.accept()?;
    let begin = Instant::now();
    let received = std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let (mut buffer, mut received) = (vec![0; 1 << 18], 0u64);
            while let Ok(n @ 1..) = receiver.read(&mut buffer) {
                received += n as u64;
            }
            received
        });
        let chunk = vec![0; 1 << 18];
        for _ in 0..u64::from(megabytes) * 4 {
            if sender.write_all(&chunk).is_err() {
                break;
            }
        }
        drop(sender);
        reader.join().unwrap_or(0)
    });
    let seconds = begin.elapsed().as_secs_f64();
    Ok(format!(r#"{{"seconds": {seconds}, "bytes": {received}, "cpu_s": {}}}"#, cpu_s()))
}
