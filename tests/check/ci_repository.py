"""A git repository in a folder, and the steps of a composite action run in it as the runner would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from command_line import ROOT

EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


@dataclass(frozen=True)
class Step:
    """How a step ended, and what it wrote for the summary."""

    code: int
    stdout: str
    stderr: str
    summary: str


def environment(**more):
    """The nmdeploy of this checkout as a command, and an author for commits."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    author = {
        f"GIT_{role}_{what}": f"{role}@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_"))}
    return {**kept, **author, "PATH": path, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull, **more}


def git(folder, *arguments):
    command = ["git", *map(str, arguments)]
    ended = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def commit_all(folder, message):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def run_action(folder, inputs, context=None, **variables):
    """Run the steps of `action.yml` with `run` whose condition holds.

    Parameters
    ----------
    folder : Path
        Where the steps run.
    inputs : dict of str to str
        What a workflow gives; the others have their defaults.
    context : dict of str to str, optional
        Values of expressions as ``github.base_ref`` that inputs may hold.
    variables : dict of str to str
        Environment variables beside those of `environment`.

    Returns
    -------
    list of Step
        Up to the first that fails.
    """
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert set(inputs) <= set(action["inputs"])
    values = dict(context or {}, **{"github.action_path": str(ROOT)})
    given = {name: substituted(value, values) for name, value in inputs.items()}
    for name, declared in action["inputs"].items():
        assert name in given or not declared.get("required")
        values[f"inputs.{name}"] = given.get(name, declared.get("default", ""))
    steps = []
    for step in action["runs"]["steps"]:
        if holds(step.get("if"), values):
            steps.append(run_step(folder, step, values, variables))
            if steps[-1].code:
                break
    return steps


def holds(condition, values):
    """Conditions of the form ``NAME == 'VALUE'``."""
    if condition is None:
        return True
    name, value = re.fullmatch(r"([\w.-]+) == '([^']*)'", condition).groups()
    return values[name] == value


def run_step(folder, step, values, more):
    """As the runner runs ``shell: bash``."""
    assert step["shell"] == "bash"
    assert not EXPRESSION.search(step["run"]), "values come as environment variables, not as code"
    variables = {**more, **{name: substituted(value, values) for name, value in step["env"].items()}}
    summary = folder.parent / "step-summary.md"
    summary.write_text("written by an earlier step\n")
    variables |= {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(folder)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    ended = subprocess.run(
        command, cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False
    )
    return Step(ended.returncode, ended.stdout, ended.stderr, summary.read_text())


def substituted(text, values):
    return EXPRESSION.sub(lambda found: values[found[1]], text)
