// The last clips: what was said, what was felt, what came out.

import { at, channelName, decibels, make, milliseconds, percent, say, sentimentOf, signed } from "./format.js";

/** Seven probabilities as bars; the most likely one stands out, and the truth is ticked. */
export class Bars {
  constructor() {
    this.element = make("span", "bars");
    this.element.setAttribute("role", "img");
    this.bars = Array.from({ length: 7 }, () => {
      const slot = make("span", "slot");
      slot.append(make("span", "bar"));
      this.element.append(slot);
      return slot;
    });
  }

  /** Shows a distribution; `label` is null where the truth is not known. */
  show(classes, label) {
    const most = classes.indexOf(Math.max(...classes));
    // Half to even, as everywhere.
    const truth = label == null ? -1 : halfEven(Math.min(3, Math.max(-3, label))) + 3;
    this.bars.forEach((slot, index) => {
      slot.firstChild.style.height = `${Math.max(2, 100 * classes[index]).toFixed(1)}%`;
      slot.classList.toggle("most", index === most);
      slot.classList.toggle("truth", index === truth);
    });
    const words = classes.map((share, index) => `${signed(index - 3, 0)}: ${percent(share, 0)}`).join(", ");
    this.element.setAttribute("aria-label", words);
    this.element.title = words;
  }
}

function halfEven(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

/** Whether the sign was met; a label of 0 has none. */
function verdictOf(row) {
  if (row.label == null) return ["none", "no label"];
  if (row.label === 0) return ["none", "not judged"];
  return row.p_pos > row.p_neg === row.label > 0 ? ["right", "✓ right"] : ["wrong", "✗ wrong"];
}

/** One line of the table. Built once, then only its text changes. */
class Line {
  constructor() {
    this.row = make("tr");
    this.row.setAttribute("role", "row");
    const cell = (name, ...children) => {
      const element = make(name === "clip" ? "th" : "td", name);
      element.setAttribute("role", name === "clip" ? "rowheader" : "cell");
      if (name === "clip") element.scope = "row";
      element.append(...children);
      this.row.append(element);
      return element;
    };
    const text = (name) => (this[name] = make("span", name));
    this.bars = new Bars();
    cell("clip", text("caption"), text("id"));
    cell("label", text("truth"));
    cell("prediction", text("word"), text("verdict"));
    cell("distribution", this.bars.element);
    cell("met", text("channel"), text("realised"));
    cell("took", text("latency"));
  }

  show(row) {
    const caption = row.caption || row.clip_id || "a clip without a name";
    say(this.caption, caption);
    this.caption.title = caption;
    say(this.id, row.caption ? row.clip_id : "");
    say(this.truth, row.label == null ? "–" : signed(row.label, 1));
    say(this.word, `${sentimentOf(row)} ${signed(row.score, 1)}`);
    const [verdict, words] = verdictOf(row);
    say(this.verdict, words);
    this.verdict.dataset.verdict = verdict;
    this.bars.show(row.classes, row.label);
    const { conditions } = row;
    say(this.channel, conditions.snr_db == null ? channelName(conditions) : `${channelName(conditions)} ${decibels(conditions.snr_db)} dB`);
    say(this.realised, row.realised_snr_db == null ? "" : `realised ${decibels(Number(row.realised_snr_db.toFixed(1)))} dB`);
    const { transmitter_us: a, emulator_us: b, receiver_us: c } = row.timings;
    say(this.latency, milliseconds(a + b + c));
  }
}

/** The card. */
export class Clips {
  constructor() {
    this.body = at("clips-rows");
    this.lines = [];
  }

  /** Shows the newest rows. */
  render(state) {
    const rows = state.latest;
    at("clips-empty").hidden = rows.length > 0;
    while (this.lines.length < rows.length) {
      const line = new Line();
      this.lines.push(line);
      this.body.append(line.row);
    }
    this.lines.forEach((line, index) => {
      line.row.hidden = index >= rows.length;
      if (rows[index]) line.show(rows[index]);
    });
  }
}
