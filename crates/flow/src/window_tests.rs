use super::*;
use crate::format::LogFormat;
use crate::text::{parse_line, write_record};
use proptest::prelude::*;
use std::net::IpAddr;
use weir_types::flow_log::TrafficType;
use weir_types::net::{Action, Direction, Protocol};

fn facts() -> InterfaceFacts {
    InterfaceFacts {
        account: "123456789010".to_owned(),
        region: "us-east-1".to_owned(),
        interface: "eni-1235b8ca123456789".parse().unwrap(),
        az_id: Some("use1-az2".to_owned()),
        vpc: Some("vpc-abcdefab012345678".parse().unwrap()),
        subnet: Some("subnet-aaaaaaaa012345678".parse().unwrap()),
        instance: Some("i-01234567890123456".parse().unwrap()),
        primary_ipv4: Some("172.31.16.139".parse().unwrap()),
        vpc_cidrs: vec!["172.31.0.0/16".parse().unwrap(), "2001:db8::/56".parse().unwrap()],
        rules: Default::default(),
        around: Default::default(),
    }
}

/// `src dst sport dport protocol direction action first_ms`
fn flow(text: &str) -> FlowSample {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [src, dst, src_port, dst_port, protocol, direction, action, first] = parts[..] else {
        panic!("{text}")
    };
    let first: i64 = first.parse().unwrap();
    FlowSample {
        src: src.parse().unwrap(),
        dst: dst.parse().unwrap(),
        src_port: src_port.parse().unwrap(),
        dst_port: dst_port.parse().unwrap(),
        protocol: Protocol(protocol.parse().unwrap()),
        direction: if direction == "in" { Direction::Ingress } else { Direction::Egress },
        action: action.parse().unwrap(),
        packets: 4,
        bytes: 336,
        first: UnixMillis(first),
        last: UnixMillis(first + 2500),
        tcp_flags: 0,
        decision: Default::default(),
    }
}

const WINDOW: Window = Window { start_s: 1_431_280_876, end_s: 1_431_280_934 };

fn lines(header: &str, samples: &InterfaceSamples, traffic_type: TrafficType) -> Vec<String> {
    let format = LogFormat::from_header(header).unwrap();
    let facts = facts();
    let line = |record: &Record<'_>| {
        let mut line = String::new();
        write_record(&format, record, &mut line);
        parse_line(&format, 1, &line).unwrap();
        line
    };
    records(WINDOW, &facts, samples).iter().filter(|r| r.is_wanted_by(traffic_type)).map(line).collect()
}

#[test]
fn windows_are_aligned_and_meet() {
    for (interval_s, now_ms, start_s, end_s) in [
        (60, 1_418_530_019_999, 1_418_529_960, 1_418_530_020),
        (60, 1_418_530_020_000, 1_418_530_020, 1_418_530_080),
        (600, 1_418_530_020_000, 1_418_529_600, 1_418_530_200),
        (5, 1_418_530_024_999, 1_418_530_020, 1_418_530_025),
        (7, 0, 0, 7),
        (60, -1, -60, 0),
    ] {
        let clock = WindowClock::new(NonZeroU32::new(interval_s).unwrap());
        let window = clock.window_at(UnixMillis(now_ms));
        assert_eq!(window, Window { start_s, end_s }, "{interval_s} {now_ms}");
        assert!(window.contains(UnixMillis(now_ms)) && !window.contains(window.end()));
        assert_eq!(clock.next_boundary(UnixMillis(now_ms)), UnixMillis::from_seconds(end_s));
        assert_eq!(clock.window_at(window.end()).start_s, end_s);
    }
}

/// Spec: "No data and skipped records".
const CUSTOM: &str = "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport \
     dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status";

#[test]
fn an_idle_interface_gives_one_nodata_record_to_every_flow_log() {
    let default = LogFormat::default().header();
    let idle = InterfaceSamples::default();
    for traffic_type in [TrafficType::All, TrafficType::Accept, TrafficType::Reject] {
        assert_eq!(
            lines(&default, &idle, traffic_type),
            ["2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA"]
        );
    }
    assert_eq!(
        lines(CUSTOM, &idle, TrafficType::All),
        ["3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 \
          123456789010 - - - - - - - - - - 1431280876 1431280934 - - NODATA"]
    );
}

#[test]
fn every_field_has_its_place_in_a_nodata_record() {
    let header = "account-id action az-id bytes dstaddr dstport end flow-direction instance-id interface-id \
        log-status packets pkt-dst-aws-service pkt-dstaddr pkt-src-aws-service pkt-srcaddr protocol region \
        srcaddr srcport start sublocation-id sublocation-type subnet-id tcp-flags traffic-path type version \
        vpc-id";
    assert_eq!(
        lines(header, &InterfaceSamples::default(), TrafficType::All),
        [
            "123456789010 - use1-az2 - - - 1431280934 - i-01234567890123456 eni-1235b8ca123456789 NODATA - - - \
          - - - us-east-1 - - 1431280876 - - subnet-aaaaaaaa012345678 - - - 5 vpc-abcdefab012345678"
        ]
    );
}

#[test]
fn what_was_skipped_gives_one_skipdata_record_beside_the_others() {
    let mut samples =
        InterfaceSamples { skipped_packets: 9, skipped_bytes: 900, skipped_flows: 4, ..Default::default() };
    let skipdata = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - SKIPDATA";
    assert_eq!(lines(&LogFormat::default().header(), &samples, TrafficType::Accept), [skipdata]);
    samples.flows.push(flow("203.0.113.12 172.31.16.139 0 0 1 in ACCEPT 1431280880000"));
    assert_eq!(lines("srcaddr log-status", &samples, TrafficType::All), ["203.0.113.12 OK", "- SKIPDATA"]);
    assert_eq!(lines("srcaddr log-status", &samples, TrafficType::Reject), ["- SKIPDATA"]);
    let amounts = "srcaddr weir-skipped-packets weir-skipped-bytes weir-skipped-flows";
    assert_eq!(lines(amounts, &samples, TrafficType::All), ["203.0.113.12 - - -", "- 9 900 4"]);
    samples.skipped_flows = 0;
    assert_eq!(lines(amounts, &samples, TrafficType::All), ["203.0.113.12 - - -", "- 9 900 -"]);
    assert_eq!(
        lines(CUSTOM, &samples, TrafficType::Reject),
        ["3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 \
          123456789010 - - - - - - - - - - 1431280876 1431280934 - - SKIPDATA"]
    );
}

#[test]
fn a_flow_log_of_rejects_says_nothing_of_an_interface_that_only_accepted() {
    let flows = vec![flow("203.0.113.12 172.31.16.139 0 0 1 in ACCEPT 1431280880000")];
    let samples = InterfaceSamples { flows, ..Default::default() };
    assert_eq!(lines("action", &samples, TrafficType::Reject), [] as [&str; 0]);
    assert_eq!(lines("action", &samples, TrafficType::Accept), ["ACCEPT"]);
}

#[test]
fn records_come_in_the_order_of_first_packets_then_addresses() {
    let flows = [
        "203.0.113.12 172.31.16.139 9 22 6 in ACCEPT 1431280881000",
        "203.0.113.12 172.31.16.139 8 22 6 in REJECT 1431280880000",
        "203.0.113.12 172.31.16.139 8 22 6 in ACCEPT 1431280880000",
        "203.0.113.11 172.31.16.139 9 22 6 in ACCEPT 1431280880000",
    ];
    let samples = InterfaceSamples { flows: flows.map(flow).to_vec(), ..Default::default() };
    assert_eq!(
        lines("srcaddr srcport action start end", &samples, TrafficType::All),
        [
            "203.0.113.11 9 ACCEPT 1431280880 1431280882",
            "203.0.113.12 8 ACCEPT 1431280880 1431280882",
            "203.0.113.12 8 REJECT 1431280880 1431280882",
            "203.0.113.12 9 ACCEPT 1431280881 1431280883",
        ]
    );
}

#[test]
fn the_local_side_shows_the_primary_address() {
    // Direction, packet source and destination; srcaddr and dstaddr of the record.
    for (direction, src, dst, src_addr, dst_addr) in [
        ("in", "10.1.1.1", "172.31.16.139", "10.1.1.1", "172.31.16.139"),
        ("in", "10.1.1.1", "172.31.16.140", "10.1.1.1", "172.31.16.139"),
        ("in", "10.1.1.1", "203.0.113.5", "10.1.1.1", "172.31.16.139"),
        ("out", "172.31.16.139", "10.1.1.1", "172.31.16.139", "10.1.1.1"),
        ("out", "192.168.7.7", "10.1.1.1", "172.31.16.139", "10.1.1.1"),
        ("in", "172.31.16.140", "172.31.16.141", "172.31.16.140", "172.31.16.139"),
        ("in", "2001:db8::1", "2001:db8::2", "2001:db8::1", "2001:db8::2"),
        ("out", "2001:db8::3", "2001:db8::2", "2001:db8::3", "2001:db8::2"),
    ] {
        let flows = vec![flow(&format!("{src} {dst} 1 2 17 {direction} ACCEPT 1431280880000"))];
        let samples = InterfaceSamples { flows, ..Default::default() };
        assert_eq!(
            lines("srcaddr dstaddr pkt-srcaddr pkt-dstaddr", &samples, TrafficType::All),
            [format!("{src_addr} {dst_addr} {src} {dst}")],
            "{direction} {src} {dst}"
        );
    }
}

#[test]
fn paths_types_and_directions() {
    for (text, expected) in [
        ("172.31.16.139 172.31.1.1 1 2 6 out ACCEPT 0", "IPv4 egress 1"),
        ("172.31.16.139 10.1.1.1 1 2 6 out ACCEPT 0", "IPv4 egress 8"),
        ("10.1.1.1 172.31.16.139 1 2 6 in ACCEPT 0", "IPv4 ingress -"),
        ("2001:db8::1 2001:db8:0:1::1 1 2 6 out ACCEPT 0", "IPv6 egress 1"),
        ("2001:db8::1 2001:db9::1 1 2 6 out ACCEPT 0", "IPv6 egress 8"),
    ] {
        let samples = InterfaceSamples { flows: vec![flow(text)], ..Default::default() };
        assert_eq!(
            lines("type flow-direction traffic-path", &samples, TrafficType::All),
            [expected],
            "{text}"
        );
    }
    let mut facts = facts();
    facts.vpc_cidrs.clear();
    let sample = flow("172.31.16.139 172.31.1.1 1 2 6 out ACCEPT 0");
    assert!(Record::of_flow(&facts, &sample).traffic_path().is_null());
}

/// Of an ECS task, and of a container that is none.
#[test]
fn tasks_and_containers() {
    let mut facts = facts();
    let sample = flow("172.31.16.139 172.31.1.1 1 2 6 out ACCEPT 0");
    let format = LogFormat::parse(
        "${ecs-cluster-name} ${ecs-cluster-arn} ${ecs-task-id} ${ecs-task-arn} ${ecs-task-definition-arn} \
         ${ecs-container-id} ${ecs-second-container-id} ${ecs-service-name} ${ecs-container-instance-id} ${version}",
    )
    .unwrap();
    let text = |facts: &InterfaceFacts, body| {
        let mut line = String::new();
        write_record(&format, &Record { facts, body, start_s: 0, end_s: 1 }, &mut line);
        line
    };
    let of = |part: &str| part.to_owned();
    let container = crate::surroundings::Task { container_id: of("c1"), ..Default::default() };
    facts.around.task = Some(std::sync::Arc::new(container.clone()));
    assert_eq!(text(&facts, Body::Flow(&sample)), "- - - - - c1 - - - 7");
    facts.around.task = Some(std::sync::Arc::new(crate::surroundings::Task {
        cluster_name: of("n"),
        cluster_arn: of("ca"),
        task_id: of("t"),
        task_arn: of("ta"),
        task_definition_arn: of("td"),
        second_container_id: of("c2"),
        ..container
    }));
    assert_eq!(text(&facts, Body::Flow(&sample)), "n ca t ta td c1 c2 - - 7");
    assert_eq!(text(&facts, Body::NoData), "- - - - - - - - - 7");
}

/// The fields that come from what is around the interface.
#[test]
fn next_hops_services_and_tags() {
    let hop = |n: u128| crate::surroundings::NextHop {
        interface: weir_types::id::EniId::from_random(n),
        vpc: "vpc-abcdefab012345678".parse().unwrap(),
        subnet: "subnet-bbbbbbbb012345678".parse().unwrap(),
        az_id: "use1-az4".to_owned(),
    };
    let mut facts = facts();
    let around = &mut facts.around;
    around.neighbors = std::sync::Arc::new([("172.31.1.1".parse().unwrap(), hop(1))].into_iter().collect());
    around.aws =
        std::sync::Arc::new([("52.216.0.0/15".parse().unwrap(), "S3".to_owned())].into_iter().collect());
    around.tags.instance = [Some("web".to_owned()), None];
    around.tags.interface = [None, Some("b%20c".to_owned())];
    let names = "${next-hop-interface-id} ${next-hop-subnet-id} ${next-hop-az-id} ${next-hop-vpc-id} \
        ${pkt-src-aws-service} ${pkt-dst-aws-service} ${instance-tag} ${instance-tag-2} ${interface-tag} \
        ${interface-tag-2} ${version}";
    let format = LogFormat::parse(names).unwrap();
    let one = format!("{} subnet-bbbbbbbb012345678 use1-az4 vpc-abcdefab012345678", hop(1).interface);
    for (text, expected) in [
        ("172.31.16.139 172.31.1.1 1 2 6 out ACCEPT 0", format!("{one} - -")),
        ("172.31.1.1 172.31.16.139 1 2 6 in ACCEPT 0", format!("{one} - -")),
        ("172.31.16.139 52.217.1.1 1 2 6 out ACCEPT 0", "- - - - - S3".to_owned()),
        ("52.217.1.1 172.31.16.139 1 2 6 in ACCEPT 0", "- - - - S3 -".to_owned()),
    ] {
        let sample = flow(text);
        let mut line = String::new();
        write_record(&format, &Record::of_flow(&facts, &sample), &mut line);
        assert_eq!(line, format!("{expected} web - - b%20c 11"), "{text}");
    }
    // Tags are the interface's, not the traffic's.
    let record = Record { facts: &facts, body: crate::record::Body::NoData, start_s: 1, end_s: 2 };
    let mut line = String::new();
    write_record(&format, &record, &mut line);
    assert_eq!(line, "- - - - - - web - - b%20c 11");
}

#[test]
fn only_flags_that_packets_add_up_to_are_shown() {
    for (protocol, tcp_flags, expected) in [
        (6, 0, "0"),
        (6, 1, "1"),
        (6, 2, "2"),
        (6, 3, "3"),
        (6, 4, "4"),
        (6, 6, "6"),
        (6, 18, "18"),
        (6, 19, "19"),
        (6, 22, "22"),
        (6, 23, "23"),
        (6, 16, "-"),
        (6, 17, "-"),
        (6, 8, "-"),
        (6, 255, "-"),
        (17, 0, "0"),
        (1, 0, "0"),
    ] {
        let sample = flow(&format!("10.1.1.1 172.31.16.139 1 2 {protocol} in ACCEPT 0"));
        let samples =
            InterfaceSamples { flows: vec![FlowSample { tcp_flags, ..sample }], ..Default::default() };
        assert_eq!(lines("tcp-flags", &samples, TrafficType::All), [expected], "{protocol} {tcp_flags}");
    }
}

proptest! {
    #[test]
    fn each_sample_is_one_record_in_order(
        samples in proptest::collection::vec((any::<u32>(), any::<u16>(), any::<bool>(), 0..9_i64, -3..9_i64), 0..20),
        skipped_packets in 0..2_u64,
    ) {
        let flows: Vec<FlowSample> = samples
            .into_iter()
            .map(|(src, port, accept, first, length)| FlowSample {
                src: IpAddr::V4(src.into()),
                src_port: port,
                action: if accept { Action::Accept } else { Action::Reject },
                first: UnixMillis(first * 700),
                last: UnixMillis((first + length) * 700),
                ..flow("10.1.1.1 172.31.16.139 1 2 6 in ACCEPT 0")
            })
            .collect();
        let samples = InterfaceSamples { flows, skipped_packets, ..Default::default() };
        let facts = facts();
        let all = records(WINDOW, &facts, &samples);
        let extra = usize::from(skipped_packets > 0 || samples.flows.is_empty());
        prop_assert_eq!(all.len(), samples.flows.len() + extra);
        prop_assert!(all.iter().all(|record| record.start_s <= record.end_s));
        // The order does not depend on the order of the drain.
        let reversed = InterfaceSamples { flows: samples.flows.iter().rev().copied().collect(), ..samples };
        let texts = |records: &[Record<'_>]| {
            let mut lines = String::new();
            for record in records {
                write_record(&LogFormat::default(), record, &mut lines);
            }
            lines
        };
        prop_assert_eq!(texts(&all), texts(&records(WINDOW, &facts, &reversed)));
    }
}
