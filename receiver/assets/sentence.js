// A sentence of the user's own.

import { Answers, reasonAgainst } from "./answers.js";
import { call } from "./api.js";
import { fold } from "./fold.js";
import { at, sameConditions, say, sayOrHide } from "./format.js";

const REMEDY = {
  short: "off: these weights hold no text encoder",
  reason: "These weights hold no text encoder, so they cannot read a sentence. Train with --text-encoder DIR, a BERT-family checkpoint, "
    + "and start transmitter and receiver with --weights on that folder.",
};
/** Conditions that have not changed for so long have settled. */
const SETTLED_MS = 600;

/** The card. */
export class Sentence {
  constructor() {
    this.answers = new Answers("answer");
    this.busy = false;
    this.said = null;
    this.seen = null;
    this.changed = 0;
    this.tried = false;
    this.timer = 0;
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

  send() {
    const text = at("text").value.trim();
    if (this.busy) return;
    if (!text) return sayOrHide(at("sentence-problem"), "Type a sentence first.");
    return this.say(text);
  }

  async say(text) {
    this.busy = true;
    at("sentence-form").setAttribute("aria-busy", "true");
    try {
      const answer = await call("POST", "api/sentence", { text });
      at("answer").hidden = false;
      say(at("answer-text"), answer.text);
      this.answers.show(answer);
      this.answers.date(null);
      this.said = answer.text;
      sayOrHide(at("sentence-problem"), null);
    } catch (problem) {
      sayOrHide(at("sentence-problem"), problem.message);
    }
    this.busy = false;
    at("sentence-form").removeAttribute("aria-busy");
  }

  /** Sends the last sentence again when the conditions have changed and settled; not while a sweep changes them. */
  follow(state) {
    const { conditions, sweep } = state;
    clearTimeout(this.timer);
    if (!sameConditions(conditions, this.seen)) Object.assign(this, { seen: conditions, changed: performance.now(), tried: false });
    if (!this.said || this.busy) return;
    this.answers.date(conditions, sweep ? "The sweep changes the channel; after it this is sent again." : "The channel has changed since.");
    // Once for each change: the answer may have met others again, or not have come.
    if (!this.answers.past || sweep || this.tried) return;
    const left = this.changed + SETTLED_MS - performance.now();
    if (left > 0) {
      // No state need come meanwhile.
      this.timer = setTimeout(() => this.follow(state), left);
      return;
    }
    this.tried = true;
    this.say(this.said);
  }

  /** Shows whether a sentence can be sent. `force`: the colours have changed. */
  render(info, force = false) {
    const reason = reasonAgainst(info, info?.takes_text, "text", REMEDY);
    fold("sentence", this.said ? null : reason?.short, reason?.reason);
    const fields = at("sentence-fields");
    if (fields.disabled !== Boolean(reason)) fields.disabled = Boolean(reason);
    if (force) this.answers.draw();
  }
}
