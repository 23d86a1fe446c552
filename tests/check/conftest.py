"""The small network, placed and written to disk."""

import pytest
from mapped import make_artifact

from nmdeploy.artifact.artifact import write_artifact


@pytest.fixture(scope="session")
def artifact():
    return make_artifact()


@pytest.fixture(scope="session")
def written(artifact, tmp_path_factory):
    """The artifact on disk, which tests only read."""
    folder = tmp_path_factory.mktemp("check") / "small.nmd"
    write_artifact(folder, artifact)
    return folder
