//! Queries as data: what they are read as, and what is said of those that are
//! refused.

use super::*;

/// The flow-log queries that AWS publishes, and the forms of the user guide.
const PUBLISHED: &[&str] = &[
    "stats sum(packets) as packetsTransferred by srcAddr, dstAddr | sort packetsTransferred desc | limit 15",
    "filter isIpv4InSubnet(srcAddr, \"192.0.2.0/24\") | stats sum(bytes) as bytesTransferred by dstAddr | sort bytesTransferred desc | limit 15",
    "filter protocol=17 | stats count(*) by srcAddr",
    "filter logStatus=\"SKIPDATA\" | stats count(*) by bin(1h) as t | sort t",
    "fields @timestamp, srcAddr, dstAddr, srcPort, dstPort, protocol, bytes | filter logStream = 'vpc-flow-logs' and interfaceId = 'eni-0123456789abcdef0' | sort @timestamp desc | dedup srcAddr, dstAddr, srcPort, dstPort, protocol | limit 20",
    "filter (dstAddr like 'x.x.x.x' and srcAddr like 'y.y.') | stats sum(bytes) as bytesTransferred by srcAddr, dstAddr | sort bytesTransferred desc | limit 10",
    "filter (dstAddr like 'x.x.x.x' and srcAddr like 'y.y.') or (srcAddr like 'x.x.x.x' and dstAddr like 'y.y.') | stats sum(bytes) as bytesTransferred by srcAddr, dstAddr | sort bytesTransferred desc | limit 10",
    "stats avg(bytes), max(bytes) by dstAddr",
    "parse @message /(?<NetworkInterface>eni-.*?) / | display NetworkInterface, @message",
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "stats sum(bytes) as b by bin(5m) as @t | stats max(b) as peak, min(b) as low, avg(b) as mean",
    "fields @timestamp,@message,@logStream,@log | filter interfaceId='eni-123' | stats count(*) by interfaceId, logStatus | sort by interfaceId, logStatus",
    "FIELDS @message\n| FILTER @message LIKE /(?i)error/ # all of them\n| Stats Count(*) AS n BY Bin(30 Minutes) | SORT n DESC",
    "parse @message \"user=*, method:*, latency := *\" as @user, @method, @latency | stats avg(@latency) by @method, @user",
    "parse '[*] *' as level, text | filter level not in [\"INFO\", 'DEBUG'] and not ispresent(code)",
    "fields jsonParse(@message) as j | fields j.items[0].name as first, jsonStringify(j.`a b`) | unnest j.items into item",
    "fields -2 ^ 2 ^ (a + 1) * 3 % 4 - `my-field` / 2 >= 1 as x, greatest(a, b, 1.5) | filter x = true",
    "stats sum(bytes) / count(*) * 8 as bits, pct(bytes, 99.9), count_distinct(srcAddr) by datefloor(@timestamp, 1d), action",
    "stats count(*) by bin(5m) | filter count(*) > 10 | sort count( * ) desc, bin(5m) | fields count(*) / 300 as rate",
    "stats earliest(a), latest(a), sortsFirst(a), sortsLast(a), stddev(a), countDistinct(a), count(), count(a)",
    "SOURCE logGroups(namePrefix: ['/aws/vpc', 'x'], class: [\"STANDARD\"]) | fields @message",
    "SOURCE 'one' | SOURCE \"two\" | filter @message =~ /a\\/b/ | limit 5",
    "filterIndex action = 'REJECT' | fields coalesce(a, b, 'none'), if(a > 1, 'x', 'y'), unmask(@message)",
    "fields datefloor(@timestamp, 1mo), dateceil(fromMillis(startTime * 1000), 2 weeks), toMillis(@timestamp), now()",
    "fields @timestamp, @message | filter @message like /error/ | pattern @message | diff previousDay | sort @sampleCount desc",
    "diff | limit 5",
    "pattern tolower(concat(a, b)) | stats count(*) by @severityLabel",
    "",
];

#[test]
fn what_is_published_is_read() {
    for text in PUBLISHED {
        if let Err(error) = Query::parse(text) {
            panic!("{text}\n{error} {}..{}", error.start, error.end);
        }
    }
}

#[test]
fn refusals_name_the_place() {
    for (text, place, says) in [
        ("test", "test", "unexpected symbol found test at line 1 and position 1"),
        ("fields", "", "unexpected symbol found <EOF> at line 1 and position 7"),
        ("fields a |", "", "<EOF>"),
        ("fields a\n| filter b = = 2", "=", "= at line 2 and position 14"),
        ("fields a b", "b", "b at line 1 and position 10"),
        ("fields \"é\" §", "§", "§ at line 1 and position 12"),
        ("fields 'a", "'a", "closing quote"),
        ("fields `a", "`a", "counterpart"),
        ("filter a like /b", "/b", "closing /"),
        ("filter a like /(/", "/(/", "/(/ is not a regular expression"),
        ("filter a like b", "b", "unexpected symbol found b"),
        ("filter a in []", "]", "unexpected symbol found ]"),
        ("filter a not b", "b", "unexpected symbol found b"),
        ("filter and", "and", "unexpected symbol found and"),
        ("limit 0", "0", "from 1 to 100000"),
        ("limit 100001", "100001", "from 1 to 100000"),
        ("limit x", "x", "unexpected symbol found x"),
        ("fields nosuch(a)", "nosuch", "there is no function nosuch"),
        ("fields abs(a, b)", "abs(a, b)", "does not take 2 arguments"),
        ("fields count(*)", "count", "belongs into stats"),
        ("stats sum(count(*))", "count", "belongs into stats"),
        ("stats a by b", "a", "needs aggregate functions, and a has none"),
        ("stats count(*) by sum(b)", "sum", "belongs into stats"),
        ("stats pct(a, 101)", "101", "from 0 to 100"),
        ("stats count(*) by bin(5x)", "5x", "5x is no length of time"),
        ("stats count(*) by bin(0m)", "0m", "0m is no length of time"),
        ("stats count(*) by bin(a)", "a", "unexpected symbol found a"),
        ("parse @message 'a * b' as x, y", "'a * b' as x, y", "has 1 * and there are 2 names"),
        ("parse @message 'a'", "'a'", "has 0 * and there are 0 names"),
        ("parse @message /a/", "/a/", "no named group"),
        ("dedup a | fields b", "fields", "only limit may follow dedup"),
        ("anomaly", "anomaly", "the command anomaly is not supported"),
        ("pattern", "", "<EOF>"),
        ("stats count(*) | pattern x", "pattern", "pattern needs events"),
        ("pattern a | pattern b", "pattern", "pattern needs events"),
        ("stats count(*) | diff", "diff", "right behind pattern"),
        ("pattern a | sort x | diff", "diff", "right behind pattern"),
        ("diff lastYear", "lastYear", "unexpected symbol found lastYear"),
        ("fields a | SOURCE 'x'", "SOURCE", "unexpected symbol found SOURCE"),
        ("SOURCE dataSource(['a'])", "dataSource", "not supported"),
        ("unnest a", "", "<EOF>"),
    ] {
        let error = Query::parse(text).expect_err(text);
        let found: String = text.chars().take(error.end).skip(error.start).collect();
        assert_eq!(found, place, "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
    }
}

#[test]
fn nothing_nests_without_end() {
    for text in [
        format!("filter {}1", "(".repeat(100_000)),
        format!("filter {}", "(".repeat(9_000)),
        format!("filter {}1", "not ".repeat(2_000)),
        format!("filter {}1", "-".repeat(9_000)),
        format!("filter 1{}", "+1".repeat(4_000)),
        format!("filter 1{}", "^1".repeat(4_000)),
        format!("filter 1{}", " or 1".repeat(1_900)),
        format!("filter {}", "abs(".repeat(2_000)),
        format!("fields a{}", "|limit 1".repeat(1_000)),
    ] {
        assert!(Query::parse(&text).is_err());
    }
}

#[test]
fn precedence() {
    let field = |name: &str| Box::new(Expr::Field(name.into()));
    let parsed = |text: &str| match Query::parse(&format!("filter {text}")).unwrap().commands.remove(0) {
        Command::Filter(expr) => expr,
        other => panic!("{other:?}"),
    };
    let op = |op, a, b| Expr::Binary(op, Box::new(a), Box::new(b));
    let [a, b, c] = ["a", "b", "c"].map(|name| Expr::Field(name.into()));
    assert_eq!(
        parsed("a or b and not c = a"),
        op(
            BinaryOp::Or,
            a.clone(),
            op(BinaryOp::And, b.clone(), Expr::Not(Box::new(op(BinaryOp::Equal, c.clone(), a.clone()))))
        )
    );
    assert_eq!(
        parsed("a - b - c * a"),
        op(
            BinaryOp::Subtract,
            op(BinaryOp::Subtract, a.clone(), b.clone()),
            op(BinaryOp::Multiply, c.clone(), a.clone())
        )
    );
    assert_eq!(
        parsed("a ^ b ^ c"),
        op(BinaryOp::Power, a.clone(), op(BinaryOp::Power, b.clone(), c.clone()))
    );
    assert_eq!(parsed("`a`"), a);
    assert_eq!(parsed("-1"), Expr::Number(-1.0));
    assert_eq!(parsed("a.b[0].c"), Expr::Path(field("a.b"), vec![Step::Index(0), Step::Key("c".into())]));
    assert_eq!(
        parsed("a not in [1, 'x']"),
        Expr::In { of: field("a"), list: vec![Expr::Number(1.0), Expr::Text("x".into())], negated: true }
    );
    assert_eq!(parsed("'it\\'s \\\\ \\d'"), Expr::Text("it's \\ \\d".into()));
    assert_eq!(
        parsed("a = 1 # or b\n and b = 2"),
        op(
            BinaryOp::And,
            op(BinaryOp::Equal, a, Expr::Number(1.0)),
            op(BinaryOp::Equal, b, Expr::Number(2.0))
        )
    );
}

#[test]
fn names_of_columns() {
    let names = |text: &str| match Query::parse(text).unwrap().commands.pop() {
        Some(Command::Fields(columns) | Command::Display(columns)) => {
            columns.into_iter().map(|column| column.name).collect::<Vec<_>>()
        }
        Some(Command::Stats { aggregates, by }) => {
            by.into_iter().chain(aggregates).map(|column| column.name).collect()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(names("stats count(*), sum( bytes ) as b by bin(5m), x"), ["bin(5m)", "x", "count(*)", "b"]);
    assert_eq!(names("fields a  +  1 , `b c`, abs(x) as y"), ["a  +  1", "b c", "y"]);
    assert_eq!(names("stats count(*) by x | display COUNT( * ), x"), ["count(*)", "x"]);
}

#[test]
fn fields_of_events() {
    for (text, wanted) in [
        ("fields a, b + a as c | filter c > 1 and d = 2", vec!["a", "b", "d"]),
        ("parse @message 'x*' as y | filter y = 1 | stats sum(z) by y | sort w", vec!["@message", "z"]),
        ("fields jsonParse(@message) as j | filter j.x = 1 and jx = 2", vec!["@message", "jx"]),
        ("filter a = 1 | fields b as a | fields a", vec!["a", "b"]),
        ("stats count(*)", vec![]),
    ] {
        assert_eq!(Query::parse(text).unwrap().event_fields(), wanted, "{text}");
    }
}
