use super::*;

fn context() -> Context {
    let mut context = Context::default();
    context
        .set("aws:username", "kim")
        .set("aws:SourceIp", "203.0.113.9")
        .set("aws:EpochTime", "1620122400")
        .set("aws:CurrentTime", "2021-05-04T10:00:00Z")
        .set("aws:SecureTransport", "true")
        .set("aws:SourceArn", "arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/fl-1")
        .set("aws:PrincipalArn", "arn:aws:iam::123456789012:role/flow")
        .set("s3:max-keys", "10")
        .set("k:bytes", "aGk=")
        .set("k:empty", "")
        .set_many("aws:TagKeys", ["env", "team"])
        .set_many("k:none", Vec::<String>::new());
    context
}

fn check(operator: &str, key: &str, values: &[&str], expected: bool) {
    let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
    let condition = Condition::parse(operator, key, &values, true).unwrap();
    assert_eq!(condition.holds(&context()), expected, "{operator} {key} {values:?}");
}

#[test]
fn single_values() {
    for (operator, key, values, expected) in [
        ("StringEquals", "aws:username", &["kim"] as &[&str], true),
        ("StringEquals", "AWS:UserName", &["lee", "kim"], true),
        ("StringEquals", "aws:username", &["Kim"], false),
        ("StringEquals", "aws:username", &["k*"], false),
        ("StringEquals", "aws:username", &[], false),
        ("StringNotEquals", "aws:username", &["kim", "lee"], false),
        ("StringNotEquals", "aws:username", &["bo", "lee"], true),
        ("StringEqualsIgnoreCase", "aws:username", &["KIM"], true),
        ("StringNotEqualsIgnoreCase", "aws:username", &["KIM"], false),
        ("StringLike", "aws:username", &["k*"], true),
        ("StringLike", "aws:username", &["k?m"], true),
        ("StringLike", "aws:username", &["K*"], false),
        ("StringNotLike", "aws:username", &["x*", "k*"], false),
        ("StringNotLike", "aws:username", &["x*"], true),
        ("NumericEquals", "s3:max-keys", &["10.0"], true),
        ("NumericNotEquals", "s3:max-keys", &["10", "11"], false),
        ("NumericNotEquals", "s3:max-keys", &["9"], true),
        ("NumericLessThan", "s3:max-keys", &["10"], false),
        ("NumericLessThan", "s3:max-keys", &["9", "11"], true),
        ("NumericLessThanEquals", "s3:max-keys", &["10"], true),
        ("NumericGreaterThan", "s3:max-keys", &["9.99"], true),
        ("NumericGreaterThanEquals", "s3:max-keys", &["10.01"], false),
        ("NumericEquals", "aws:username", &["1"], false),
        ("NumericNotEquals", "aws:username", &["1"], true),
        ("DateEquals", "aws:CurrentTime", &["2021-05-04T12:00:00+02:00"], true),
        ("DateEquals", "aws:EpochTime", &["2021-05-04T10:00:00Z"], true),
        ("DateNotEquals", "aws:CurrentTime", &["1620122400"], false),
        ("DateLessThan", "aws:CurrentTime", &["2021-05-05"], true),
        ("DateLessThanEquals", "aws:CurrentTime", &["2021-05-04"], false),
        ("DateGreaterThan", "aws:CurrentTime", &["2021-05-04T09:59:59Z"], true),
        ("DateGreaterThanEquals", "aws:CurrentTime", &["2021-05-04T10:00:00Z"], true),
        ("Bool", "aws:SecureTransport", &["TRUE"], true),
        ("Bool", "aws:SecureTransport", &["false"], false),
        ("BinaryEquals", "k:bytes", &["aGk="], true),
        ("BinaryEquals", "k:bytes", &["AGk="], false),
        ("IpAddress", "aws:SourceIp", &["203.0.113.0/24"], true),
        ("IpAddress", "aws:SourceIp", &["203.0.113.9"], true),
        ("IpAddress", "aws:SourceIp", &["203.0.113.8"], false),
        ("IpAddress", "aws:SourceIp", &["2001:db8::/32", "0.0.0.0/0"], true),
        ("NotIpAddress", "aws:SourceIp", &["203.0.113.0/24"], false),
        ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8", "2001:db8::/32"], true),
        ("ArnLike", "aws:SourceArn", &["arn:aws:ec2:*:123456789012:vpc-flow-log/*"], true),
        ("ArnEquals", "aws:SourceArn", &["arn:aws:ec2:*:123456789012:vpc-flow-log/*"], true),
        ("ArnLike", "aws:SourceArn", &["arn:aws:ec2:*:vpc-flow-log/*"], false),
        ("ArnLike", "aws:SourceArn", &["*"], false),
        ("ArnNotLike", "aws:SourceArn", &["arn:aws:ec2:*:*:vpc-flow-log/*"], false),
        ("ArnNotEquals", "aws:SourceArn", &["arn:aws:logs:*:*:*"], true),
        ("ArnLike", "aws:PrincipalArn", &["${aws:PrincipalArn}"], true),
        ("StringEquals", "aws:username", &["${aws:username}"], true),
        ("StringLike", "aws:username", &["${*}*"], false),
        // A variable without value: positive does not match, negated does.
        ("StringEquals", "aws:username", &["${aws:userid}"], false),
        ("StringNotEquals", "aws:username", &["${aws:userid}"], true),
        ("StringEquals", "aws:username", &["${aws:userid, 'kim'}"], true),
        ("Bool", "aws:SecureTransport", &["${aws:SecureTransport}"], true),
    ] {
        check(operator, key, values, expected);
    }
}

#[test]
fn absent_keys() {
    for (operator, values, expected) in [
        ("StringEquals", &["x"] as &[&str], false),
        ("StringNotEquals", &["x"], true),
        ("StringLike", &["*"], false),
        ("StringNotLike", &["*"], true),
        ("NumericLessThan", &["1"], false),
        ("NumericNotEquals", &["1"], true),
        ("DateNotEquals", &["1"], true),
        ("Bool", &["false"], false),
        ("BinaryEquals", &[""], false),
        ("IpAddress", &["0.0.0.0/0"], false),
        ("NotIpAddress", &["0.0.0.0/0"], true),
        ("ArnLike", &["arn:*:*:*:*:*"], false),
        ("ArnNotLike", &["arn:*:*:*:*:*"], true),
        ("StringEqualsIfExists", &["x"], true),
        ("StringNotEqualsIfExists", &["x"], true),
        ("BoolIfExists", &["false"], true),
        ("IpAddressIfExists", &["10.0.0.0/8"], true),
        ("ForAllValues:StringEquals", &["x"], true),
        ("ForAllValues:StringNotEquals", &["x"], true),
        ("ForAnyValue:StringEquals", &["x"], false),
        ("ForAnyValue:StringNotEquals", &["x"], false),
        ("ForAnyValue:StringEqualsIfExists", &["x"], true),
        ("Null", &["true"], true),
        ("Null", &["false"], false),
        ("Null", &["true", "false"], true),
    ] {
        check(operator, "k:absent", values, expected);
        check(operator, "k:none", values, expected);
    }
}

#[test]
fn present_keys_and_if_exists() {
    check("StringEqualsIfExists", "aws:username", &["x"], false);
    check("StringEqualsIfExists", "aws:username", &["kim"], true);
    check("StringNotEqualsIfExists", "aws:username", &["kim"], false);
    check("Null", "aws:username", &["false"], true);
    check("Null", "aws:username", &["true"], false);
    check("Null", "k:empty", &["true"], true);
    check("Null", "k:empty", &["false"], false);
    check("StringEquals", "k:empty", &[""], true);
}

#[test]
fn multi_valued_keys() {
    for (operator, values, expected) in [
        ("ForAllValues:StringEquals", &["env", "team", "x"] as &[&str], true),
        ("ForAllValues:StringEquals", &["env"], false),
        ("ForAllValues:StringNotEquals", &["x"], true),
        ("ForAllValues:StringNotEquals", &["env"], false),
        ("ForAllValues:StringLike", &["e*", "t*"], true),
        ("ForAnyValue:StringEquals", &["env", "x"], true),
        ("ForAnyValue:StringEquals", &["x"], false),
        ("ForAnyValue:StringNotEquals", &["env"], true),
        ("ForAnyValue:StringNotEquals", &["env", "team"], false),
        ("ForAllValues:StringEqualsIfExists", &["env"], false),
    ] {
        check(operator, "aws:TagKeys", values, expected);
    }
}

#[test]
fn operators_and_values_of_other_kinds_are_refused() {
    for operator in [
        "",
        "StringIs",
        "stringequals",
        "NullIfExists",
        "ForAllValues:Null",
        "ForSomeValues:StringEquals",
        "StringEqualsIfExistsIfExists",
        "IfExists",
    ] {
        let result = Condition::parse(operator, "a:b", &["true".to_owned()], true);
        assert_eq!(result, Err(format!("Invalid Condition type : {operator}")));
    }
    for (operator, value) in [
        ("NumericEquals", "ten"),
        ("NumericEquals", "${aws:EpochTime}"),
        ("DateLessThan", "tomorrow"),
        ("Bool", "yes"),
        ("Null", "1"),
        ("IpAddress", "10.0.0.0/33"),
        ("IpAddress", "${aws:SourceIp}"),
        ("BinaryEquals", "~"),
    ] {
        let result = Condition::parse(operator, "a:b", &[value.to_owned()], true);
        assert_eq!(result, Err(format!("The value '{value}' of a:b does not fit {operator}")));
    }
}
