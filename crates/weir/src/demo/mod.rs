//! `weir demo`: the whole way of a record in half a minute.
//!
//! Starts `weir serve` on a free port with a temporary data folder, makes a
//! network of three namespaces and a VPC to go with it, sends real traffic,
//! shows the records as they arrive and compares them with what was sent.
//! Whatever happens, it removes what it made.

mod cloud;
mod lab;
mod process;
mod show;
mod traffic;

use crate::client::Client;
use crate::commands::HintExt;
use crate::home::Home;
use anyhow::{Context, Result, bail};
use cloud::Cloud;
use lab::{Lab, Names};
use process::ServerProcess;
use show::Row;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A line on the standard output; a reader that has gone is an error, not a panic.
macro_rules! say {
    ($($text:tt)*) => {
        writeln!(std::io::stdout(), $($text)*).context("nobody reads the demo's output any more")?
    };
}

/// Pings before and after the ACL's deny.
const PINGS: (u64, u64) = (4, 4);

/// How often new records are looked for.
const LOOK: Duration = Duration::from_millis(200);

/// What the user may choose.
pub struct Options {
    /// Leave everything running at the end until interrupted.
    pub keep: bool,
    /// Length of a capture window in seconds.
    pub interval_s: u32,
}

/// Runs the demo; an error if a record is not what it should be.
pub async fn run(options: &Options) -> Result<()> {
    weir_capture::Capture::probe().hint("run it as root: sudo make demo")?;
    tokio::select! {
        // The signals first: none may end this process once there is something to remove.
        biased;
        signal = crate::server::interrupted() => {
            eprintln!("\n{signal}: removing everything that was made");
            Ok(())
        }
        done = story(options) => done,
    }
}

async fn story(options: &Options) -> Result<()> {
    let folder =
        tempfile::Builder::new().prefix("weir-demo-").tempdir().context("cannot make a temporary folder")?;
    let home = Home::at(folder.path().join("data"));
    say!("Starting weir serve, a network of three namespaces, and a VPC to go with it …");
    let mut server = ServerProcess::start(&home, options.interval_s).await?;
    let lab = Lab::build()?;
    let key = home.read_root_access_key()?;
    let client = Client::new(&server.url, &server.region, &key.access_key_id, &key.secret_access_key);
    let cloud = Cloud::build(client, lab.names()).await.with_context(|| server.last_words())?;
    say!(
        "Endpoint {} · flow log {} · windows of {} s\n\n{}",
        server.url,
        cloud.flow_log,
        options.interval_s,
        show::head()
    );

    let mut watch = Watch { cloud: &cloud, rows: Vec::new() };
    sleep_until_next_window(options.interval_s).await;
    send(&lab, "TCP 22 …", traffic::ssh).await?;
    send(&lab, "TCP 3389 …", |lab| traffic::knock(lab, 3389)).await?;
    send(&lab, "TCP 8080 …", |lab| traffic::knock(lab, 8080)).await?;
    send(&lab, "UDP 123 …", traffic::ntp).await?;
    watch.until_next_window(options.interval_s).await?;
    let answered = ping(&lab, &cloud).await?;
    watch.until_next_window(options.interval_s).await?;
    watch.until_complete(options.interval_s).await.with_context(|| server.last_words())?;

    let (total, before) = (PINGS.0 + PINGS.1, PINGS.0);
    if answered != before {
        bail!("{answered} of {total} pings were answered, {before} should have been");
    }
    say!("");
    let checks = show::compare(&watch.rows, &cloud.db_eni, total, before);
    for check in &checks {
        say!("{} {:<66} {}", if check.right { "✓" } else { "✗" }, check.sent, check.recorded);
    }
    say_how_to_go_on(&home, &cloud, &server, options.keep).await?;
    if checks.iter().any(|check| !check.right) {
        bail!("some records are not what was sent (marked ✗)");
    }
    if options.keep {
        say!("\nEverything stays as it is until you press Ctrl-C.");
        server.wait().await?;
    }
    Ok(())
}

/// Runs blocking traffic away from the async threads. It gets the names only:
/// the namespaces go at the demo's end, whoever is still at work in them.
async fn send(
    lab: &Lab,
    what: &'static str,
    work: impl FnOnce(&Names) -> Result<()> + Send + 'static,
) -> Result<()> {
    let lab = lab.names().clone();
    tokio::task::spawn_blocking(move || work(&lab))
        .await?
        .with_context(|| what.trim_end_matches(" …").to_owned())
}

/// Pings, denies the replies half-way, pings on; how many were answered.
async fn ping(lab: &Lab, cloud: &Cloud) -> Result<u64> {
    let lab = lab.names().clone();
    let mut pinger = tokio::task::spawn_blocking(move || traffic::Pinger::new(&lab)).await??;
    let mut answered = 0;
    for number in 0..PINGS.0 + PINGS.1 {
        if number == PINGS.0 {
            cloud.deny_ping_replies().await?;
        }
        let (back, reply) = tokio::task::spawn_blocking(move || {
            let reply = pinger.ping();
            (pinger, reply)
        })
        .await?;
        pinger = back;
        answered += u64::from(reply?);
    }
    Ok(answered)
}

/// The records seen so far, printed as they come.
struct Watch<'a> {
    cloud: &'a Cloud,
    rows: Vec<Row>,
}

impl Watch<'_> {
    async fn look(&mut self) -> Result<()> {
        for eni in [&self.cloud.web_eni, &self.cloud.db_eni] {
            let seen = self.rows.iter().filter(|row| row.interface() == eni).count();
            for line in self.cloud.records(eni).await?.iter().skip(seen) {
                let row =
                    Row::read(line).with_context(|| format!("not a record of the demo's format: {line}"))?;
                say!("{}", row.line());
                self.rows.push(row);
            }
        }
        Ok(())
    }

    async fn until_next_window(&mut self, interval_s: u32) -> Result<()> {
        let mut left = until_next_window(interval_s);
        while !left.is_zero() {
            tokio::time::sleep(left.min(LOOK)).await;
            self.look().await?;
            left = left.saturating_sub(LOOK);
        }
        Ok(())
    }

    /// Looks until every check holds, at most two windows and ten seconds more.
    async fn until_complete(&mut self, interval_s: u32) -> Result<()> {
        let (total, before) = (PINGS.0 + PINGS.1, PINGS.0);
        let looks = (u64::from(interval_s) * 2 + 10) * 1000 / LOOK.as_millis() as u64;
        for _ in 0..looks {
            self.look().await?;
            if show::compare(&self.rows, &self.cloud.db_eni, total, before).iter().all(|check| check.right) {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

fn until_next_window(interval_s: u32) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let interval_ms = u64::from(interval_s.max(1)) * 1000;
    let into = (now.as_millis() % u128::from(interval_ms)) as u64;
    // A little after the boundary, so that what follows is surely in the new window.
    Duration::from_millis(interval_ms - into + 100)
}

async fn sleep_until_next_window(interval_s: u32) {
    tokio::time::sleep(until_next_window(interval_s)).await;
}

async fn say_how_to_go_on(home: &Home, cloud: &Cloud, server: &ServerProcess, keep: bool) -> Result<()> {
    let command = format!(
        "aws logs get-log-events --log-group-name {} --log-stream-name {} --query 'events[].message' --output text",
        cloud::LOG_GROUP,
        cloud::stream(&cloud.web_eni)
    );
    say!("\nThe same records with the AWS CLI:\n  {command}");
    if let Some(said) = process::aws_cli(home, &server.url, &server.region, &command).await {
        for line in said.trim_end().split(['\n', '\t']) {
            say!("  {line}");
        }
    }
    if !keep {
        say!(
            "\nThe endpoint was {}; with --keep it stays. Your own: weir serve, then eval \"$(weir env)\"",
            server.url
        );
        return Ok(());
    }
    say!(
        "\nThe endpoint is {} (account {}). Point any AWS client at it:\n  eval \"$({} env --data-dir {})\"",
        server.url,
        cloud.account_id,
        std::env::current_exe().map_or_else(|_| "weir".into(), |path| path.display().to_string()),
        home.path().display()
    );
    Ok(())
}
