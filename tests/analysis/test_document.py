"""An analysis as JSON and back."""

import json

import pytest
from analyzed import analyzed
from small_networks import KINDS

from nmdeploy.analysis.document import read_document, to_document
from nmdeploy.errors import DataFileError

DIGEST = "a" * 64


@pytest.fixture
def document():
    return to_document(analyzed("leaky"), DIGEST)


def written(folder, document):
    path = folder / "analysis.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind, tmp_path):
    analysis = analyzed(kind)
    text = json.dumps(to_document(analysis, DIGEST), allow_nan=False)
    assert read_document(written(tmp_path, text), DIGEST) == analysis
    assert json.dumps(to_document(analyzed.__wrapped__(kind), DIGEST)) == text


def test_keys_that_others_may_rely_on(document):
    head = {"format", "format_version", "network_sha256"}
    figures = {"samples", "timesteps", "levels", "latency_steps", "steps_per_sample", "accuracy", "float_accuracy"}
    figures |= {"agreement", "error", "spikes_per_inference", "saturations"}
    assert set(document) >= head | figures | {"curve", "layers", "rates", "channels", "raster"}
    assert set(document["curve"]) >= {"windows_are_prefixes", "points"}
    point = document["curve"]["points"][0]
    assert set(point) >= {"timesteps", "latency_steps", "steps_per_sample", "window", "read_out"}
    assert set(point["window"]) >= {"accuracy", "agreement", "error", "output_errors"}
    assert set(document["layers"]) >= {"rows", "furthest_below_ideal", "loses_most_itself"}
    ratios = {f"{whose}{what}" for whose in ("", "own_") for what in ("snr_db", "relative_error", "drop_db")}
    assert set(document["layers"]["rows"][0]) >= ratios | {
        "name",
        "shape",
        "model",
        "is_output",
        "ideal_snr_db",
        "clipped",
        "silent",
        "saturated",
        "saturations",
        "mean_rate",
        "spikes",
    }
    assert set(document["rates"][0]) >= {"name", "edges", "zero", "positive", "negative"}
    norms = {"layer_norm", "channel_norm", "compiled"}
    assert set(document["channels"][0]) >= {"name", "maximum", "mean", "scale"} | norms
    assert all(set(document["channels"][0][norm]) >= {"maximum", "mean"} for norm in norms)
    assert set(document["raster"]) >= {"seed", "timesteps", "neurons"}
    neuron = {"population", "channel", "row", "column", "first_step", "steps", "signs"}
    assert set(document["raster"]["neurons"][0]) >= neuron


def test_more_keys_do_no_harm(document, tmp_path):
    document["more"] = 1
    document["layers"]["rows"][0]["more"] = 2
    assert read_document(written(tmp_path, document), DIGEST) == analyzed("leaky")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "is no analysis"),
        ('{"samples": 3}', "is no analysis"),
        ('{"format": "nmdeploy-analysis", "format_version": 2}', "format version 2; this nmdeploy reads 1"),
        ('{"format": "nmdeploy-analysis", "format_version": 1}', "another network"),
        (
            f'{{"format": "nmdeploy-analysis", "format_version": 1, "network_sha256": "{DIGEST}"}}',
            "damaged: samples: Field required",
        ),
    ],
)
def test_what_is_no_analysis(tmp_path, content, words):
    with pytest.raises(DataFileError, match=words):
        read_document(written(tmp_path, content), DIGEST)


def test_damaged_inside(document, tmp_path):
    document["layers"]["rows"][1]["spikes"] = "many"
    with pytest.raises(DataFileError, match=r"damaged: layers\.rows\.1\.spikes"):
        read_document(written(tmp_path, document), DIGEST)


def test_missing(tmp_path):
    with pytest.raises(DataFileError, match="cannot be read"):
        read_document(tmp_path / "none.json", DIGEST)
