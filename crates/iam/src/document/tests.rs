use super::*;

fn message(text: &str, kind: DocumentKind) -> String {
    match PolicyDocument::parse(text, kind) {
        Ok(_) => "ok".to_owned(),
        Err(error) => match error.reason() {
            Some(reason) => format!("{error} [{reason}]"),
            None => error.to_string(),
        },
    }
}

#[test]
fn documents_that_are_taken() {
    for (kind, text) in [
        (
            DocumentKind::Identity,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        ),
        (
            DocumentKind::Identity,
            r#"{"Statement":[{"Effect":"Deny","NotAction":["s3:Get*"],"NotResource":["arn:aws:s3:::b/*"]}]}"#,
        ),
        (
            DocumentKind::Identity,
            r#"{"Version":"2008-10-17","Id":"any thing","Statement":[{"Sid":"","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#,
        ),
        (
            DocumentKind::Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":10},"Bool":{"aws:SecureTransport":true},"StringLike":{"s3:prefix":["a","b"]}}}}"#,
        ),
        (
            DocumentKind::Trust,
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
        ),
        (
            DocumentKind::Trust,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:user/a/b","arn:aws:sts::123456789012:assumed-role/r/s","AROAEXAMPLEEXAMPLE"],"Federated":"arn:aws:iam::123456789012:saml-provider/x"},"Action":["sts:AssumeRole","sts:TagSession"]}}"#,
        ),
        (
            DocumentKind::Resource,
            r#"{"Statement":{"Sid":"with blanks, and more","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#,
        ),
    ] {
        assert_eq!(message(text, kind), "ok", "{text}");
    }
}

#[test]
fn broken_json() {
    for text in ["", "{", "nonsense", "{\"Statement\":[}", "{\"a\":1}x", "\u{feff}{}"] {
        assert_eq!(message(text, DocumentKind::Identity), "This policy contains invalid Json", "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(message(&deep, DocumentKind::Identity), "This policy contains invalid Json");
}

/// Each row is an identity policy's statement with one thing wrong.
#[test]
fn statements_that_are_refused() {
    for (statement, expected) in [
        (r#"{"Action":"s3:*","Resource":"*"}"#, "Syntax errors in policy. [statement 1 has no Effect.]"),
        (
            r#"{"Effect":"allow","Action":"s3:*","Resource":"*"}"#,
            "The policy failed legacy parsing [Effect 'allow' in statement 1 must be Allow or Deny.]",
        ),
        (r#"{"Effect":"Allow","Resource":"*"}"#, "Policy statement must contain actions."),
        (r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, "Policy statement must contain actions."),
        (r#"{"Effect":"Allow","Action":"s3:*"}"#, "Policy statement must contain resources."),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":[]}"#, "Policy statement must contain resources."),
        (
            r#"{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}"#,
            "Syntax errors in policy. [statement 1 has both Action and NotAction.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Resources":"*"}"#,
            "Syntax errors in policy. [statement 1 has the unknown element 'Resources'.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Action":"iam:*"}"#,
            "Syntax errors in policy. [statement 1 has 'Action' twice.]",
        ),
        (
            r#"{"Effect":"Allow","Action":7,"Resource":"*"}"#,
            "Syntax errors in policy. [Action of statement 1 must be a string or a list of strings.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"GetObject","Resource":"*"}"#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. ['GetObject']",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"}"#,
            "Actions/Condition can contain only one colon. ['s3:Get:Object']",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:","Resource":"*"}"#,
            "Syntax errors in policy. [Action 's3:' in statement 1 names no action.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}"#,
            r#"Resource bucket must be in ARN format or "*"."#,
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}"#,
            "Policy document should not specify a principal.",
        ),
        (
            r#"{"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]* ['a b']",
        ),
        (
            r#"{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            "Statement IDs (SID) in a single policy must be unique. ['a']",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"aws:x":"y"}}}"#,
            "Syntax errors in policy. [Invalid Condition type : StringIs in Condition of statement 1.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/99"}}}"#,
            "Syntax errors in policy. [The value '10.0.0.0/99' of aws:SourceIp does not fit IpAddress in Condition of statement 1.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:x":{"y":1}}}}"#,
            "Syntax errors in policy. [The values of aws:x in Condition of statement 1 must be strings, numbers or booleans.]",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:x":"1","aws:x":"2"}}}"#,
            "Syntax errors in policy. [StringEquals of Condition of statement 1 has 'aws:x' twice.]",
        ),
        (r#""text""#, "Syntax errors in policy. [statement 1 is not an object.]"),
    ] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        assert_eq!(message(&text, DocumentKind::Identity), expected, "{statement}");
    }
}

#[test]
fn the_outer_object() {
    for (text, expected) in [
        ("[]", "Syntax errors in policy. [the policy is not an object.]"),
        ("{}", "Syntax errors in policy. [The policy has no Statement.]"),
        (r#"{"Statement":[]}"#, "Syntax errors in policy. [Statement is empty.]"),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#,
            "Syntax errors in policy. [Version '2012-10-18' is neither 2012-10-17 nor 2008-10-17.]",
        ),
        (
            r#"{"Version":2012,"Statement":[]}"#,
            "Syntax errors in policy. [Version of the policy is not a string.]",
        ),
        (
            r#"{"statement":[],"Statement":[]}"#,
            "Syntax errors in policy. [the policy has the unknown element 'statement'.]",
        ),
    ] {
        assert_eq!(message(text, DocumentKind::Identity), expected, "{text}");
    }
}

#[test]
fn principals() {
    for (principal, expected) in [
        (r#""*""#, "ok"),
        (r#"{"AWS":"*"}"#, "ok"),
        (r#"{"Service":"logs.amazonaws.com"}"#, "ok"),
        (r#"{"AWS":"arn:aws:sts::123456789012:federated-user/bo"}"#, "ok"),
        (r#""123456789012""#, r#"Invalid principal in policy: "AWS":"123456789012""#),
        (r#"{"AWS":"12345"}"#, r#"Invalid principal in policy: "AWS":"12345""#),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:role/*"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*""#,
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:group/g"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/g""#,
        ),
        (
            r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/r"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:sts::123456789012:assumed-role/r""#,
        ),
        (r#"{"Service":"vpc-flow-logs"}"#, r#"Invalid principal in policy: "Service":"vpc-flow-logs""#),
        (r#"{"User":"kim"}"#, r#"Invalid principal in policy: "User":"kim""#),
        (r#"{}"#, "Syntax errors in policy. [Principal of statement 1 is empty.]"),
        (r#"7"#, "Syntax errors in policy. [Principal of statement 1 is not an object.]"),
    ] {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}}}"#
        );
        assert_eq!(message(&text, DocumentKind::Trust), expected, "{principal}");
    }
}

#[test]
fn trust_and_resource_policies_need_their_elements() {
    for (kind, statement, expected) in [
        (DocumentKind::Trust, r#""Action":"sts:AssumeRole""#, "Missing required field Principal"),
        (
            DocumentKind::Trust,
            r#""Principal":"*","Action":"sts:AssumeRole","Resource":"*""#,
            "Has prohibited field Resource.",
        ),
        (
            DocumentKind::Trust,
            r#""Principal":"*","Action":"sts:BadAssumeRole""#,
            "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity ['sts:BadAssumeRole']",
        ),
        (
            DocumentKind::Trust,
            r#""Principal":"*","Action":"s3:GetObject""#,
            "AssumeRole policy may only specify STS AssumeRole actions. ['s3:GetObject']",
        ),
        (DocumentKind::Resource, r#""Action":"s3:*","Resource":"*""#, "Missing required field Principal"),
        (
            DocumentKind::Resource,
            r#""Principal":"*","Action":"s3:*""#,
            "Policy statement must contain resources.",
        ),
    ] {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow",{statement}}}}}"#);
        assert_eq!(message(&text, kind), expected, "{statement}");
    }
}

#[test]
fn quotas_count_without_white_space() {
    let text = "{ \"a\":\n\t1 }";
    assert_eq!(policy_size(text), 7);
    assert_eq!(PolicyQuota::Trust.check(["x".repeat(2048).as_str(), " \n"]), Ok(()));
    let error = PolicyQuota::Trust.check([" ", &"x".repeat(2049)]).unwrap_err();
    assert_eq!(error, PolicyError::TooLarge { quota: PolicyQuota::Trust, size: 2049 });
    assert_eq!((error.code(), error.status()), ("LimitExceeded", 409));
    assert_eq!(
        (PolicyError::InvalidJson.code(), PolicyError::InvalidJson.status()),
        ("MalformedPolicyDocument", 400)
    );
}

/// The first thing that is wrong decides, in the order in which IAM looks.
#[test]
fn which_fault_comes_first() {
    const SYNTAX: &str = "Syntax errors in policy.";
    const LEGACY: &str = "The policy failed legacy parsing";
    for (statements, expected) in [
        (r#"[{"Effect":"Permit","Action":"x"}]"#, SYNTAX),
        (r#"[{"Effect":"ALLOW","Action":"x"},{"Effect":"Allow","Extra":1}]"#, SYNTAX),
        (r#"[{"Sid":"a","Effect":"ALLOW"},{"Sid":"a","Effect":"Allow"}]"#, LEGACY),
        (r#"{"Effect":"Allow","Resource":"arn:aws:sqs::q"}"#, LEGACY),
        (r#"{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws::::q"}"#, LEGACY),
        (
            r#"{"Effect":"Allow","Action":"sqs:*","Resource":"arn:mars:sqs:::q","Condition":{"DateEquals":{"a:b":"soon"}}}"#,
            LEGACY,
        ),
        (
            r#"[{"Sid":"a","Effect":"Allow"},{"Sid":"a","Effect":"Allow"}]"#,
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b:c","Resource":"queue"}"#,
            r#"Resource queue must be in ARN format or "*"."#,
        ),
        (
            r#"{"Effect":"Allow","Action":"x"}"#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (r#"{"Effect":"Allow","Action":"s q s:*"}"#, "Vendor s q s is not valid"),
        (r#"{"Effect":"Allow"}"#, "Policy statement must contain actions."),
        (
            r#"[{"Effect":"Allow","Action":"sqs:*"},{"Effect":"Allow"}]"#,
            "Policy statement must contain actions.",
        ),
        (r#"{"Effect":"Allow","Action":"sqs:*"}"#, "Policy statement must contain resources."),
        (r#"{"Effect":"Allow","Action":"sqs:*","Resource":["arn:aws:sqs:*:*:q",null]}"#, "ok"),
        (r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"Unknown":{}}}"#, "ok"),
        (r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"a":[]}}}"#, "ok"),
    ] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        let found = PolicyDocument::parse(&text, DocumentKind::Managed);
        assert_eq!(
            found.map_or_else(|error| error.to_string(), |_| "ok".to_owned()),
            expected,
            "{statements}"
        );
        let old = text.replace("2012", "2008");
        let wanted = if expected == SYNTAX {
            SYNTAX
        } else {
            "Policy document must be version 2012-10-17 or greater."
        };
        assert_eq!(PolicyDocument::parse(&old, DocumentKind::Managed).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn resources() {
    for (resource, expected) in [
        ("arn:aws:iam::1:role/x", "ok"),
        ("arn:aws:iam::*:*", "ok"),
        ("arn:aws:iam::1:role*", "ok"),
        ("arn:aws:iam::1:${aws:username}", "ok"),
        ("arn:aws:logs", "ok"),
        ("arn:*:logs:*:*:*", "ok"),
        ("arn:aws:s3:eu-west-1:1:accesspoint/a", "ok"),
        ("arn:aws:iam::1:queue", "IAM resource path must either be"),
        (
            "arn:aws:iam:eu-west-1:1:user/x",
            "IAM resource arn:aws:iam:eu-west-1:1:user/x cannot contain region",
        ),
        ("arn:aws:s3:eu-west-1::b", "Resource arn:aws:s3:eu-west-1::b can not contain region information."),
        ("arn:aws", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("x:mars", r#"Partition "mars" is not valid for resource "arn:mars:*:*:*:*"."#),
        ("x:mars:sqs", r#"Partition "mars" is not valid for resource "arn:mars:sqs:*:*:*"."#),
        ("x:mars:a:b:c:d:e", r#"Partition "mars" is not valid for resource "arn:mars:a:b:c:d:e"."#),
        ("", r#"Resource  must be in ARN format or "*"."#),
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"a:b","Resource":"{resource}"}}}}"#
        );
        let found = message(&text, DocumentKind::Identity);
        assert!(found.starts_with(expected), "{resource}: {found}");
    }
}

#[test]
fn the_keys_that_a_policy_reads() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::b/${aws:username}/${*}","Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:userid}","AWS:UserName":"kim"}}},
        {"Effect":"Deny","Action":"a:c","Resource":"*","Condition":{"Null":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    let keys = PolicyDocument::parse(text, DocumentKind::Identity).unwrap().context_keys();
    assert_eq!(keys, ["aws:PrincipalTag/team", "aws:userid", "AWS:UserName", "aws:MultiFactorAuthPresent"]);
}
