"""A Lava process that fails in a given way; in a folder of its own, as Lava imports all modules beside a process."""

from __future__ import annotations

import os
import signal

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Dying(AbstractProcess):
    """Fails when it is built, or in its third step."""

    def __init__(self, *, when, how):
        super().__init__(when=when, how=how, name="dying")


@implements(proc=Dying, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DyingModel(PyLoihiProcessModel):
    def __init__(self, proc_params):
        super().__init__(proc_params)
        self._when, self._how = proc_params["when"], proc_params["how"]
        if self._when == "built":
            fail(self._how)

    def run_spk(self):
        if self._when == "step" and self.time_step == 3:
            fail(self._how)


def fail(how):
    if how == "raise":
        raise ZeroDivisionError("the third step")
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)
