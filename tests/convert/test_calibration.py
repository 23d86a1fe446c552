"""The split of the calibration samples, and what is said of too few."""

import numpy as np
import pytest
from command_line import nmdeploy_here
from convertible_networks import chain, conv, samples, settled
from torch import nn

from nmdeploy import save
from nmdeploy.convert.calibration import FEW_SAMPLES, noise_calibration, split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.frontend.trace import trace
from nmdeploy.preprocessing import Preprocessing

MAP = settled(chain(conv(3, 4), nn.ReLU(), conv(4, 2)))
CLASSES = settled(chain(conv(3, 4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)))


def numbered(count):
    return np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1)


@pytest.mark.parametrize(
    ("count", "kept_back"),
    [(2, 1), (3, 1), (7, 1), (8, 2), (100, 25), (512, 128), (2000, 128)],
)
def test_a_quarter_is_held_out(count, kept_back):
    split = split_calibration(numbered(count), "")
    assert len(split.held_out) == kept_back
    assert split.given == count
    np.testing.assert_array_equal(np.concatenate([split.samples, split.held_out]), numbered(count))


def test_a_single_sample_serves_for_both():
    split = split_calibration(numbered(1), "")
    assert len(split.samples) == len(split.held_out) == split.given == 1


def notes(module, count, is_noise=False):
    x = samples(3, 6, 6, count=count)
    layers, calibration = trace(module, x[:1]), split_calibration(x.numpy(), "", is_noise)
    return [note for note in convert(layers, calibration, 99.9).audit.notes if "error floor" in note]


def test_few_samples_for_maps_are_said():
    (note,) = notes(MAP, FEW_SAMPLES - 1)
    assert note.startswith("23 calibration samples are few for outputs that are maps")
    assert "clipping from few images is an error floor that more time steps cannot remove" in note
    assert notes(MAP, FEW_SAMPLES) == []


def test_few_samples_for_classes_are_not():
    assert notes(CLASSES, 4) == []


def test_noise_has_a_warning_of_its_own():
    assert notes(MAP, 4, is_noise=True) == []
    assert noise_calibration((3, 6, 6), Preprocessing(), seed=0).notes([(1, 4, 4)]) == []


def test_the_command_line_warns(tmp_path):
    """The note of the audit reaches who compiles, as text and in the summary."""
    x = samples(3, 6, 6, count=4)
    save(MAP, x[:1], tmp_path / "map.pt", calibration=x)
    options = ("--target", "loihi", "--method", "channel-mse", "-o", tmp_path / "map.nmd")
    text, summary = (nmdeploy_here("compile", tmp_path / "map.pt", *options, *json) for json in ((), ("--json",)))
    assert text.code == summary.code == 0
    assert "4 calibration samples are few" in text.stderr
    assert any("4 calibration samples are few" in note for note in summary.json["notes"])
