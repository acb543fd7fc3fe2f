//! Containers are files here, and so are their namespaces: only the inode counts.

use super::*;
use serde_json::{Value, json};
use weir_types::orders::{Mode, Side};

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, path: &str, contents: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// A file with an inode of its own.
    fn namespace(&self, name: &str) -> String {
        self.write(name, "");
        self.path(name).to_str().unwrap().to_owned()
    }

    fn docker(&self, id: &str, started: &str, sandbox: &str, mode: &str, labels: Value) {
        let config = json!({
            "ID": id,
            // A process that is not there: its namespace cannot be looked at.
            "State": { "Pid": 4_194_305, "StartedAt": started, "Running": true },
            "Config": { "Labels": labels },
            "NetworkSettings": { "SandboxKey": sandbox },
        });
        self.write(&format!("docker/{id}/config.v2.json"), &config.to_string());
        self.write(&format!("docker/{id}/hostconfig.json"), &json!({ "NetworkMode": mode }).to_string());
    }

    fn containerd(&self, id: &str, namespaces: Value, annotations: Value) {
        let config = json!({ "annotations": annotations, "linux": { "namespaces": namespaces } });
        self.write(&format!("containerd/k8s.io/{id}/config.json"), &config.to_string());
        self.write(&format!("containerd/k8s.io/{id}/init.pid"), &format!("{}\n", std::process::id()));
    }

    /// The task of an interface in a namespace.
    fn task(&self, netns: Option<&str>) -> Option<Task> {
        let roots = Roots { docker: self.path("docker"), containerd: self.path("containerd") };
        let mut containers = Containers::new(roots);
        let attachment = attachment(netns);
        containers.learn(std::iter::once(&attachment));
        containers.of(&attachment.interface).map(|task| (*task).clone())
    }
}

fn attachment(netns: Option<&str>) -> Attachment {
    Attachment {
        interface: EniId::from_random(1),
        device: "eth0".to_owned(),
        netns: netns.map(str::to_owned),
        mode: Mode::Observe,
        side: Side::Instance,
    }
}

fn ecs(name: &str, cluster: &str, arn: &str) -> Value {
    json!({
        "com.amazonaws.ecs.cluster": cluster,
        "com.amazonaws.ecs.container-name": name,
        "com.amazonaws.ecs.task-arn": arn,
        "com.amazonaws.ecs.task-definition-family": "web",
        "com.amazonaws.ecs.task-definition-version": "7",
    })
}

#[test]
fn an_ecs_task_of_docker_is_named_by_its_labels() {
    let machine = Machine::new();
    let own = machine.namespace("netns-1");
    let (cluster, arn) = ("prod", "arn:aws:ecs:eu-west-1:123456789010:task/prod/0123abcd");
    let joins = "container:aaa";
    machine.docker("aaa", "2026-11-22T10:00:00.1Z", &own, "none", ecs("~internal~ecs~pause", cluster, arn));
    machine.docker("ccc", "2026-11-22T10:00:03Z", "", joins, ecs("log", cluster, arn));
    machine.docker("bbb", "2026-11-22T10:00:02Z", "", joins, ecs("app", cluster, arn));
    let text = |text: &str| text.to_owned();
    let expected = Task {
        cluster_arn: text("arn:aws:ecs:eu-west-1:123456789010:cluster/prod"),
        cluster_name: text("prod"),
        container_id: text("bbb"),
        second_container_id: text("ccc"),
        task_definition_arn: text("arn:aws:ecs:eu-west-1:123456789010:task-definition/web:7"),
        task_arn: text(arn),
        task_id: text("0123abcd"),
    };
    assert_eq!(machine.task(Some(&own)), Some(expected));
    // Another namespace, the agent's own, and one that is not there.
    let other = machine.namespace("netns-2");
    assert_eq!(machine.task(Some(&other)), None);
    assert_eq!(machine.task(None), None);
    assert_eq!(machine.task(Some("/nope/net")), None);
}

#[test]
fn other_forms_of_names_and_damaged_files() {
    for (cluster, arn, name, id, cluster_arn) in [
        (
            "arn:aws:ecs:us-east-1:1:cluster/dev",
            "arn:aws:ecs:us-east-1:1:task/9f",
            "dev",
            "9f",
            "arn:aws:ecs:us-east-1:1:cluster/dev",
        ),
        ("", "arn:aws-cn:ecs:cn-north-1:1:task/b/9f", "b", "9f", "arn:aws-cn:ecs:cn-north-1:1:cluster/b"),
        ("dev", "no arn", "", "", ""),
        ("two words", "arn:aws:ecs:us-east-1:1:task/9f", "", "9f", ""),
    ] {
        let machine = Machine::new();
        let own = machine.namespace("netns");
        machine.docker("aaa", "1", &own, "bridge", ecs("app", cluster, arn));
        machine.write("docker/bad/config.v2.json", "{");
        machine.write("docker/stray", "");
        let task = machine.task(Some(&own)).unwrap();
        assert_eq!((task.cluster_name.as_str(), task.task_id.as_str()), (name, id), "{arn}");
        assert_eq!(task.cluster_arn, cluster_arn, "{arn}");
        assert_eq!(task.container_id, "aaa");
    }
    // No task, but a container; and one that has the host's namespace.
    let machine = Machine::new();
    let own = machine.namespace("netns");
    machine.docker("aaa", "1", &own, "bridge", Value::Null);
    assert_eq!(machine.task(Some(&own)), Some(Task { container_id: "aaa".to_owned(), ..Task::default() }));
    machine.docker("aaa", "1", &own, "host", Value::Null);
    assert_eq!(machine.task(Some(&own)), None);
}

#[test]
fn containerd_by_the_namespace_s_file_or_the_process() {
    let machine = Machine::new();
    let own = machine.namespace("cni-1");
    let arn = "arn:aws:ecs:eu-west-1:123456789010:task/prod/77";
    let sandbox = json!({ "io.kubernetes.cri.container-type": "sandbox" });
    machine.containerd("pause", json!([{ "type": "network", "path": own }]), sandbox);
    let namespaces = json!([{ "type": "mount" }, { "type": "network", "path": own }]);
    machine.containerd("app", namespaces, ecs("app", "prod", arn));
    machine.containerd("host", json!([{ "type": "mount" }]), json!({}));
    let task = machine.task(Some(&own)).unwrap();
    assert_eq!((task.container_id.as_str(), task.task_id.as_str()), ("app", "77"));
    assert_eq!(task.second_container_id, "");
    // This process is the container's first.
    machine.containerd("lone", json!([{ "type": "network" }]), json!({}));
    assert_eq!(machine.task(Some("/proc/self/ns/net")).unwrap().container_id, "lone");
}

#[test]
fn what_was_found_stays_until_the_interface_goes() {
    let machine = Machine::new();
    let own = machine.namespace("netns");
    machine.docker("aaa", "1", &own, "bridge", Value::Null);
    let mut containers =
        Containers::new(Roots { docker: machine.path("docker"), containerd: machine.path("containerd") });
    let attachment = attachment(Some(&own));
    containers.learn(std::iter::once(&attachment));
    fs::remove_dir_all(machine.path("docker")).unwrap();
    containers.learn(std::iter::once(&attachment));
    assert!(containers.of(&attachment.interface).is_some());
    containers.learn(std::iter::empty());
    assert!(containers.of(&attachment.interface).is_none());
}
