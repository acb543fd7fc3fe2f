//! `weir athena`

use super::HintExt;
use super::connect::Server;
use crate::client::{Client, ServiceError, xml_text};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::Write;

/// Ask flow logs in S3 with SQL
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Setup(Setup),
}

/// Make the tables and queries of a flow log
///
/// Makes what the template of GetFlowLogsIntegrationTemplate describes: a
/// database, a table whose partitions are projected, a workgroup and named
/// queries. What is there already stays as it is.
#[derive(Debug, clap::Args)]
struct Setup {
    /// A flow log that publishes to S3
    #[arg(value_name = "FLOW-LOG-ID")]
    flow_log: String,
    /// Folder for results [default: athena-results/ in the flow log's bucket]
    #[arg(long, value_name = "S3-URI")]
    results: Option<String>,
    /// First day of the table
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2020-01-01")]
    from: String,
    #[command(flatten)]
    server: Server,
}

pub fn run(args: &Args) -> Result<()> {
    let Command::Setup(setup) = &args.command;
    super::block_on(make(setup))
}

async fn make(setup: &Setup) -> Result<()> {
    let client = setup.server.client()?;
    let found = client.query("ec2", "DescribeFlowLogs", &[("FlowLogId.1", &setup.flow_log)]).await?;
    let bucket = xml_text(&found, "logDestination").filter(|arn| arn.starts_with("arn:aws:s3:::"));
    let bucket = bucket
        .with_context(|| format!("{} does not publish to S3", setup.flow_log))
        .hint("aws ec2 describe-flow-logs shows where a flow log publishes to")?;
    let bucket = bucket.trim_start_matches("arn:aws:s3:::").split('/').next().unwrap_or_default().to_owned();
    let results = match &setup.results {
        Some(uri) => uri.trim_start_matches("s3://").trim_end_matches('/').to_owned(),
        None => format!("{bucket}/athena-results"),
    };
    let (config, results) = (format!("arn:aws:s3:::{bucket}/"), format!("arn:aws:s3:::{results}/"));
    let first = format!("{}T00:00:00Z", setup.from);
    let integration = "IntegrateService.AthenaIntegration.1";
    let [to, frequency, start] =
        ["IntegrationResultS3DestinationArn", "PartitionLoadFrequency", "PartitionStartDate"]
            .map(|name| format!("{integration}.{name}"));
    let params = [
        ("FlowLogId", setup.flow_log.as_str()),
        ("ConfigDeliveryS3DestinationArn", &config),
        (&to, &results),
        (&frequency, "daily"),
        (&start, &first),
    ];
    let answer = client.query("ec2", "GetFlowLogsIntegrationTemplate", &params).await?;
    let template: Value = serde_json::from_str(&xml_text(&answer, "result").unwrap_or_default())
        .context("the template of GetFlowLogsIntegrationTemplate is not JSON")?;
    let resources: Vec<&Value> =
        template["Resources"].as_object().into_iter().flat_map(|all| all.values()).collect();
    let of = |kind: &'static str| {
        resources
            .iter()
            .filter(move |resource| resource["Type"] == kind)
            .map(|resource| &resource["Properties"])
    };
    let mut out = std::io::stdout().lock();
    for database in of("AWS::Glue::Database") {
        let input = json!({ "DatabaseInput": database["DatabaseInput"] });
        unless_there(&client, "glue", "CreateDatabase", &input).await?;
        writeln!(out, "database {}", text(&database["DatabaseInput"]["Name"]))?;
    }
    for table in of("AWS::Glue::Table") {
        let input = json!({ "DatabaseName": table["DatabaseName"], "TableInput": table["TableInput"] });
        unless_there(&client, "glue", "CreateTable", &input).await?;
        writeln!(out, "table {}", text(&table["TableInput"]["Name"]))?;
    }
    for group in of("AWS::Athena::WorkGroup") {
        let input = json!({ "Name": group["Name"], "Configuration": group["WorkGroupConfiguration"] });
        unless_there(&client, "athena", "CreateWorkGroup", &input).await?;
        writeln!(out, "workgroup {}", text(&group["Name"]))?;
    }
    for query in of("AWS::Athena::NamedQuery") {
        let mut input = query.clone();
        // The same token makes the same query once.
        let token = format!("weir-athena-setup-{}-{}", setup.flow_log, text(&query["Name"]));
        input["ClientRequestToken"] = json!(format!("{token:-<32}"));
        unless_there(&client, "athena", "CreateNamedQuery", &input).await?;
        writeln!(out, "query {}", text(&query["Name"]))?;
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Makes something, if it is not there.
async fn unless_there(client: &Client, service: &str, action: &str, members: &Value) -> Result<()> {
    match client.json(service, action, members).await {
        Ok(_) => Ok(()),
        Err(error) => match error.downcast_ref::<ServiceError>() {
            Some(told)
                if told.code == "AlreadyExistsException" || told.message.ends_with("already exists") =>
            {
                Ok(())
            }
            _ => Err(error),
        },
    }
}
