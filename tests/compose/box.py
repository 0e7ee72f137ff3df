"""A Docker daemon in namespaces of its own (box.sh), for a test to run `docker compose` in."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

# Of the machine's own environment nothing, least of all a stack that other tests have.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def why_not():
    """Why no box can be made on this machine; empty when it can."""
    for program in ["unshare", "nsenter", "setpriv", "mmdebstrap", "apt-get"]:
        if not shutil.which(program):
            return f"no {program} here"
    probe = ("mount -t tmpfs t /mnt && cd /mnt && mkdir l u w m && "
             "mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w m")
    tried = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-ec", probe],
                           capture_output=True, text=True, check=False)
    if tried.returncode:
        return "no namespaces, or no overlay file system, for this user: " + tried.stderr.strip()
    cgroups = pathlib.Path("/proc/cgroups").read_text(encoding="ascii")
    missing = [name for name in ["cpu", "devices", "memory", "pids"] if name + "\t" not in cgroups]
    if missing:
        return f"the kernel has no cgroup {', '.join(missing)}"
    if not pathlib.Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    return ""


def remove_group(group, patience_s=10):
    end = time.monotonic() + patience_s
    while True:
        try:
            return os.rmdir(group)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Box:
    """Made with its daemon running; close() ends all that is in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-box-")
        self.process = subprocess.Popen(
            # However the test ends, the box ends with it.
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
             "--kill-child", "--propagation", "private",
             "sh", str(HERE / "box.sh"), self.folder, str(ROOT)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        network = self.process.stdout.readline().strip()
        if not network:
            self.close()
            raise RuntimeError("the box did not come up; its words are above")
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        init = children.read_text(encoding="ascii").split()[0]
        # Its mounts and processes, then the network that only its own numbers name.
        self.enter = ["nsenter", "--target", init, "--mount", "--pid",
                      "nsenter", f"--net=/proc/{network}/ns/net",
                      "sh", "-c", 'cd "$0" && exec "$@"', str(ROOT)]

    def run(self, command, timeout=60, check=True):
        """The command, a list or a line of shell, run in the box at the tree's place; what it
        printed, both streams. With check=False (status, output)."""
        words = ["sh", "-euc", command] if isinstance(command, str) else command
        done = subprocess.run(self.enter + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False,
                              env=ENVIRONMENT)
        output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout)
        if not check:
            return done.returncode, output
        if done.returncode:
            raise AssertionError(f"{command}\nended with {done.returncode}:\n{output[-6000:]}")
        return output

    def close(self):
        """Ends the first process, and with it every other of the box."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        pathlib.Path(self.folder).rmdir()
        # The kernel keeps the groups that containers were in; they empty as these end.
        name = pathlib.Path(self.folder).name
        groups = pathlib.Path("/sys/fs/cgroup")
        for top in [*groups.glob(f"*/{name}"), groups / name]:
            for group, _, _ in os.walk(top, topdown=False):
                remove_group(group)
