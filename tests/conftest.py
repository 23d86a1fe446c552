"""Shared by all tests: folders, the trained digits network, and real networks where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def digits_model():
    """The model file that `examples.digits.train` wrote."""
    return ROOT / "examples" / "digits" / "model.pt"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real trained networks and real test images, which are not part of this repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no folder {SHARED_DATA} with trained networks and test images")
    return SHARED_DATA
