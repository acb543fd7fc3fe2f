//! The table of operations, and lifecycle rules on a folder of the test's own.

use super::lifecycle;
use crate::store::{Bucket, Head, Setting, Store, Unless, Written};

#[test]
fn each_operation_has_an_action() {
    let source = include_str!("mod.rs");
    let table = source.split_once("operations! {").unwrap().1;
    let inputs = table.lines().filter_map(|line| Some(line.split_once(": ")?.1.split_once("Input")?.0));
    let operations: Vec<&str> = inputs.collect();
    assert!(operations.len() > 30, "{operations:?}");
    for operation in operations {
        assert!(super::access::is_known(operation), "{operation}");
    }
}

const DAY_MS: i64 = 86_400_000;

/// Puts an object of one byte, or more, at a time.
fn put(store: &Store, key: &str, size: u64, tag: &str, at_ms: i64) {
    let name = Store::new_name().unwrap();
    std::fs::write(store.new_file(&name).unwrap(), "x").unwrap();
    let mut head = Head::default();
    head.tags.insert("keep".into(), tag.into());
    let written = Written { name, size, etag: "e".into() };
    store.put_object("b", key, &written, &head, &Unless::Never, at_ms).unwrap();
}

fn rule(status: &str, filter: &str, action: &str) -> String {
    format!("<Rule><Status>{status}</Status><Filter>{filter}</Filter>{action}</Rule>")
}

#[test]
fn lifecycle_rules_take_what_has_had_its_days() {
    let days = |days: i64| format!("<Expiration><Days>{days}</Days></Expiration>");
    // Written at noon of day 10; three days end at the midnight before day 14.
    let noon = 10 * DAY_MS + DAY_MS / 2;
    let (before, after) = (14 * DAY_MS - 1, 14 * DAY_MS);
    let cases = [
        ("too early", rule("Enabled", "", &days(3)), before, "a/1 a/2 b/1"),
        ("all", rule("Enabled", "", &days(3)), after, ""),
        ("disabled", rule("Disabled", "", &days(3)), after, "a/1 a/2 b/1"),
        ("prefix", rule("Enabled", "<Prefix>a/</Prefix>", &days(3)), after, "b/1"),
        ("no such prefix", rule("Enabled", "<Prefix>A/</Prefix>", &days(3)), after, "a/1 a/2 b/1"),
        ("tag", rule("Enabled", "<Tag><Key>keep</Key><Value>no</Value></Tag>", &days(3)), after, "a/1 b/1"),
        (
            "size",
            rule("Enabled", "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>", &days(3)),
            after,
            "a/1 a/2",
        ),
        (
            "and",
            rule(
                "Enabled",
                "<And><Prefix>a/</Prefix><Tag><Key>keep</Key><Value>yes</Value></Tag></And>",
                &days(3),
            ),
            after,
            "a/2 b/1",
        ),
        (
            "two rules",
            rule("Enabled", "<Prefix>a/1</Prefix>", &days(3))
                + &rule("Enabled", "<Prefix>b/</Prefix>", &days(1)),
            after,
            "a/2",
        ),
        (
            "a date to come",
            rule("Enabled", "", "<Expiration><Date>1970-01-16T00:00:00Z</Date></Expiration>"),
            after,
            "a/1 a/2 b/1",
        ),
        (
            "a date",
            rule("Enabled", "", "<Expiration><Date>1970-01-15T00:00:00Z</Date></Expiration>"),
            after,
            "",
        ),
    ];
    for (name, rules, now_ms, left) in cases {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let bucket = Bucket {
            name: "b".into(),
            account: "111111111111".into(),
            region: "us-east-1".into(),
            created_ms: 0,
            policy: None,
            tags: None,
        };
        store.create_bucket(&bucket).unwrap();
        put(&store, "a/1", 5, "yes", noon);
        put(&store, "a/2", 5, "no", noon);
        put(&store, "b/1", 6, "yes", noon);
        let upload = store.create_upload("b", "a/upload", &Head::default(), noon).unwrap();
        let rules = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
        store.set_setting("b", Setting::Lifecycle, Some(&rules)).unwrap();
        let count = lifecycle::run(&store, now_ms).unwrap();
        let found: Vec<&str> =
            ["a/1", "a/2", "b/1"].into_iter().filter(|key| store.object("b", key).is_ok()).collect();
        assert_eq!(found.join(" "), left, "{name}");
        assert_eq!(count, 3 - found.len(), "{name}");

        let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
        let rules =
            format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rule("Enabled", "", abort));
        store.set_setting("b", Setting::Lifecycle, Some(&rules)).unwrap();
        assert_eq!(lifecycle::run(&store, before).unwrap(), 0, "{name}");
        assert_eq!(lifecycle::run(&store, after).unwrap(), 1, "{name}");
        assert!(store.abort_upload("b", "a/upload", &upload).is_err(), "{name}");
    }
}
