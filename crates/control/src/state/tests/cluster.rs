//! A PostgreSQL of one's own, from the installed package: a temporary folder, a
//! socket in it, no network. Root lends it the user `postgres` or `nobody`,
//! because PostgreSQL refuses to run as root.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    server: Option<Child>,
}

impl Cluster {
    /// `None`, said visibly, if there is no PostgreSQL here.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: the tests on PostgreSQL need the package postgresql");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let user = is_root.then(|| user().expect("a user postgres or nobody"));
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let mut cluster = Self { folder, programs, user, server: None };
        let mut initdb = cluster.command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "weir", "-D"]);
        let done = initdb.arg(cluster.folder.path().join("data")).output().unwrap();
        assert!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        cluster.run();
        Some(cluster)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Starts the server and waits until it answers.
    pub fn run(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
        command.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"]);
        let mut server = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("ready to accept"));
        assert!(ready, "PostgreSQL did not start");
        std::thread::spawn(move || lines.count());
        self.server = Some(server);
    }

    /// Ends the server as a crash would: connections are cut.
    pub fn crash(&mut self) {
        if let Some(mut server) = self.server.take() {
            let told = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            assert!(told.unwrap().success());
            server.wait().unwrap();
        }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://weir@/{database}?host={}", self.folder.path().display())
    }

    /// Makes an empty database; its URL.
    pub fn database(&self, name: &str) -> String {
        let mut psql = self.command("psql");
        psql.args([
            "-X",
            "-q",
            "-U",
            "weir",
            "-d",
            "postgres",
            "-c",
            &format!("CREATE DATABASE {name}"),
            "-h",
        ]);
        let done = psql.arg(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
        self.url(name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Where `initdb` and `postgres` are: the newest of Debian's, else on the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&path).chain(found);
    candidates.filter(|folder: &PathBuf| is_there(folder)).last()
}

fn is_there(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).exists())
}

/// Ids of the user and group that a cluster of root's runs as.
fn user() -> Option<(u32, u32)> {
    let known = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|wanted| {
        let line = known.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let fields: Vec<&str> = line.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    })
}
