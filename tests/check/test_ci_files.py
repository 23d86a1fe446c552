"""The action, the hook and the example workflow: valid by the published schemas, and what they run works."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml
from ci_repository import commit_all, environment, git, run_action
from command_line import ROOT
from mapped import moved_apart

from nmdeploy.artifact.artifact import write_artifact

WORKFLOW = ROOT / "examples" / "ci" / "workflow.yml"
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.mark.parametrize(
    ("schema", "path"), [("vendor.github-actions", ROOT / "action.yml"), ("vendor.github-workflows", WORKFLOW)]
)
def test_valid_by_the_published_schema(schema, path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_workflow_gives_inputs_that_the_action_has():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
    (given,) = (step["with"] for step in steps if step["uses"].startswith("OWNER/nmdeploy"))
    assert set(given) <= set(action["inputs"])
    (upload,) = (step["with"] for step in steps if "upload-sarif" in step["uses"])
    assert upload["sarif_file"] == given["sarif"]


def test_the_workflow_in_the_manual_is_the_example():
    """docs/ci.md shows the example's step as it is."""
    shown = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL)[1]
    assert shown.strip() in "\n".join(line[6:] for line in WORKFLOW.read_text().splitlines())


@pytest.fixture
def repository(artifact, tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in ("first.nmd", "my second.nmd"):
        write_artifact(folder / name, artifact)
    (folder / "README.md").write_text("text\n")
    commit_all(folder, "Two networks")
    return folder


def run_hook(folder, *arguments):
    """As pre-commit does: the entry, the user's arguments, and the files that are staged and match."""
    staged = git(folder, "diff", "--cached", "--name-only", "--diff-filter=ACMRTUXB", "-z").split("\0")
    matching = [name for name in staged if name and re.search(HOOK["files"], name)]
    if not matching:
        return None
    assert HOOK["language"] == "system"
    command = [*shlex.split(HOOK["entry"]), *arguments, *matching]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_hook(artifact, repository):
    """Each artifact of which a file is staged is checked once, however many files; others are not."""
    (repository / "README.md").write_text("other text\n")
    git(repository, "add", "--all")
    assert run_hook(repository) is None
    write_artifact(repository / "my second.nmd", moved_apart(artifact, 6))
    git(repository, "add", "--all")
    ended = run_hook(repository)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.partition(":")[0] for line in ended.stdout.splitlines()] == ["my second.nmd"]
    write_artifact(repository / "first.nmd", moved_apart(artifact, 5))
    git(repository, "add", "--all")
    ended = run_hook(repository, "--budget", "hops=5")
    assert ended.returncode == 1
    assert [line.split(":")[0] for line in ended.stdout.splitlines()] == [
        "budget hops",
        "first.nmd",
        "NMD901 core chip 0 (7,3) slot 3",
        "my second.nmd",
    ]


def test_hook_on_an_artifact_that_was_edited(repository):
    placement = repository / "first.nmd" / "placement.json"
    placement.write_text(placement.read_text().replace("first", "second"))
    git(repository, "add", "--all")
    ended = run_hook(repository)
    assert ended.returncode == 2
    assert "first.nmd/placement.json: differs from what compile wrote" in ended.stderr


@pytest.mark.slow
def test_the_action_installs_what_it_needs(repository, tmp_path):
    """In an environment of its own, which gets packages from the package index, and no torch."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    path = os.pathsep.join([str(tmp_path / "venv" / "bin"), os.environ["PATH"]])
    steps = run_action(repository, {"artifact": "first.nmd"}, PATH=path, PYTHONPATH="")
    assert [step.code for step in steps] == [0, 0], steps
    assert "first.nmd passed" in steps[-1].summary
    assert list((tmp_path / "venv").rglob("nmdeploy/cli/check.py"))
    assert not list((tmp_path / "venv").rglob("site-packages/torch"))
