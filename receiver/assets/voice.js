// What a screen reader says by itself: the conditions when they have settled, and the accuracy now and then.

import { at, conditionsText, percent, say } from "./format.js";

/** Least time between two sentences. */
const PERIOD_MS = 15_000;
/** Conditions that have not changed for so long have settled, and are told at once. */
const SETTLED_MS = 1500;

/** The polite region. */
export class Voice {
  constructor() {
    this.region = at("spoken");
    this.conditions = null;
    this.changed = 0;
    this.told = "";
    this.spoken = -Infinity;
  }

  /** Speaks if there is something new and enough time has passed. */
  tell(state) {
    const now = performance.now();
    const conditions = state.conditions ? conditionsText(state.conditions) : null;
    if (conditions !== this.conditions) {
      this.conditions = conditions;
      this.changed = now;
    }
    const news = conditions !== this.told && now - this.changed >= SETTLED_MS && now - this.spoken >= PERIOD_MS / 3;
    if (!news && now - this.spoken < PERIOD_MS) return;
    const estimate = state.recent.acc2_pos;
    const accuracy = estimate ? `Accuracy of the last ${state.recent.clips} clips ${percent(estimate.value, 0)}.` : "";
    const text = [conditions ? `${conditions}.` : "", accuracy].filter(Boolean).join(" ");
    this.told = conditions;
    if (!text || text === this.region.textContent) return;
    this.spoken = now;
    say(this.region, text);
  }
}
