// Run in the page by the tests: what makes it hard to use for some. Gives one sentence for each fault.
const faults = [];
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .skip, [aria-hidden=true], .js-plotly-plot");
const describe = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ""}${e.className ? ` class=${e.className}` : ""}>`;

// Every control has a name.
for (const control of document.querySelectorAll("button, input, select, textarea, progress, summary, a[href], [tabindex='0']")) {
  const labels = [...(control.labels ?? [])].map((l) => l.textContent).join("");
  const by = (control.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("");
  const own = ["BUTTON", "SUMMARY", "A"].includes(control.tagName) ? control.textContent : "";
  if (![labels, by, own, control.getAttribute("aria-label") ?? ""].some((name) => name.trim())) faults.push(`${describe(control)} has no name`);
}

// Headings in order, one h1; cards are named by theirs; one main.
let before = 0;
for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
  const level = Number(heading.tagName[1]);
  if (level > before + 1) faults.push(`${describe(heading)} follows a heading of level ${before}`);
  before = level;
}
if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
for (const section of document.querySelectorAll("section")) {
  if (!section.getAttribute("aria-label") && !document.getElementById(section.getAttribute("aria-labelledby"))) faults.push(`${describe(section)} has no name`);
}
const ids = [...document.querySelectorAll("[id]:not(.js-plotly-plot *)")].map((e) => e.id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`two elements with id ${id}`);

// Every plot has words, and a table beside it.
for (const plot of document.querySelectorAll(".plot")) {
  if (plot.getAttribute("role") !== "img" || !plot.getAttribute("aria-label")) faults.push(`${describe(plot)} has no words`);
  if (!plot.closest("section").querySelector("details table")) faults.push(`${describe(plot)} has no table`);
}

// Contrast of text.
const parse = (colour) => (colour.startsWith("color(srgb")
  ? [...colour.match(/[\d.]+/g).map((n, i) => (i < 3 ? 255 * n : Number(n)))] : colour.match(/[\d.]+/g).map(Number));
const over = (top, bottom) => top.slice(0, 3).map((c, i) => c * (top[3] ?? 1) + bottom[i] * (1 - (top[3] ?? 1)));
const light = (rgb) => {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (e) => {
  const layers = [];
  for (let at = e; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
  return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
};
const checked = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !shown(e) || e.closest(":disabled, option")) continue;
  checked.add(e);
}
for (const e of document.querySelectorAll(".js-plotly-plot text")) checked.add(e);
for (const e of checked) {
  const style = getComputedStyle(e);
  const ground = behind(e.closest(".plot") ?? e);
  const ink = over(parse(e instanceof SVGElement ? style.fill : style.color), ground);
  const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faults.push(`${describe(e)} "${e.textContent.slice(0, 30)}" has contrast ${ratio.toFixed(2)}`);
}
if (checked.size < 40) faults.push(`only ${checked.size} texts were checked`);
return faults;
