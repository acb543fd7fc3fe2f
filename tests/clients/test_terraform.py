"""Terraform's AWS provider, as it is: the guide's configuration and more of
what people write, made, found unchanged, changed in place, and removed.

Needs `terraform` and the provider, from a registry or from a folder of plugins
(`WEIR_TERRAFORM_PLUGINS`); skipped with a visible line without them.
"""

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = os.path.dirname(__file__)
GUIDE = os.path.join(HERE, "..", "..", "docs", "guides", "terraform.md")
FOUND = glob.glob("/opt/*/registry.terraform.io/hashicorp/aws")
PLUGINS = os.environ.get("WEIR_TERRAFORM_PLUGINS") or (str(Path(FOUND[0]).parents[2]) if FOUND else "")
PATIENCE_S = 600


class Terraform:
    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run(
            ["terraform", *arguments, "-no-color", "-input=false"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.server.env() | {"CHECKPOINT_DISABLE": "1"},
            timeout=PATIENCE_S,
        )
        if done.returncode not in codes:
            raise AssertionError(f"terraform {' '.join(arguments)}: {done.stdout[-3000:]}{done.stderr[-6000:]}")
        return done

    def change(self, old, new):
        for path in self.folder.glob("*.tf"):
            text = path.read_text()
            if old in text:
                path.write_text(text.replace(old, new))
                return
        raise AssertionError(f"no {old!r}")


@pytest.fixture
def terraform(tmp_path, weir):
    if not shutil.which("terraform"):
        pytest.skip("SKIPPED: needs terraform")
    folder = tmp_path / "terraform"
    folder.mkdir()
    with open(GUIDE) as file:
        (folder / "main.tf").write_text("\n".join(re.findall(r"```hcl\n(.*?)```", file.read(), re.DOTALL)))
    shutil.copy(os.path.join(HERE, "terraform", "more.tf"), folder)
    terraform = Terraform(folder, weir)
    plugins = [f"-plugin-dir={PLUGINS}"] if os.path.isdir(PLUGINS) else []
    done = terraform.run("init", *plugins, codes=(0, 1))
    if "Failed to query available provider packages" in done.stderr:
        pytest.skip("SKIPPED: needs terraform's AWS provider")
    assert done.returncode == 0, done.stderr
    return terraform


def test_terraform_makes_finds_changes_and_removes(terraform, weir):
    terraform.run("apply", "-auto-approve")
    flow_logs = weir.aws("ec2", "describe-flow-logs")["FlowLogs"]
    assert len(flow_logs) == 3, flow_logs
    unchanged = terraform.run("plan", "-detailed-exitcode", codes=(0, 2))
    assert unchanged.returncode == 0, unchanged.stdout

    # In place, every one: nothing is made anew.
    terraform.change("retention_in_days = 30", "retention_in_days = 7")
    terraform.change("threshold           = 10", "threshold           = 20")
    terraform.change("from_port   = 443\n    to_port     = 443", "from_port   = 80\n    to_port     = 80")
    terraform.change("enable_dns_hostnames = true", "enable_dns_hostnames = false")
    terraform.change('cidr        = "192.0.2.0/24"', 'cidr        = "192.0.2.0/25"')
    done = terraform.run("apply", "-auto-approve")
    assert re.search(r"0 added, [56] changed, 0 destroyed", done.stdout), done.stdout[-2000:]
    group = weir.aws("logs", "describe-log-groups", "--log-group-name-prefix", "/vpc/flow")["logGroups"][0]
    assert group["retentionInDays"] == 7

    terraform.run("destroy", "-auto-approve")
    assert weir.aws("ec2", "describe-flow-logs")["FlowLogs"] == []
    groups = weir.aws("logs", "describe-log-groups")["logGroups"]
    assert groups == [], groups
