// What all plots share: look, sizes, and drawing only what changed. Without plotly.js the page still works; the
// tables say the same.

import { make } from "./format.js";
import { csv, savePicture, saveText } from "./saves.js";
import { colour } from "./theme.js";

const CONFIG = { displayModeBar: false, displaylogo: false, doubleClick: "reset", showTips: false };
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** An axis in the page's look. */
export function axis(more) {
  return {
    gridcolor: colour("grid"), linecolor: colour("line"), zeroline: false, ticks: "", automargin: true,
    tickfont: { color: colour("muted") }, ...more, title: { font: { color: colour("muted"), size: 12 }, standoff: 6, ...more.title },
  };
}

/** The range of an axis that only moves in steps, so that a plot that fills in live stays calm. */
export function steps(values, step, least = -Infinity, most = Infinity) {
  if (!values.length) return [Math.max(0, least), Math.min(1, most)];
  const low = Math.floor((Math.min(...values) - step / 5) / step) * step;
  const high = Math.ceil((Math.max(...values) + step / 5) / step) * step;
  return [Math.max(low, least), Math.min(high, most)];
}

/** Points further apart than this, in dB, are joined only where the channel's points lie so far apart as a rule. */
const STEP_DB = 3;

/**
 * Cuts points in the order of `x` where there is a gap: wider than the default step of a sweep, and than the median
 * distance of neighbours. What lies between was not measured.
 */
export function runs(points, x) {
  const gaps = points.slice(1).map((point, n) => x(point) - x(points[n]));
  const median = [...gaps].sort((a, b) => a - b)[Math.floor((gaps.length - 1) / 2)] ?? 0;
  const step = Math.max(STEP_DB, gaps.length > 1 ? median : 0);
  const cut = [];
  points.forEach((point, n) => {
    if (n === 0 || gaps[n - 1] > step * 1.01) cut.push([]);
    cut.at(-1).push(point);
  });
  return cut;
}

/** A layout in the page's look. `revision`: the user's zoom is kept as long as it stays the same. */
export function layout(revision, more) {
  // Fingers scroll the page; a mouse may zoom.
  const dragmode = matchMedia("(pointer: fine)").matches ? "zoom" : false;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: FONT, size: 12, color: colour("ink") },
    margin: { l: 8, r: 8, t: 8, b: 8 }, autosize: true, uirevision: revision, dragmode, hovermode: "closest",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), family: FONT } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yref: "container", yanchor: "top", font: { color: colour("ink") }, bgcolor: "rgba(0,0,0,0)" },
    ...more,
  };
}

/** Where a plot is drawn, and what saves it. */
export class Plot {
  /** `xName`: what a CSV calls the x axis. */
  constructor(element, xName = "x") {
    this.element = element;
    this.xName = xName;
    this.offerSaves();
    this.drawn = false;
    this.resizing = false;
    new ResizeObserver(() => this.resize()).observe(element);
  }

  /** Whether there is anything to draw with and on. */
  get ready() {
    return Boolean(window.Plotly) && this.element.offsetParent !== null && !document.hidden;
  }

  /** Draws; `label` says the same in words. */
  draw(data, look, label) {
    if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label);
    if (!this.ready) return;
    this.drawn = true;
    this.shown = [data, look];
    this.saves.hidden = false;
    window.Plotly.react(this.element, data, look, CONFIG);
  }

  /** Buttons beneath the plot, once something is drawn. */
  offerSaves() {
    this.saves = make("div", "saves");
    this.saves.hidden = true;
    const name = `latentlink-${this.element.id.replace("-plot", "")}`;
    const button = (kind, save) => {
      const element = make("button", "", kind);
      element.type = "button";
      element.dataset.save = `${name}.${kind.toLowerCase()}`;
      element.setAttribute("aria-label", `Save the plot as ${kind}: ${name}`);
      element.addEventListener("click", () => save(element.dataset.save, ...this.shown));
      return element;
    };
    this.saves.append(
      button("PNG", (file, data, look) => savePicture(file, data, { ...look, paper_bgcolor: colour("card"), plot_bgcolor: colour("card") }, {
        width: Math.max(480, this.element.clientWidth), height: Math.max(300, this.element.clientHeight),
      })),
      button("CSV", (file, data) => saveText(file, csv(data, this.xName))),
    );
    this.element.closest(".canvas").after(this.saves);
  }

  resize() {
    if (!this.drawn || this.resizing) return;
    this.resizing = true;
    requestAnimationFrame(() => {
      this.resizing = false;
      if (this.ready) window.Plotly.Plots.resize(this.element);
    });
  }
}
