import pytest

from benchmarks.networks import TINY, prepare


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A seeded ResNet-8 on noise, compiled and written as the contestants read it."""
    return prepare(TINY, None, tmp_path_factory.mktemp("tiny"))
