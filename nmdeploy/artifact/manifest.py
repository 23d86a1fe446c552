"""`manifest.json`: what the artifact was made from, and the digest of each of its files."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from nmdeploy.errors import ArtifactError
from nmdeploy.preprocessing import Layout, Preprocessing

FORMAT_VERSION = 4
RECORDED_DEPENDENCIES = ("h5py", "networkx", "numba", "numpy", "pydantic", "scipy", "torch")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Options(_Strict):
    """Compiler options that decide the result."""

    target: str
    timesteps: int
    method: str
    percentile: float
    weight_bits: int | None
    thresholds: str
    reset: str
    seed: int
    initial_potential: float = 0.5
    neurons: str = "if"
    lead: int = 0
    release: str = "never"
    shift_only: bool = False
    compensation: str = "none"
    shortcut_normalisation: bool = True
    decoding: str = "membrane"
    refinement_steps: int = 0
    read_out_step: int = 0
    headroom: float = 1.0
    weight_rounding: str = "nearest"
    objective: str = "hops"
    effort: str = "none"
    split_fan_in: bool = False


class InputDescription(_Strict):
    """How samples become the network's input; see `nmdeploy.preprocessing.Preprocessing`."""

    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: Layout


class Manifest(_Strict):
    """Everything that identifies an artifact; holds no time and no path, so equal inputs give equal bytes."""

    format_version: int
    nmdeploy_version: str
    python_version: str
    dependencies: dict[str, str]
    model_sha256: str
    calibration: str
    options: Options
    input: InputDescription
    classes: tuple[str, ...]
    files: dict[str, str]

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing of data files."""
        return Preprocessing(self.input.scale, self.input.mean, self.input.std, self.input.layout)


def input_description(preprocessing: Preprocessing) -> InputDescription:
    """The manifest's form of a preprocessing."""
    return InputDescription(
        scale=preprocessing.scale, mean=preprocessing.mean, std=preprocessing.std, layout=preprocessing.layout
    )


def make_manifest(
    model_sha256: str,
    calibration: str,
    options: Options,
    preprocessing: Preprocessing,
    classes: tuple[str, ...],
) -> Manifest:
    """A manifest of this installation, without file digests yet."""
    versions = {name: metadata.version(name) for name in RECORDED_DEPENDENCIES}
    return Manifest(
        format_version=FORMAT_VERSION,
        nmdeploy_version=metadata.version("nmdeploy"),
        python_version=".".join(map(str, sys.version_info[:3])),
        dependencies=versions,
        model_sha256=model_sha256,
        calibration=calibration,
        options=options,
        input=input_description(preprocessing),
        classes=classes,
        files={},
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_text(manifest: Manifest) -> str:
    """The content of `manifest.json`: all fields, and a digest of them."""
    fields = manifest.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return json.dumps({**fields, "digest": digest}, indent=1, sort_keys=True) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`, compare it with its own digest and every other file with the digest that it gives.

    Raises
    ------
    ArtifactError
        The folder or a file is missing, a file was changed or cut off, or the format is not known; names the file.
    """
    path = folder / "manifest.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder}: no nmdeploy artifact (no manifest.json)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    manifest = _parsed(path, text)
    if manifest_text(manifest) != text:
        raise _differs(path)
    for name, digest in manifest.files.items():
        _check_file(folder / name, digest)
    return manifest


def _parsed(path: Path, text: str) -> Manifest:
    try:
        fields: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: damaged: not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise ArtifactError(f"{path}: damaged: not a JSON object")
    # first of all, as another version may have other fields
    version = fields.get("format_version")
    if isinstance(version, int) and version != FORMAT_VERSION:
        raise ArtifactError(
            f"{path}: format version {version}; this nmdeploy reads {FORMAT_VERSION}. Compile the model again."
        )
    fields.pop("digest", None)
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "document"
        raise ArtifactError(f"{path}: damaged: {place}: {first['msg']}") from error


def _check_file(path: Path, digest: str) -> None:
    try:
        actual = file_sha256(path)
    except OSError as error:
        raise ArtifactError(f"{path}: missing or unreadable: {error}") from error
    if actual != digest:
        raise _differs(path)


def _differs(path: Path) -> ArtifactError:
    return ArtifactError(f"{path}: differs from what compile wrote (changed or cut off). Compile the model again.")
