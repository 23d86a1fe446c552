"""A virtual environment of its own for a peer: its requirements and Lava's exclude each other."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PYTHONS = ("python3.11", "python3.12", "python3.13", "python3")
OLDEST_PYTHON = (3, 11)
INSTALLED = "installed.txt"
TORCH = ("torch==2.13.0", "torchvision==0.28.0")
SPIKINGJELLY = ("spikingjelly==2.0.0", *TORCH)
SINABS = ("sinabs==3.1.3", *TORCH)
NENGO_LOIHI = ("nengo-loihi==1.1.0", "nengo==3.2.0", "numpy==1.23.5")
NEUROBENCH = ("neurobench==2.3.0", "torch==2.13.0")
SANAFE = ("sanafe==2.2.9", "numpy==2.4.6", "pyyaml==6.0.3")


class NoEnvironmentError(Exception):
    """The environment cannot be made; the message says why."""


def peer_python(folder: Path, requirements: tuple[str, ...]) -> str:
    """The interpreter of the environment, which is made if it is not there with these requirements.

    Parameters
    ----------
    folder : Path
        Of the environment.
    requirements : tuple of str
        As pip takes them, with versions.

    Raises
    ------
    NoEnvironmentError
    """
    python, installed = folder / "bin" / "python", folder / INSTALLED
    wanted = "\n".join(requirements)
    if not (installed.exists() and installed.read_text() == wanted):
        _run(_base_python(), "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
        installed.write_text(wanted)
    return str(python)


def _base_python() -> str:
    check = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    for name in PYTHONS:
        found = shutil.which(name)
        if found is not None and subprocess.run([found, "-c", check], capture_output=True).returncode == 0:
            return found
    raise NoEnvironmentError(f"peers need Python {'.'.join(map(str, OLDEST_PYTHON))} or newer; none was found")


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise NoEnvironmentError("\n".join([" ".join(command), *ended.stderr.strip().splitlines()[-5:]]))
