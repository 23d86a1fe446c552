"""Processes that fail on their own, at the two places at which Lava would wait for them for ever."""

from __future__ import annotations

import time
from multiprocessing import resource_tracker

import pytest

pytestmark = [pytest.mark.lava, pytest.mark.usefixtures("nothing_left_behind")]
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

resource_tracker.ensure_running()  # lives as long as this interpreter, not only for the first test

MESSAGES = {
    "raise": r"ZeroDivisionError: the third step\nFile .*dying.py",
    "exit": "the Lava process 'dying' ended with exit code 3",
    "kill": "the Lava process 'dying' was killed by SIGKILL",
}


@pytest.mark.parametrize("when", ["built", "step"])
@pytest.mark.parametrize("how", MESSAGES)
def test_failing_process_is_named_at_once(when, how):
    from nmdeploy.lava.execution import execute
    from nmdeploy.lava.watched_runtime import WorkerFailedError

    from .dying_processes.dying import Dying

    started = time.monotonic()
    with pytest.raises(WorkerFailedError, match=MESSAGES[how]):
        execute([Dying(when=when, how=how)], 10)
    assert time.monotonic() - started < 5
