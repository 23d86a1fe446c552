"""`check --explain`: every rule says what, why, where from and what to do; without an artifact."""

import re
from pathlib import Path

import pytest
from command_line import nmdeploy_here, refused

from hw_profiles import available_targets, load_target
from mapping import rules
from nmdeploy.check.explain import has_figure, profile_figure
from nmdeploy.check.gate_rules import EXPLAINED


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize("code", EXPLAINED)
def test_every_rule_is_explained(code):
    rule = EXPLAINED[code]
    ended = nmdeploy_here("check", "--explain", code.lower())
    assert (ended.code, ended.stderr) == (0, "")
    shown = words(ended.stdout)
    assert ended.stdout.startswith(f"{code}: {rule.title}\n")
    assert words(rule.explanation) in shown
    assert rule.remedy
    assert f"Remedy: {words(rule.remedy)}" in shown
    assert "Source: " in shown
    assert max(map(len, ended.stdout.splitlines())) <= 100


@pytest.mark.parametrize("code", [code for code, rule in EXPLAINED.items() if rule.figures])
def test_figures_are_those_of_the_profiles(code):
    """Each figure stands there with value, status and source of every target of a kind that may have it."""
    shown = words(nmdeploy_here("check", "--explain", code).stdout)
    for name in EXPLAINED[code].figures:
        profiles = {target: load_target(target) for target in available_targets()}
        figures = {
            target: profile_figure(profile, name) for target, profile in profiles.items() if has_figure(profile, name)
        }
        assert figures, name
        for target, figure in figures.items():
            said = "no such limit" if figure is None else f"({figure.status}: {words(figure.source)})"
            assert re.search(rf"{name} .*{target}: [^:]*{re.escape(said)}", shown), (name, target)


def test_every_rule_that_code_reports_is_known():
    """Codes in the rules' sources, of which a violation might be made, are all explained."""
    sources = Path(rules.__file__).parents[1].rglob("*_rules.py")
    reported = {code for source in sources for code in re.findall(r'"(NMD\d{3})"', source.read_text())}
    assert reported <= set(EXPLAINED)


def test_unknown_rule_names_the_nearest():
    ended = nmdeploy_here("check", "--explain", "NMD24")
    refused(ended, "NMD24", "NMD204")
    assert ended.stderr.count("NMD") <= 4
    refused(nmdeploy_here("check", "--explain", "synapses"), "synapses", "NMD101")


def test_neither_artifact_nor_rule():
    refused(nmdeploy_here("check"), "model.nmd")
