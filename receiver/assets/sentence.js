// A sentence of the user's own: noiseless, over the live channel, and over the sweep.

import { call } from "./api.js";
import { Bars } from "./clips.js";
import { at, channelName, conditionsText, decibels, fillRows, make, percent, sayOrHide, say, signed } from "./format.js";
import { Plot, axis, layout } from "./plot.js";
import { colour, translucent } from "./theme.js";

/** Why no sentence can be sent; null where one can. */
function reasonAgainst(info) {
  if (!info) return "The receiver has not said yet whether these weights take text.";
  if (info.takes_text) return null;
  if (info.takes_text === false) {
    return "These weights hold no text encoder, so they cannot read a sentence. Train with --text-encoder DIR, a BERT-family checkpoint, "
      + "and start transmitter and receiver with --weights on that folder.";
  }
  if (info.transmitter) return `The transmitter at ${info.transmitter} has not said yet whether its weights take text.`;
  return "This receiver knows of no transmitter. Start it with --transmitter URL to send sentences from here.";
}

/** One answer in a box: where, what, and its distribution. */
function answerBox(title, answer) {
  const box = make("div", "answer");
  const bars = new Bars();
  bars.show(answer.classes, null);
  const words = make("p", "sentiment", `${answer.sentiment} ${signed(answer.score, 1)}`);
  words.dataset.sentiment = answer.sentiment;
  box.append(make("h3", "", title), words, bars.element, make("p", "note", `positive ${percent(answer.p_pos, 0)}, negative ${percent(answer.p_neg, 0)}`));
  return box;
}

/** The card. */
export class Sentence {
  constructor() {
    this.plot = new Plot(at("answer-plot"));
    this.busy = false;
    this.answer = null;
    at("sentence-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    at("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      at("sentence-form").requestSubmit();
    });
  }

  async send() {
    const text = at("text").value.trim();
    if (this.busy) return;
    if (!text) return sayOrHide(at("sentence-problem"), "Type a sentence first.");
    this.busy = true;
    at("sentence-form").setAttribute("aria-busy", "true");
    try {
      this.show(await call("POST", "/api/sentence", { text }));
      sayOrHide(at("sentence-problem"), null);
    } catch (problem) {
      sayOrHide(at("sentence-problem"), problem.message);
    }
    this.busy = false;
    at("sentence-form").removeAttribute("aria-busy");
  }

  show(answer) {
    this.answer = answer;
    at("answer").hidden = false;
    say(at("answer-text"), answer.text);
    const boxes = [answerBox(`Now: ${conditionsText(answer.live.conditions)}`, answer.live)];
    if (answer.noiseless) boxes.unshift(answerBox("Noiseless", answer.noiseless));
    at("answers").replaceChildren(...boxes);
    this.drawSweep();
    fillRows(at("answer-rows"), answer.sweep.map(({ conditions, answer: at }) => [
      channelName(conditions), conditions.snr_db == null ? "none" : decibels(conditions.snr_db), at.sentiment, percent(at.p_pos), signed(at.score, 2),
    ]));
  }

  drawSweep() {
    const points = this.answer.sweep.filter(({ conditions }) => conditions.snr_db != null);
    const x = points.map(({ conditions }) => conditions.snr_db);
    const level = this.answer.noiseless?.p_pos;
    const traces = [{
      type: "scatter", mode: "lines+markers", name: points.length ? channelName(points[0].conditions) : "sweep", x, y: points.map((p) => p.answer.p_pos),
      line: { color: colour("rayleigh"), width: 2 }, marker: { color: colour("rayleigh"), symbol: "square", size: 6 }, hovertemplate: "%{x} dB: %{y:.1%}",
    }];
    if (level != null && x.length) {
      traces.push({
        type: "scatter", mode: "lines", name: "noiseless", x: [x[0], x.at(-1)], y: [level, level], hovertemplate: "%{y:.1%}",
        line: { color: colour("muted"), width: 1.75, dash: "5px,4px" },
      });
    }
    const half = { type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.5, y1: 0.5, line: { color: translucent("muted", 0.6), width: 1 } };
    const look = layout("answer", {
      xaxis: axis({ title: { text: "SNR, dB" }, nticks: 7 }),
      yaxis: axis({ title: { text: "positive" }, range: [0, 1.02], tickformat: ".0%", tickvals: [0, 0.5, 1] }), shapes: [half],
    });
    const ends = points.length ? `, ${percent(points[0].answer.p_pos, 0)} at ${decibels(x[0])} dB and ${percent(points.at(-1).answer.p_pos, 0)} at ${decibels(x.at(-1))} dB` : "";
    this.plot.draw(traces, look, `Probability of a positive sentiment against SNR${ends}.`);
  }

  /** Shows whether a sentence can be sent. `force`: the colours have changed. */
  render(info, force = false) {
    const reason = reasonAgainst(info);
    sayOrHide(at("sentence-reason"), reason);
    const fields = at("sentence-fields");
    if (fields.disabled !== Boolean(reason)) fields.disabled = Boolean(reason);
    if (force && this.answer) this.drawSweep();
  }
}
