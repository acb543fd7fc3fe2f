//! A wall clock that is set while packets are counted. The clock is the test's;
//! the packets are real, on the loopback device of a namespace of its own.

use super::*;
use std::sync::atomic::{AtomicI64, Ordering};
use weir_capture::Sizes;
use weir_types::flow_log::TrafficType;
use weir_types::id::{SubnetId, VpcId};
use weir_types::orders::{Attachment, Destination, FlowLogOrder, InterfaceOrder, Mode, Side};
use weir_types::rule::InterfaceRules;

/// A namespace of the test's own, and its loopback device as an interface.
struct Loopback(String);

impl Loopback {
    fn new() -> Option<Self> {
        let name = format!("weir-clock-{}", std::process::id());
        let ip = |arguments: &[&str]| {
            let done = std::process::Command::new("ip").args(arguments).status();
            done.is_ok_and(|status| status.success())
        };
        let made = ip(&["netns", "add", &name]);
        let loopback = Self(name);
        (made && ip(&["-n", &loopback.0, "link", "set", "lo", "up"])).then_some(loopback)
    }

    fn orders(&self) -> Orders {
        let interface = InterfaceOrder {
            attachment: Attachment {
                interface: EniId::from_random(1),
                device: "lo".into(),
                netns: Some(self.0.clone()),
                mode: Mode::Observe,
                side: Side::Instance,
            },
            account: "123456789012".into(),
            region: "us-east-1".into(),
            az_id: "use1-az1".into(),
            vpc: VpcId::from_random(1),
            vpc_cidrs: vec![],
            subnet: SubnetId::from_random(1),
            instance: None,
            primary_ipv4: None,
            ipv4: vec![],
            ipv6: vec![],
            rules: InterfaceRules::default(),
        };
        let flow_log = FlowLogOrder {
            id: FlowLogId::from_random(1),
            account: "123456789012".into(),
            region: "us-east-1".into(),
            traffic_type: TrafficType::All,
            log_format: "${dstport} ${packets} ${flow-direction} ${start} ${end}".into(),
            destination: Destination::CloudWatchLogs {
                log_group: "clock".into(),
                role: "arn:aws:iam::123456789012:role/flow-logs".parse().unwrap(),
            },
            max_aggregation_interval_s: 60,
            resource: interface.attachment.interface.to_string(),
            instance_tag_keys: vec![],
            interface_tag_keys: vec![],
        };
        Orders { generation: 1, interfaces: vec![interface], flow_logs: vec![flow_log], ..Orders::default() }
    }

    fn send(&self, packets: u64) {
        let send = || {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            // Nobody listens: an error tells of the one before, and sends nothing.
            let mut sent = 0;
            while sent < packets {
                sent += u64::from(socket.send_to(&[0], "127.0.0.1:7009").is_ok());
            }
        };
        weir_capture::netns::enter(&self.0, send).unwrap();
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ = std::process::Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn a_clock_that_jumps_neither_loses_nor_doubles_a_window() {
    const START: i64 = 1_800_000_000_500;
    if Capture::probe().is_err() {
        eprintln!("SKIPPED: needs root");
        return;
    }
    let loopback = Loopback::new().unwrap();
    let orders = loopback.orders();
    let flow_log = orders.flow_logs[0].id.clone();
    let clock = Arc::new(AtomicI64::new(START));
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    let parts = Parts {
        capture: Capture::start(Sizes { flows: 64, connections: 64, interfaces: 4, fragments: 4 }).unwrap(),
        orders: Box::new(move || Ok(orders.clone())),
        spool: spool.clone(),
        forget: Box::new(|_| ()),
        interval_s: NonZeroU32::new(1).unwrap(),
        excluded: Excluded::default(),
        aws_ranges: Arc::default(),
        container_roots: Roots::default(),
        now: {
            let clock = clock.clone();
            Arc::new(move || UnixMillis(clock.load(Ordering::Relaxed)))
        },
    };
    let agent = Agent::start(parts).unwrap();
    let files = || spool.files(&flow_log).len();
    let mut sent = 0;
    // On, back an hour, on, on by two hours, and back to the start.
    for (round, jump_s) in (1..).zip([0, 1, -3600, 1, 7200, 0, -3601]) {
        clock.fetch_add(jump_s * 1000, Ordering::Relaxed);
        loopback.send(round);
        sent += round;
        let before = files();
        // A window ends after its length, whatever the clock says.
        let deadline = Instant::now() + Duration::from_secs(60);
        while files() == before && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(files() > before, "no window ended after a jump of {jump_s} s");
    }
    agent.stop();
    let mut counted = BTreeMap::new();
    let entries = spool.files(&flow_log);
    let ends: BTreeSet<i64> = entries.iter().map(|(entry, _)| entry.window_end_s()).collect();
    assert_eq!(ends.len(), entries.len(), "each window has a file of its own");
    for (entry, _) in &entries {
        let file = spool.read(entry).unwrap().unwrap();
        for event in file.streams.iter().flat_map(|stream| &stream.events) {
            let fields: Vec<&str> = event.message.split(' ').collect();
            if let ["7009", packets, direction, start, end] = fields[..] {
                *counted.entry(direction.to_owned()).or_insert(0) += packets.parse::<u64>().unwrap();
                assert!(start.parse::<i64>().unwrap() <= end.parse().unwrap(), "{}", event.message);
            }
        }
    }
    let expected = BTreeMap::from([("egress".to_owned(), sent), ("ingress".to_owned(), sent)]);
    assert_eq!(counted, expected);
}
