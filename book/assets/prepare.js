/* Runs before the theme's scripts and the widgets' own, and makes them get along. */

// The theme's Font Awesome would replace the icon elements of widgets' buttons, which then ignore
// clicks; nested, the elements stay.
window.FontAwesomeConfig = {autoReplaceSvg: "nest"};

// Where require.js looks for what the widgets load, their fonts among them: local, or the CDN.
const root = document.documentElement.dataset.content_root;
window.require = {baseUrl: window.localWidgets ? `${root}_static` : "https://cdn.jsdelivr.net/npm"};

// Widgets typeset their text as MathJax 2 did; the page has MathJax 3.
window.addEventListener("load", () => {
  if (window.MathJax) {
    MathJax.Hub = {Queue: ([, , element]) => MathJax.typesetPromise?.([element])};
  }
});

// Figures with panels side by side, or many of them, are too wide to shrink to a phone: book.css.
// Pictures in the page itself have more pixels than their size asks for.
const markWide = ({naturalWidth: width, naturalHeight: height, src, classList}) => {
  const large = width > 800 && !src.startsWith("data:");
  classList.toggle("wide", large || (width > 640 && width > 2 * height));
};
document.addEventListener(
  "load",
  ({target}) => target instanceof HTMLImageElement && markWide(target),
  true,
);

// Figures scroll apart from their captions, and lead to themselves alone. Short cells of tables, such as "0.048 ± 0.006", stay on
// one line, or on two, "0.048" and "[0.042, 0.054]".
document.addEventListener("DOMContentLoaded", () => {
  for (const image of document.querySelectorAll(".cell_output > img, .cell_output > figure > img")) {
    const box = document.createElement("div");
    box.className = "figure-box";
    image.replaceWith(box);
    box.append(image);
    if (image.src.startsWith("data:")) continue; // to which browsers follow no link
    const link = document.createElement("a");
    link.href = image.src;
    image.replaceWith(link);
    link.append(image);
  }
  for (const cell of document.querySelectorAll(".output.text_html tbody :is(td, th)")) {
    const text = cell.textContent;
    if (text.length >= 24) cell.classList.add("prose");
    else if (!cell.children.length) {
      const parts = cell.innerHTML.split(/ (?=[[(])/);
      cell.innerHTML = parts.map((part) => `<span class="whole">${part}</span>`).join(" ");
    }
  }
});

// What scrolls sideways can be reached by keyboard, and book.css lets it say so.
const sideways =
  ".cell_output, .output, .figure-box, .widget-box, .pst-scrollable-table-container, " +
  "div.math mjx-container";
const markSideways = () => {
  const boxes = [...document.querySelectorAll(sideways)];
  const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
  boxes.forEach((box, i) => {
    box.classList.toggle("scrolls", scrolls[i]);
    if (scrolls[i]) box.tabIndex = 0;
  });
};
let due;
const changed = () => {
  cancelAnimationFrame(due);
  due = requestAnimationFrame(markSideways);
};
window.addEventListener("load", changed);
window.addEventListener("resize", changed);
document.addEventListener("load", changed, true); // of any image

// Widgets give their sliders and buttons no names that a screen reader could tell, and announce the
// index of a slider's value, not what its readout says. The readout, a field to type in, would be a
// second stop of the Tab key: arrow keys on the slider reach all its values.
const buttons = ["play or pause", "stop", "repeat"];
const named = (element, name) => {
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", name);
};
new MutationObserver(() => {
  changed();
  for (const slider of document.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label")?.textContent;
    const handle = slider.querySelector("[role=slider]");
    const readout = slider.querySelector(".widget-readout");
    if (name && handle) named(handle, name);
    if (!handle || !readout) continue;
    readout.tabIndex = -1;
    const value = readout.textContent;
    if (handle.getAttribute("aria-valuetext") !== value) handle.setAttribute("aria-valuetext", value);
  }
  for (const player of document.querySelectorAll(".widget-play")) {
    player.querySelectorAll("button").forEach((button, i) => named(button, buttons[i]));
  }
}).observe(document, {
  childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuetext"],
});
