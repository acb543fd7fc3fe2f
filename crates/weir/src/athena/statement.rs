//! One statement from its text to its outcome.

use super::catalog::Seen;
use super::data::{Files, Format, Shape};
use super::output::{self, Place};
use super::{blocking, ddl, show};
use futures_util::StreamExt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use weir_api::Services;
use weir_api::athena::engine::Job;
use weir_control::athena::execution::{Outcome, ResultColumn, Statistics};
use weir_control::athena::prepared_statement;
use weir_query::athena::{self, Planned, QueryError, TableInfo};
use weir_query::datafusion::arrow::record_batch::RecordBatch;
use weir_query::ddl::{self as sql, Statement};

/// Runs a statement.
pub async fn execute(services: &Arc<Services>, job: &Arc<Job>) -> Result<Outcome, QueryError> {
    let seen = Seen { services: services.clone(), caller: job.caller.clone() };
    let execution = &job.execution;
    // awswrangler quotes it as a statement would.
    let database = execution.database.as_deref().unwrap_or_default().trim_matches('`').to_lowercase();
    let database = if database.is_empty() { "default".to_owned() } else { database };
    let wrong = |error: sql::SyntaxError| QueryError::user(1000, "SYNTAX_ERROR", error.to_string());
    match sql::parse(&execution.query).map_err(wrong)? {
        Statement::Query(text) => {
            let text = athena::with_parameters(&text, &execution.parameters)?;
            select(&seen, job, &database, &text).await
        }
        Statement::Execute { name, parameters } => {
            let (own, of) = (seen.clone(), job.clone());
            let kept = blocking(move || {
                let call = own.caller.call(&own.services);
                let found = call.transact(|cx| prepared_statement::get(cx, &of.execution.work_group, &name));
                found.map_err(super::catalog::failed)
            });
            let given = if parameters.is_empty() { &execution.parameters } else { &parameters };
            let text = athena::with_parameters(&kept.await?.query, given)?;
            select(&seen, job, &database, &text).await
        }
        Statement::Explain { query, .. } => {
            let planned = athena::plan(Arc::new(seen.clone()), &database, &query).await?;
            let mut lines = vec!["Query Plan".to_owned()];
            lines.extend(planned.explain()?.lines().map(str::to_owned));
            let column = show::column("Query Plan", "varchar");
            words(&seen, job, lines, vec![column], Some(0)).await
        }
        Statement::CreateView { name, or_replace, query } => {
            let planned = athena::plan(Arc::new(seen.clone()), &database, &query).await?;
            let columns = hive_columns(&planned);
            let own = seen.clone();
            blocking(move || ddl::create_view(&own, &database, &name, or_replace, &query, &columns)).await?;
            words(&seen, job, Vec::new(), Vec::new(), None).await
        }
        Statement::CreateTableAs { name, if_not_exists, properties, query, with_data } => {
            let planned = athena::plan(Arc::new(seen.clone()), &database, &query).await?;
            let folder = format!("{}tables/{}/", execution.output_folder, execution.id);
            let columns = hive_columns(&planned);
            let own = seen.clone();
            let made = blocking(move || {
                ddl::table_of_query(&own, &database, &name, if_not_exists, &properties, &columns, &folder)
            });
            let Some((table, format, keys)) = made.await? else {
                return words(&seen, job, Vec::new(), Vec::new(), None).await;
            };
            let location = table.1.location().unwrap_or_default().to_owned();
            let (outcome, parts) =
                write(&seen, job, &planned, &location, format, keys, None, with_data).await?;
            blocking(move || ddl::keep_table(&seen, &table.0, &table.1, &parts)).await?;
            Ok(outcome)
        }
        Statement::Unload { query, to, properties } => {
            let planned = athena::plan(Arc::new(seen.clone()), &database, &query).await?;
            let (format, keys) = Format::of_properties(&properties)?;
            let (own, target) = (seen.clone(), to.clone());
            blocking(move || ddl::must_be_empty(&own, &target)).await?;
            Ok(write(&seen, job, &planned, &to, format, keys, None, true).await?.0)
        }
        Statement::Insert { table, columns, query } => {
            let (own, of) = (seen.clone(), database.clone());
            let target = blocking(move || ddl::insert_target(&own, &of, &table)).await?;
            let query = if columns.is_empty() { query } else { in_order(&columns, &target, &query)? };
            let planned = athena::plan(Arc::new(seen.clone()), &database, &query).await?;
            let keys = target.keys.iter().map(|(name, _)| name.clone()).collect();
            let format = Format::of_table(&target)?;
            let (outcome, parts) =
                write(&seen, job, &planned, &target.location, format, keys, Some(&target), true).await?;
            blocking(move || ddl::add_found(&seen, &target, &parts)).await?;
            Ok(outcome)
        }
        other => {
            let (own, of) = (seen.clone(), job.clone());
            let done = blocking(move || ddl::apply(&own, &of, &database, other)).await?;
            words(&seen, job, done.lines, done.columns, done.update_count).await
        }
    }
}

/// A query whose columns are named by a list, as one with all columns of the
/// table; those that the list leaves out are NULL.
fn in_order(columns: &[String], target: &TableInfo, query: &str) -> Result<String, QueryError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let known: Vec<&str> = target.columns.iter().chain(&target.keys).map(|(name, _)| name.as_str()).collect();
    let given: Vec<String> = columns.iter().map(|name| name.to_lowercase()).collect();
    for (place, name) in given.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let text = format!("Insert column name does not exist in target table: {name}");
            return Err(QueryError::user(1006, "COLUMN_NOT_FOUND", text));
        }
        if given.iter().take(place).any(|other| other == name) {
            let text = format!("Insert column name is specified more than once: {name}");
            return Err(QueryError::user(1000, "DUPLICATE_COLUMN_NAME", text));
        }
    }
    let values = known
        .iter()
        .map(|name| if given.iter().any(|given| given == name) { quoted(name) } else { "NULL".to_owned() });
    let values = values.collect::<Vec<_>>().join(", ");
    let names = given.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    Ok(format!("SELECT {values} FROM ({}) AS given({names})", query.trim_end().trim_end_matches(';')))
}

fn hive_columns(planned: &Planned) -> Vec<(String, String)> {
    let fields = planned.schema.fields().iter();
    fields.map(|field| (field.name().to_lowercase(), athena::hive_type(field.data_type()))).collect()
}

fn columns(planned: &Planned) -> Vec<ResultColumn> {
    let columns = planned.columns.iter().cloned().map(|column| ResultColumn {
        name: column.name,
        data_type: column.data_type,
        precision: column.precision,
        scale: column.scale,
    });
    columns.collect()
}

/// What a query has read so far.
fn statistics(planned: &Planned, planning_ms: i64, begun: Instant) -> Statistics {
    Statistics {
        scanned_bytes: planned.scanned.bytes.load(Ordering::Relaxed),
        input_rows: planned.scanned.rows.load(Ordering::Relaxed),
        planning_ms,
        engine_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
        ..Statistics::default()
    }
}

/// A query's rows as CSV.
async fn select(seen: &Seen, job: &Arc<Job>, database: &str, text: &str) -> Result<Outcome, QueryError> {
    let begun = Instant::now();
    let (own, location) = (seen.clone(), job.execution.output_location.clone());
    let place = blocking(move || Place::of(&own, &location)).await?;
    let planned = athena::plan(Arc::new(seen.clone()), database, text).await?;
    let planning_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let limit = cutoff(seen, job).await?;
    let mut stream = planned.stream().await?;
    // One thread writes while the next rows are made; only `None` makes what it wrote an object.
    let (sender, mut batches) = tokio::sync::mpsc::channel::<Option<RecordBatch>>(4);
    let (own, names) = (seen.clone(), planned.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>());
    let writing = tokio::task::spawn_blocking(move || -> Result<(u64, u64), QueryError> {
        let mut file = own.store()?.write().map_err(QueryError::internal)?;
        let header =
            names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>();
        let (mut text, mut rows) = (header.join(",") + "\n", 0);
        loop {
            let Some(next) = batches.blocking_recv() else { return Ok((0, 0)) };
            let Some(batch) = next else { break };
            rows += batch.num_rows() as u64;
            for row in 0..batch.num_rows() {
                athena::write_row(&batch, row, &mut text);
            }
            file.write_all(text.as_bytes()).map_err(QueryError::internal)?;
            text.clear();
        }
        file.write_all(text.as_bytes()).map_err(QueryError::internal)?;
        let size = file.size();
        place.finish(&own, file, "application/octet-stream")?;
        place.with(".metadata").put(&own, b"", "application/octet-stream")?;
        Ok((rows, size))
    });
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| planned.error(&error))?;
        let scanned = planned.scanned.bytes.load(Ordering::Relaxed);
        if limit.is_some_and(|limit| scanned > limit) {
            let message = "Query cancelled! : Bytes scanned limit was exceeded".to_owned();
            return Err(QueryError { category: 2, kind: 1000, message });
        }
        if sender.send(Some(batch)).await.is_err() {
            break;
        }
    }
    sender.send(None).await.ok();
    let (rows, bytes) = writing.await.map_err(QueryError::internal)??;
    let told = statistics(&planned, planning_ms, begun);
    Ok(Outcome {
        columns: columns(&planned),
        update_count: Some(0),
        statistics: Statistics { output_rows: rows, output_bytes: bytes, ..told },
    })
}

/// `BytesScannedCutoffPerQuery` of the workgroup.
async fn cutoff(seen: &Seen, job: &Arc<Job>) -> Result<Option<u64>, QueryError> {
    let (own, group) = (seen.clone(), job.execution.work_group.clone());
    blocking(move || {
        let call = own.caller.call(&own.services);
        let found = call.transact(|cx| weir_control::athena::work_group::get(cx, &group));
        let limit = found.map_err(super::catalog::failed)?.configuration.bytes_scanned_cutoff_per_query;
        Ok(limit.and_then(|limit| u64::try_from(limit).ok()))
    })
    .await
}

/// A statement whose result is lines.
async fn words(
    seen: &Seen,
    job: &Arc<Job>,
    lines: Vec<String>,
    columns: Vec<ResultColumn>,
    update_count: Option<i64>,
) -> Result<Outcome, QueryError> {
    let (own, location) = (seen.clone(), job.execution.output_location.clone());
    let output_rows = lines.len() as u64;
    let output_bytes = blocking(move || output::text(&own, &location, &lines)).await?;
    let statistics = Statistics { output_rows, output_bytes, ..Statistics::default() };
    Ok(Outcome { columns, update_count, statistics })
}

/// Writes a query's rows as files of a table; gives the partitions that got some.
#[expect(clippy::too_many_arguments, reason = "three statements write in one way")]
async fn write(
    seen: &Seen,
    job: &Arc<Job>,
    planned: &Planned,
    location: &str,
    format: Format,
    keys: Vec<String>,
    target: Option<&athena::TableInfo>,
    with_data: bool,
) -> Result<(Outcome, Vec<Vec<String>>), QueryError> {
    let begun = Instant::now();
    let folder = format!("{}/", location.trim_end_matches('/'));
    let shape = Shape::new(seen, &folder, &job.execution.id, format, keys, target, planned)?;
    let (sender, mut batches) = tokio::sync::mpsc::channel::<Option<RecordBatch>>(4);
    let (own, of) = (seen.clone(), job.clone());
    // As in `select`.
    let writing = tokio::task::spawn_blocking(move || -> Result<_, QueryError> {
        let mut files = Files::new(&own, &shape)?;
        loop {
            let Some(next) = batches.blocking_recv() else {
                return Err(QueryError::internal("the query has ended before its rows"));
            };
            let Some(batch) = next else { break };
            files.add(&batch)?;
        }
        let (rows, parts, written) = files.finish()?;
        let output = format!("{}{}-manifest.csv", of.execution.output_folder, of.execution.id);
        let manifest = Place::of(&own, &output)?;
        let lines: String = written.iter().map(|name| format!("{name}\n")).collect();
        manifest.put(&own, lines.as_bytes(), "application/octet-stream")?;
        Ok((rows, parts, manifest.location()))
    });
    if with_data {
        let mut stream = planned.stream().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| planned.error(&error))?;
            if sender.send(Some(batch)).await.is_err() {
                break;
            }
        }
    }
    sender.send(None).await.ok();
    let (rows, parts, manifest) = writing.await.map_err(QueryError::internal)??;
    let told = statistics(planned, 0, begun);
    let statistics = Statistics { output_rows: rows, manifest: Some(manifest), ..told };
    let update_count = Some(i64::try_from(rows).unwrap_or(i64::MAX));
    Ok((Outcome { columns: Vec::new(), update_count, statistics }, parts))
}
