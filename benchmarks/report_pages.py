"""Reports of two real networks, from compiling to the page, and pictures of them.

python -m benchmarks.report_pages DATA_FOLDER OUTPUT_FOLDER [--only resnet20] [--pictures docs]

DATA_FOLDER holds cifar10/ and detector/ with the networks and images. Prints the size of each page. An artifact and
an analysis that lie in OUTPUT_FOLDER already are taken as they are.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import nmdeploy
from benchmarks.compile import resnet20
from benchmarks.detectors import yolo

# Network, name of the picture, width and height in CSS pixels, colours, heading at the top, what the pointer is on.
PICTURES = (
    ("resnet20", "report", 1100, 1800, "light", "The same network without spikes", ("#trade-off circle", 1)),
    ("resnet20", "report_dark", 1100, 1500, "dark", "Cores", (".links svg.map rect:not(.ground)", 200)),
    ("resnet20", "report_phone", 360, 1400, "light", "Chip 0", ("[aria-label^='energy, chip 0'] rect", 60)),
    ("yolov3_tiny", "report_yolov3_tiny", 1100, 1500, "light", "Energy: an estimate", None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--only", choices=("resnet20", "yolov3_tiny"))
    parser.add_argument("--pictures", type=Path, help="folder of the pictures, drawn by Playwright's Chromium")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, compile_network, analyze, windows in (
        ("resnet20", compile_resnet20, ("--limit", "200"), "8,16,32,64"),
        ("yolov3_tiny", compile_yolov3_tiny, ("--limit", "4", "--windows", "landmarks"), "8,16,32"),
    ):
        if options.only in (None, name):
            page = report(options.data, options.output, name, compile_network, analyze, windows)
            print(f"{page}: {page.stat().st_size / 1000:,.0f} kB", flush=True)
            if options.pictures is not None:
                draw(page, name, options.pictures)


def report(
    data: Path,
    folder: Path,
    name: str,
    compile_network: Callable[[Path, Path], Path],
    analyze: tuple[str, ...],
    windows: str,
) -> Path:
    """Compile, analyse and count where that has not been done, and write the page."""
    artifact, analysis, page = (folder / f"{name}.{kind}" for kind in ("nmd", "json", "html"))
    energy = folder / f"{name}_energy.json"
    images = compile_network(data, artifact)
    if not energy.exists():
        counted = ("--data", str(images), *analyze[:2], "--windows", windows, "--format", "json")
        energy.write_text(json.dumps(command("energy", str(artifact), *counted)))
    if not analysis.exists():
        analysis.write_text(json.dumps(command("analyze", str(artifact), "--data", str(images), *analyze, "--json")))
    command("report", str(artifact), "-o", str(page), "--analysis", str(analysis), "--energy", str(energy))
    return page


def compile_resnet20(data: Path, artifact: Path) -> Path:
    """On Loihi; the images to analyse it with."""
    case = resnet20(data, "loihi", 64)
    if not artifact.exists():
        command("compile", *case.options, "-o", str(artifact))
    return Path(case.test)


def compile_yolov3_tiny(data: Path, artifact: Path) -> Path:
    """On SpiNNaker 2, whose cores take the 4,608 inputs of a neuron that its sixth convolution has."""
    model, calibration, images = (artifact.with_name(f"yolov3_tiny{end}") for end in (".pt", "_24.npz", "_32.npz"))
    if not artifact.exists():
        judged = yolo(data)
        nmdeploy.save(judged.module, torch.from_numpy(judged.calibration[:1]), model)
        np.savez(calibration, x=judged.calibration)
        np.savez(images, x=judged.samples)
        options = ("--target", "spinnaker2", "-T", "32", "--calibration", str(calibration), "-o", str(artifact))
        command("compile", str(model), *options)
    return images


def command(*arguments: str) -> object:
    """Run a command; what it printed as JSON, if that was asked for."""
    line = [sys.executable, "-m", "nmdeploy", *arguments]
    printed = subprocess.run(line, stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(printed) if arguments[-1] in ("json", "--json") else None


def draw(page: Path, network: str, folder: Path) -> None:
    """Pictures of a page, of few colours."""
    import shutil

    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _, name, width, height, scheme, heading, pointed in (row for row in PICTURES if row[0] == network):
            shown = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            shown.goto(page.absolute().as_uri())
            top = shown.get_by_role("heading", name=heading, exact=True)
            top.evaluate("(one) => window.scrollTo(0, one.getBoundingClientRect().top + window.scrollY - 24)")
            if pointed is not None:
                box = shown.locator(pointed[0]).nth(pointed[1]).bounding_box()
                shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                shown.wait_for_selector("#tip:not([hidden])")
            picture = folder / f"{name}.png"
            shown.screenshot(path=picture)
            with Image.open(picture) as drawn:
                drawn.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)
        chromium.close()


if __name__ == "__main__":
    main()
