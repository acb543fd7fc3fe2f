//! A bucket policy with the statements for log delivery in it.

use super::DELIVERY_SERVICE;
use serde_json::{Map, Value, json};

/// Source: S3 user guide, "Bucket policies".
const MAX_BYTES: usize = 20 * 1024;

/// More folders than these are written as the whole bucket, as AWS advises.
const MAX_FOLDERS: usize = 20;

/// What log delivery needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The ARN of the bucket.
    pub bucket: String,
    /// The ARNs of the objects: `arn:aws:s3:::bucket/AWSLogs/123456789012/*`.
    pub objects: String,
    /// On whose behalf.
    pub account: String,
    /// `arn:aws:logs:us-east-1:123456789012:*`
    pub source: String,
}

/// A policy has no room for more.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

/// The policy with what `grant` needs; all that was in it stays. The same
/// policy if that was in it already.
pub fn merged(policy: Option<&str>, grant: &Grant) -> Result<String, TooLarge> {
    let text = merge(policy, grant, MAX_FOLDERS);
    if text.len() <= MAX_BYTES {
        return Ok(text);
    }
    let text = merge(policy, grant, 0);
    if text.len() <= MAX_BYTES { Ok(text) } else { Err(TooLarge) }
}

fn merge(policy: Option<&str>, grant: &Grant, max_folders: usize) -> String {
    let known = policy.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut document = known.unwrap_or_else(|| {
        let mut new = Map::new();
        new.insert("Version".to_owned(), json!("2012-10-17"));
        new.insert("Id".to_owned(), json!("AWSLogDeliveryWrite20150319"));
        new
    });
    let before = document.clone();
    let mut statements = match document.remove("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    };
    let write_condition = json!({
        "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": grant.account},
        "ArnLike": {"aws:SourceArn": [grant.source]},
    });
    let look_condition = json!({
        "StringEquals": {"aws:SourceAccount": grant.account},
        "ArnLike": {"aws:SourceArn": [grant.source]},
    });
    let whole = format!("{}/*", grant.bucket);
    for (sid, action, resource, condition) in [
        ("AWSLogDeliveryWrite", json!("s3:PutObject"), &grant.objects, write_condition),
        (
            "AWSLogDeliveryAclCheck",
            json!(["s3:GetBucketAcl", "s3:ListBucket"]),
            &grant.bucket,
            look_condition,
        ),
    ] {
        let like = json!({
            "Effect": "Allow", "Principal": {"Service": DELIVERY_SERVICE}, "Action": action,
            "Resource": [resource], "Condition": condition,
        });
        let at = statements.iter().position(|statement| is_alike(statement, &like));
        let at = at.unwrap_or_else(|| {
            let mut new = like;
            new["Sid"] = json!(free_sid(&statements, sid));
            statements.push(new);
            statements.len() - 1
        });
        let Some(own) = statements.get_mut(at) else { continue };
        add(&mut own["Resource"], resource, Some(&whole));
        add(&mut own["Condition"]["ArnLike"]["aws:SourceArn"], &grant.source, None);
        if list(&own["Resource"]).len() > max_folders.max(1) {
            own["Resource"] = json!([whole]);
        }
    }
    document.insert("Statement".to_owned(), Value::Array(statements));
    if document == before {
        return policy.unwrap_or_default().to_owned();
    }
    Value::Object(document).to_string()
}

/// Whether a statement differs from another in its id, resources and sources only.
fn is_alike(statement: &Value, like: &Value) -> bool {
    let members = ["Effect", "Principal", "Action", "Resource", "Condition", "Sid"];
    let Some(object) = statement.as_object() else { return false };
    object.keys().all(|key| members.contains(&key.as_str()))
        && statement["Effect"] == like["Effect"]
        && list(&statement["Principal"]["Service"]) == [DELIVERY_SERVICE]
        && statement["Principal"].as_object().is_some_and(|principal| principal.len() == 1)
        && list(&statement["Action"]) == list(&like["Action"])
        && statement["Condition"].as_object().is_some_and(|condition| condition.len() == 2)
        && statement["Condition"]["StringEquals"] == like["Condition"]["StringEquals"]
        && statement["Condition"]["ArnLike"]
            .as_object()
            .is_some_and(|arns| arns.len() == 1 && arns.contains_key("aws:SourceArn"))
}

/// One text or many.
fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn add(place: &mut Value, text: &str, covers_all: Option<&str>) {
    let mut all: Vec<String> = list(place).into_iter().map(str::to_owned).collect();
    if all.iter().any(|known| known == text || Some(known.as_str()) == covers_all) {
        return;
    }
    all.push(text.to_owned());
    *place = json!(all);
}

fn free_sid(statements: &[Value], wanted: &str) -> String {
    let is_taken = |sid: &str| statements.iter().any(|statement| statement["Sid"] == json!(sid));
    let mut sids = std::iter::once(wanted.to_owned()).chain((1..).map(|n| format!("{wanted}{n}")));
    sids.find(|sid| !is_taken(sid)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(folder: &str, account: &str, region: &str) -> Grant {
        Grant {
            bucket: "arn:aws:s3:::b".to_owned(),
            objects: format!("arn:aws:s3:::b/{folder}AWSLogs/{account}/*"),
            account: account.to_owned(),
            source: format!("arn:aws:logs:{region}:{account}:*"),
        }
    }

    fn statements(policy: &str) -> Vec<Value> {
        let policy: Value = serde_json::from_str(policy).unwrap();
        policy["Statement"].as_array().unwrap().clone()
    }

    #[test]
    fn a_bucket_without_a_policy_gets_aws_s() {
        let policy = merged(None, &grant("", "123456789012", "us-east-1")).unwrap();
        let policy: Value = serde_json::from_str(&policy).unwrap();
        assert_eq!(policy["Id"], "AWSLogDeliveryWrite20150319");
        let write = &policy["Statement"][0];
        assert_eq!(write["Sid"], "AWSLogDeliveryWrite");
        assert_eq!(write["Resource"], json!(["arn:aws:s3:::b/AWSLogs/123456789012/*"]));
        assert_eq!(write["Condition"]["StringEquals"]["s3:x-amz-acl"], "bucket-owner-full-control");
        assert_eq!(policy["Statement"][1]["Resource"], json!(["arn:aws:s3:::b"]));
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_was_there_stays_and_nothing_is_there_twice() {
        let foreign = r#"{"Version":"2008-10-17","Statement":{"Sid":"AWSLogDeliveryWrite","Effect":"Deny","NotPrincipal":{"AWS":"*"},"NotAction":"s3:Get*","Resource":"arn:aws:s3:::b/*"}}"#;
        let first = merged(Some(foreign), &grant("", "123456789012", "us-east-1")).unwrap();
        let all = statements(&first);
        assert_eq!(all[0]["NotAction"], "s3:Get*");
        assert_eq!(all[1]["Sid"], "AWSLogDeliveryWrite1");
        assert_eq!(all.len(), 3);
        assert!(first.contains("2008-10-17"));
        assert_eq!(merged(Some(&first), &grant("", "123456789012", "us-east-1")).unwrap(), first);

        let more = merged(Some(&first), &grant("x/", "123456789012", "eu-west-1")).unwrap();
        let all = statements(&more);
        assert_eq!(all.len(), 3, "one statement for two folders and two regions");
        assert_eq!(all[1]["Resource"].as_array().unwrap().len(), 2);
        assert_eq!(all[2]["Condition"]["ArnLike"]["aws:SourceArn"].as_array().unwrap().len(), 2);

        let other = merged(Some(&more), &grant("", "210987654321", "us-east-1")).unwrap();
        assert_eq!(statements(&other).len(), 5, "another account has statements of its own");
    }

    #[test]
    fn many_folders_are_the_whole_bucket_and_no_policy_grows_without_end() {
        let mut policy = None;
        for n in 0..500 {
            let next =
                merged(policy.as_deref(), &grant(&format!("folder-{n}/"), "123456789012", "us-east-1"));
            policy = Some(next.unwrap());
        }
        let policy = policy.unwrap();
        assert_eq!(statements(&policy)[0]["Resource"], json!(["arn:aws:s3:::b/*"]));
        assert!(policy.len() < 2000, "{}", policy.len());

        let long = "x".repeat(MAX_BYTES);
        let full = format!(r#"{{"Version":"2012-10-17","Id":"{long}","Statement":[]}}"#);
        assert_eq!(merged(Some(&full), &grant("", "123456789012", "us-east-1")), Err(TooLarge));
    }
}
