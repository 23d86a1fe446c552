"""The report as people meet it: drawn by a browser, wide and narrow, light, dark and printed, by mouse and keyboard."""

import pytest
from opened import A4, DESKTOP, PHONE, TEXT_COLORS, contrast, opened
from report.windows import window, windows_of

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.report.page import render_page

INT32 = energy_presets()["int32"]

FIGURES = {
    "core": ".maps svg.map rect:not(.ground)",
    "link": ".links svg.map rect:not(.ground)",
    "layer": ".layers rect:not(.ground)",
    "energy": "#energy-by-kind > svg rect[class^=kind]",
}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_fails_nothing_is_fetched_and_nothing_sticks_out(browser, report_page, width):
    with opened(browser, report_page, width) as seen:
        seen.page.locator(FIGURES["core"]).first.hover()
        assert seen.tip.is_visible()  # the script ran
        assert seen.logged == []
        assert seen.thrown == []
        assert seen.requested == [report_page.as_uri()]
        widths = seen.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert widths == [width, width]


def test_every_figure_is_drawn(browser, report_page):
    with opened(browser, report_page) as seen:
        found = seen.page.evaluate(
            """() => [...document.querySelectorAll("svg")].map((svg) => {
                const box = svg.getBoundingClientRect(), drawn = svg.getBBox();
                return [svg.children.length, box.width, box.height, drawn.width, drawn.height];
            })"""
        )
        # six of the analysis, layers, energy of three presets, links, four maps of one chip
        assert seen.page.locator("svg[role=img]").count() == 6 + 1 + 3 + 1 + 4
        assert len(found) > 15
        assert all(min(one) > 0 for one in found), found
        sizes = seen.page.evaluate(
            """() => [...document.querySelectorAll("svg rect:not(defs *)")].map((rect) => {
                const box = rect.getBoundingClientRect();
                return Math.min(box.width, box.height);
            })"""
        )
        assert len(sizes) > 4 * 128
        assert min(sizes) > 0


@pytest.mark.parametrize("marks", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_mark_tells_its_value_when_pointed_at(browser, report_page, width, marks):
    with opened(browser, report_page, width) as seen:
        count = seen.page.locator(marks).count()
        for number in {0, count // 2, count - 1}:
            mark = seen.page.locator(marks).nth(number)
            told = mark.locator("title").text_content()
            assert any(letter.isdigit() for letter in told)
            mark.hover()
            assert seen.tip.text_content() == told
            box = seen.tip.bounding_box()
            assert box["x"] >= 0
            assert box["y"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= 800
            # said once: the browser would show a title that is left as well
            assert mark.locator("title").count() == 0
            mark.hover()
            assert seen.tip.text_content() == told
        seen.page.mouse.move(1, 1)
        assert not seen.tip.is_visible()


def test_windows_of_a_trade_off(browser, compiled_digits, tmp_path):
    windows = [window(steps, 0.5 + steps / 100, 1e5 * steps**2, steps + 4, steps != 16) for steps in (4, 8, 16, 32)]
    path = tmp_path / "report.html"
    page = render_page(read_artifact(compiled_digits), "digits", INT32, windows=windows_of(windows))
    path.write_text(page, encoding="utf-8")
    with opened(browser, path, color_scheme="dark") as seen:
        marks = seen.page.locator("#trade-off circle")
        assert marks.count() == 4
        marks.nth(2).hover()
        assert seen.tip.text_content() == "T = 16: accuracy 66.00%, 25,600,000 pJ an inference, latency 20 steps"
        fills = marks.evaluate_all("(all) => all.map((one) => getComputedStyle(one).fill)")
        assert len({fills[0], fills[1], fills[3]}) == 1
        assert fills[2] != fills[0]
        assert [text for text, color, back in seen.page.evaluate(TEXT_COLORS) if contrast(color, back) < 4.5] == []


def test_by_keyboard(browser, report_page):
    with opened(browser, report_page) as seen:
        figure = seen.page.locator("svg.map").first
        texts = figure.locator("title").all_text_contents()
        seen.page.keyboard.press("Tab")
        figure.focus()
        assert seen.tip.text_content() == texts[0]
        for key, number in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowUp", -1)):
            seen.page.keyboard.press(key)
            assert seen.tip.text_content() == texts[number]
        seen.page.keyboard.press("Escape")
        assert not seen.tip.is_visible()
        seen.page.keyboard.press("ArrowRight")
        assert seen.tip.is_visible()
        figure.blur()
        assert not seen.tip.is_visible()


def test_by_touch(browser, report_page):
    with opened(browser, report_page, PHONE, has_touch=True) as seen:
        mark = seen.page.locator(FIGURES["core"]).nth(1)
        told = mark.locator("title").text_content()
        mark.tap()
        assert seen.tip.is_visible()
        assert seen.tip.text_content() == told
        seen.page.locator("h2", has_text="Cores").tap()
        assert not seen.tip.is_visible()


def test_without_script_every_value_is_still_there(browser, report_page):
    with opened(browser, report_page) as seen:
        told = seen.page.locator("main").inner_text()
    with opened(browser, report_page, java_script_enabled=False) as seen:
        assert seen.page.locator("main").inner_text() == told
        assert seen.page.locator(f"{FIGURES['core']} > title").count() > 0
        table = seen.page.locator("details table").first
        assert not table.is_visible()
        seen.page.locator("summary").first.click()
        assert table.is_visible()


def colors(browser, path, **options):
    with opened(browser, path, **options) as seen:
        return seen.page.evaluate(TEXT_COLORS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser, report_page, scheme):
    found = colors(browser, report_page, color_scheme=scheme)
    assert len(found) > 200
    assert [text for text, color, back in found if contrast(color, back) < 4.5] == []


def test_dark_is_dark(browser, report_page):
    (light, dark) = (colors(browser, report_page, color_scheme=scheme)[0] for scheme in ("light", "dark"))
    assert contrast(light[2], (255, 255, 255)) == 1
    assert contrast(dark[2], (0, 0, 0)) < 1.5
    assert contrast(light[1], dark[1]) > 4.5


def test_printed(browser, report_page):
    """On white, also where the screen is dark; whole tables, open or not, on the sheet; nothing of the pointer."""
    with opened(browser, report_page, A4, color_scheme="dark") as seen:
        seen.page.locator(FIGURES["core"]).first.hover()
        seen.page.emulate_media(media="print")
        assert not seen.tip.is_visible()
        back = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert back == "rgb(255, 255, 255)"
        found = seen.page.evaluate(TEXT_COLORS)
        assert [text for text, color, back in found if contrast(color, back) < 4.5] == []
        tables = seen.page.locator("details table")
        assert tables.count() >= 7
        assert all(table.is_visible() for table in tables.all())
        assert seen.page.locator(".wide").first.evaluate("(one) => getComputedStyle(one).overflowX") == "visible"
        assert seen.page.evaluate("document.documentElement.scrollWidth") == A4


def test_every_image_has_a_name(browser, report_page):
    """In the tree that screen readers get."""
    with opened(browser, report_page) as seen:
        session = seen.page.context.new_cdp_session(seen.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    images = [node for node in nodes if not node["ignored"] and "image" in node["role"]["value"].lower()]
    names = [node.get("name", {}).get("value", "") for node in images]
    assert len(names) > 13
    assert all(names), names
    assert any(name.startswith("Lines over time steps: accuracy 0.") for name in names)
