//! Queries and what they give, by hand.

use super::{World, lines};

const SSH: &str =
    "2 123456789012 eni-a 203.0.113.5 10.0.0.1 40001 22 6 3 180 1795348700 1795348760 REJECT OK";
const WEB: &str =
    "2 123456789012 eni-a 203.0.113.5 10.0.0.1 40002 443 6 10 4000 1795348700 1795348760 ACCEPT OK";
const WEB2: &str =
    "2 123456789012 eni-b 198.51.100.7 10.0.0.2 40003 443 6 20 9000 1795348700 1795348760 ACCEPT OK";
const DNS: &str = "2 123456789012 eni-b 10.0.0.2 10.0.0.53 5353 53 17 1 64 1795348700 1795348760 ACCEPT OK";
const NONE: &str = "2 123456789012 eni-c - - - - - - - 1795348700 1795348760 - NODATA";
const SKIP: &str = "2 123456789012 eni-c - - - - - - - 1795348700 1795348760 - SKIPDATA";

fn flows() -> World {
    let events =
        [(4000, SSH), (3000, WEB), (2000, WEB2), (1000, DNS), (500, NONE), (400, SKIP), (100, "hello")];
    World::new().group("flows", &[], &events)
}

#[track_caller]
fn check(world: &World, query: &str, wanted: &[&str]) {
    assert_eq!(lines(&world.run(query)), wanted, "{query}");
}

#[test]
fn published_flow_log_queries() {
    let world = flows();
    check(
        &world,
        "stats sum(packets) as packetsTransferred by srcAddr, dstAddr | sort packetsTransferred desc | limit 2",
        &[
            "srcAddr=198.51.100.7 dstAddr=10.0.0.2 packetsTransferred=20",
            "srcAddr=203.0.113.5 dstAddr=10.0.0.1 packetsTransferred=13",
        ],
    );
    check(
        &world,
        "filter isIpv4InSubnet(srcAddr, \"203.0.113.0/24\") | stats sum(bytes) as bytesTransferred by dstAddr | sort bytesTransferred desc | limit 15",
        &["dstAddr=10.0.0.1 bytesTransferred=4180"],
    );
    check(&world, "filter protocol=17 | stats count(*) by srcAddr", &["srcAddr=10.0.0.2 count(*)=1"]);
    check(&world, "filter protocol=\"17\" | stats count(*) by srcAddr", &["srcAddr=10.0.0.2 count(*)=1"]);
    check(
        &world,
        "filter logStatus=\"SKIPDATA\" | stats count(*) by bin(1h) as t | sort t",
        &["t=2026-11-22 11:00:00.000 count(*)=1"],
    );
    // There is no field `logStream`.
    check(
        &world,
        "fields @timestamp, srcAddr | filter logStream = 'stream' and interfaceId = 'eni-a' | sort @timestamp desc | dedup srcAddr | limit 20",
        &[],
    );
    check(
        &world,
        "fields @timestamp, srcAddr, bytes | filter @logStream = 'stream' and interfaceId = 'eni-a' | sort @timestamp desc | dedup srcAddr, protocol | limit 20",
        &["@timestamp=2026-11-22 11:10:00.000 srcAddr=203.0.113.5 bytes=4000"],
    );
    check(
        &world,
        "filter (dstAddr like '10.0.0.1' and srcAddr like '203.0.') or (srcAddr like '10.0.0.1' and dstAddr like '203.0.') | stats sum(bytes) as bytesTransferred by srcAddr, dstAddr | sort bytesTransferred desc | limit 10",
        &["srcAddr=203.0.113.5 dstAddr=10.0.0.1 bytesTransferred=4180"],
    );
    check(
        &world,
        "filter ispresent(bytes) and logStatus = 'OK' | stats avg(bytes), max(bytes) by dstAddr | sort dstAddr",
        &[
            "dstAddr=10.0.0.1 avg(bytes)=2090 max(bytes)=4000",
            "dstAddr=10.0.0.2 avg(bytes)=9000 max(bytes)=9000",
            "dstAddr=10.0.0.53 avg(bytes)=64 max(bytes)=64",
        ],
    );
    check(
        &world,
        "parse @message /(?<NetworkInterface>eni-.*?) / | display NetworkInterface | limit 3",
        &["", "NetworkInterface=eni-c", "NetworkInterface=eni-c"],
    );
    check(
        &world,
        "fields @timestamp, @message | sort @timestamp desc | limit 1",
        &["@timestamp=2026-11-22 11:58:20.000 @message=hello"],
    );
    check(
        &world,
        "stats sum(bytes) as b by bin(5m) as @t | stats max(b) as peak, min(b) as low, avg(b) as mean",
        &["peak=9000 low=64 mean=3311"],
    );
    check(
        &world,
        "filter interfaceId='eni-c' | stats count(*) by interfaceId, logStatus | sort by interfaceId, logStatus desc",
        &["interfaceId=eni-c logStatus=SKIPDATA count(*)=1", "interfaceId=eni-c logStatus=NODATA count(*)=1"],
    );
}

#[test]
fn fields_of_custom_formats() {
    let format = "${interface-id} ${pkt-srcaddr} ${flow-direction} ${tcp-flags} ${bytes}";
    let events = [(3, "eni-1 10.0.0.1 ingress 2 100"), (2, "eni-1 10.0.0.2 egress 18 200"), (1, WEB)];
    let world = World::new().group("custom", &[format], &events).group("flows", &[], &[(1, SSH)]);
    check(
        &world,
        "filter flowDirection = 'egress' | fields pktSrcAddr, tcpFlags + 1 as f",
        &["pktSrcAddr=10.0.0.2 f=19"],
    );
    check(
        &world,
        "stats sum(bytes) as b by @log | sort b",
        &["@log=123456789012:flows b=180", "@log=123456789012:custom b=4300"],
    );
}

#[test]
fn events_have_pointers_and_a_default_order() {
    let world = flows();
    let (rows, progress) = world.run_with("", 3);
    assert_eq!(rows.columns, ["@timestamp", "@message", "@ptr"]);
    assert_eq!(rows.rows.len(), 3);
    assert_eq!(rows.rows[0][1].as_deref(), Some("hello"));
    let pointer = weir_logs::insights::Pointer::parse(rows.rows[1][2].as_deref().unwrap()).unwrap();
    assert_eq!((pointer.group.as_str(), pointer.stream.as_str()), ("flows", "stream"));
    assert_eq!(pointer.timestamp, super::NOW.0 - 400_000);
    assert_eq!((progress.records(), progress.matched()), (7, 7));
    let (rows, progress) = world.run_with("fields bytes | filter action = 'ACCEPT'", 100);
    assert_eq!((rows.rows.len(), progress.matched()), (3, 3));
    let (rows, progress) =
        world.run_with("filter action = 'ACCEPT' | stats count(*) as n by x | filter n > 99", 100);
    assert_eq!((rows.rows.len(), progress.matched()), (0, 3));
    // A limit in the text wins over the request's.
    assert_eq!(world.run_with("limit 5", 3).0.rows.len(), 5);
}

#[test]
fn documents() {
    let events = [
        (
            3,
            r#"{"level": "error", "code": 500, "ok": false, "tags": ["a", "b"], "user": {"id": 7, "name": "x y"}}"#,
        ),
        (2, r#"{"level": "info", "code": "200", "ok": true, "user": {"id": "8"}}"#),
        (1, "no JSON"),
    ];
    let world = World::new().group("json", &[], &events);
    check(
        &world,
        "fields level, user.id as id, ok | filter code >= 200 | sort id desc",
        &["level=info id=8 ok=1", "level=error id=7 ok=0"],
    );
    check(&world, "filter ok = true | fields user.id", &["user.id=8"]);
    check(&world, "filter tags.1 = 'b' | fields tags.0", &["tags.0=a"]);
    check(
        &world,
        "fields jsonParse(@message) as j | filter ispresent(j) | fields j.user.name as n, j.tags[1] as t, j.level | sort j.level | display n, t",
        &["n=x y t=b", ""],
    );
    check(
        &world,
        "fields jsonParse(@message) as j | filter level = 'error' | unnest j.tags into tag | sort tag | display tag, j.code",
        &["tag=a j.code=500", "tag=b j.code=500"],
    );
    check(&world, "filter not ispresent(level) | fields @message", &["@message=no JSON"]);
    // What a row does not have is not equal to anything.
    check(&world, "filter level != 'info' | stats count(*) as n", &["n=2"]);
    check(
        &world,
        "filter level not in ['info', 'x'] and level not like /err/ | stats count(*) as n",
        &["n=1"],
    );
}

#[test]
fn functions() {
    let world = World::new().group("g", &[], &[(10, "  Hello, Wörld 42  ")]);
    for (expr, wanted) in [
        ("1 + 2 * 3 ^ 2 - 7 % 4 / 2", Some("17.5")),
        ("1 / 0", None),
        ("0 - 5", Some("-5")),
        ("-2 ^ 2", Some("4")),
        ("'x' + 1", None),
        ("'4' * '2.5'", Some("10")),
        ("abs(-1.5)", Some("1.5")),
        ("ceil(1.2) + floor(1.8)", Some("3")),
        ("round(2.345, 2)", Some("2.35")),
        ("greatest(1, '12', 3)", Some("12")),
        ("least(4, 3, nothing)", Some("3")),
        ("log(1)", Some("0")),
        ("log(-1)", None),
        ("sqrt(16)", Some("4")),
        ("ispresent(@message)", Some("1")),
        ("ispresent(nothing)", Some("0")),
        ("coalesce(nothing, nothing, 'x')", Some("x")),
        ("coalesce(nothing, 5)", Some("5")),
        ("if(1 > 2, 'a', 'b')", Some("b")),
        ("case(1 > 2, 'a', 2 > 1, 'b', 'c')", Some("b")),
        ("case(1 > 2, 1, 3)", Some("3")),
        ("case(1 > 2, 1)", None),
        ("isNumeric('1e3')", Some("1")),
        ("toNumber('12px')", None),
        ("trim(@message)", Some("Hello, Wörld 42")),
        ("rtrim(ltrim('xxabxx', 'x'), 'bx')", Some("a")),
        ("strlen(@message)", Some("19")),
        ("toupper('wö')", Some("WÖ")),
        ("tolower('WÖ')", Some("wö")),
        ("substr('wörld', 1, 3)", Some("örl")),
        ("substr('wörld', 3)", Some("ld")),
        ("replace('a.b.c', '.', '')", Some("abc")),
        ("strcontains(@message, 'Wörld')", Some("1")),
        ("concat('a', 1, nothing, 2.5)", Some("a12.5")),
        ("isempty(nothing)", Some("1")),
        ("isempty(' ')", Some("0")),
        ("isblank(' ')", Some("1")),
        ("isValidIp('::1')", Some("1")),
        ("isValidIpV4('::1')", Some("0")),
        ("isValidIpV6('10.0.0.256')", Some("0")),
        ("isIpInSubnet('2001:db8::1', '2001:db8::/32')", Some("1")),
        ("isIpv4InSubnet('10.1.2.3', '10.0.0.0/8')", Some("1")),
        ("isIpv6InSubnet('10.1.2.3', '10.0.0.0/8')", Some("0")),
        ("isIpv4InSubnet('nonsense', '10.0.0.0/8')", Some("0")),
        ("jsonParse('{\"a\": [1, {\"b\": true}]}').a[1].b", Some("1")),
        ("jsonParse('nonsense')", None),
        ("jsonStringify('a\"b')", Some("\"a\\\"b\"")),
        ("unmask(@logStream)", Some("stream")),
        ("toMillis(@timestamp)", Some("1795348790000")),
        ("fromMillis(1795348790000)", Some("2026-11-22 11:59:50.000")),
        ("datefloor(@timestamp, 1d)", Some("2026-11-22 00:00:00.000")),
        ("dateceil(@timestamp, 1mo)", Some("2026-12-01 00:00:00.000")),
        ("bin(300s)", Some("2026-11-22 11:59:00.000")),
        ("bin(30 min)", Some("2026-11-22 11:30:00.000")),
        ("now()", Some("1795348800")),
        ("@timestamp > '2026-11-22 11:00:00'", Some("1")),
        ("@timestamp / 1000", Some("1795348790")),
        ("@log", Some("123456789012:g")),
        ("'Wörld' like 'rl'", Some("1")),
        ("@message =~ /(?i)hello.*\\d+/", Some("1")),
        ("not 1 = 1 or 2 in [1, 2, 'x']", Some("1")),
        ("nothing", None),
        ("@entity.x", None),
    ] {
        let rows = world.run(&format!("fields {expr} as value"));
        assert_eq!(rows.rows[0][0].as_deref(), wanted, "{expr}");
    }
}

#[test]
fn aggregates() {
    let events = [
        (5, r#"{"v": 4, "w": "b10"}"#),
        (4, r#"{"v": "2", "w": "b9"}"#),
        (3, r#"{"v": "-", "w": 7}"#),
        (2, "{}"),
        (1, r#"{"v": 9, "w": "b9"}"#),
    ];
    let world = World::new().group("g", &[], &events);
    check(
        &world,
        "stats count(*), count(v), sum(v), avg(v), min(v), max(v), count_distinct(w), stddev(v) as dev",
        &[
            "count(*)=5 count(v)=4 sum(v)=15 avg(v)=5 min(v)=2 max(v)=9 count_distinct(w)=3 dev=3.605551275463989",
        ],
    );
    check(
        &world,
        "stats earliest(w) as e, latest(v) as l, sortsFirst(w) as f, sortsLast(w) as last, pct(v, 50) as p, sum(v) / count(*) * 2 as m",
        &["e=b10 l=9 f=b9 last=7 p=4 m=6"],
    );
    check(&world, "filter v = 100 | stats count(*), sum(v)", &[]);
    check(
        &world,
        "stats count(*) as n by w | sort w | fields n * 2 as twice | filter n >= 1",
        &["n=1 twice=2", "w=b9 n=2 twice=4", "w=b10 n=1 twice=2", "w=7 n=1 twice=2"],
    );
    check(
        &world,
        "stats max(@timestamp) as newest, min(@timestamp) as oldest",
        &["newest=2026-11-22 11:59:59.000 oldest=2026-11-22 11:59:55.000"],
    );
    check(&world, "stats count(*) by w | filter count(*) > 1 | display w", &["w=b9"]);
    check(&world, "stats sum(v) as s by nothing | stats count(s) as n, sum(nothing) as x", &["n=1"]);
}

#[test]
fn patterns() {
    let world = World::new().group(
        "g",
        &[],
        &[
            (7000, "[INFO] took 12 ms"),
            (90, "[INFO] took 327 ms"),
            (80, "[INFO] took 3 ms"),
            (70, "[ERROR] no route to 10.0.0.1"),
            (60, "{\"level\": \"x\"}"),
        ],
    );
    check(
        &world,
        "filter @message like 'to' | pattern @message",
        &[
            "@pattern=[INFO] took <Number-1> ms @ratio=0.75 @sampleCount=3 @severityLabel=Info",
            "@pattern=[ERROR] no route to <IP-1> @ratio=0.25 @sampleCount=1 @severityLabel=Error",
        ],
    );
    check(
        &world,
        "pattern @message | filter @severityLabel = 'Error' | display @pattern, @sampleCount * 2",
        &["@pattern=[ERROR] no route to <IP-1> @sampleCount * 2=2"],
    );
    check(
        &world,
        "pattern tolower(substr(@message, 0, 6)) | limit 1 | display @pattern",
        &["@pattern=[info]"],
    );
    check(&world, "pattern @message | stats sum(@sampleCount) as n", &["n=5"]);
    check(&world, "pattern nothing", &[]);
    let start = super::NOW.0 - 3_600_000;
    let rows = world.run_between("filter @message like '[' | diff", (start, super::NOW.0));
    assert_eq!(
        lines(&rows),
        [
            "@pattern=[ERROR] no route to <IP-1> @ratio=0.3333333333333333 @sampleCount=1 @severityLabel=Error @previousSampleCount=0 @sampleCountDifference=1 @differenceDescription=New",
            "@pattern=[INFO] took <Number-1> ms @ratio=0.6666666666666666 @sampleCount=2 @severityLabel=Info @previousSampleCount=1 @sampleCountDifference=1 @differenceDescription=More",
        ]
    );
}

#[test]
fn statistics() {
    let world = flows();
    for (query, scanned, matched) in [
        ("stats count(*) by srcAddr", 7, 7),
        ("filter action = 'REJECT' | stats count(*)", 7, 1),
        ("fields @message | limit 1", 7, 7),
        ("filter bytes > 100 | filter dstPort = 443 | fields @message", 7, 2),
        ("parse @message '* eni-* ' as v, eni | filter eni like 'a' | stats count(*) by eni", 7, 2),
        ("filter nothing = 1", 7, 0),
    ] {
        let (_, progress) = world.run_with(query, 10_000);
        assert_eq!((progress.records(), progress.matched()), (scanned, matched), "{query}");
    }
}

#[test]
fn orders_and_limits() {
    let world = World::new().group("g", &[], &[(4, "a10"), (3, "a9"), (2, "7"), (1, "b")]);
    check(
        &world,
        "fields @message | sort @message",
        &["@message=a9", "@message=a10", "@message=b", "@message=7"],
    );
    check(&world, "fields @message | limit 2 | sort @message", &["@message=b", "@message=7"]);
    check(
        &world,
        "fields @message | sort @message desc | filter @message like 'a'",
        &["@message=a10", "@message=a9"],
    );
    check(&world, "fields @message | sort @message | limit 3 | sort @timestamp | limit 1", &["@message=a10"]);
    let twice = World::new().group("g", &[], &[(3, "x 1"), (2, "x 2"), (1, "y")]);
    check(&twice, "parse @message '* *' as k, v | dedup k | display k, v", &["", "k=x v=2"]);
    check(&twice, "parse @message '* *' as k, v | sort @timestamp | dedup k | limit 1 | display v", &["v=1"]);
}
