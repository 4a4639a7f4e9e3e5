// Accuracy against SNR: a curve and its 95 % band for each channel, the noiseless level, and where the link is now.

import { at, channelName, conditionsText, count, decibels, fillRows, fixed, percent, sameConditions, say } from "./format.js";
import { Plot, axis, layout, runs, steps } from "./plot.js";
import { colour, translucent } from "./theme.js";

/** Fewer different clips than this make a hollow point that is not joined to its neighbours. */
const JOINED_FROM = 30;
/** How far beyond the measured points the reference is drawn, in dB. */
const BEYOND_DB = 3;
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

/** What stands behind a point beside its value: the ends of the band, the rows, the different clips. */
const COLUMNS = ["low", "high", "rows", "clips"];
const behind = ({ low, high, n, distinct }) => [low, high, n, distinct];
const HOVER = "<br>95 %: %{customdata[0]:.3f} … %{customdata[1]:.3f}<br>%{customdata[2]} rows of %{customdata[3]} clips";

/** The band of points that follow each other. */
function band(points, key, hue, group) {
  const back = [...points].reverse();
  return {
    type: "scatter", mode: "lines", fill: "toself", fillcolor: translucent(hue, 0.16), line: { width: 0 }, hoverinfo: "skip",
    name: `${group.name}, 95 %`, showlegend: false, legendgroup: group.name,
    x: [...points, ...back].map((p) => p.snr_db), y: [...points.map((p) => p[key].high), ...back.map((p) => p[key].low)],
  };
}

/** The traces of one channel: its bands, its curve, its points. */
function channelTraces(group, key, [hue, dash, symbol]) {
  const joined = group.points.filter((point) => point[key].distinct >= JOINED_FROM);
  const loose = group.points.filter((point) => point[key].distinct < JOINED_FROM);
  const cut = runs(joined, (point) => point.snr_db);
  const common = (points) => ({
    type: "scatter", name: group.name, legendgroup: group.name, x: points.map((p) => p?.snr_db ?? null), y: points.map((p) => p?.[key].value ?? null),
    customdata: points.map((p) => (p ? behind(p[key]) : [])), meta: { columns: COLUMNS }, hovertemplate: `%{x} dB: <b>%{y:.3f}</b>${HOVER}`,
  });
  const bars = (points) => ({
    type: "data", symmetric: false, thickness: 1, width: 3, color: translucent(hue, 0.6),
    array: points.map((p) => (p ? p[key].high - p[key].value : 0)), arrayminus: points.map((p) => (p ? p[key].value - p[key].low : 0)),
  });
  const traces = cut.filter((run) => run.length > 1).map((run) => band(run, key, hue, group));
  if (joined.length) {
    // Nothing stands between two runs.
    const points = cut.flatMap((run, n) => (n > 0 ? [null, ...run] : run));
    // A point without neighbours has no band to lie in.
    const alone = new Set(cut.filter((run) => run.length === 1).flat());
    traces.push({
      ...common(points), mode: "lines+markers", line: { color: colour(hue), width: 2.25, dash }, marker: { color: colour(hue), symbol, size: 7 },
      ...(alone.size ? { error_y: bars(points.map((p) => (alone.has(p) ? p : null))) } : {}),
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

/** The noiseless level and its band, across the plot. */
function level(point, key, range) {
  const { value, low, high } = point[key];
  return [
    {
      type: "scatter", mode: "lines", fill: "toself", fillcolor: translucent("muted", 0.1), line: { width: 0 }, hoverinfo: "skip",
      name: "noiseless, 95 %", showlegend: false, legendgroup: "noiseless", x: [range[0], range[1], range[1], range[0]], y: [low, low, high, high],
    },
    {
      type: "scatter", mode: "lines", name: "noiseless", legendgroup: "noiseless", x: [range[0], (range[0] + range[1]) / 2, range[1]], y: [value, value, value],
      customdata: Array(3).fill(behind(point[key])), meta: { columns: COLUMNS, level: true }, line: { color: colour("muted"), width: 1.75, dash: "5px,4px" },
      hovertemplate: `<b>%{y:.3f}</b>${HOVER}`,
    },
  ];
}

/** The references of the channels that are there, where there are measured points, and a little beyond. */
function around(bounds, groups, points) {
  const snrs = points.map((point) => point.snr_db);
  const [low, high] = [Math.min(...snrs) - BEYOND_DB, Math.max(...snrs) + BEYOND_DB];
  return bounds.filter(({ kind }) => groups.some((group) => group.kind === kind))
    .map(({ kind, points: all }) => ({ kind, points: all.filter(([snr]) => snr >= low && snr <= high) }));
}

/** The matched-filter reference of each channel that has one, in the channel's colour. */
function references(curves) {
  const traces = curves.map(({ kind, points }) => ({
    type: "scatter", mode: "lines", name: `${channelName({ kind })}, matched filter`, showlegend: false, legendgroup: "matched filter",
    x: points.map(([snr]) => snr), y: points.map(([, share]) => share), line: { color: translucent(LOOKS[kind][0][0], 0.85), width: 1.5, dash: "1.5px,3px" },
    hovertemplate: "%{x} dB: %{y:.3f}",
  }));
  // One entry of the legend for all: the colour is the channel's.
  const entry = { type: "scatter", mode: "lines", name: "matched filter", legendgroup: "matched filter", x: [null], y: [null], line: { color: colour("muted"), width: 1.5, dash: "1.5px,3px" } };
  return traces.length ? [...traces, entry] : [];
}

function axes(points, noiseless, curves, key, metric, training, live) {
  const snrs = points.map((point) => point.snr_db).concat(curves.flatMap((curve) => curve.points.map(([snr]) => snr)), training ?? [], live?.snr_db ?? []);
  const x = steps(snrs.length ? snrs : [-12, 21], 5);
  const values = [...points, ...noiseless].flatMap((point) => {
    const { value, low, high, distinct } = point[key];
    return distinct >= JOINED_FROM ? [low, high] : [value];
  });
  for (const { points: bound } of curves) values.push(...bound.map(([, share]) => share));
  const y = steps(values, metric.step, 0, metric.share ? 1.02 : undefined);
  return { x, y };
}

/** The card. */
export class Curve {
  constructor() {
    this.plot = new Plot(at("curve-plot"), "snr_db");
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
    const stamp = JSON.stringify([state.clips, state.conditions, info?.training_snr_db, state.reference?.map(({ points }) => points[0])]);
    if (!force && stamp === this.last) return;
    this.last = stamp;
    const key = this.menu.value;
    const metric = METRICS[key];
    const scored = state.curve.filter((point) => point[key]);
    say(at("curve-name"), metric.name);
    at("curve-empty").hidden = scored.length > 0;
    // The reference is that of the sign.
    this.draw(scored, key === "acc2_pos" ? state.reference ?? [] : [], key, metric, state.conditions, info?.training_snr_db);
    if (this.details.open) this.tabulate(state.curve, key, metric);
  }

  draw(scored, bounds, key, metric, live, training) {
    const noisy = scored.filter((point) => point.kind !== "none" && point.snr_db != null);
    const noiseless = scored.filter((point) => point.kind === "none");
    const all = channels(noisy);
    const curves = around(bounds, all, noisy);
    const range = axes(noisy, noiseless, curves, key, metric, training, live);
    const groups = [...all].sort((a, b) => b.clips - a.clips).slice(0, CHANNELS_DRAWN);
    const taken = {};
    const traces = all.filter((group) => groups.includes(group)).flatMap((group) => {
      const looks = LOOKS[group.kind] ?? LOOKS.rician;
      const nth = (taken[group.kind] = (taken[group.kind] ?? -1) + 1);
      return channelTraces(group, key, looks[nth % looks.length]);
    });
    traces.unshift(...noiseless.flatMap((point) => level(point, key, range.x)));
    traces.push(...references(curves));
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
    const [{ [key]: quiet } = {}] = noiseless;
    say(at("curve-note"), [
      metric.about, "Bands are 95 % intervals over different clips.",
      quiet ? `Noiseless ${written(metric, quiet.value)} (${written(metric, quiet.low)} – ${written(metric, quiet.high)}) from ${count(quiet.distinct)} clips.` : "",
      curves.length ? "Matched filter: the noiseless decision sent as one sign with the whole energy of the burst." : "",
      dropped > 0 ? `${dropped} more channels are in the table alone.` : "",
    ].filter(Boolean).join(" "));
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
        estimate ? `${written(metric, estimate.low)} – ${written(metric, estimate.high)}` : "–", count(estimate?.n ?? 0), count(estimate?.distinct ?? 0), count(point.clips),
      ];
    }));
  }
}
