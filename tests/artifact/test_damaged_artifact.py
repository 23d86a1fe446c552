"""Damage to any file of an artifact is an error that names the file; on the command line exit 2, no traceback."""

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmdeploy.artifact.artifact import read_artifact, write_artifact
from nmdeploy.artifact.manifest import FORMAT_VERSION
from nmdeploy.errors import ArtifactError

FILES = ("manifest.json", "network.h5", "placement.json", "profile.toml", "audit.json", "energy.json")


def flipped(content, position):
    return content[:position] + bytes([content[position] ^ 0x01]) + content[position + 1 :]


DAMAGES = {
    "empty": lambda content: b"",
    "one byte left": lambda content: content[:1],
    "a tenth left": lambda content: content[: len(content) // 10],
    "half left": lambda content: content[: len(content) // 2],
    "one byte lost": lambda content: content[:-1],
    "one byte more": lambda content: content + b"\n",
    "first byte flipped": lambda content: flipped(content, 0),
    "a middle byte flipped": lambda content: flipped(content, len(content) // 2),
    "last byte flipped": lambda content: flipped(content, len(content) - 1),
    "not UTF-8": lambda content: b"\xff\xfe" + content[2:],
    "noise": lambda content: bytes(range(256)) * 8,
}


def refused(folder, name):
    with pytest.raises(ArtifactError) as caught:
        read_artifact(folder)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(DAMAGES[damage](content))
    refused(folder, name)
    path.write_bytes(content)
    read_artifact(folder)


@pytest.mark.parametrize("name", FILES)
def test_deleted_file(folder, name):
    (folder / name).unlink()
    refused(folder, name)


@pytest.mark.parametrize("name", FILES)
def test_folder_in_the_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    refused(folder, name)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_byte_passes(tmp_path_factory, artifact, data):
    folder = tmp_path_factory.getbasetemp() / "fuzzed.nmd"
    if not folder.exists():
        write_artifact(folder, artifact)
    path = folder / data.draw(st.sampled_from(FILES))
    whole = path.read_bytes()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path.write_bytes(content)
    try:
        if content == whole:
            read_artifact(folder)
        else:
            refused(folder, path.name)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("content", ["null", "[]", "3", '{"format_version": 2}', "[" * 100_000])
def test_manifest_of_another_form(folder, content):
    (folder / "manifest.json").write_text(content)
    refused(folder, "manifest.json")


@pytest.mark.parametrize("version", [0, 1, 2, 3, 99])
def test_other_format_version(folder, version):
    """A newer version may have fields that this one does not know; the version is what is reported."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format_version": version, "new_field": True}))
    message = f"format version {version}; this nmdeploy reads {FORMAT_VERSION}"
    with pytest.raises(ArtifactError, match=message) as caught:
        read_artifact(folder)
    assert str(path) in str(caught.value)


def test_no_artifact(tmp_path):
    refused(tmp_path, "no nmdeploy artifact")
    refused(tmp_path / "nothing", "no nmdeploy artifact")
    (tmp_path / "file").write_text("text")
    refused(tmp_path / "file", "file")


COMMANDS = {
    "check": [],
    "energy": [],
    "run": ["--data", "x.npz"],
    "report": ["-o", "page.html"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_line(folder, tmp_path, command):
    """One file damaged at a time, for each command: exit 2, the file's name and nothing else."""
    name = FILES[list(COMMANDS).index(command) + 1]
    damaged = tmp_path / "damaged.nmd"
    shutil.copytree(folder, damaged)
    (damaged / name).write_bytes((damaged / name).read_bytes()[:-3])
    arguments = [sys.executable, "-m", "nmdeploy", command, str(damaged), *COMMANDS[command]]
    ended = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert str(damaged / name) in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert len(ended.stderr.splitlines()) == 1
