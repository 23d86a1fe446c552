"""SARIF 2.1.0, which code hosts show as alerts (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from nmdeploy import __version__
from nmdeploy.check.formats.json_document import document
from nmdeploy.check.gate_rules import RuleText, gate_rules
from nmdeploy.check.outcome import Finding, Outcome

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(outcome: Outcome) -> str:
    """One log with one run; all rules are described, whether broken or not."""
    rules = gate_rules(outcome.rules)
    driver = {"name": "nmdeploy", "version": __version__, "rules": [_rule(rule) for rule in rules.values()]}
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "exitCode": 1 if outcome.failed else 0}],
        "results": _results(outcome, list(rules)),
        "columnKind": "unicodeCodePoints",
        "properties": {name: value for name, value in document(outcome).items() if name != "violations"},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: RuleText) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": f"{rule.explanation} Remedy: {rule.remedy} More: nmdeploy check --explain {rule.code}"},
        "defaultConfiguration": {"level": "error"},
    }


def _results(outcome: Outcome, codes: list[str]) -> list[dict[str, Any]]:
    """All findings; those of one rule at one place are told apart by their number there."""
    times: Counter[tuple[str, str]] = Counter()
    results = []
    for finding in outcome.findings:
        place = (finding.violation.rule, finding.violation.where)
        results.append(_result(finding, outcome.placement_path, times[place], codes))
        times[place] += 1
    return results


def _result(finding: Finding, path: str, number: int, codes: list[str]) -> dict[str, Any]:
    violation = finding.violation
    location = {
        "physicalLocation": {"artifactLocation": _file(path), "region": {"startLine": finding.line}},
        "logicalLocations": [{"fullyQualifiedName": violation.where, "kind": "resource"}],
    }
    return {
        "ruleId": violation.rule,
        "ruleIndex": codes.index(violation.rule),
        "level": violation.severity,
        "message": {"text": str(violation).removeprefix(f"{violation.rule} ")},
        "locations": [location],
        "partialFingerprints": {"place/v1": _fingerprint(finding, path, number)},
        "properties": {"demand": violation.demand, "capacity": violation.capacity, "remedy": violation.remedy},
    }


def _file(path: str) -> dict[str, str]:
    """A path below the top of the repository, or elsewhere."""
    if PurePosixPath(path).is_absolute():
        return {"uri": PurePosixPath(path).as_uri()}
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Finding, path: str, number: int) -> str:
    """The same for the same rule broken at the same place, whatever the line and the amounts."""
    parts = (finding.violation.rule, path, finding.violation.where, number)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
