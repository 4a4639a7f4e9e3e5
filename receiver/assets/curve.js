// Accuracy against SNR: a curve and its 95 % band for each channel, the noiseless level, and where the link is now.

import { at, channelName, conditionsText, count, decibels, fillRows, fixed, percent, sameConditions, say } from "./format.js";
import { Plot, axis, layout, steps } from "./plot.js";
import { colour, translucent } from "./theme.js";

/** Fewer scored clips than this make a hollow point that is not joined to its neighbours. */
const JOINED_FROM = 30;
/** Most channels drawn: more Rician K than that are in the table alone. */
const CHANNELS_DRAWN = 6;

const METRICS = {
  acc2_pos: { name: "Acc-2", about: "Sign right or wrong; clips labelled 0 do not count.", step: 0.05, share: true },
  acc2_nonneg: { name: "Acc-2", about: "Below zero, or zero and above; all clips count.", step: 0.05, share: true },
  f1_pos: { name: "F1", about: "Weighted F1 of the sign; clips labelled 0 do not count.", step: 0.05, share: true },
  f1_nonneg: { name: "F1", about: "Weighted F1 of below zero against zero and above.", step: 0.05, share: true },
  acc7: { name: "Acc-7", about: "The right one of seven classes.", step: 0.05, share: true },
  mae: { name: "MAE", about: "Mean distance from the label on the scale −3 … 3; less is better.", step: 0.1, share: false },
};

const LOOKS = {
  awgn: [["awgn", "solid", "circle"]],
  rayleigh: [["rayleigh", "9px,3px", "square"]],
  rician: [["rician", "dashdot", "diamond"], ["rician-2", "2px,3px", "triangle-up"], ["rician-3", "12px,3px,3px,3px", "cross"]],
};

/** A metric's value as people write it. */
const written = (metric, value) => (metric.share ? percent(value) : fixed(value, 3));

/** Points by channel, each in the order of SNR. */
function channels(points) {
  const groups = new Map();
  for (const point of points) {
    const name = channelName(point);
    if (!groups.has(name)) groups.set(name, { name, kind: point.kind, points: [], clips: 0 });
    const group = groups.get(name);
    group.points.push(point);
    group.clips += point.clips;
  }
  for (const { points: own } of groups.values()) own.sort((a, b) => a.snr_db - b.snr_db);
  return [...groups.values()];
}

/** The traces of one channel: its band, its curve, its points. */
function channelTraces(group, key, [hue, dash, symbol]) {
  const joined = group.points.filter((point) => point[key].n >= JOINED_FROM);
  const loose = group.points.filter((point) => point[key].n < JOINED_FROM);
  const common = (points) => ({
    type: "scatter", name: group.name, legendgroup: group.name, x: points.map((p) => p.snr_db), y: points.map((p) => p[key].value),
    customdata: points.map((p) => [p[key].low, p[key].high, p[key].n]),
    hovertemplate: "%{x} dB: <b>%{y:.3f}</b><br>95 %: %{customdata[0]:.3f} … %{customdata[1]:.3f}<br>%{customdata[2]} clips",
  });
  const traces = [];
  if (joined.length > 1) {
    const back = [...joined].reverse();
    traces.push({
      type: "scatter", mode: "lines", fill: "toself", fillcolor: translucent(hue, 0.16), line: { width: 0 }, hoverinfo: "skip",
      name: `${group.name}, 95 %`, showlegend: false, legendgroup: group.name,
      x: [...joined, ...back].map((p) => p.snr_db), y: [...joined.map((p) => p[key].high), ...back.map((p) => p[key].low)],
    });
  }
  const bars = (points) => ({
    type: "data", symmetric: false, thickness: 1, width: 3, color: translucent(hue, 0.6),
    array: points.map((p) => p[key].high - p[key].value), arrayminus: points.map((p) => p[key].value - p[key].low),
  });
  if (joined.length) {
    traces.push({
      ...common(joined), mode: "lines+markers", line: { color: colour(hue), width: 2.25, dash }, marker: { color: colour(hue), symbol, size: 7 },
      ...(joined.length === 1 ? { error_y: bars(joined) } : {}),
    });
  }
  if (loose.length) {
    traces.push({
      ...common(loose), mode: "markers", showlegend: joined.length === 0, error_y: bars(loose),
      marker: { color: colour("card"), symbol, size: 7, line: { color: colour(hue), width: 1.5 } },
    });
  }
  return traces;
}

/** The noiseless level, across the plot. */
function level(point, key, range) {
  const { value, low, high, n } = point[key];
  return {
    type: "scatter", mode: "lines", name: "noiseless", x: [range[0], (range[0] + range[1]) / 2, range[1]], y: [value, value, value],
    customdata: Array(3).fill([low, high, n]), line: { color: colour("muted"), width: 1.75, dash: "5px,4px" },
    hovertemplate: "<b>%{y:.3f}</b><br>95 %: %{customdata[0]:.3f} … %{customdata[1]:.3f}<br>%{customdata[2]} clips",
  };
}

function axes(points, noiseless, key, metric, training, live) {
  const snrs = points.map((point) => point.snr_db).concat(training ?? [], live?.snr_db ?? []);
  const x = steps(snrs.length ? snrs : [-12, 21], 5);
  const values = [...points, ...noiseless].flatMap((point) => {
    const { value, low, high, n } = point[key];
    return n >= JOINED_FROM ? [low, high] : [value];
  });
  const y = steps(values, metric.step, 0, metric.share ? 1.02 : undefined);
  return { x, y };
}

/** The card. */
export class Curve {
  constructor() {
    this.plot = new Plot(at("curve-plot"));
    this.menu = at("metric");
    this.details = at("curve-data");
    this.last = "";
    const again = () => { this.last = ""; if (this.seen) this.render(...this.seen); };
    this.menu.addEventListener("change", again);
    this.details.addEventListener("toggle", again);
  }

  /** Draws what has changed. `force`: the colours have. */
  render(state, info, force = false) {
    this.seen = [state, info];
    const stamp = JSON.stringify([state.clips, state.conditions, info?.training_snr_db]);
    if (!force && stamp === this.last) return;
    this.last = stamp;
    const key = this.menu.value;
    const metric = METRICS[key];
    const scored = state.curve.filter((point) => point[key]);
    say(at("curve-name"), metric.name);
    at("curve-empty").hidden = scored.length > 0;
    this.draw(scored, key, metric, state.conditions, info?.training_snr_db);
    if (this.details.open) this.tabulate(state.curve, key, metric);
  }

  draw(scored, key, metric, live, training) {
    const noisy = scored.filter((point) => point.kind !== "none" && point.snr_db != null);
    const noiseless = scored.filter((point) => point.kind === "none");
    const range = axes(noisy, noiseless, key, metric, training, live);
    const all = channels(noisy);
    const groups = [...all].sort((a, b) => b.clips - a.clips).slice(0, CHANNELS_DRAWN);
    const taken = {};
    const traces = all.filter((group) => groups.includes(group)).flatMap((group) => {
      const looks = LOOKS[group.kind] ?? LOOKS.rician;
      const nth = (taken[group.kind] = (taken[group.kind] ?? -1) + 1);
      return channelTraces(group, key, looks[nth % looks.length]);
    });
    traces.push(...noiseless.map((point) => level(point, key, range.x)));
    const here = scored.find((point) => sameConditions(point, live));
    if (here && here.snr_db != null) {
      traces.push({
        type: "scatter", mode: "markers", name: "now", showlegend: false, hoverinfo: "skip", x: [here.snr_db], y: [here[key].value],
        marker: { symbol: "circle-open", size: 17, color: colour("now"), line: { width: 2.5 } },
      });
    }
    const label = this.words(scored, key, metric, live, here);
    this.plot.draw(traces, this.look(range, metric, key, training, live), label);
    const dropped = all.length - groups.length;
    say(at("curve-note"), metric.about + (dropped > 0 ? ` ${dropped} more channels are in the table alone.` : ""));
  }

  look(range, metric, key, training, live) {
    const shapes = [];
    const annotations = [];
    const note = (x, text, hue, anchor) => ({
      x, xref: "x", y: 0, yref: "paper", text, showarrow: false, xanchor: anchor, yanchor: "bottom", xshift: anchor === "left" ? 5 : -5, font: { size: 11, color: colour(hue) },
    });
    if (training) {
      shapes.push({ type: "rect", layer: "below", xref: "x", yref: "paper", x0: training[0], x1: training[1], y0: 0, y1: 1, fillcolor: colour("shade"), line: { width: 0 } });
      annotations.push(note(training[0], "training range", "muted", "left"));
    }
    if (live?.snr_db != null) {
      shapes.push({ type: "line", layer: "below", xref: "x", yref: "paper", x0: live.snr_db, x1: live.snr_db, y0: 0, y1: 1, line: { color: colour("now"), width: 1.5, dash: "2px,3px" } });
      const right = live.snr_db > (range.x[0] + range.x[1]) / 2;
      annotations.push({ ...note(live.snr_db, "now", "now", right ? "right" : "left"), y: 1, yanchor: "top" });
    }
    return layout(key, {
      xaxis: axis({ title: { text: "SNR, dB" }, range: range.x, dtick: 5, showline: true }),
      yaxis: axis({ title: { text: metric.name }, range: range.y, tickformat: metric.share ? ".0%" : ".1f" }),
      shapes, annotations,
    });
  }

  words(scored, key, metric, live, here) {
    if (!scored.length) return `${metric.name} against SNR: no clips yet`;
    const now = here ? ` At ${conditionsText(live)} it is ${written(metric, here[key].value)}.` : "";
    return `${metric.name} against SNR over ${channels(scored).map((g) => g.name).join(", ")}, ${scored.length} points.${now} The table below has all.`;
  }

  tabulate(points, key, metric) {
    say(at("curve-column"), metric.name);
    fillRows(at("curve-rows"), points.map((point) => {
      const estimate = point[key];
      return [
        channelName(point), point.snr_db == null ? "none" : decibels(point.snr_db), estimate ? written(metric, estimate.value) : "–",
        estimate ? `${written(metric, estimate.low)} – ${written(metric, estimate.high)}` : "–", count(estimate?.n ?? 0), count(point.clips),
      ];
    }));
  }
}
