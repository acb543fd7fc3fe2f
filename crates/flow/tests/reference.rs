//! `docs/reference/fields.md` is made from the table of fields.
//!
//! `UPDATE=1 cargo test -p weir-flow --test reference` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use weir_flow::field::{Family, Field, Kind};
use weir_flow::format::LogFormat;

fn page() -> String {
    let mut page = String::from(
        "<!-- Made from crates/flow/src/field/table.rs; to write it anew: UPDATE=1 cargo test -p weir-flow --test reference -->\n\
         \n\
         # Record fields\n\
         \n\
         Every field that a flow log record can have. **Field** is the name in a LogFormat (`${srcaddr}`) and in the \
         header line of a text file; **Column** is the name in Parquet files, in JSON and CSV output and in SQL. \
         **Type** is the type of the column in Parquet files; every column is optional.\n\
         \n\
         - A value that does not apply or is not known is `-` in text and null in Parquet and JSON. **`-`** says whether \
         that can happen.\n\
         - Fields that say something about the traffic are `-` in NODATA and SKIPDATA records; fields about the \
         interface are not.\n\
         - The version of a custom format is the highest version among its fields.\n\
         \n\
         The default format, which never grows:\n\
         \n```text\n",
    );
    page.push_str(&LogFormat::default().to_string());
    page.push_str("\n```\n");
    let versions: BTreeSet<u8> = Field::ALL.iter().map(|field| field.version()).collect();
    for version in versions {
        let fields: Vec<&Field> = Field::ALL.iter().filter(|field| field.version() == version).collect();
        let title = if version == 0 { "Weir's own".to_owned() } else { format!("Version {version}") };
        let note = if version == 0 {
            ": AWS does not have them, and they are in no default format"
        } else if fields.iter().all(|field| field.family() == Family::TransitGateway) {
            ": transit gateway flow logs only"
        } else {
            ""
        };
        let _ = write!(
            page,
            "\n## {title}{note}\n\n| Field | Column | Type | Values | `-` | Meaning |\n|---|---|---|---|---|---|\n"
        );
        for field in fields {
            let dash = if field.is_nullable() { "yes" } else { "never" };
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} | {} | {dash} | {} |",
                field.name(),
                field.column(),
                field.parquet_type().as_str(),
                values(*field),
                field.meaning(),
            );
        }
    }
    page.push_str("\nTransit gateway flow logs have, besides those of version 6: ");
    let both: Vec<String> = Field::ALL
        .iter()
        .filter(|field| field.family() == Family::Both)
        .map(|field| format!("`{field}`"))
        .collect();
    page.push_str(&both.join(", "));
    page.push_str(".\n");
    page
}

fn values(field: Field) -> String {
    match (field.kind(), field.kind().max()) {
        (Kind::Int64, _) => "0 to 2^63 - 1".to_owned(),
        (Kind::Int32, _) => "0 to 2^31 - 1".to_owned(),
        (_, Some(max)) => format!("0 to {max}"),
        (Kind::Address, _) => "IPv4 or IPv6 address".to_owned(),
        _ => "text".to_owned(),
    }
}

#[test]
fn the_page_of_fields_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/fields.md");
    let expected = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder to write to");
        std::fs::write(&path, &expected).expect("a file to write to");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/reference/fields.md is stale: UPDATE=1 cargo test -p weir-flow --test reference writes it anew"
    );
}

#[test]
fn the_page_has_every_field() {
    let page = page();
    for field in Field::ALL {
        assert!(page.contains(&format!("| `{field}` |")), "{field}");
    }
}
