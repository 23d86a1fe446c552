"""A compiled network, once for all tests of artifacts."""

import pytest
from artifact_strategies import artifacts
from hypothesis import Phase, find, settings

from nmdeploy.artifact.artifact import write_artifact

# any will do: looking for the smallest one takes minutes
FIRST_FOUND = settings(phases=(Phase.generate,), derandomize=True, database=None)


@pytest.fixture(scope="session")
def artifact():
    def has_projections_and_cores(drawn):
        return len(drawn.network.projections) > 1 and bool(drawn.placement.cores)

    return find(artifacts(), has_projections_and_cores, settings=FIRST_FOUND)


@pytest.fixture
def folder(artifact, tmp_path):
    """An artifact on disk, to be damaged."""
    path = tmp_path / "network.nmd"
    write_artifact(path, artifact)
    return path
