"""A child process that leaves nothing behind: no process, no file, no shared memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nmdeploy.lava.job import JOB_FILE, SHARED_MEMORY

OUTPUT_FILE = "output.txt"
PARENT_FOLDER_LENGTH_MAX = 50
POLL_SECONDS = 0.05
UNFINISHED_SEMAPHORE_SECONDS = 0.3
GROUP_END_SECONDS = 0.2  # killed processes go at once; zombies that nobody collects may stay
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class TimeLimitExceededError(Exception):
    """The child did not end in time."""


@contextmanager
def job_folder(shared_memory_prefix: str) -> Iterator[Path]:
    """Make a temporary folder; afterwards `remove_job`."""
    # The workers' sockets lie in this folder, and the whole path of a socket may have 107 characters.
    usual = tempfile.gettempdir()
    parent = usual if len(usual) <= PARENT_FOLDER_LENGTH_MAX else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="nmdeploy-lava-", dir=parent))
    try:
        yield folder
    finally:
        remove_job(folder, shared_memory_prefix)


def remove_job(folder: Path, shared_memory_prefix: str) -> None:
    """Remove the folder, and the shared memory and semaphores whose names start with the prefix."""
    with suppress(OSError):
        _remove_torn_semaphores((folder / JOB_FILE).stat().st_mtime)
    shutil.rmtree(folder, ignore_errors=True)
    name = shared_memory_prefix.lstrip("/")
    for pattern in (f"{name}*", f"sem.{name}*"):
        for leftover in SHARED_MEMORY.glob(pattern):
            leftover.unlink(missing_ok=True)


def _remove_torn_semaphores(since: float) -> None:
    """Remove semaphores that a process was killed while it made them, before it could give them their name.

    The C library makes a semaphore in a file of a random name, maps it, links it to its own name, and removes the
    first name, all within microseconds. So such a file that is still there later, mapped by nobody, is of no use.
    """
    suspects = list(SHARED_MEMORY.glob("sem.??????"))
    if not suspects:
        return
    time.sleep(UNFINISHED_SEMAPHORE_SECONDS)
    for path in suspects:
        with suppress(OSError):
            if path.stat().st_mtime >= since and not _is_mapped(path):
                path.unlink()


def _is_mapped(path: Path) -> bool:
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            if f"{path}\n" in maps.read_text():
                return True
    return False


def run_child(
    command: Sequence[str],
    folder: Path,
    time_limit_seconds: float,
    prepare: Callable[[], None],
    watch: Callable[[int], None],
) -> int:
    """Run a command in a process group of its own, at the end of which all of the group is killed.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Working folder of the child, also for its temporary files; what it prints goes to `OUTPUT_FILE` there.
    time_limit_seconds : float
    prepare : callable
        Fills the folder while the child starts, which gets a byte on its standard input when that is done: so a
        folder of any size is there only while there is a child to remove it.
    watch : callable
        Called every `POLL_SECONDS` with the child's process id; may end the run by an exception.

    Returns
    -------
    int
        Exit code; negative signal number if the child was killed.

    Raises
    ------
    OSError
        The command cannot be started.
    TimeLimitExceededError
    """
    # Each Lava worker multiplies its own matrices, so a thread pool in each would only fight for the cores.
    environment = {**os.environ, **ONE_THREAD, "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"}
    deadline = time.monotonic() + time_limit_seconds
    with (folder / OUTPUT_FILE).open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,  # held open: its end tells the child that we are gone
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert child.stdin is not None
    try:
        prepare()
        with suppress(BrokenPipeError):
            os.write(child.stdin.fileno(), b"\n")
        while (exit_code := child.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeLimitExceededError(f"no result within {time_limit_seconds:g} s")
            watch(child.pid)
            time.sleep(POLL_SECONDS)
        return exit_code
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        end_group(child.pid)
        child.stdin.close()


def end_group(group: int) -> None:
    """Kill a process group, and wait until all its processes are gone."""
    deadline = time.monotonic() + GROUP_END_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.01)


def last_output_line(folder: Path) -> str:
    """The last line that the child printed."""
    try:
        text = (folder / OUTPUT_FILE).read_text(errors="replace")
    except OSError:
        return ""
    return text.strip().rpartition("\n")[2]
