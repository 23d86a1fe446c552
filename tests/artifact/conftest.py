"""A compiled network, once for all tests of artifacts."""

import pytest
from artifact_strategies import artifacts
from hypothesis import find

from nmdeploy.artifact.artifact import write_artifact


@pytest.fixture(scope="session")
def artifact():
    return find(artifacts(), lambda drawn: len(drawn.network.projections) > 1 and drawn.placement.cores)


@pytest.fixture
def folder(artifact, tmp_path):
    """An artifact on disk, to be damaged."""
    path = tmp_path / "network.nmd"
    write_artifact(path, artifact)
    return path
