// The sweep: start, progress, stop.

import { call } from "./api.js";
import { fold } from "./fold.js";
import { at, conditionsText, count, say, sayOrHide } from "./format.js";

/** The command that streams clips for as long as one likes. */
export function streamCommand(info) {
  // That of the weights: another one's features may not fit them.
  const corpus = info?.corpus ?? "CORPUS";
  const quoted = /^[\w@%+=:,./-]+$/.test(corpus) ? corpus : `'${corpus.replaceAll("'", "'\\''")}'`;
  return `latentlink transmitter send --to ${info?.transmitter ?? "URL"} --corpus ${quoted} --forever`;
}

/** The card. */
export class Sweep {
  constructor() {
    at("sweep-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    at("sweep-stop").addEventListener("click", () => this.ask("DELETE"));
  }

  start() {
    const channels = [...document.querySelectorAll("#sweep-form input[name=channel]:checked")].map((box) => box.value);
    const clips = Number(at("sweep-clips").value);
    if (!channels.length) return sayOrHide(at("sweep-problem"), "Choose at least one channel.");
    if (!Number.isInteger(clips) || clips < 1) return sayOrHide(at("sweep-problem"), "Give a whole number of clips, at least 1.");
    return this.ask("POST", { channels, snr: at("sweep-snr").value.trim(), clips });
  }

  async ask(method, body) {
    try {
      await call(method, "api/sweep", body);
      sayOrHide(at("sweep-problem"), null);
    } catch (problem) {
      sayOrHide(at("sweep-problem"), problem.message);
    }
  }

  /** Shows how far it is. */
  render(state, info) {
    const { sweep } = state;
    const able = state.emulator === "ok";
    const short = state.emulator === "absent" ? "off: no channel emulator is known" : null;
    fold("sweep", short, able || sweep ? null : "A sweep needs a channel emulator that answers.");
    at("sweep-fields").disabled = !able || Boolean(sweep);
    at("sweep-start").disabled = !able || Boolean(sweep);
    at("sweep-stop").disabled = !sweep;
    at("sweep-running").hidden = !sweep;
    at("sweep-waiting").hidden = !sweep?.waiting;
    if (!sweep) return;
    say(at("sweep-word"), `Point ${sweep.point} of ${sweep.points}: ${conditionsText(sweep.conditions)}, ${count(sweep.clips)} of ${count(sweep.wanted)} clips`);
    const share = Math.min(1, sweep.clips / Math.max(1, sweep.wanted));
    at("sweep-bar").value = Math.min(1, (sweep.point - 1 + share) / Math.max(1, sweep.points));
    say(at("sweep-command"), streamCommand(info));
  }
}
