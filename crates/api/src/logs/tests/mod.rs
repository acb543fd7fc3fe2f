//! CloudWatch Logs over the whole endpoint: what a client sees.

mod destinations;
mod faults;
mod filters;
mod permissions;
mod queries;
mod story;

use crate::testing::{Client, Reply, START, World};
use serde_json::{Value, json};

fn logs(client: &Client<'_>, action: &str, members: Value) -> Reply {
    client.json("logs", action, members)
}

/// A world with the group `/vpc/flow` and in it the stream `eni-1-all`.
fn world() -> World {
    let world = World::new();
    let root = world.root();
    logs(&root, "CreateLogGroup", json!({"logGroupName": "/vpc/flow"})).ok();
    logs(&root, "CreateLogStream", json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all"})).ok();
    world
}

/// Puts one event a second, the last of them now, whose messages are numbers.
fn put(world: &World, stream: &str, numbers: std::ops::Range<i64>) -> Value {
    let first = world.now().0 - (numbers.end - numbers.start - 1) * 1000;
    let at = |n: i64| first + (n - numbers.start) * 1000;
    let events: Vec<Value> =
        numbers.clone().map(|n| json!({"timestamp": at(n), "message": n.to_string()})).collect();
    let batch = json!({"logGroupName": "/vpc/flow", "logStreamName": stream, "logEvents": events});
    logs(&world.root(), "PutLogEvents", batch).ok().json()
}

/// The messages of an answer.
fn messages(answer: &Value) -> Vec<i64> {
    let events = answer["events"].as_array().unwrap();
    events.iter().map(|event| event["message"].as_str().unwrap().parse().unwrap()).collect()
}

/// `given` with the members of `more`.
fn with(given: &Value, more: Value) -> Value {
    let mut all = given.clone();
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// All pages of an action, as SDK paginators fetch them: until there is no
/// token, or the one that was sent comes back.
fn pages(client: &Client<'_>, action: &str, members: &Value, token_member: &str) -> Vec<Value> {
    let (mut pages, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = logs(client, action, with(members, json!({ "nextToken": token }))).ok().json();
        let next = page[token_member].clone();
        pages.push(page);
        if next.is_null() || next == token {
            return pages;
        }
        token = next;
    }
}
