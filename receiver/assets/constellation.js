// The newest bursts in the complex plane: as received, and as equalised.

import { at, conditionsText, count, fillRows, fixed, say } from "./format.js";
import { Plot, axis, layout } from "./plot.js";
import { colour, translucent } from "./theme.js";

/** Least time between two drawings; a cloud that flickers faster tells no more. */
const PERIOD_MS = 500;

/** Mean power, largest magnitude and mean of points. */
function summary(points) {
  const n = Math.max(1, points.length);
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / n;
  return {
    power: mean(([i, q]) => i * i + q * q), largest: points.reduce((most, [i, q]) => Math.max(most, Math.hypot(i, q)), 0),
    i: mean(([i]) => i), q: mean(([, q]) => q),
  };
}

/** The card. */
export class Constellation {
  constructor() {
    this.plot = new Plot(at("points-plot"), "I");
    this.details = at("points-data");
    this.drawn = -Infinity;
    this.stamp = "";
    this.reach = 1.5;
    this.details.addEventListener("toggle", () => { if (this.seen) this.render(this.seen, true); });
  }

  /** Draws the newest points, at most twice a second. */
  render(state, force = false) {
    this.seen = state;
    const now = performance.now();
    const clouds = state.constellation;
    if (!clouds || (!force && now - this.drawn < PERIOD_MS)) return;
    const stamp = JSON.stringify([clouds.received[0], clouds.equalised[0], clouds.conditions, clouds.received.length]);
    if (!force && stamp === this.stamp) return;
    this.drawn = now;
    this.stamp = stamp;
    at("points-empty").hidden = true;
    const kinds = [["received", clouds.received], ["equalised", clouds.equalised]].map(([name, points]) => ({ name, points, ...summary(points) }));
    this.plot.draw(this.traces(kinds), this.look(kinds), this.words(kinds, clouds.conditions));
    if (this.details.open) {
      fillRows(at("points-rows"), kinds.map((k) => [k.name, count(k.points.length), fixed(k.power, 2), fixed(k.largest, 2), fixed(k.i, 2), fixed(k.q, 2)]));
    }
  }

  traces([received, equalised]) {
    const cloud = ({ name, points }, marker) => ({
      type: "scatter", mode: "markers", name, x: points.map((p) => p[0]), y: points.map((p) => p[1]), marker,
      hovertemplate: "%{x:.2f}, %{y:.2f}",
    });
    return [
      cloud(received, { symbol: "x-thin", size: 5, color: colour("muted"), line: { color: translucent("muted", 0.75), width: 1 } }),
      cloud(equalised, { symbol: "circle", size: 5, color: translucent("awgn", 0.75) }),
    ];
  }

  look(kinds) {
    // Most of the points rather than all: one far away would shrink the rest. The axes move in steps, and shrink late.
    const sizes = kinds.flatMap((kind) => kind.points.map(([i, q]) => Math.max(Math.abs(i), Math.abs(q)))).sort((a, b) => a - b);
    const wanted = Math.max(1, sizes[Math.floor(sizes.length * 0.97)] ?? 1) * 1.15;
    if (wanted > this.reach || wanted < this.reach / 2) this.reach = Math.ceil(wanted * 2) / 2;
    const range = [-this.reach, this.reach];
    const zero = { zeroline: true, zerolinecolor: colour("line"), range, nticks: 7 };
    return layout("points", {
      xaxis: axis({ ...zero, title: { text: "I" } }), yaxis: axis({ ...zero, title: { text: "Q" }, scaleanchor: "x", constrain: "domain" }),
    });
  }

  words([received, equalised], conditions) {
    say(at("points-title"), "Constellation");
    return `Symbols of the newest bursts at ${conditionsText(conditions)}: ${received.points.length} received with mean power ${fixed(received.power, 1)}, `
      + `${equalised.points.length} equalised with mean power ${fixed(equalised.power, 1)}.`;
  }
}
