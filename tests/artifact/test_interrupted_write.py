"""A write that is broken off, in whatever way, leaves the old artifact, the new one, or none: never a broken one."""

import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nmdeploy.artifact.artifact import read_artifact, write_artifact
from nmdeploy.artifact.replace_folder import replaced_folder
from nmdeploy.errors import ArtifactError

WRITER = """
import sys
from pathlib import Path
from nmdeploy.artifact.artifact import read_artifact, write_artifact
artifact = read_artifact(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    write_artifact(Path(sys.argv[2]), artifact)
"""


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_error_while_writing_leaves_the_old_artifact(folder, artifact):
    """Not every Python object can be written as JSON; by then other files have been written."""
    before = contents(folder)
    unwritable = replace(artifact, audit={"layers": object()})
    with pytest.raises(TypeError):
        write_artifact(folder, unwritable)
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_an_error_while_writing_leaves_no_new_artifact(tmp_path, artifact):
    with pytest.raises(TypeError):
        write_artifact(tmp_path / "new.nmd", replace(artifact, audit={"layers": object()}))
    assert list(tmp_path.iterdir()) == []


def write_half(folder, error):
    with replaced_folder(folder) as fresh:
        (fresh / "network.h5").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_leaves_the_old_folder(folder, error):
    before = contents(folder)
    with pytest.raises(error):
        write_half(folder, error)
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_a_full_disk_is_an_error_and_leaves_the_old_artifact(folder, artifact):
    """The process may write no file of more than a few bytes, as on a full disk."""
    before = contents(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        with pytest.raises(ArtifactError, match="cannot be written"):
            write_artifact(folder, artifact)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert contents(folder) == before


def test_a_folder_that_is_no_artifact_is_left_alone(tmp_path, artifact):
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter1.tex").write_text("text")
    with pytest.raises(ArtifactError, match="is no nmdeploy artifact; it is left alone"):
        write_artifact(mine, artifact)
    assert contents(mine) == {"chapter1.tex": b"text"}
    assert list(tmp_path.iterdir()) == [mine]


def test_a_file_is_left_alone(tmp_path, artifact):
    path = tmp_path / "notes.txt"
    path.write_text("text")
    with pytest.raises(ArtifactError):
        write_artifact(path, artifact)
    with pytest.raises(ArtifactError):
        write_artifact(path / "below.nmd", artifact)
    assert path.read_text() == "text"


def test_an_artifact_is_replaced_as_a_whole(folder, artifact):
    """Files of the old one that the new one does not have are gone."""
    (folder / "report.html").write_text("old")
    write_artifact(folder, artifact)
    assert not (folder / "report.html").exists()
    read_artifact(folder)


def test_parents_are_made(tmp_path, artifact):
    write_artifact(tmp_path / "a" / "b" / "c.nmd", artifact)
    read_artifact(tmp_path / "a" / "b" / "c.nmd")


def start_writer(source: Path, target: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(source), str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_random_moments(folder, tmp_path):
    """A process that does nothing but write is killed; what lies there then is whole, or nothing."""
    target = tmp_path / "target.nmd"
    before = contents(folder)
    found = 0
    for seed in range(12):
        process = start_writer(folder, target)
        time.sleep(random.Random(seed).uniform(0, 0.1))
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
        process.stdout.close()
        if target.exists():
            found += 1
            read_artifact(target)
            assert contents(target) == before
    assert found > 0


def test_compile_killed_at_random_moments(tmp_path, digits_model):
    """The real command over an old artifact: what lies there afterwards is whole, or nothing."""
    target = tmp_path / "digits.nmd"
    command = [sys.executable, "-m", "nmdeploy", "compile", str(digits_model), "-T", "4", "-o", str(target)]
    begin = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - begin
    before = contents(target)
    for seed in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * random.Random(seed).uniform(0.6, 1.0))
        process.kill()
        process.wait(10)
        if target.exists():
            assert contents(target) == before
            read_artifact(target)
