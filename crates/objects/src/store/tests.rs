//! The store, on a folder of the test's own.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.create_bucket(&bucket("b", "111111111111")).unwrap();
    (folder, store)
}

fn bucket(name: &str, account: &str) -> Bucket {
    Bucket {
        name: name.into(),
        account: account.into(),
        region: "us-east-1".into(),
        created_ms: 5,
        policy: None,
        tags: None,
    }
}

fn written(store: &Store, text: &str) -> Written {
    let name = Store::new_name().unwrap();
    fs::write(store.new_file(&name).unwrap(), text).unwrap();
    let etag = hex::encode(<md5::Md5 as md5::Digest>::digest(text));
    Written { name, size: text.len() as u64, etag }
}

fn put(store: &Store, key: &str, text: &str) {
    let file = written(store, text);
    store.put_object("b", key, &file, &Head::default(), &Unless::Never, 7).unwrap();
}

fn files(store: &Store) -> usize {
    let shards = fs::read_dir(store.folder.join("files")).unwrap();
    shards.map(|shard| fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn buckets_have_one_owner_and_go_only_when_empty() {
    let (_folder, store) = store();
    for (account, expected) in [
        (
            "111111111111",
            "Your previous request to create the named bucket succeeded and you already own it.",
        ),
        ("222222222222", "The requested bucket name is not available."),
    ] {
        let error = store.create_bucket(&bucket("b", account)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    put(&store, "k", "v");
    assert!(matches!(store.delete_bucket("b"), Err(Error::BucketNotEmpty)));
    let wanted = [("k".into(), Unless::Never), ("never".into(), Unless::Never)];
    assert!(store.delete_objects("b", &wanted).unwrap().iter().all(Result::is_ok));
    let upload = store.create_upload("b", "k", &Head::default(), 1).unwrap();
    let part = written(&store, "part");
    let part = Part {
        number: 1,
        file: part.name,
        size: 4,
        etag: part.etag,
        modified_ms: 1,
        checksums: BTreeMap::new(),
    };
    store.put_part("b", "k", &upload, &part).unwrap();
    store.delete_bucket("b").unwrap();
    assert_eq!((files(&store), store.buckets("111111111111").unwrap().len()), (0, 0));
    assert!(matches!(store.object("b", "k"), Err(Error::NoSuchBucket)));
}

#[test]
fn an_object_replaces_another_with_its_file_and_conditions_hold() {
    let (_folder, store) = store();
    put(&store, "k", "one");
    put(&store, "k", "two");
    let object = store.object("b", "k").unwrap();
    assert_eq!(fs::read_to_string(store.path(&object.file)).unwrap(), "two");
    assert_eq!(files(&store), 1);
    for (key, unless, is_right) in [
        ("k", Unless::Exists, false),
        ("new", Unless::Exists, true),
        ("k", Unless::NotEtag("other".into()), false),
        ("gone", Unless::NotEtag("other".into()), false),
        ("k", Unless::NotEtag(object.etag.clone()), true),
    ] {
        let file = written(&store, "three");
        let done = store.put_object("b", key, &file, &Head::default(), &unless, 8);
        assert_eq!(done.is_ok(), is_right, "{key} {unless:?}");
    }
    // What failed left no file.
    assert_eq!(files(&store), 2);
}

#[test]
fn an_opened_object_is_whole_whatever_is_written_meanwhile() {
    let (_folder, store) = store();
    put(&store, "k", "0");
    std::thread::scope(|scope| {
        scope.spawn(|| (1..60).for_each(|n| put(&store, "k", &"x".repeat(n))));
        for _ in 0..200 {
            let (object, file) = store.open_object("b", "k").unwrap();
            assert_eq!(std::io::read_to_string(file).unwrap().len() as u64, object.size);
        }
    });
    let (_, file) = store.open_object("b", "k").unwrap();
    store.delete_objects("b", &[("k".into(), Unless::Missing)]).unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap().len(), 59);
    assert!(matches!(store.open_object("b", "k"), Err(Error::NoSuchKey)));
    assert!(matches!(store.open_object("c", "k"), Err(Error::NoSuchBucket)));
}

#[test]
fn what_a_crash_leaves_is_removed_at_the_next_start() {
    let (folder, store) = store();
    put(&store, "k", "one");
    written(&store, "never put");
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(files(&store), 1);
    assert_eq!(store.object("b", "k").unwrap().size, 3);
}

#[test]
fn uploads_are_put_together_in_order() {
    let (_folder, store) = store();
    let upload = store.create_upload("b", "k", &Head::default(), 1).unwrap();
    let large = "x".repeat(5 << 20);
    for (number, text) in [(2, "end"), (1, "again"), (1, large.as_str())] {
        let file = written(&store, text);
        let checksums = BTreeMap::from([("CRC32".into(), format!("sum {number}"))]);
        let part =
            Part { number, file: file.name, size: file.size, etag: file.etag, modified_ms: 1, checksums };
        store.put_part("b", "k", &upload, &part).unwrap();
    }
    let complete = |wanted: &[(i32, Option<String>)]| {
        let wanted = wanted.iter().cloned();
        let wanted: Vec<_> =
            wanted.map(|(number, etag)| Wanted { number, etag, ..Wanted::default() }).collect();
        store.complete_upload("b", "k", &upload, &wanted, &Unless::Never, 9)
    };
    let damaged =
        Wanted { number: 1, etag: None, checksums: BTreeMap::from([("CRC32".into(), "sum 2".into())]) };
    let done = store.complete_upload("b", "k", &upload, &[damaged], &Unless::Never, 9);
    assert!(matches!(done, Err(Error::InvalidPart)));
    assert!(matches!(complete(&[(2, None), (1, None)]), Err(Error::InvalidPartOrder)));
    assert!(matches!(complete(&[(1, None), (3, None)]), Err(Error::InvalidPart)));
    assert!(matches!(complete(&[(1, Some("00".into()))]), Err(Error::InvalidPart)));
    let done = complete(&[(1, None), (2, None)]).unwrap();
    assert!(done.etag.ends_with("-2"), "{}", done.etag);
    let object = store.object("b", "k").unwrap();
    assert_eq!(fs::read_to_string(store.path(&object.file)).unwrap(), large + "end");
    assert_eq!((files(&store), object.head.parts), (1, Some(2)));
    assert!(matches!(complete(&[(1, None)]), Err(Error::NoSuchUpload)));
    assert!(matches!(store.abort_upload("b", "k", &upload), Err(Error::NoSuchUpload)));
}

/// What S3 says a listing is, over a plain set.
fn oracle(keys: &BTreeSet<String>, page: &Page) -> (Vec<String>, bool) {
    let mut names: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(&page.prefix)) {
        let rest = &key[page.prefix.len()..];
        let delimiter = page.delimiter.as_deref().unwrap_or_default();
        let name = match rest.find(delimiter) {
            Some(at) if !delimiter.is_empty() => &key[..page.prefix.len() + at + delimiter.len()],
            _ => key,
        };
        if name > page.after.as_str() && names.last().is_none_or(|last| last != name) {
            names.push(name.to_owned());
        }
    }
    let more = names.len() > page.max;
    names.truncate(page.max);
    (names, more)
}

#[test]
fn pages_of_listings_are_those_of_a_plain_set() {
    let (_folder, store) = store();
    let keys: BTreeSet<String> = [
        "a", "a/", "a/b", "a/b/c", "a/b/d", "a/é", "a0", "b/1", "b/2", "b/2/x", "c//d", "ab", "z", "日本/1",
        "日本/2",
    ]
    .map(str::to_owned)
    .into();
    keys.iter().for_each(|key| put(&store, key, key));
    let mut pages = 0;
    for prefix in ["", "a", "a/", "a/b", "b/", "c/", "日", "nothing"] {
        for delimiter in [None, Some("/"), Some("b")] {
            for max in [1, 2, 3, 100] {
                let mut page = Page {
                    prefix: prefix.into(),
                    delimiter: delimiter.map(str::to_owned),
                    after: "".into(),
                    max,
                };
                loop {
                    let (found, more) = store.list("b", &page).unwrap();
                    let names: Vec<String> = found.iter().map(|listed| listed.name().to_owned()).collect();
                    assert_eq!((names.clone(), more), oracle(&keys, &page), "{page:?}");
                    pages += 1;
                    match names.last() {
                        Some(last) if more => page.after.clone_from(last),
                        _ => break,
                    }
                }
            }
        }
    }
    assert!(pages > 200, "{pages}");
}

#[test]
fn a_store_of_the_first_version_is_read() {
    let (folder, store) = store();
    let upload = store.create_upload("b", "k", &Head::default(), 1).unwrap();
    let file = written(&store, "x");
    let sql = "ALTER TABLE part DROP COLUMN checksums; PRAGMA user_version = 1";
    store.lock().execute_batch(sql).unwrap();
    let sql = format!("INSERT INTO part VALUES ('{upload}', 1, '{}', 1, '{}', 1)", file.name, file.etag);
    store.lock().execute_batch(&sql).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = Store::open(folder.path()).unwrap();
        assert!(store.parts("b", "k", &upload).unwrap()[0].checksums.is_empty());
    }
}

#[test]
fn a_head_comes_back_as_it_was() {
    let (_folder, store) = store();
    let head = Head {
        content_type: Some("text/plain".into()),
        metadata: BTreeMap::from([("k".into(), "ü".into())]),
        tags: BTreeMap::from([("t".into(), "".into())]),
        ..Head::default()
    };
    let file = written(&store, "x");
    store.put_object("b", "k", &file, &head, &Unless::Never, 7).unwrap();
    assert_eq!(store.object("b", "k").unwrap().head, head);
    let tags = BTreeMap::from([("other".into(), "\"ü".into())]);
    store.set_tags("b", "k", &tags).unwrap();
    assert_eq!(store.object("b", "k").unwrap().head, Head { tags: tags.clone(), ..head });
    assert!(matches!(store.set_tags("b", "other", &tags), Err(Error::NoSuchKey)));
    assert!(matches!(store.set_policy("other", None), Err(Error::NoSuchBucket)));
}
