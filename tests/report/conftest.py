"""The digits network compiled, its report with an analysis, and a real browser where there is one."""

import shutil
import subprocess
import sys

import pytest
from command_line import ROOT, nmdeploy_here

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LAUNCH = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def compiled_digits(tmp_path_factory, digits_model):
    folder = tmp_path_factory.mktemp("compiled") / "digits.nmd"
    options = ("--target", "loihi", "-T", "12", "--method", "channel-percentile", "-o", folder)
    ended = nmdeploy_here("compile", digits_model, *options)
    assert ended.code == 0, ended.stderr
    return folder


@pytest.fixture(scope="session")
def digits_analysis(tmp_path_factory, compiled_digits):
    """The JSON document of an analysis."""
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    folder = tmp_path_factory.mktemp("analysis")
    subprocess.run([sys.executable, "-m", "examples.digits.data", str(folder / "digits.npz")], cwd=ROOT, check=True)
    ended = nmdeploy_here("analyze", compiled_digits, "--data", folder / "digits.npz", "--limit", "50", "--json")
    assert ended.code == 0, ended.stderr
    (folder / "analysis.json").write_text(ended.stdout)
    return folder / "analysis.json"


@pytest.fixture(scope="session")
def report_page(tmp_path_factory, compiled_digits, digits_analysis):
    """The report as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    ended = nmdeploy_here("report", compiled_digits, "-o", path, "--analysis", digits_analysis)
    assert ended.code == 0, ended.stderr
    return path


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; of a module only, since no other event loop can run meanwhile."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the path")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=executable, args=LAUNCH)
        yield started
        started.close()
