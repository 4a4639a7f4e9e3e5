// What is sent of a video, and what of it arrives: the latent's reals, and its symbols in the complex plane.

import { at, conditionsText, decibels, fillRows, fixed, say } from "./format.js";
import { Plot, axis, layout } from "./plot.js";
import { colour, translucent } from "./theme.js";

/** Mean squared distance of two lists of points. */
function distance(a, b) {
  return a.reduce((sum, [i, q], n) => sum + (i - b[n][0]) ** 2 + (q - b[n][1]) ** 2, 0) / Math.max(1, a.length);
}

/** Both plots. */
export class Latent {
  constructor() {
    this.reals = new Plot(at("latent-plot"), "real number of the latent");
    this.plane = new Plot(at("arrived-plot"), "I");
    this.seen = null;
  }

  /** Shows the symbols of an inspection, or hides all where there is none. */
  show(inspection, { conditions, realised_snr_db: realised }) {
    this.seen = inspection;
    at("latent").hidden = !inspection;
    if (!inspection) return;
    const { sent, received, equalised } = inspection;
    const met = `${conditionsText(conditions)}${realised == null ? "" : `, realised SNR of this burst ${decibels(Number(realised.toFixed(1)))} dB`}`;
    const arrived = equalised.length
      ? `Over ${met}; mean squared error behind the equaliser ${fixed(distance(sent, equalised), 2)}, at a power of 1.`
      : `Over ${met}. What arrived is not known: the receiver had answered before.`;
    say(at("latent-note"), arrived);
    const point = (points, n) => (points[n] ? `${fixed(points[n][0], 2)}, ${fixed(points[n][1], 2)}` : "–");
    fillRows(at("latent-rows"), sent.map((_, n) => [String(n + 1), point(sent, n), point(received, n), point(equalised, n)]));
    this.draw();
  }

  /** Draws what is shown: again where the colours have changed. */
  draw() {
    if (!this.seen) return;
    this.drawReals(this.seen);
    this.drawPlane(this.seen);
  }

  drawReals({ sent, equalised }) {
    const x = sent.flat().map((_, n) => n + 1);
    const traces = [
      { type: "bar", name: "sent", x, y: sent.flat(), marker: { color: translucent("awgn", 0.55) }, hovertemplate: "%{x}: %{y:.2f}" },
      {
        type: "scatter", mode: "markers", name: "arrived", x, y: equalised.flat(), hovertemplate: "%{x}: %{y:.2f}",
        marker: { symbol: "circle", size: 5, color: colour("rayleigh") },
      },
    ];
    const look = layout("latent", {
      xaxis: axis({ title: { text: "real number of the latent" }, nticks: 8, range: [0, x.length + 1] }),
      yaxis: axis({ nticks: 5, zeroline: true, zerolinecolor: colour("line") }), bargap: 0.25,
    });
    this.reals.draw(traces, look, `The latent: ${x.length} real numbers as sent${equalised.length ? " and as they arrived" : ""}.`);
  }

  drawPlane({ sent, received, equalised }) {
    const cloud = (name, points, marker) => ({
      type: "scatter", mode: "markers", name, x: points.map((p) => p[0]), y: points.map((p) => p[1]), marker, hovertemplate: "%{x:.2f}, %{y:.2f}",
    });
    const ways = equalised.flatMap(([i, q], n) => [[sent[n][0], sent[n][1]], [i, q], [null, null]]);
    const traces = [
      {
        type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", x: ways.map((p) => p[0]), y: ways.map((p) => p[1]),
        line: { color: translucent("muted", 0.35), width: 1 },
      },
      cloud("sent", sent, { symbol: "circle", size: 6, color: translucent("awgn", 0.7) }),
      cloud("received", received, { symbol: "x-thin", size: 5, color: colour("muted"), line: { color: translucent("muted", 0.75), width: 1 } }),
      cloud("equalised", equalised, { symbol: "circle", size: 5, color: colour("rayleigh") }),
    ];
    // One received symbol far away would shrink the rest.
    const sizes = [...sent, ...received, ...equalised].map(([i, q]) => Math.max(Math.abs(i), Math.abs(q))).sort((a, b) => a - b);
    const reach = 1.15 * Math.max(1, sizes[Math.floor(sizes.length * 0.97)] ?? 1);
    const square = { zeroline: true, zerolinecolor: colour("line"), range: [-reach, reach], nticks: 5, constrain: "domain" };
    const look = layout("arrived", {
      xaxis: axis({ ...square, title: { text: "I" } }), yaxis: axis({ ...square, title: { text: "Q" }, scaleanchor: "x" }),
    });
    this.plane.draw(traces, look, `The burst's ${sent.length} symbols in the complex plane: as sent, as received, and as equalised.`);
  }
}
