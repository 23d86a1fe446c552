"""The gate as it is used: a repository whose second commit worsens the mapping."""

import json
import subprocess
import sys

import pytest
import yaml
from ci_repository import commit_all, environment, git, run_action
from command_line import ROOT
from mapped import FAR, index_of, layout, moved_apart, placed_anew, split_in_two

from nmdeploy.artifact.artifact import write_artifact

NETWORK = "networks/keyword.nmd"
WORKFLOW = yaml.safe_load((ROOT / "examples" / "ci" / "workflow.yml").read_text())


@pytest.fixture
def repository(artifact, tmp_path):
    """One commit, on branch main, with an artifact; then a branch for the change."""
    folder = tmp_path / "repository"
    (folder / "networks").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    write_artifact(folder / NETWORK, artifact)
    commit_all(folder, "Keyword network, compiled")
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def commit_change(folder, changed):
    write_artifact(folder / NETWORK, changed)
    commit_all(folder, "Compile anew")


def line_of(folder, address):
    """Line of the core at this address, found without our code."""
    lines = (folder / NETWORK / "placement.json").read_text().splitlines()
    places = [json.loads(line.rstrip(","))["address"] if "address" in line else None for line in lines]
    return places.index(address) + 1


def check(folder, *options):
    command = [sys.executable, "-m", "nmdeploy", "check", NETWORK, "--format", "github", *map(str, options)]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def action(folder, **changes):
    """The action as the example workflow calls it; an installed nmdeploy is not installed again."""
    (step,) = (step for step in WORKFLOW["jobs"]["check"]["steps"] if step["uses"].startswith("OWNER/"))
    inputs = {**step["with"], "install": "false", **changes}
    return run_action(folder, inputs, {"github.base_ref": "main"})


def test_check_against_the_first_commit(artifact, repository, tmp_path):
    """The command by itself: cores moved apart fail, at the line of the core that was moved."""
    commit_change(repository, moved_apart(artifact, index_of(artifact, "third")))
    git(repository, "worktree", "add", "--quiet", tmp_path / "before", "HEAD~1")
    ended = check(repository, "--baseline", tmp_path / "before" / NETWORK, "--tolerance", "5%")
    line = line_of(repository, [0, 7, 3, 3])
    hops, total_hops, _ = ended.stdout.splitlines()
    assert ended.returncode == 1
    # 4 x 324 messages from the first layer to the second, half of them over one hop, and 2048 from the second to the
    # third, half of them over one hop before; 1024 over 10 and 1024 over 9 now
    old, new = (648 + 1024) / 3344, (648 + 1024 * 19) / 3344
    place = f"::error file={NETWORK}/placement.json,line={line},title=NMD902::core {FAR}: "
    assert hops.startswith(f"{place}hops {old:.3f} -> {new:.3f}, +{new / old - 1:.1%}25 (")  # %25 is % escaped
    assert total_hops.startswith(f"{place}total_hops 1,672 -> 20,104, ")
    assert check(repository, "--baseline", NETWORK).returncode == 0


def test_action_on_a_change_that_worsens_the_mapping(artifact, repository):
    """Annotations in the log, a summary after what other steps wrote, SARIF and JUnit files; the worktree is gone."""
    commit_change(repository, split_in_two(artifact, index_of(artifact, "second")))
    (step,) = action(repository)
    assert step.code == 1
    commands = [line for line in step.stdout.splitlines() if line.startswith("::")]
    assert {line.split("::")[2].split(": ")[1].split()[0] for line in commands} == {
        "cores",
        "hops",
        "total_hops",
        "utilisation.output_axon_entries",
    }
    halved = f"line={line_of(repository, [0, 0, 0, 2])},"
    assert any(halved in line and "cores 7 -> 8, +14.3%" in line for line in commands)
    assert step.summary.startswith("written by an earlier step\n### nmdeploy check: networks/keyword.nmd failed\n")
    assert "| 7 | +14.3%, **worse**" in step.summary.replace("| 8 | 120 ", "")
    log = json.loads((repository / "nmdeploy.sarif").read_text())
    assert len(log["runs"][0]["results"]) == len(commands)
    assert "NMD902" in (repository / "nmdeploy.xml").read_text()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_action_with_a_tolerance_that_is_kept(artifact, repository):
    commit_change(repository, split_in_two(artifact, index_of(artifact, "second")))
    (step,) = action(repository, tolerance="5%\ncores=20%\nhops=1000%\ntotal_hops=1000%\nutilisation=1000%\n")
    assert step.code == 0
    (step,) = action(repository, tolerance="5%\ncores=10%\nhops=1000%\ntotal_hops=1000%\nutilisation=1000%\n")
    assert step.code == 1


def test_action_on_a_change_that_does_not(artifact, repository):
    """The same cores in another order, within all tolerances."""
    commit_change(repository, placed_anew(artifact, layout(artifact)[::-1]))
    (step,) = action(repository)
    assert (step.code, step.stderr) == (0, "")
    assert "::" not in step.stdout
    assert "keyword.nmd passed" in step.summary


def test_action_with_a_budget_that_is_missed(repository):
    (step,) = action(repository, budget="cores=120\n\n  chips=1\nutilisation.input_axons=10%\n", tolerance="")
    (command,) = [line for line in step.stdout.splitlines() if line.startswith("::")]
    assert step.code == 1
    assert "title=NMD901::" in command
    assert "utilisation.input_axons" in command


def test_action_where_the_base_has_no_artifact(artifact, repository):
    """The pull request that adds a network is checked, and says that it is compared with nothing."""
    write_artifact(repository / "networks" / "new.nmd", artifact)
    commit_all(repository, "Second network")
    (step,) = action(repository, artifact="networks/new.nmd")
    assert step.code == 0
    assert step.stdout.startswith("::notice title=nmdeploy check::main has no networks/new.nmd to compare with\n")


def test_action_in_a_shallow_clone(artifact, repository, tmp_path):
    """As checkout makes one: the branch that the change goes to is fetched."""
    commit_change(repository, moved_apart(artifact, index_of(artifact, "third")))
    origin, clone = repository.as_uri(), tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--single-branch", "--branch=change", origin, clone)
    (step,) = action(clone)
    assert step.code == 1
    assert "NMD902" in step.stdout
    (step,) = action(clone, **{"baseline-ref": "nowhere"})
    assert step.code != 0
    assert "nowhere" in step.stderr


def test_action_with_a_folder_as_baseline(artifact, repository, tmp_path):
    """As downloaded by an earlier step."""
    write_artifact(tmp_path / "before.nmd", moved_apart(artifact, 0))
    (step,) = action(repository, baseline=str(tmp_path / "before.nmd"), **{"baseline-ref": ""})
    assert step.code == 0
    (step,) = action(repository, baseline=str(tmp_path / "none.nmd"), **{"baseline-ref": ""})
    assert step.code == 2
    assert "none.nmd" in step.stderr


def test_no_input_of_the_action_is_run_as_a_command(repository):
    """An artifact's name may come from a stranger's pull request."""
    code = "$(touch pwned)`touch pwned`; touch pwned"
    others = dict.fromkeys(("budget", "tolerance", "preset", "sarif", "junit", "baseline"), code)
    for inputs in ({"artifact": code}, {"baseline-ref": code}, {**others, "baseline-ref": ""}):
        (step,) = action(repository, **inputs)
        assert step.code != 0
    assert not list(repository.rglob("pwned"))
