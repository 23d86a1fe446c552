"use strict";
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "tooltip");
  tip.setAttribute("aria-live", "polite");
  document.body.append(tip);
  let shown = null;

  const isMark = (element) => element instanceof SVGElement && element.ownerSVGElement !== null
    && (element.querySelector(":scope > title") !== null || element.hasAttribute("aria-label"));

  function show(mark) {
    hide();
    const title = mark.querySelector(":scope > title");
    if (title !== null) {  // left in place, the browser would show it as well
      mark.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    shown = mark;
    mark.classList.add("shown");
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    place();
  }

  function place() {
    if (shown === null) return;
    const at = shown.getBoundingClientRect(), size = tip.getBoundingClientRect(), gap = 6;
    const right = document.documentElement.clientWidth - size.width - gap;
    const below = at.bottom + gap, fits = below + size.height <= window.innerHeight;
    tip.style.left = `${Math.max(gap, Math.min(at.left, right))}px`;
    tip.style.top = `${Math.max(gap, fits ? below : at.top - size.height - gap)}px`;
  }

  function hide() {
    shown?.classList.remove("shown");
    shown = null;
    tip.hidden = true;
  }

  const toggle = ({ target }) => (isMark(target) ? show(target) : hide());
  document.addEventListener("pointerover", toggle);
  document.addEventListener("click", toggle);  // a tap
  document.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", place, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // a figure is one stop of the keyboard; arrows go through its marks
  for (const figure of document.querySelectorAll("svg:has(title)")) {
    const marks = [...figure.querySelectorAll("*")].filter(isMark);
    figure.tabIndex = 0;
    figure.addEventListener("focus", () => { if (figure.matches(":focus-visible")) show(marks[0]); });
    figure.addEventListener("blur", hide);
    figure.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      show(marks[(marks.indexOf(shown) + step + marks.length) % marks.length]);
    });
  }
})();
