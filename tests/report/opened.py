"""A report opened in a browser, with what the browser says of it."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PHONE, DESKTOP = 360, 1280
# CSS pixels between the margins of a sheet that is 210 mm wide.
A4 = 718


@dataclass
class Opened:
    """A page with all it logged, threw and asked for."""

    page: Any
    logged: list[str]
    thrown: list[str]
    requested: list[str]

    @property
    def tip(self):
        return self.page.locator("#tip")


@contextmanager
def opened(browser, path, width=DESKTOP, **options):
    """The page in a window of this width, closed at the end."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    context.set_default_timeout(10_000)  # milliseconds
    page = context.new_page()
    seen = Opened(page, [], [], [])
    page.on("console", lambda message: seen.logged.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.thrown.append(str(error)))
    page.on("request", lambda request: seen.requested.append(request.url))
    page.goto(path.as_uri())
    try:
        yield seen
    finally:
        context.close()


# Colours of every text of a page and of what lies behind it, half transparent layers mixed.
TEXT_COLORS = """
() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (below, { rgb, a }) => below.map((value, i) => value * (1 - a) + rgb[i] * a);
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(parse(getComputedStyle(one).backgroundColor));
    return layers.reduce(over, [255, 255, 255]);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *:not(script):not(style):not(svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const back = behind(element);
    found.push([element.textContent.trim().slice(0, 40), over(back, parse(getComputedStyle(element).color)), back]);
  }
  for (const text of document.querySelectorAll("svg text")) {
    const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    let back = behind(text.ownerSVGElement);
    for (const rect of text.ownerSVGElement.querySelectorAll("rect:not(defs *)")) {
      const at = rect.getBoundingClientRect(), style = getComputedStyle(rect);
      const covers = at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
      if (!covers || style.fill === "none" || style.fill.startsWith("url")) continue;
      const { rgb, a } = parse(style.fill);
      back = over(back, { rgb, a: a * Number(style.fillOpacity) });
    }
    found.push([text.textContent.trim(), over(back, parse(getComputedStyle(text).fill)), back]);
  }
  return found;
}
"""


def contrast(one, other):
    """As WCAG 2 defines it, of two colours (red, green, blue), 0 to 255."""

    def luminance(color):
        parts = [value / 255 for value in color]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
