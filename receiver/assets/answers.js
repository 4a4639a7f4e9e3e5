// What becomes of a clip of the user's own: noiseless, over the live channel, and over the sweep.

import { Bars } from "./clips.js";
import { at, channelName, conditionsText, decibels, fillRows, make, percent, sameConditions, say, signed } from "./format.js";
import { Plot, axis, layout } from "./plot.js";
import { colour, translucent } from "./theme.js";

/**
 * Why the transmitter is not sent something, in a few words and in a sentence; null where it is. `taken`: whether it takes
 * it, null where that is not known; `what`: its name; `remedy`: both where it takes none.
 */
export function reasonAgainst(info, taken, what, remedy) {
  if (!info) return { reason: `The receiver has not said yet whether these weights take ${what}.` };
  if (taken) return null;
  if (taken === false) return remedy;
  if (info.transmitter) {
    return { short: "off until the transmitter answers", reason: `The transmitter at ${info.transmitter} has not said yet whether its weights take ${what}.` };
  }
  return { short: "off: no transmitter is known", reason: `This receiver knows of no transmitter. Start it with --transmitter URL to send ${what} from here.` };
}

/** One answer in a box: where, what, and its distribution. */
function answerBox(title, answer) {
  const box = make("div", "answer");
  const bars = new Bars();
  bars.show(answer.classes, null);
  const words = make("p", "sentiment", `${answer.sentiment} ${signed(answer.score, 1)}`);
  words.dataset.sentiment = answer.sentiment;
  const realised = answer.realised_snr_db == null ? "" : `; realised SNR ${decibels(Number(answer.realised_snr_db.toFixed(1)))} dB`;
  box.append(make("h3", "", title), words, bars.element, make("p", "note", `positive ${percent(answer.p_pos, 0)}, negative ${percent(answer.p_neg, 0)}${realised}`));
  return box;
}

/** The answers in boxes, as a plot against SNR and as a table: the elements `PREFIX-boxes`, `PREFIX-plot`, `PREFIX-rows`. */
export class Answers {
  constructor(prefix) {
    this.prefix = prefix;
    this.plot = new Plot(at(`${prefix}-plot`), "snr_db");
    this.answers = null;
    this.sent = null;
    this.past = false;
  }

  /** The conditions that the answers are for; null without any. */
  get conditions() {
    return this.answers?.live.conditions ?? null;
  }

  show(answers) {
    this.answers = answers;
    this.sent = new Date();
    this.past = false;
    const { live, noiseless, sweep } = answers;
    const boxes = [answerBox("Noiseless", noiseless), answerBox(`Now: ${conditionsText(live.conditions)}`, live)];
    at(`${this.prefix}-boxes`).replaceChildren(...boxes);
    this.draw();
    fillRows(at(`${this.prefix}-rows`), sweep.map(({ conditions, answer }) => [
      channelName(conditions), conditions.snr_db == null ? "none" : decibels(conditions.snr_db), answer.sentiment, percent(answer.p_pos), signed(answer.score, 2),
    ]));
  }

  /**
   * Says when they were sent. `current`: the conditions now, null where they are not known; `changed`: what follows where
   * those are others than were met.
   */
  date(current, changed) {
    if (!this.answers) return;
    this.past = Boolean(current) && !sameConditions(current, this.conditions);
    say(at(`${this.prefix}-sent`), `Sent at ${this.sent.toLocaleTimeString("en-GB")}.${this.past ? ` ${changed}` : ""}`);
    const title = at(`${this.prefix}-boxes`).lastElementChild.firstElementChild;
    say(title, `${this.past ? "Then" : "Now"}: ${conditionsText(this.conditions)}`);
  }

  /** Draws the sweep, if there is one: again where the colours have changed. */
  draw() {
    if (!this.answers) return;
    const points = this.answers.sweep.filter(({ conditions }) => conditions.snr_db != null);
    const x = points.map(({ conditions }) => conditions.snr_db);
    const level = this.answers.noiseless.p_pos;
    const traces = [{
      type: "scatter", mode: "lines+markers", name: points.length ? channelName(points[0].conditions) : "sweep", x, y: points.map((p) => p.answer.p_pos),
      line: { color: colour("rayleigh"), width: 2 }, marker: { color: colour("rayleigh"), symbol: "square", size: 6 }, hovertemplate: "%{x} dB: %{y:.1%}",
    }];
    if (x.length) {
      traces.push({
        type: "scatter", mode: "lines", name: "noiseless", x: [x[0], x.at(-1)], y: [level, level], hovertemplate: "%{y:.1%}",
        line: { color: colour("muted"), width: 1.75, dash: "5px,4px" },
      });
    }
    const half = { type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.5, y1: 0.5, line: { color: translucent("muted", 0.6), width: 1 } };
    const look = layout(this.prefix, {
      xaxis: axis({ title: { text: "SNR, dB" }, nticks: 7 }),
      yaxis: axis({ title: { text: "positive" }, range: [0, 1.02], tickformat: ".0%", tickvals: [0, 0.5, 1] }), shapes: [half],
    });
    const ends = points.length ? `, ${percent(points[0].answer.p_pos, 0)} at ${decibels(x[0])} dB and ${percent(points.at(-1).answer.p_pos, 0)} at ${decibels(x.at(-1))} dB` : "";
    this.plot.draw(traces, look, `Probability of a positive sentiment against SNR${ends}.`);
  }
}
