"""What is written is read again, field by field; the same input gives the same bytes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from artifact_strategies import artifacts, differences
from hypothesis import given, settings

from nmdeploy.artifact.artifact import read_artifact, write_artifact

FILES = {"manifest.json", "network.h5", "placement.json", "profile.toml", "audit.json", "energy.json"}


def without_digests(artifact):
    return replace(artifact, manifest=artifact.manifest.model_copy(update={"files": {}}))


@given(artifacts())
@settings(max_examples=60, deadline=None)
def test_reading_gives_what_was_written(tmp_path_factory, artifact):
    folder = tmp_path_factory.mktemp("artifact") / "x.nmd"
    write_artifact(folder, artifact)
    back = read_artifact(folder)
    assert differences(without_digests(artifact), without_digests(back)) == []
    assert set(back.manifest.files) == FILES - {"manifest.json"}
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_comparison_sees_every_difference():
    """The oracle of this file: a changed weight, type, order or field is found."""
    array = np.arange(3)
    assert differences(array, array.astype(np.int32))
    assert differences(array, array + 1)
    assert differences((1, 2), (2, 1))
    assert differences({"a": 1}, {"a": 1, "b": 2})
    assert differences(1, 1.0)
    assert differences(1, np.int64(1))
    assert not differences({"a": (array, None)}, {"a": (array.copy(), None)})


@given(artifacts())
@settings(max_examples=10, deadline=None)
def test_writing_what_was_read_gives_the_same_bytes(tmp_path_factory, artifact):
    first, second = (tmp_path_factory.mktemp("artifact") / "x.nmd" for _ in range(2))
    write_artifact(first, artifact)
    write_artifact(second, read_artifact(first))
    assert contents(first) == contents(second)


def contents(folder: Path):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_compiles_give_the_same_bytes(tmp_path, digits_model):
    """In two processes, in different folders, with different hash seeds and at different times."""
    folders = []
    for seed in ("1", "2"):
        folder = tmp_path / seed / f"digits{seed}.nmd"
        folder.parent.mkdir()
        command = [sys.executable, "-m", "nmdeploy", "compile", str(digits_model), "-T", "8", "-o", str(folder)]
        subprocess.run(
            command, cwd=folder.parent, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        )
        folders.append(folder)
    assert contents(folders[0]) == contents(folders[1])
    assert set(contents(folders[0])) == FILES
