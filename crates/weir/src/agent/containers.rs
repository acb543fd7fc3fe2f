//! Whose network namespace it is: containers of Docker and containerd, and the
//! ECS task that their labels name. For the fields `ecs-…`.
//!
//! ```text
//! /var/lib/docker/containers/ID/config.v2.json, hostconfig.json
//! /run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json, init.pid
//! ```
//!
//! Only files are read, nobody is asked. Containers are matched by the inode of
//! their namespace: by its file, by the container whose namespace they join, or
//! by their process, which takes CAP_SYS_PTRACE. What cannot be read is unknown.
//! What was found stays with an interface, as its container may end first.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weir_capture::netns::id_of;
use weir_flow::surroundings::Task;
use weir_types::id::EniId;
use weir_types::orders::Attachment;

/// Where containers are described.
#[derive(Debug, Clone)]
pub struct Roots {
    pub docker: PathBuf,
    pub containerd: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            docker: "/var/lib/docker/containers".into(),
            containerd: "/run/containerd/io.containerd.runtime.v2.task".into(),
        }
    }
}

/// The tasks of interfaces, as far as they are known.
#[derive(Debug)]
pub struct Containers {
    roots: Roots,
    known: BTreeMap<EniId, Arc<Task>>,
}

/// One container that runs.
#[derive(Debug)]
struct Container {
    id: String,
    /// When it started; in this form later is greater.
    started: String,
    labels: HashMap<String, String>,
    /// The inode of its namespace.
    netns: Option<u64>,
}

impl Containers {
    pub fn new(roots: Roots) -> Self {
        Self { roots, known: BTreeMap::new() }
    }

    /// Looks for the containers of interfaces in other namespaces whose are not
    /// known yet, and forgets those of interfaces that are gone.
    pub fn learn<'a>(&mut self, attachments: impl Iterator<Item = &'a Attachment>) {
        let all: Vec<&Attachment> = attachments.collect();
        self.known.retain(|id, _| all.iter().any(|attachment| attachment.interface == *id));
        let unknown = |attachment: &&&Attachment| !self.known.contains_key(&attachment.interface);
        let wanted: Vec<(&EniId, u64)> = all
            .iter()
            .filter(unknown)
            .filter_map(|attachment| Some((&attachment.interface, id_of(attachment.netns.as_deref()?)?)))
            .collect();
        if wanted.is_empty() {
            return;
        }
        let mut of_namespace: HashMap<u64, Vec<Container>> = HashMap::new();
        for container in docker(&self.roots.docker).into_iter().chain(containerd(&self.roots.containerd)) {
            if let Some(netns) = container.netns {
                of_namespace.entry(netns).or_default().push(container);
            }
        }
        let tasks: HashMap<u64, Arc<Task>> = of_namespace
            .into_iter()
            .filter_map(|(netns, containers)| Some((netns, Arc::new(task_of(containers)?))))
            .collect();
        for (interface, netns) in wanted {
            if let Some(task) = tasks.get(&netns) {
                self.known.insert(interface.clone(), task.clone());
            }
        }
    }

    pub fn of(&self, interface: &EniId) -> Option<Arc<Task>> {
        self.known.get(interface).cloned()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerConfig {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    state: DockerState,
    #[serde(default)]
    config: DockerLabels,
    #[serde(default)]
    network_settings: DockerNetwork,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct DockerState {
    pid: u32,
    started_at: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct DockerLabels {
    labels: Option<HashMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct DockerNetwork {
    sandbox_key: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct DockerHost {
    network_mode: String,
}

/// A file's contents as JSON; `None` where that is not what it is.
fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn folders(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn namespace_of(pid: u32) -> Option<u64> {
    id_of(&format!("/proc/{pid}/ns/net"))
}

fn docker(root: &Path) -> Vec<Container> {
    let mut containers = Vec::new();
    let mut joins: Vec<(usize, String)> = Vec::new();
    for folder in folders(root) {
        let Some(found) = json::<DockerConfig>(&folder.join("config.v2.json")) else { continue };
        if found.state.pid == 0 {
            continue;
        }
        let sandbox = Some(found.network_settings.sandbox_key).filter(|path| path.starts_with('/'));
        let mode = json::<DockerHost>(&folder.join("hostconfig.json")).unwrap_or_default().network_mode;
        // The host's own namespace is no container's.
        if mode == "host" {
            continue;
        }
        if let Some(other) = mode.strip_prefix("container:") {
            joins.push((containers.len(), other.to_owned()));
        }
        let netns = sandbox.and_then(|path| id_of(&path)).or_else(|| namespace_of(found.state.pid));
        containers.push(Container {
            id: found.id,
            started: found.state.started_at,
            labels: found.config.labels.unwrap_or_default(),
            netns,
        });
    }
    for (at, other) in joins {
        let netns = containers.iter().find(|container| container.id == other).and_then(|it| it.netns);
        if let Some(container) = containers.get_mut(at) {
            container.netns = container.netns.or(netns);
        }
    }
    containers
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    annotations: HashMap<String, String>,
    #[serde(default)]
    linux: BundleLinux,
}

#[derive(Deserialize, Default)]
struct BundleLinux {
    #[serde(default)]
    namespaces: Vec<BundleNamespace>,
}

#[derive(Deserialize)]
struct BundleNamespace {
    #[serde(rename = "type")]
    kind: String,
    path: Option<String>,
}

fn containerd(root: &Path) -> Vec<Container> {
    let mut containers = Vec::new();
    // Docker's own are in the namespace `moby`; it describes them itself.
    let namespaces = folders(root).filter(|folder| folder.file_name().is_some_and(|name| name != "moby"));
    for folder in namespaces.flat_map(|namespace| folders(&namespace)) {
        let Some(bundle) = json::<Bundle>(&folder.join("config.json")) else { continue };
        let Some(id) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let pid_file = folder.join("init.pid");
        let Some(pid) = fs::read_to_string(&pid_file).ok().and_then(|text| text.trim().parse().ok()) else {
            continue;
        };
        // Without a network namespace of its own it has the host's.
        let Some(own) = bundle.linux.namespaces.into_iter().find(|namespace| namespace.kind == "network")
        else {
            continue;
        };
        let started = fs::metadata(&pid_file).and_then(|data| data.modified()).ok();
        let since = started.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
        let path = own.path.filter(|path| !path.is_empty());
        containers.push(Container {
            id: id.to_owned(),
            started: format!("{:020}", since.as_nanos()),
            labels: bundle.annotations,
            netns: path.and_then(|path| id_of(&path)).or_else(|| namespace_of(pid)),
        });
    }
    containers
}

const ECS: &str = "com.amazonaws.ecs.";

impl Container {
    fn ecs(&self, key: &str) -> Option<&str> {
        self.labels.get(&format!("{ECS}{key}")).map(String::as_str).filter(|value| is_word(value))
    }

    /// One that only holds the namespace for the others.
    fn is_pause(&self) -> bool {
        self.ecs("container-name").is_some_and(|name| name.starts_with("~internal~"))
            || self.labels.get("io.kubernetes.cri.container-type").is_some_and(|kind| kind == "sandbox")
    }
}

/// A value is one word of a record.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text != "-" && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What the containers of one namespace say together; `None` if there is none.
///
/// Source of the labels: ECS developer guide, "Amazon ECS container agent
/// configuration"; of the ARNs: service authorization reference, "Amazon ECS".
fn task_of(mut containers: Vec<Container>) -> Option<Task> {
    containers.sort_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
    let ids = |pause: bool| containers.iter().filter(move |it| it.is_pause() == pause && is_word(&it.id));
    let mut shown = ids(false).chain(ids(true).filter(|_| ids(false).next().is_none()));
    let mut task = Task {
        container_id: shown.next()?.id.clone(),
        second_container_id: shown.next().map(|second| second.id.clone()).unwrap_or_default(),
        ..Task::default()
    };
    let label = |key: &str| containers.iter().find_map(|container| container.ecs(key));
    let Some(arn) = label("task-arn") else { return Some(task) };
    task.task_arn = arn.to_owned();
    // arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID, or task/ID of old.
    let Some((before, resource)) = arn.split_once(":task/") else { return Some(task) };
    let (of_arn, id) = resource.rsplit_once('/').unwrap_or(("", resource));
    task.task_id = id.to_owned();
    let cluster = label("cluster").map_or(of_arn, |cluster| cluster.rsplit('/').next().unwrap_or(cluster));
    if !cluster.is_empty() {
        task.cluster_name = cluster.to_owned();
        task.cluster_arn = format!("{before}:cluster/{cluster}");
    }
    if let (Some(family), Some(version)) = (label("task-definition-family"), label("task-definition-version"))
    {
        task.task_definition_arn = format!("{before}:task-definition/{family}:{version}");
    }
    Some(task)
}

#[cfg(test)]
#[path = "containers_tests.rs"]
mod tests;
