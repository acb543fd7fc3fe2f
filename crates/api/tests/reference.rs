//! `docs/reference/api.md` is made from the services' `ACTIONS` tables, what the
//! actions' own files say they do and refuse, and `src/<service>/differences.txt`.
//!
//! `UPDATE=1 cargo test -p weir-api --test reference` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use weir_api::{athena, cloudwatch, ec2, firehose, glue, iam, logs, sts, weir};

struct Service {
    /// Its folder below `src`.
    folder: &'static str,
    title: &'static str,
    note: &'static str,
    actions: Vec<&'static str>,
}

fn services() -> [Service; 9] {
    let service = |folder, title, note, actions: Vec<&'static str>| Service { folder, title, note, actions };
    [
        service(
            "ec2",
            "EC2",
            "Query protocol, version 2016-11-15. Every parameter of AWS's model is read, but for those that are \
             refused (`UnsupportedOperation`); any other is `UnknownParameter`. `DryRun`, filters with wildcards, \
             tags on creation, `MaxResults` and `NextToken` work wherever the model has them.",
            ec2::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "iam",
            "IAM",
            "Query protocol, version 2010-05-08. `Marker` and `MaxItems` work wherever the model has them.",
            iam::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "sts",
            "STS",
            "Query protocol, version 2011-06-15.",
            sts::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "logs",
            "CloudWatch Logs",
            "JSON 1.1, target `Logs_20140328`. `limit` and `nextToken` work wherever the model has them.",
            logs::ACTIONS.iter().map(|action| action.name).chain([logs::start_live_tail::NAME]).collect(),
        ),
        service(
            "cloudwatch",
            "CloudWatch",
            "Signed for `monitoring`. RPC v2 CBOR, JSON 1.0 (target `GraniteServiceVersion20100801`) or the query \
             protocol, version 2010-08-01. Metrics and metric alarms.",
            cloudwatch::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "athena",
            "Athena",
            "JSON 1.1, target `AmazonAthena`. `MaxResults` and `NextToken` work wherever the model has them. Results \
             are objects of the S3 of this endpoint.",
            athena::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "glue",
            "Glue",
            "JSON 1.1, target `AWSGlue`: the data catalog, as far as clients of Athena use it.",
            glue::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "firehose",
            "Firehose",
            "JSON 1.1, `Firehose_20150804`. Direct-put streams to S3 and to HTTP endpoints; other destinations are \
             `InvalidArgumentException`.",
            firehose::ACTIONS.iter().map(|action| action.name).collect(),
        ),
        service(
            "weir",
            "Weir",
            "JSON 1.1, target `Weir_20261101`, signed for the service `weir`: what AWS has no action for. `weir attach`, \
             `detach` and `interfaces` call them.",
            weir::ACTIONS.iter().map(|action| action.name).collect(),
        ),
    ]
}

fn page() -> String {
    let services = services();
    let count: usize = services.iter().map(|service| service.actions.len()).sum();
    let mut page = format!(
        "<!-- Made from the actions; to write it anew: UPDATE=1 cargo test -p weir-api --test reference -->\n\
         \n\
         # Actions\n\
         \n\
         The {count} actions of `weir serve`, and what each does otherwise than AWS on purpose. An action that is \
         not here is `InvalidAction` or `UnknownOperationException`. What several actions share, and why, is in \
         [Exceptions](../exceptions.md).\n"
    );
    for service in services {
        let mut differences = differences(&service);
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\n| Action | What it does | Otherwise than AWS |\n|---|---|---|\n",
            service.title, service.note
        );
        for action in &service.actions {
            let source = std::fs::read_to_string(file(service.folder, action)).unwrap_or_default();
            let what = summary(&source, action);
            let mut otherwise: Vec<String> = refused(&source);
            otherwise.extend(differences.remove(*action).unwrap_or_default());
            let cell = |text: String| text.replace('|', "\\|");
            let _ = writeln!(page, "| `{action}` | {} | {} |", cell(what), cell(otherwise.join(" ")));
        }
        let unknown: Vec<&String> = differences.keys().collect();
        assert!(unknown.is_empty(), "{}: differences of no action: {unknown:?}", service.folder);
    }
    page
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// `src/ec2/create_vpc.rs`
fn file(folder: &str, action: &str) -> PathBuf {
    let mut name = String::new();
    for letter in action.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    source_folder().join(folder).join(name).with_extension("rs")
}

/// What stands above `run`, else in the first paragraph of the file after the
/// action's name.
fn summary(source: &str, action: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let run = lines.iter().position(|line| line.starts_with("pub fn run")).unwrap_or(0);
    let above: Vec<&str> =
        lines[..run].iter().rev().map_while(|line| line.strip_prefix("///")).map(str::trim).collect();
    let mut text: Vec<&str> = above.into_iter().rev().take_while(|line| !line.is_empty()).collect();
    if text.is_empty() {
        let head = lines.iter().map_while(|line| line.strip_prefix("//!"));
        text = head.map(str::trim).take_while(|line| !line.is_empty()).collect();
    }
    let text = text.join(" ");
    let text = text.strip_prefix(action).unwrap_or(&text).trim_start_matches([':', '.', ' ']);
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + letters.as_str()
}

/// The parameters that the action refuses: the texts in calls of
/// `unsupported::refuse`, named there or by a list above.
fn refused(source: &str) -> Vec<String> {
    let texts = |list: &str| -> Vec<String> {
        list.split('"').skip(1).step_by(2).map(|name| format!("`{name}`")).collect()
    };
    let mut found = Vec::new();
    for call in source.split("unsupported::refuse(").skip(1) {
        let arguments = call.split(")?").next().unwrap_or_default();
        let (_, list) = arguments.split_once(',').unwrap_or_default();
        let list = list.trim().trim_end_matches(',');
        let named = list.strip_prefix('&').and_then(|name| {
            let (_, rest) = source.split_once(&format!("let {name} = ["))?;
            rest.split(']').next()
        });
        found.extend(texts(named.unwrap_or(list)));
    }
    found.sort();
    found.dedup();
    if found.is_empty() { Vec::new() } else { vec![format!("Refused: {}.", found.join(", "))] }
}

/// `Action, Action: what differs`; `*` stands for any run of letters.
fn differences(service: &Service) -> BTreeMap<String, Vec<String>> {
    let path = source_folder().join(service.folder).join("differences.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (names, what) = line.split_once(": ").unwrap_or_else(|| panic!("no action in: {line}"));
        for name in names.split(", ") {
            let hits: Vec<&&str> = match name.split_once('*') {
                Some((start, end)) => {
                    service.actions.iter().filter(|a| a.starts_with(start) && a.ends_with(end)).collect()
                }
                None => service.actions.iter().filter(|action| **action == name).collect(),
            };
            assert!(!hits.is_empty(), "{}/differences.txt: no action {name}", service.folder);
            for action in hits {
                found.entry((*action).to_owned()).or_default().push(what.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_page_lists_every_action() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/api.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/api.md is old: UPDATE=1 cargo test -p weir-api --test reference"
    );
}

#[test]
fn every_action_says_what_it_does() {
    for service in services() {
        for action in &service.actions {
            let source = std::fs::read_to_string(file(service.folder, action));
            let source = source.unwrap_or_else(|_| panic!("{action} has no file of its own name"));
            let what = summary(&source, action);
            let is_said = what.chars().next().is_some_and(char::is_alphabetic);
            assert!(is_said, "{action}: no text above run, nor after its name at the file's top: {what}");
        }
    }
}

#[test]
fn refused_parameters_are_found_in_both_forms() {
    let source = "let ipam = [\"B\", \"A\"];\n unsupported::refuse(params, &ipam)?;\n\
                  unsupported::refuse(\n params,\n &[\"C\"],\n)?;";
    assert_eq!(refused(source), ["Refused: `A`, `B`, `C`."]);
    assert_eq!(refused("nothing"), Vec::<String>::new());
}
