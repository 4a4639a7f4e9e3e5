// A sentence of the user's own.

import { Answers, reasonAgainst } from "./answers.js";
import { call } from "./api.js";
import { at, say, sayOrHide } from "./format.js";

const REMEDY = "These weights hold no text encoder, so they cannot read a sentence. Train with --text-encoder DIR, a BERT-family checkpoint, "
  + "and start transmitter and receiver with --weights on that folder.";

/** The card. */
export class Sentence {
  constructor() {
    this.answers = new Answers("answer");
    this.busy = false;
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
      const answer = await call("POST", "/api/sentence", { text });
      at("answer").hidden = false;
      say(at("answer-text"), answer.text);
      this.answers.show(answer);
      sayOrHide(at("sentence-problem"), null);
    } catch (problem) {
      sayOrHide(at("sentence-problem"), problem.message);
    }
    this.busy = false;
    at("sentence-form").removeAttribute("aria-busy");
  }

  /** Shows whether a sentence can be sent. `force`: the colours have changed. */
  render(info, force = false) {
    const reason = reasonAgainst(info, info?.takes_text, "text", REMEDY);
    sayOrHide(at("sentence-reason"), reason);
    const fields = at("sentence-fields");
    if (fields.disabled !== Boolean(reason)) fields.disabled = Boolean(reason);
    if (force) this.answers.draw();
  }
}
