"""Two hosts on this machine: network namespaces with an SSH server each, on a bridge that leads nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SSHD = """
ListenAddress {address}
HostKey {folder}/host
AuthorizedKeysFile {folder}/ada.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
"""
NETS = ("198.51.100", "203.0.113", "192.0.2")
"""For documentation only (RFC 5737); a machine may have one of them all the same, and then another is taken."""


@dataclass(frozen=True)
class Hosts:
    """Their addresses, and how they are logged in to."""

    folder: Path
    tag: str
    net: str

    @property
    def addresses(self):
        return [f"{self.net}.{number}" for number in (11, 12)]

    @property
    def options(self):
        return {
            "hosts": self.addresses,
            "client_keys": [str(self.folder / "ada")],
            "known_hosts": str(self.folder / "known_hosts"),
            "username": "root",
        }

    def namespace(self, number: int) -> str:
        return f"{self.tag}-{number}"

    def processes(self, number: int) -> list[str]:
        """The command lines in a host, but for its SSH server's."""
        pids = _said("ip", "netns", "pids", self.namespace(number)).split()
        lines = [_line(pid) for pid in pids]
        return [line for line in lines if line and "sshd" not in line]

    def kill(self, number: int) -> None:
        """All that runs there, its SSH server too."""
        for pid in _said("ip", "netns", "pids", self.namespace(number)).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


@contextmanager
def running(folder: Path) -> Iterator[Hosts]:
    """Both hosts until the block is left."""
    folder.mkdir(mode=0o700)
    Path("/run/sshd").mkdir(exist_ok=True)
    for key in ("host", "ada"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key))
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    taken = _said("ip", "-4", "addr") + _said("ip", "-4", "route")
    hosts = Hosts(folder, f"sf{os.getpid() % 100000}", next(net for net in NETS if f"{net}." not in taken))
    (folder / "known_hosts").write_text("".join(f"{address} {public}\n" for address in hosts.addresses))
    with ExitStack() as made:
        _bridge(hosts, made)
        for number, address in enumerate(hosts.addresses):
            made.enter_context(_host(hosts, number, address))
        yield hosts


def _bridge(hosts: Hosts, made: ExitStack) -> None:
    name = f"{hosts.tag}b"
    _run("ip", "link", "add", name, "type", "bridge")
    made.callback(_run, "ip", "link", "del", name)
    _run("ip", "addr", "add", f"{hosts.net}.1/24", "dev", name)
    _run("ip", "link", "set", name, "up")


@contextmanager
def _host(hosts: Hosts, number: int, address: str) -> Iterator[None]:
    namespace, cable = hosts.namespace(number), f"{hosts.tag}v{number}"
    _run("ip", "netns", "add", namespace)
    try:
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _run("ip", "link", "set", cable, "master", f"{hosts.tag}b", "up")
        inside = ("ip", "-n", namespace)
        _run(*inside, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run(*inside, "link", "set", device, "up")
        with _sshd(hosts, namespace, address):
            yield
    finally:
        hosts.kill(number)
        _run("ip", "netns", "del", namespace)


@contextmanager
def _sshd(hosts: Hosts, namespace: str, address: str) -> Iterator[None]:
    conf = hosts.folder / f"{namespace}.conf"
    conf.write_text(SSHD.format(folder=hosts.folder, address=address))
    with (hosts.folder / f"{namespace}.log").open("wb") as log:
        words = ["ip", "netns", "exec", namespace, "/usr/sbin/sshd", "-D", "-e", "-f", str(conf)]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while b"Server listening" not in (hosts.folder / f"{namespace}.log").read_bytes():
            assert time.monotonic() < deadline, (hosts.folder / f"{namespace}.log").read_text()
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def _line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
