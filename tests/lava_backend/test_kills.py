"""Processes of a Lava run are killed or stopped: a clear error within seconds, and nothing is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from command_line import ROOT, nmdeploy

from .command_run import CommandRun, Hit

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

# Of a machine that has a core free.
PROMPT_SECONDS = 5
ENDLESS = ("--limit", 20, "-T", 100_000, "--backend", "lava")


@pytest.fixture(scope="module")
def digits(tmp_path_factory, digits_model):
    """The arguments of a run: the compiled digits network and its test images."""
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    folder = tmp_path_factory.mktemp("digits")
    data, artifact = folder / "digits.npz", folder / "digits.nmd"
    subprocess.run([sys.executable, "-m", "examples.digits.data", str(data)], cwd=ROOT, check=True)
    ended = nmdeploy("compile", digits_model, "--target", "loihi", "-T", "16", "-o", artifact)
    assert ended.code == 0, ended.stderr
    return artifact, "--data", data


def prompt_seconds():
    """What is prompt while so many processes as now share the cores.

    Where more of them want to run than there are cores, each gets only its share of one, so that all that a command
    does after a hit (it notices, ends its processes and says so) takes that much longer; else the limit is strict.
    """
    return PROMPT_SECONDS * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


def hit_at_random(run, number, seed):
    """Signal any process while the main process starts, while the others start, or while time steps pass."""
    choose = random.Random(seed)
    (run.wait_until_started, run.wait_until_forked, run.wait_until_running)[seed % 3]()
    moment = choose.uniform(0, 1)
    time.sleep(moment)
    return hit_any(run, number, moment, choose)


def hit_any(run, number, moment, choose):
    """Signal any process; None if the run is over."""
    roles = run.roles()
    while roles:
        process = choose.choice(sorted(roles, key=lambda process: process.pid))
        role = roles.pop(process)
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
        return Hit(role, moment)
    return None


def assert_clear_error(outcome, *words):
    assert outcome.code == 2, outcome
    assert outcome.seconds < prompt_seconds(), outcome
    assert outcome.stderr.startswith("error: "), outcome
    assert "Traceback" not in outcome.stderr, outcome
    assert any(word in outcome.stderr for word in words), outcome
    assert outcome.left == (), outcome


def runs(one, cases):
    """One command for each case, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, cases))


def test_twenty_kills_at_random_moments(digits):
    def killed(seed):
        with CommandRun(*digits, *ENDLESS) as run:
            return run.finish(hit_at_random(run, signal.SIGKILL, seed), within=30)

    outcomes = runs(killed, range(20))
    for outcome in outcomes:
        assert_clear_error(outcome, "killed by SIGKILL")
    assert {outcome.hit.role for outcome in outcomes} >= {"main", "worker"}


def signalled(digits, role, number):
    """A run of which one process of this role is signalled while time steps pass."""
    with CommandRun(*digits, *ENDLESS) as run:
        run.wait_until_running()
        time.sleep(0.3)
        roles = run.roles()
        process = next(process for process, its in roles.items() if its == role)
        process.send_signal(number)
        return run.finish(Hit(role, 0), within=30)


ROLES = ("main", "worker", "memory", "resource tracker")


def test_kills_while_it_runs(digits):
    cases = [(role, signal.SIGKILL) for role in ROLES]
    cases += [(role, number) for role in ("main", "worker") for number in (signal.SIGTERM, signal.SIGSEGV)]
    for case, outcome in zip(cases, runs(lambda case: signalled(digits, *case), cases), strict=True):
        assert_clear_error(outcome, f"killed by {case[1].name}")
        named = {"main": "main process", "worker": "Lava", "memory": "shared memory"}.get(case[0], case[0])
        assert named in outcome.stderr


def test_stops_while_it_runs(digits):
    for outcome in runs(lambda role: signalled(digits, role, signal.SIGSTOP), ROLES):
        assert_clear_error(outcome, "was stopped (SIGSTOP)")


@pytest.mark.slow
def test_stops_at_random_moments(digits):
    def stopped(seed):
        with CommandRun(*digits, *ENDLESS) as run:
            return run.finish(hit_at_random(run, signal.SIGSTOP, seed), within=30)

    for outcome in runs(stopped, range(20, 24)):
        assert_clear_error(outcome, "was stopped (SIGSTOP)")


@pytest.mark.slow
def test_kills_around_the_end(digits):
    """The whole result or an error, never a part."""

    def killed(seed):
        choose = random.Random(seed)
        with CommandRun(*digits, "--limit", 20, "--json", "--backend", "lava") as run:
            run.wait_until_running()
            if seed == 0:
                return run.finish(None, within=30)
            moment = whole.seconds * choose.uniform(0, 1)
            time.sleep(moment)
            return run.finish(hit_any(run, signal.SIGKILL, moment, choose), within=30)

    whole = killed(0)
    assert (whole.code, whole.left) == (0, ())
    expected = {**json.loads(whole.stdout), "seconds": None}
    for outcome in runs(killed, range(1, 7)):
        if outcome.code == 0:
            assert {**json.loads(outcome.stdout), "seconds": None} == expected
            assert outcome.left == ()
        else:
            assert_clear_error(outcome, "killed by SIGKILL")


def test_killed_command_leaves_nothing(digits):
    def killed(seed):
        with CommandRun(*digits, *ENDLESS) as run:
            (run.wait_until_started, run.wait_until_forked, run.wait_until_running)[seed % 3]()
            time.sleep(random.Random(seed).uniform(0, 1))
            assert run.roles()
            run.parent.kill()
            return run.finish(None, within=prompt_seconds())

    for outcome in runs(killed, range(6)):
        assert outcome.code == -signal.SIGKILL
        assert outcome.left == ()
