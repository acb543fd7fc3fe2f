//! The demo's server: this same binary as `weir serve`, ended when dropped.

use crate::home::Home;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

/// How long the server may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct ServerProcess {
    child: tokio::process::Child,
    log: PathBuf,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    pub region: String,
}

impl ServerProcess {
    /// Starts `weir serve` on a free port and waits until it is ready.
    pub async fn start(home: &Home, interval_s: u32) -> Result<Self> {
        home.create()?;
        let log = home.path().join("serve.log");
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            // Ended by a signal that leaves it no time: nothing may stay.
            .args(["serve", "--no-pin", "--listen", "127.0.0.1:0", "--interval"])
            .arg(interval_s.to_string())
            .arg("--data-dir")
            .arg(home.path())
            .env_remove("WEIR_ROOT_ACCESS_KEY_ID")
            .env_remove("WEIR_ROOT_SECRET_ACCESS_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            // A signal of the terminal is for the demo, which then ends the server.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start weir serve")?;
        let stdout = child.stdout.take().context("weir serve has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line.contains("ready") {
                    return Ok(());
                }
            }
            bail!("weir serve ended before it was ready")
        };
        let words = || std::fs::read_to_string(&log).unwrap_or_default();
        tokio::time::timeout(PATIENCE, ready)
            .await
            .context("weir serve is not ready")?
            .with_context(words)?;
        // Nobody reads what it says later; the pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let endpoint = home.read_endpoint()?;
        Ok(Self { child, log, url: endpoint.url, region: endpoint.region })
    }

    /// The end of the server's log, for an error message.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("weir serve said last:\n{}", lines[lines.len().saturating_sub(8)..].join("\n"))
    }

    /// Waits until the server ends.
    pub async fn wait(&mut self) -> Result<()> {
        self.child.wait().await?;
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let Some(id) = self.child.id() else { return };
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).process_group(0).status();
        let ends = std::time::Instant::now() + PATIENCE;
        while asked.is_ok() && std::time::Instant::now() < ends {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // kill_on_drop does the rest.
    }
}

/// Runs an `aws …` command line against the server, if there is an AWS CLI.
pub async fn aws_cli(home: &Home, url: &str, region: &str, command: &str) -> Option<String> {
    let key = home.read_root_access_key().ok()?;
    let output = tokio::process::Command::new("sh")
        .args(["-c", command])
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", region)
        .env("AWS_DEFAULT_REGION", region)
        .env("AWS_ACCESS_KEY_ID", key.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
        .env("AWS_PAGER", "")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .await
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
