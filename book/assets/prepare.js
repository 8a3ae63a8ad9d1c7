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

// Widgets give their sliders and buttons no names that a screen reader could tell.
const buttons = ["play or pause", "stop", "repeat"];
const named = (element, name) => {
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", name);
};
new MutationObserver(() => {
  for (const slider of document.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label")?.textContent;
    const handle = slider.querySelector("[role=slider]");
    if (name && handle) named(handle, name);
  }
  for (const player of document.querySelectorAll(".widget-play")) {
    player.querySelectorAll("button").forEach((button, i) => named(button, buttons[i]));
  }
}).observe(document, {childList: true, subtree: true});
