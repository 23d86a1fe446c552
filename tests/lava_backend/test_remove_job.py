"""What is removed after a run, and what is not."""

from __future__ import annotations

import mmap
import os
import secrets

import pytest

from nmdeploy.lava.child import remove_job
from nmdeploy.lava.job import JOB_FILE, SHARED_MEMORY

pytestmark = pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="no /dev/shm on this system")


@pytest.fixture
def made():
    """Makes files in shared memory, and removes those that are left."""
    paths = []

    def make(name):
        paths.append(SHARED_MEMORY / name)
        paths[-1].write_bytes(bytes(32))
        return paths[-1]

    yield make
    for path in paths:
        path.unlink(missing_ok=True)


def test_all_that_the_run_made_is_removed_and_nothing_else(tmp_path, made):
    prefix, other = (f"n{secrets.token_hex(3)}_" for _ in range(2))
    folder = tmp_path / "job"
    folder.mkdir()
    earlier = made(f"sem.{secrets.token_hex(3)}")
    os.utime(earlier, (0, 0))
    (folder / JOB_FILE).touch()
    ours = [made(f"{prefix}1"), made(f"sem.{prefix}-2"), made(f"sem.{secrets.token_hex(3)}")]
    others = [made(f"{other}1"), made(f"sem.{other}-2"), earlier, made(f"sem.{secrets.token_hex(3)}")]
    with others[-1].open("r+b") as file, mmap.mmap(file.fileno(), 32):
        remove_job(folder, f"/{prefix}")
    assert not folder.exists()
    assert [path for path in ours if path.exists()] == []
    assert [path for path in others if not path.exists()] == []
