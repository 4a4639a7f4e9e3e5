// Numbers and conditions in words, and the few ways in which text reaches the page.

/** The element with an id. */
export const at = (id) => document.getElementById(id);

/** Sets an element's text, touching the page only where it changes. Text from the wire goes this way alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a sentence, or hides its element where there is none. */
export function sayOrHide(element, text) {
  say(element, text ?? "");
  element.hidden = !text;
}

/** A new element. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** A number with a true minus sign. */
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A number with its sign, always. */
export const signed = (value, digits) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + fixed(value, digits);

/** A share in percent. */
export const percent = (value, digits = 1) => `${fixed(100 * value, digits)}\u00a0%`;

/** A count with its thousands apart. */
export const count = (value) => Math.round(value).toLocaleString("en-GB");

/** An SNR as short as it goes: `3`, `−4.5`. */
export const decibels = (value) => fixed(value, 2).replace(/\.?0+$/, "");

/** Microseconds as milliseconds. */
export function milliseconds(us) {
  const ms = us / 1000;
  return `${fixed(ms, ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

const KINDS = { none: "noiseless", awgn: "AWGN", rayleigh: "Rayleigh", rician: "Rician" };

/** The name of a channel, with its K where it has one. */
export function channelName({ kind, k_factor: k }) {
  const name = KINDS[kind] ?? "unknown";
  return kind === "rician" && k != null ? `${name} K=${decibels(k)}` : name;
}

/** Conditions in a few words. */
export function conditionsText(conditions) {
  if (!conditions) return "unknown";
  const name = channelName(conditions);
  return conditions.snr_db == null ? name : `${decibels(conditions.snr_db)} dB, ${name}`;
}

/** Whether two conditions are the same. */
export function sameConditions(a, b) {
  const same = (x, y) => (x ?? null) === (y ?? null);
  return Boolean(a && b) && a.kind === b.kind && same(a.snr_db, b.snr_db) && same(a.k_factor, b.k_factor);
}

/** What the probabilities say: the sign that is more likely. */
export function sentimentOf({ p_neg: neg, p_pos: pos }) {
  if (neg === pos) return "undecided";
  return pos > neg ? "positive" : "negative";
}

/** Fills the rows of a table with text, reusing what is there. The first cell of a row names it. */
export function fillRows(body, rows) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, index) => {
    const row = body.rows[index] ?? body.insertRow();
    cells.forEach((text, column) => {
      let cell = row.cells[column];
      if (!cell) {
        cell = make(column === 0 ? "th" : "td");
        if (column === 0) cell.scope = "row";
        row.append(cell);
      }
      say(cell, text);
    });
  });
}
