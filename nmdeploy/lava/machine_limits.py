"""Whether this machine can hold all processes, threads and channels of a Lava program."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

import psutil

from nmdeploy.errors import BackendError

FILES_PER_CHANNEL, FILES_PER_PROCESS = 2, 6  # open in the process that starts Lava; measured with lava-nc 0.10.0
THREADS_PER_CHANNEL, THREADS_PER_PROCESS = 2, 3
# By how much the proportional set size of all processes together (psutil) grows with each one more, lava-nc 0.10.0 on
# Linux: 7 MiB in a chain of 4 to 36 small dense layers, 12 MiB of convolutions, 16 MiB where each of 12 cores sends to
# each of 12 others. Rounded up.
BYTES_PER_PROCESS = 20 * 2**20
OTHER_FILES = 100


@dataclass(frozen=True)
class Needs:
    """What a Lava program takes of the machine.

    Attributes
    ----------
    processes : int
        Lava processes, each of which becomes one of the operating system.
    connections : int
        Between their ports.
    """

    processes: int
    connections: int

    @property
    def channels(self) -> int:
        """Connections, and those of Lava's own with each process."""
        return self.connections + 2 * self.processes + 2

    @property
    def threads(self) -> int:
        """Threads of all processes together."""
        return THREADS_PER_CHANNEL * self.channels + THREADS_PER_PROCESS * self.processes

    @property
    def open_files(self) -> int:
        """Of the process that starts Lava."""
        return FILES_PER_CHANNEL * self.channels + FILES_PER_PROCESS * self.processes + OTHER_FILES

    @property
    def memory_bytes(self) -> int:
        """About what the processes take beyond what they share."""
        return BYTES_PER_PROCESS * self.processes


def require_machine(needs: Needs, way_out: str) -> None:
    """Refuse a Lava program that this machine cannot hold; raises the soft limit of open files where that helps.

    Parameters
    ----------
    needs : Needs
    way_out : str
        What the user can do instead.

    Raises
    ------
    BackendError
        Names each limit that is too low.
    """
    lacking = []
    if needs.threads > (threads := _thread_limit()):
        lacking.append(f"{needs.threads:,} threads, of which {threads:,} are allowed (ulimit -u, pids.max)")
    if needs.open_files > (files := _open_files(needs.open_files)):
        lacking.append(f"{needs.open_files:,} open files, of which {files:,} are allowed (ulimit -n)")
    if needs.memory_bytes > (memory := psutil.virtual_memory().available):
        lacking.append(f"about {needs.memory_bytes >> 20:,} MiB of memory, of which {memory >> 20:,} are free")
    if lacking:
        raise BackendError(
            f"{needs.processes:,} Lava processes with {needs.channels:,} channels need {'; '.join(lacking)}. {way_out}"
        )


def _open_files(wanted: int) -> int:
    """Number of files that may be open, after the soft limit has been raised to `wanted` if that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted and (hard == resource.RLIM_INFINITY or wanted <= hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft >= wanted else hard


def _thread_limit() -> int:
    limits = [_number(Path("/proc/sys/kernel/threads-max")), _number(Path("/sys/fs/cgroup/pids.max"))]
    of_user = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if of_user != resource.RLIM_INFINITY and os.geteuid() != 0:  # root may exceed it
        limits.append(of_user)
    return min((limit for limit in limits if limit is not None), default=2**63)


def _number(path: Path) -> int | None:
    """The number in a file of the system; None if there is no such file, or no limit ("max")."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
