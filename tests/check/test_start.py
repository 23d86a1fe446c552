"""What `check` imports: nothing that takes long to import, nothing that is not in its own requirements."""

import re
import subprocess
import sys

import pytest
from command_line import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REQUIREMENTS = ROOT / "scripts" / "requirements-check.txt"
HEAVY = {"torch", "numba", "llvmlite", "lava", "matplotlib", "jinja2", "ortools", "sklearn"}
RUN = """
import sys
from nmdeploy.cli.app import main
sys.argv = ["nmdeploy", *sys.argv[1:]]
try:
    main()
except SystemExit as ending:
    assert not ending.code, ending.code
print(*sorted(sys.modules))
"""


def imported(*arguments):
    """Modules that a command leaves imported in a process of its own."""
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.splitlines()[-1].split())


def packages(modules):
    return {module.partition(".")[0] for module in modules}


def test_check_imports_nothing_heavy(written, tmp_path):
    """In all formats, with budgets and a baseline; and its requirements install all that it does import."""
    files = [f"--output={name}={tmp_path / name}" for name in ("json", "github", "sarif", "junit", "markdown")]
    modules = imported("check", written, "--budget", "cores=100", "--baseline", written, *files)
    assert {"networkx", "junitparser"} <= packages(modules)
    assert not packages(modules) & HEAVY
    assert not {"nmdeploy.pipeline", "nmdeploy.simulator", "nmdeploy.cli.compile"} & modules
    required = {re.split(r"[^\w-]", line)[0] for line in REQUIREMENTS.read_text().splitlines()}
    named_as_their_package = {re.split(r"[^\w-]", line)[0] for line in project()["dependencies"]}
    assert packages(modules) & named_as_their_package <= required


@pytest.mark.parametrize("output_format", ["table", "json", "md"])
def test_compare_imports_nothing_heavy(written, output_format):
    modules = imported("compare", written, written, "--format", output_format)
    assert not packages(modules) & HEAVY
    assert not {"nmdeploy.pipeline", "nmdeploy.simulator"} & modules


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--explain", "NMD204"], ["energy", "--paper", "spiking-yolo"]]
)
def test_other_light_commands(arguments):
    assert not packages(imported(*arguments)) & {"torch", "numba", "lava"}


def test_requirements_are_those_of_the_package():
    """The same bounds; only what `check` never imports is left out."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    dependencies = project()["dependencies"]
    assert set(lines) < set(dependencies)
    left_out = {re.split(r"[^\w-]", line)[0] for line in set(dependencies) - set(lines)}
    assert left_out <= HEAVY


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
