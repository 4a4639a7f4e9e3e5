// What all plots share: look, sizes, and drawing only what changed. Without plotly.js the page still works; the
// tables say the same.

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

/** Where a plot is drawn. */
export class Plot {
  constructor(element) {
    this.element = element;
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
    window.Plotly.react(this.element, data, look, CONFIG);
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
