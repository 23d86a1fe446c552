"""JUnit XML, which most CI servers read: a test case for each rule, or for each place where it is broken."""

from __future__ import annotations

import re

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from nmdeploy.check.formats.text import summary_line
from nmdeploy.check.gate_rules import BASELINE, BUDGET, RuleText, gate_rules
from nmdeploy.check.outcome import Finding, Outcome

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, in no form (XML 1.0, production 2)."""


def render(outcome: Outcome) -> str:
    """One suite; rules that are kept pass, warnings pass with their text as output."""
    suite = TestSuite(_legal(f"nmdeploy check {outcome.artifact}"))
    broken: dict[str, dict[str, list[Finding]]] = {}
    for finding in outcome.findings:
        broken.setdefault(finding.violation.rule, {}).setdefault(finding.violation.where, []).append(finding)
    for rule in gate_rules(outcome.rules).values():
        places = broken.get(rule.code, {}).values()
        cases = [_broken_case(rule, findings, outcome.placement_path) for findings in places]
        if not cases and _judged(rule, outcome):
            cases = [TestCase(f"{rule.code} {rule.title}", classname="nmdeploy.check")]
        suite.add_testcases(cases)
    suite.add_property("summary", _legal(summary_line(outcome)))
    for name, measure in (outcome.measures or {}).items():
        suite.add_property(name, repr(measure.value))
    document = JUnitXml("nmdeploy check")
    document.add_testsuite(suite)
    text: bytes = document.tostring()
    return DECLARATION + text.decode("utf-8") + "\n"


def _judged(rule: RuleText, outcome: Outcome) -> bool:
    """Whether a rule was looked at: budgets and baseline only where there are any."""
    if rule is BUDGET:
        return bool(outcome.budgets)
    return rule is not BASELINE or outcome.baseline is not None


def _broken_case(rule: RuleText, findings: list[Finding], path: str) -> TestCase:
    """One rule at one place, where it may be broken several times."""
    violations = [finding.violation for finding in findings]
    case = TestCase(_legal(f"{rule.code} {rule.title}: {violations[0].where}"), classname="nmdeploy.check")
    text = _legal("\n".join(f"{path}:{finding.line}: {finding.violation}" for finding in findings))
    errors = [violation for violation in violations if violation.severity == "error"]
    if errors:
        failure = Failure(_legal("; ".join(violation.message for violation in errors)), rule.code)
        failure.text = text
        case.result = [failure]
    else:
        case.system_out = text
    return case


def _legal(text: str) -> str:
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
