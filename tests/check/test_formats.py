"""Each format is read by a reader that is not ours: JSON schema, junitparser, a table, GitHub's own parsing rule."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import nmdeploy_here, refused
from jsonschema import Draft4Validator
from junitparser import JUnitXml
from mapped import index_of, layout, placed_anew

from hw_profiles.energy import energy_presets
from mapping.placement import Placement
from mapping.verify import RULES
from mapping.violation import Violation
from nmdeploy.artifact.artifact import write_artifact
from nmdeploy.check import run
from nmdeploy.check.baseline import read_tolerance
from nmdeploy.check.formats import github, junit, markdown, sarif, text
from nmdeploy.check.run import Gate

# as SchemaStore publishes it, https://json.schemastore.org/sarif-2.1.0-rtm.5.json
SARIF_SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")


def check(folder, output_format, *options):
    """Run from the folder that holds the artifact, as CI does from the top of a repository."""
    return nmdeploy_here("check", folder.name, "--format", output_format, *options, cwd=folder.parent)


def commands(text):
    """Properties and message of each workflow command, unescaped as the runner does."""
    found = []
    for line in text.splitlines():
        if match := COMMAND.fullmatch(line):
            properties = dict(part.split("=", 1) for part in match[2].split(","))
            found.append(
                (match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3]))
            )
    return found


def unescaped(text):
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.fixture(scope="module")
def broken(artifact, tmp_path_factory):
    """Breaks NMD101 of population second, and NMD109 and NMD110 of cores that sent to what is gone."""
    folder = tmp_path_factory.mktemp("broken") / "5%2C0%, a:b.nmd"
    gone = index_of(artifact, "second")
    cores = artifact.placement.cores[:gone] + artifact.placement.cores[gone + 1 :]
    write_artifact(folder, replace(artifact, placement=Placement(cores)))
    return folder


def violations(folder):
    return check(folder, "json").json["violations"]


def test_lines_are_those_of_the_cores(broken):
    """The line that a violation points at holds the core, or a tile of the population, that it is about."""
    lines = (broken / "placement.json").read_text().splitlines()
    found = violations(broken)
    kinds = {item["where"].split()[0] for item in found}
    assert kinds == {"core", "population"}
    for item in found:
        record = json.loads(lines[item["line"] - 1].rstrip(","))
        chip, x, y, slot = record["address"]
        if item["where"].startswith("core"):
            assert item["where"] == f"core chip {chip} ({x},{y}) slot {slot}"
        else:
            assert item["where"] == f"population {record['tiles'][0][0]}"


def test_github(broken):
    ended = check(broken, "github")
    found = commands(ended.stdout)
    expected = violations(broken)
    assert ended.code == 1
    assert len(found) == len(expected) > 3
    for (kind, properties, message), item in zip(found, expected, strict=True):
        assert (kind, properties["title"]) == ("error", item["rule"])
        assert properties["file"] == "5%2C0%, a:b.nmd/placement.json"
        assert int(properties["line"]) == item["line"]
        for part in (item["where"], item["message"], item["remedy"]):
            assert part in message


def test_path_is_relative_to_the_workspace(broken, monkeypatch):
    """A job may work in a folder below the top of the repository."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(broken.parents[1]))
    (_, properties, _), *_ = commands(check(broken, "github").stdout)
    assert properties["file"] == f"{broken.parent.name}/{broken.name}/placement.json"


def test_sarif(broken):
    ended = check(broken, "sarif", "--budget", "cores=1")
    log = ended.json
    assert [error.message for error in Draft4Validator(SARIF_SCHEMA).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert {rule["id"]: rule["fullDescription"]["text"] for rule in rules}.items() >= {
        code: rule.explanation for code, rule in RULES.items()
    }.items()
    expected = violations(broken)
    assert len(run["results"]) == len(expected)
    for result, item in zip(run["results"], expected, strict=True):
        assert result["ruleId"] == item["rule"] == rules[result["ruleIndex"]]["id"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] == item["line"]
        assert place["artifactLocation"] == {
            "uri": "5%252C0%25%2C%20a%3Ab.nmd/placement.json",
            "uriBaseId": "%SRCROOT%",
        }
        assert item["message"] in result["message"]["text"]


def test_sarif_tells_findings_of_one_place_apart(written):
    """By fingerprints that a second run gives again, so that code hosts know what is new."""

    def fingerprints():
        log = check(written, "sarif", "--budget", "hops=0.1", "--budget", "total_hops=1").json
        return [result["partialFingerprints"]["place/v1"] for result in log["runs"][0]["results"]]

    assert len(set(fingerprints())) == 2
    assert fingerprints() == fingerprints()


def test_the_schema_refuses_what_is_no_sarif(broken):
    """The oracle of the test above is one."""
    log = check(broken, "sarif").json
    del log["runs"][0]["tool"]
    log["runs"][0]["results"][0]["level"] = "dreadful"
    assert len(list(Draft4Validator(SARIF_SCHEMA).iter_errors(log))) == 2


def test_sarif_of_an_artifact_outside_the_repository(broken, tmp_path):
    log = nmdeploy_here("check", broken, "--format", "sarif", cwd=tmp_path).json
    assert [error.message for error in Draft4Validator(SARIF_SCHEMA).iter_errors(log)] == []
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": (broken / "placement.json").as_uri()}


def test_junit(broken):
    ended = check(broken, "junit")
    suites = JUnitXml.fromstring(ended.stdout.encode())
    cases = [case for suite in suites for case in suite]
    failed = {case.name: case.result[0] for case in cases if not case.is_passed}
    expected = violations(broken)
    places = {(item["rule"], item["where"]) for item in expected}
    assert set(failed) == {f"{rule} {RULES[rule].title}: {where}" for rule, where in places}
    for item in expected:
        failure = failed[f"{item['rule']} {RULES[item['rule']].title}: {item['where']}"]
        assert failure.type == item["rule"]
        assert item["message"] in failure.message
        assert f"placement.json:{item['line']}: " in failure.text
    kept = {case.name.split()[0] for case in cases if case.is_passed}
    assert kept == set(RULES) - {rule for rule, _ in places}
    assert suites.failures == len(places)
    assert suites.tests == len(cases) == len({case.name for case in cases})


def table_cells(text, heading):
    """Rows of the Markdown table that begins with a heading, cut at pipes that are not escaped."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            break
    width = len(re.split(r"(?<!\\)\|", line))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line)
        assert len(cells) == width
        rows.append([cell.strip() for cell in cells[1:-1]])
    return rows


def test_markdown(broken, written):
    expected = violations(broken)
    rows = table_cells(check(broken, "markdown").stdout, "rule")
    assert [(row[0], int(row[2])) for row in rows] == [(item["rule"], item["line"]) for item in expected]
    text = check(written, "markdown", "--budget", "cores=7", "--budget", "chips=0").stdout
    values = check(written, "json").json["measures"]["values"]
    rows = {row[0].split("`")[1]: row[1:] for row in table_cells(text, "measure")}
    assert set(rows) == set(values)
    assert rows["cores"] == [str(values["cores"]), "7"]
    assert rows["chips"] == ["1", "0, **missed**"]
    assert text.endswith("\n\n")  # what other steps append begins a paragraph of its own


def test_markdown_stays_small_enough_for_a_step_summary(artifact, tmp_path):
    """Ten thousand violations are 40 kB, not a summary that GitHub refuses."""
    core = artifact.placement.cores[0]
    nobody = replace(core.tiles[0], population="nobody | <b>")
    many = replace(core, tiles=(nobody,) * 10_000)
    write_artifact(tmp_path / "many.nmd", replace(artifact, placement=Placement((many,))))
    text = check(tmp_path / "many.nmd", "markdown").stdout
    assert len(text) < 100_000
    assert re.search(r"and [\d,]{5,} more", text)
    assert len(table_cells(text, "rule")) == 100
    assert "<b>" not in text


def test_output_files(broken, tmp_path):
    """One run writes all formats, each as it would have been printed."""
    options = [f"--output={name}={tmp_path / name}" for name in ("sarif", "junit", "markdown", "json", "github")]
    ended = check(broken, "text", *options)
    assert ended.code == 1
    assert ended.stdout == check(broken, "text").stdout
    for name in ("sarif", "junit", "markdown", "json", "github"):
        assert (tmp_path / name).read_text() == check(broken, name).stdout


def test_output_file_of_the_printed_format(written, tmp_path):
    ended = check(written, "junit", "-o", tmp_path / "a=b.xml")
    assert ended.code == 0
    assert ended.stdout == check(written, "text").stdout
    assert (tmp_path / "a=b.xml").read_text() == check(written, "junit").stdout


def test_output_that_cannot_be_written(written, tmp_path):
    for path in (tmp_path / "nowhere" / "x", tmp_path, "", "/", "sarif="):
        refused(check(written, "text", "-o", path), "cannot be written")


def test_warnings_are_told_and_fail_nothing(written):
    """A network's word that is no error, at no line of its own."""
    gate = Gate(energy_presets()["int32"], {}, None, read_tolerance([]))
    warning = Violation("NMD107", "warning", "network", "too near\nthe limit", 9, 8, "Use fewer")
    outcome = replace(run.check(written, gate), violations=(warning,))
    assert not outcome.failed
    assert "too near\nthe limit (9 > 8)" in text.render(outcome)
    assert "0 violations, 1 warnings" in text.render(outcome)
    ((kind, properties, message),) = commands(github.render(outcome))
    assert (kind, properties["line"]) == ("warning", "1")
    assert message == "network: too near\nthe limit (9 > 8). Use fewer"
    log = json.loads(sarif.render(outcome))
    assert [error.message for error in Draft4Validator(SARIF_SCHEMA).iter_errors(log)] == []
    assert [result["level"] for result in log["runs"][0]["results"]] == ["warning"]
    suites = JUnitXml.fromstring(junit.render(outcome).encode())
    assert suites.failures == 0
    (case,) = (case for suite in suites for case in suite if case.system_out)
    assert case.name == f"NMD107 {RULES['NMD107'].title}: network"
    assert "passed" in markdown.render(outcome).splitlines()[0]
    assert table_cells(markdown.render(outcome), "rule") == [
        ["NMD107", "network", "1", "too near the limit (9 > 8)", "Use fewer"]
    ]


def test_several_artifacts(written, broken):
    """One after the other, unless the format is one document."""
    ended = nmdeploy_here("check", written, broken, written / "manifest.json", "--format", "github")
    alone = [nmdeploy_here("check", folder, "--format", "github").stdout for folder in (written, broken)]
    assert (ended.code, ended.stdout) == (1, "".join(alone))
    for options in (["--format", "json"], ["--format", "sarif"], ["--format", "junit"], ["-o", "x"]):
        refused(nmdeploy_here("check", written, broken, *options), "2 artifacts")
    refused(nmdeploy_here("check", written, broken, "--baseline", written), "2 artifacts")


def test_a_legal_placement_has_no_findings(artifact, written, tmp_path):
    """Also one whose cores are listed in another order."""
    write_artifact(tmp_path / "other.nmd", placed_anew(artifact, layout(artifact)[::-1]))
    for folder in (written, tmp_path / "other.nmd"):
        assert check(folder, "github").code == 0
        assert commands(check(folder, "github").stdout) == []
        assert check(folder, "sarif").json["runs"][0]["results"] == []
        assert JUnitXml.fromstring(check(folder, "junit").stdout.encode()).failures == 0
