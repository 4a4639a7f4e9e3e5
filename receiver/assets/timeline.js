// Accuracy, SNR and throughput of the last ten minutes: from the receiver's history, then from the states as they come.

import { at, channelName, conditionsText, decibels, fillRows, fixed, percent, sameConditions, say } from "./format.js";
import { Plot, axis, layout, steps } from "./plot.js";
import { colour, translucent } from "./theme.js";

const KEPT_MS = 600_000;
/** The accuracy of one second is mostly chance; the line is the mean of as many seconds. */
const SMOOTHED_S = 10;
/** The plot spans the shortest of these that holds what there is, in minutes. */
const SPANS = [1, 2, 5, 10];

/** Clips, those judged by sign, and those judged right, under some conditions; over all where they are not known. */
function judged(curve, conditions) {
  const sums = { clips: 0, all: 0, right: 0 };
  for (const point of curve) {
    if (conditions && !sameConditions(point, conditions)) continue;
    sums.clips += point.clips;
    const { acc2_pos: estimate } = point;
    if (!estimate) continue;
    sums.all += estimate.n;
    sums.right += estimate.value * estimate.n;
  }
  return sums;
}

/** The mean over the seconds before, each weighted by its clips, as far back as the conditions were the same. */
function smoothed(points) {
  return points.map((point, index) => {
    let weight = 0;
    let sum = 0;
    for (let i = index; i >= 0 && points[i].t_ms > point.t_ms - SMOOTHED_S * 1000 && sameConditions(points[i], point); i -= 1) {
      if (points[i].acc2_pos == null) continue;
      weight += points[i].here;
      sum += points[i].here * points[i].acc2_pos;
    }
    return weight > 0 ? sum / weight : null;
  });
}

/** The card. */
export class Timeline {
  constructor() {
    this.plot = new Plot(at("time-plot"), "minutes");
    this.details = at("time-data");
    this.points = [];
    this.second = null;
    this.changed = true;
    this.details.addEventListener("toggle", () => { this.changed = true; if (this.seen) this.render(this.seen); });
  }

  /** Begins anew from the receiver's history. */
  load(history) {
    this.points = history;
    this.second = null;
    this.changed = true;
  }

  /** Takes up a state. What a second brought under the conditions at its end is the difference between two states. */
  accept(state) {
    const second = Math.floor(state.now_ms / 1000);
    const before = this.second;
    if (before && second === before.second) return;
    this.second = { second, clips: state.clips, curve: state.curve };
    if (!before || second < before.second || state.clips < before.clips) return;
    const [now, then] = [judged(state.curve, state.conditions), judged(before.curve, state.conditions)];
    const [all, right] = [now.all - then.all, now.right - then.right];
    const { snr_db = null, kind = null, k_factor = null } = state.conditions ?? {};
    const point = (t, more) => ({ t_ms: t * 1000, clips: 0, clips_per_s: 0, here: 0, acc2_pos: null, snr_db, kind, k_factor, ...more });
    // No state comes while nothing changes.
    if (second - before.second > 3) this.push(point(before.second + 1), point(second - 1));
    const accuracy = all > 0 ? Math.min(1, Math.max(0, right / all)) : null;
    this.push(point(second, { clips: state.clips - before.clips, clips_per_s: state.clips_per_s, here: now.clips - then.clips, acc2_pos: accuracy }));
  }

  push(...points) {
    const last = this.points.at(-1)?.t_ms ?? 0;
    this.points.push(...points.filter((point) => point.t_ms > last));
    const oldest = (this.points.at(-1)?.t_ms ?? 0) - KEPT_MS;
    while (this.points.length && this.points[0].t_ms < oldest) this.points.shift();
    this.changed = true;
  }

  /** Draws if a second has passed. */
  render(state, force = false) {
    this.seen = state;
    if (!force && !this.changed) return;
    this.changed = false;
    const ago = this.points.map((point) => (point.t_ms - state.now_ms) / 60_000);
    const mean = smoothed(this.points);
    say(at("time-note"), this.note());
    this.plot.draw(this.traces(ago, mean), this.look(ago, mean), this.words(state, mean));
    if (this.details.open) this.tabulate(state, mean);
  }

  traces(x, mean) {
    const line = (name, y, yaxis, hue, more = {}) => ({ type: "scatter", mode: "lines", name, x, y, yaxis, line: { color: colour(hue), width: 2, ...more.line }, ...more.trace });
    return [
      {
        type: "scatter", mode: "markers", name: "of a second", x, y: this.points.map((p) => p.acc2_pos), yaxis: "y", hoverinfo: "skip",
        marker: { color: translucent("awgn", 0.28), size: 4 },
      },
      line("Acc-2", mean, "y", "awgn", { trace: { hovertemplate: "%{y:.1%}<extra></extra>" } }),
      line("SNR", this.points.map((p) => p.snr_db), "y2", "rayleigh", { line: { shape: "hv" }, trace: { hovertemplate: "%{y} dB<extra></extra>" } }),
      line("clips/s", this.points.map((p) => p.clips_per_s), "y3", "rician", { line: { width: 1.5 }, trace: { fill: "tozeroy", fillcolor: translucent("rician", 0.16), hovertemplate: "%{y:.0f} clips/s<extra></extra>" } }),
    ];
  }

  look(ago, mean) {
    const span = SPANS.find((minutes) => minutes >= -(ago[0] ?? 0) - 0.02) ?? SPANS.at(-1);
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => -span * share);
    const words = ticks.map((tick) => (tick === 0 ? "now" : span === 1 ? `${fixed(tick * 60, 0)} s` : `${decibels(tick)} min`));
    const snrs = this.points.map((point) => point.snr_db).filter((snr) => snr != null);
    const snr = snrs.length ? [Math.min(...snrs) - 2, Math.max(...snrs) + 2] : [-12, 21];
    const rates = this.points.map((point) => point.clips_per_s);
    const row = (title, domain, more) => axis({ title: { text: title }, domain, nticks: 4, ...more });
    return layout(`time-${span}`, {
      showlegend: false, hovermode: "x",
      xaxis: axis({ title: { text: "" }, range: [-span, 0], tickvals: ticks, ticktext: words, anchor: "y3" }),
      yaxis: row("Acc-2", [0.5, 1], { tickformat: ".0%", range: steps(mean.filter((m) => m != null), 0.1, 0, 1.02) }),
      yaxis2: row("SNR, dB", [0.26, 0.44], { range: snr }),
      yaxis3: row("clips/s", [0, 0.2], { range: [0, Math.max(1, ...rates) * 1.1] }),
    });
  }

  /** What the accuracy is of, and how much else arrived. */
  note() {
    const of = (name) => this.points.reduce((sum, point) => sum + (point[name] ?? 0), 0);
    const [clips, here] = [of("clips"), of("here")];
    const others = clips - here;
    if (!this.points.some((point) => point.kind)) return "Accuracy over all conditions: which are current is not known.";
    const share = others > 0 ? ` ${percent(others / clips, 0)} of what arrived in these minutes met others and is not in it.` : "";
    return `Accuracy of the clips that met the conditions current at the time, a mean of ${SMOOTHED_S} seconds.${share}`;
  }

  words(state, mean) {
    const last = mean.at(-1);
    const accuracy = last == null ? "no labelled clips" : `Acc-2 of the last ${SMOOTHED_S} seconds ${percent(last)}`;
    return `The last minutes: ${accuracy}, ${fixed(state.clips_per_s, 0)} clips per second, ${conditionsText(state.conditions)}.`;
  }

  tabulate(state, mean) {
    // Every tenth second, newest first.
    const rows = this.points.map((point, index) => ({ point, mean: mean[index] })).reverse().filter((_, index) => index % SMOOTHED_S === 0);
    fillRows(at("time-rows"), rows.map(({ point, mean: accuracy }) => [
      fixed((state.now_ms - point.t_ms) / 1000, 0), accuracy == null ? "–" : percent(accuracy),
      point.kind == null ? "–" : point.snr_db == null ? channelName(point) : `${decibels(point.snr_db)} dB, ${channelName(point)}`,
      fixed(point.clips_per_s, 0),
    ]));
  }
}
