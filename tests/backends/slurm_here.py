"""A SLURM of two virtual nodes on this machine: its own folder, its own ports on loopback, and munge's own key and socket."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.ports import free_ports

CONF = """
ClusterName=satflow
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=2048 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=1024 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n2 Default=NO MaxTime=INFINITE State=UP
"""


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """SLURM in that folder until the block is left; `SLURM_CONF` has to name its `slurm.conf`."""
    folder.mkdir(mode=0o755)
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    ports = free_ports(3)
    user = "root" if os.getuid() == 0 else os.environ["USER"]
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(folder=folder, host=socket.gethostname().split(".")[0], ports=ports, user=user))
    (folder / "gres.conf").write_text("NodeName=n2 Name=gpu File=/dev/null\n")
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--{name}-file={folder}/munge.{name}" for name in ("pid", "log", "seed")]
    with ExitStack() as daemons:
        daemons.enter_context(_daemon(munge, folder))
        _until(lambda: (folder / "munge.socket").exists(), folder)
        daemons.enter_context(_daemon(["slurmctld", "-i", "-D", "-f", str(conf)], folder))
        for node in ("n1", "n2"):
            daemons.enter_context(_daemon(["slurmd", "-D", "-f", str(conf), "-N", node], folder))
        _until(lambda: said("sinfo", "-h", "-N", "-o", "%N %T").count("idle") >= 2, folder)
        yield folder
        said("scancel", "--me")
        _until(lambda: not said("squeue", "-h"), folder)


def said(*words: str) -> str:
    """What one of SLURM's commands writes."""
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout


@contextmanager
def _daemon(words: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{words[0]}-{words[-1].rpartition('/')[2]}.log").open("wb") as log:
        daemon = subprocess.Popen(
            ["/usr/bin/env", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _until(done, folder: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "".join(log.read_text(errors="replace") for log in folder.glob("*.log"))
        time.sleep(0.1)
