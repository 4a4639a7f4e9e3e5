// Light and dark: what the system asks for, unless chosen here; and the colours of plots, read from the style sheet.

import { at } from "./format.js";

const STORED = "latentlink-theme";
const THEMES = ["auto", "light", "dark"];

/** Names of the custom properties that plots draw with. */
const COLOURS = ["ink", "muted", "line", "grid", "card", "shade", "awgn", "rayleigh", "rician", "rician-2", "rician-3", "now"];

let colours = null;

/** A colour of the plots by its name in the style sheet, as `rgb(…)`. */
export function colour(name) {
  colours ??= read();
  return colours[name];
}

/** The same colour, more or less transparent. */
export function translucent(name, alpha) {
  return colour(name).replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

function read() {
  // Only a used colour is resolved; a custom property would still read `light-dark(…)`.
  const probe = document.createElement("span");
  document.body.append(probe);
  const entries = COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries);
}

function stored() {
  // A browser may forbid storage.
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function apply(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  colours = null;
}

/** Starts the theme menu; `changed` is called whenever colours are to be read anew. */
export function startTheme(changed) {
  const menu = at("theme");
  const chosen = stored();
  menu.value = THEMES.includes(chosen) ? chosen : "auto";
  apply(menu.value);
  menu.addEventListener("change", () => {
    apply(menu.value);
    try {
      localStorage.setItem(STORED, menu.value);
    } catch {
      // Then it lasts until the page is left.
    }
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours = null;
    changed();
  });
}
