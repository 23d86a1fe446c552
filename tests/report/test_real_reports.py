"""Reports of ResNet-20 and YOLOv3-tiny, from compiling to the browser."""

import json

import numpy as np
import pytest
import torch
from command_line import nmdeploy
from opened import DESKTOP, PHONE, opened

import nmdeploy as product
from benchmarks.compile import resnet20 as compile_case
from benchmarks.detectors import yolo

pytestmark = pytest.mark.slow


def succeeded(*arguments):
    ended = nmdeploy(*arguments)
    assert ended.code == 0, ended.stderr
    return ended


def written(folder, images, windows):
    """The page with an analysis and energy over T, of two images."""
    artifact, page = folder / "network.nmd", folder / "report.html"
    given = ("--data", images, "--limit", "2")
    (folder / "analysis.json").write_text(succeeded("analyze", artifact, *given, "--json").stdout)
    counted = succeeded("energy", artifact, *given, "--windows", windows, "--format", "json").stdout
    (folder / "energy.json").write_text(counted)
    succeeded(
        "report", artifact, "-o", page, "--analysis", folder / "analysis.json", "--energy", folder / "energy.json"
    )
    return page, json.loads(counted)


@pytest.fixture(scope="module")
def resnet20(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resnet20")
    case = compile_case(shared_data, "loihi2", 16)
    options = ("--method", "channel-percentile", "--calibration-limit", "32", "-o", folder / "network.nmd")
    succeeded("compile", *case.options, *options)
    return written(folder, case.test, "4,16")


@pytest.fixture(scope="module")
def yolov3_tiny(shared_data, tmp_path_factory):
    """On SpiNNaker 2, whose cores take the 4,608 inputs of a neuron of its sixth convolution."""
    folder = tmp_path_factory.mktemp("yolov3_tiny")
    judged = yolo(shared_data)
    product.save(judged.module, torch.from_numpy(judged.calibration[:1]), folder / "model.pt")
    np.savez(folder / "calibration.npz", x=judged.calibration[:4])
    np.savez(folder / "images.npz", x=judged.samples[:2])
    options = ("--target", "spinnaker2", "-T", "4", "--method", "channel-max", "-o", folder / "network.nmd")
    succeeded("compile", folder / "model.pt", "--calibration", folder / "calibration.npz", *options)
    return written(folder, folder / "images.npz", "2,4")


@pytest.mark.parametrize("network", ["resnet20", "yolov3_tiny"])
def test_real_report_in_browser(network, request, browser):
    """Under two megabytes, nothing logged, thrown or fetched, every figure drawn, values on hover, both widths."""
    page, energy = request.getfixturevalue(network)
    assert page.stat().st_size < 2_000_000
    for width in (PHONE, DESKTOP):
        with opened(browser, page, width) as seen:
            core = seen.page.locator(".maps svg.map rect:not(.ground)").first
            told = core.locator("title").text_content()
            core.hover()
            assert seen.tip.text_content() == told
            assert (seen.logged, seen.thrown, seen.requested) == ([], [], [page.as_uri()])
            assert seen.page.evaluate("document.documentElement.scrollWidth") == width
            drawn = seen.page.evaluate(
                """() => [...document.querySelectorAll("svg[role=img]")].map((svg) => {
                    const box = svg.getBBox();
                    return Math.min(svg.children.length, box.width, box.height);
                })"""
            )
            assert min(drawn) > 0
            shown = seen.page.locator("body").text_content()
            for compared in energy["comparisons"]:
                assert compared["name"] in shown
            for layer in energy["layers"]:
                assert seen.page.get_by_role("cell", name=layer["name"], exact=True).count() > 0
