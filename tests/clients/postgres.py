"""A PostgreSQL of one's own, from the installed package: a temporary folder, a
socket in it, no network."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading


def programs():
    """The newest of Debian's, else those on the path; None if there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not found and shutil.which("initdb"):
        found = [os.path.dirname(shutil.which("initdb"))]
    return found[-1] if found else None


class Postgres:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-pg-")
        self.who = {}
        # PostgreSQL refuses to run as root.
        if os.geteuid() == 0:
            names = [user.pw_name for user in pwd.getpwall()]
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            # A server that root starts gives up the right to enter others' folders.
            os.chmod(self.folder, 0o755)
            self.who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = os.path.join(self.folder, "data")
        initdb = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "weir", "-D", data]
        subprocess.run([f"{programs()}/initdb", *initdb], check=True, capture_output=True, cwd=self.folder, **self.who)
        self.url = f"postgres://weir@/postgres?host={self.folder}"
        self.start()

    def start(self):
        data = os.path.join(self.folder, "data")
        self.process = subprocess.Popen(
            [f"{programs()}/postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            **self.who,
        )
        assert any("ready to accept" in line for line in self.process.stderr)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def crash(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def stop(self):
        self.crash()
        shutil.rmtree(self.folder)
