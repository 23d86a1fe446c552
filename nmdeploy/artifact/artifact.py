"""`NAME.nmd`: the compiled network as a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_profiles import MeshProfile, ProfileError, parse_mesh_profile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.placement_json import placement_from_json, placement_to_json
from nmdeploy.artifact.crossbars_file import read_crossbar_program, write_crossbar_program
from nmdeploy.artifact.manifest import Manifest, file_sha256, manifest_text, read_manifest
from nmdeploy.artifact.network_file import read_float_network, read_network, write_network
from nmdeploy.artifact.replace_folder import replaced_folder
from nmdeploy.energy.counts import OperationCounts, counts_from_json
from nmdeploy.errors import ArtifactError
from nmdeploy.spiking.network import SpikingNetwork

PLACEMENT_FILE = "placement.json"
PROGRAM_FILE = "crossbars.h5"


@dataclass(frozen=True)
class Artifact:
    """Everything that `compile` writes.

    Attributes
    ----------
    manifest : Manifest
    network : ChipNetwork
    float_network : SpikingNetwork
        The network before quantisation; as a float network it equals the trained one.
    placement : Placement
    profile : MeshProfile
        The copy compiled against.
    profile_text : str
        Its TOML.
    audit : dict
        See `nmdeploy.convert.audit`.
    counts : OperationCounts
        On the calibration samples.
    program : CrossbarProgram or None
        Of a chip of crossbars.
    """

    manifest: Manifest
    network: ChipNetwork
    float_network: SpikingNetwork
    placement: Placement
    profile: MeshProfile
    profile_text: str
    audit: dict[str, Any]
    counts: OperationCounts
    program: CrossbarProgram | None = None


def write_artifact(folder: Path, artifact: Artifact) -> None:
    """Write an artifact; a crash leaves the old folder or none, never half of one.

    Raises
    ------
    ArtifactError
        `folder` exists and is no artifact, or cannot be written.
    """
    if folder.exists() and not (folder / "manifest.json").is_file():
        raise ArtifactError(f"{folder}: exists and is no nmdeploy artifact; it is left alone")
    try:
        with replaced_folder(folder) as fresh:
            write_network(fresh / "network.h5", artifact.network, artifact.float_network)
            _write_text(fresh / PLACEMENT_FILE, placement_to_json(artifact.placement))
            if artifact.program is not None:
                write_crossbar_program(fresh / PROGRAM_FILE, artifact.program)
            _write_text(fresh / "profile.toml", artifact.profile_text)
            _write_text(fresh / "audit.json", _json(artifact.audit))
            _write_text(fresh / "energy.json", _json(artifact.counts.as_dict()))
            digests = {path.name: file_sha256(path) for path in sorted(fresh.iterdir())}
            manifest = artifact.manifest.model_copy(update={"files": digests})
            _write_text(fresh / "manifest.json", manifest_text(manifest))
    except (OSError, shutil.Error) as error:
        raise ArtifactError(f"{folder}: cannot be written: {error}") from error


def read_artifact(folder: Path) -> Artifact:
    """Read and check an artifact.

    Raises
    ------
    ArtifactError
        A file is missing, changed, cut off or malformed; names the file.
    """
    manifest = read_manifest(folder)
    profile_text = _read_text(folder / "profile.toml")
    try:
        profile = parse_mesh_profile(profile_text, str(folder / "profile.toml"))
    except ProfileError as error:
        raise ArtifactError(str(error)) from error
    try:
        counts = counts_from_json(_read_text(folder / "energy.json"))
    except ValueError as error:
        raise ArtifactError(f"{folder / 'energy.json'}: damaged: {error}") from error
    return Artifact(
        manifest=manifest,
        network=read_network(folder / "network.h5"),
        float_network=read_float_network(folder / "network.h5"),
        placement=read_placement(folder / PLACEMENT_FILE),
        profile=profile,
        profile_text=profile_text,
        audit=_read_json(folder / "audit.json"),
        counts=counts,
        program=read_crossbar_program(folder / PROGRAM_FILE) if isinstance(profile, CrossbarProfile) else None,
    )


def read_placement(path: Path) -> Placement:
    """Read the placement of an artifact by itself.

    Raises
    ------
    ArtifactError
        The file is missing or malformed.
    """
    try:
        return placement_from_json(_read_text(path))
    except ValueError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _json(data: object) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise ArtifactError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ArtifactError(f"{path}: not a JSON object")
    return data
