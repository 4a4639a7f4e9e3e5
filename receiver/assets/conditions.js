// The channel's controls: they follow the current conditions, except under the user's hand.

import { call } from "./api.js";
import { fold } from "./fold.js";
import { at, conditionsText, decibels, say, sayOrHide } from "./format.js";

/** Least time between two requests while the slider moves. */
const PERIOD_MS = 150;
/** How long the controls stay as the user left them although the receiver says otherwise: states on their way still carry the conditions before. */
const HOLD_MS = 1200;

/** The card. */
export class Channel {
  /** `applied` is told the conditions that are current after a request. */
  constructor(applied) {
    this.applied = applied;
    this.slider = at("snr");
    this.box = at("snr-box");
    this.kind = at("kind");
    this.k = at("k-factor");
    this.pending = null;
    this.sending = false;
    this.dragging = false;
    this.heldUntil = 0;
    this.typing = false;
    this.timer = 0;
    this.listen();
  }

  listen() {
    this.slider.addEventListener("input", () => {
      this.box.value = this.slider.value;
      this.change({ snr_db: Number(this.slider.value) });
    });
    // A pointer may be let go of outside the slider.
    this.slider.addEventListener("pointerdown", () => { this.dragging = true; });
    for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { this.dragging = false; });
    this.box.addEventListener("input", () => { this.typing = true; });
    this.box.addEventListener("blur", () => { this.typing = false; });
    this.box.addEventListener("change", () => {
      this.typing = false;
      if (!this.valid(this.box, "an SNR between −20 and 30 dB")) return;
      this.slider.value = this.box.value;
      this.change({ snr_db: Number(this.box.value) });
    });
    this.kind.addEventListener("change", () => {
      this.arrange();
      const kind = this.kind.value;
      const snr = kind === "none" ? {} : { snr_db: Number(this.slider.value) };
      this.change({ kind, ...snr, ...(kind === "rician" ? { k_factor: Number(this.k.value) || 0 } : {}) });
    });
    this.k.addEventListener("change", () => {
      if (this.valid(this.k, "a K between 0 and 1000")) this.change({ k_factor: Number(this.k.value) });
    });
  }

  /** Whether a box holds a number in its range; says so where it does not. */
  valid(box, wanted) {
    const good = box.value !== "" && !box.validity.rangeUnderflow && !box.validity.rangeOverflow && !box.validity.badInput;
    sayOrHide(at("channel-problem"), good ? null : `Give ${wanted}.`);
    return good;
  }

  /** Sends a change soon; several within the period go as one. */
  change(patch) {
    this.pending = { ...this.pending, ...patch };
    this.heldUntil = performance.now() + HOLD_MS;
    this.timer ||= setTimeout(() => this.send(), PERIOD_MS);
  }

  async send() {
    this.timer = 0;
    if (this.sending || !this.pending) return;
    const patch = this.pending;
    this.pending = null;
    this.sending = true;
    try {
      const current = await call("POST", "api/conditions", patch);
      sayOrHide(at("channel-problem"), null);
      this.applied(current);
    } catch (problem) {
      sayOrHide(at("channel-problem"), problem.message);
      this.heldUntil = 0;
    }
    this.sending = false;
    if (this.pending) this.timer ||= setTimeout(() => this.send(), PERIOD_MS);
    else if (this.heldUntil) this.heldUntil = performance.now() + HOLD_MS;
  }

  /** Whether the user's hand goes before the current conditions. */
  get held() {
    return this.dragging || this.sending || this.pending !== null || performance.now() < this.heldUntil;
  }

  /** Shows the current conditions and why the controls may be off. */
  render(state, info) {
    say(at("force"), state.conditions ? conditionsText(state.conditions) : "–");
    const reason = reasonAgainst(state, info);
    fold("channel", state.emulator === "absent" ? "off: no channel emulator is known" : null, reason);
    const fields = at("channel-fields");
    if (fields.disabled !== Boolean(reason)) fields.disabled = Boolean(reason);
    this.showTraining(info?.training_snr_db);
    if (state.conditions && !this.held) this.adopt(state.conditions);
  }

  adopt({ kind, snr_db: snr, k_factor: k }) {
    const set = (control, value) => { if (control.value !== value) control.value = value; };
    set(this.kind, kind);
    if (snr != null) {
      set(this.slider, String(snr));
      if (!this.typing) set(this.box, String(snr));
    }
    if (k != null && document.activeElement !== this.k) set(this.k, String(k));
    this.arrange();
  }

  /** Shows the controls that the kind has. */
  arrange() {
    const none = this.kind.value === "none";
    const rician = this.kind.value === "rician";
    this.slider.disabled = none;
    this.box.disabled = none;
    at("k-label").hidden = !rician;
    this.k.hidden = !rician;
    say(at("snr-note"), none ? "The noiseless channel has no SNR." : this.training ?? "");
  }

  showTraining(range) {
    const bar = at("trained");
    bar.hidden = !range;
    if (!range) return;
    const [low, high] = range.map((snr) => Math.min(30, Math.max(-20, snr)));
    this.training = `Trained from ${decibels(range[0])} to ${decibels(range[1])} dB, the bar under the slider.`;
    bar.style.left = `${(low + 20) * 2}%`;
    bar.style.width = `${(high - low) * 2}%`;
    this.arrange();
  }
}

/** Why conditions cannot be set now; null where they can. */
export function reasonAgainst(state, info) {
  if (state.emulator === "absent") return "This receiver knows of no channel emulator. Start it with --emulator URL to set conditions here.";
  if (state.emulator === "away") return `The channel emulator${info?.emulator ? ` at ${info.emulator}` : ""} does not answer. It is tried again and again.`;
  if (state.sweep) return "The sweep sets the conditions. Stop it to set them by hand.";
  return null;
}
