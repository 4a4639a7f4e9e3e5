// A card that cannot be used folds to one line that says so; a button shows why, and what to do about it.

import { at, say, sayOrHide } from "./format.js";

/**
 * Folds or unfolds the card `name`: the elements `NAME-short`, `NAME-why`, `NAME-reason`. `short`: a few words where it
 * folds, else null. `reason`: a sentence that may stand in a card that is not folded, too.
 */
export function fold(name, short, reason) {
  sayOrHide(at(`${name}-reason`), reason);
  const button = at(`${name}-why`);
  const card = button.closest(".card");
  if (!button.onclick) button.onclick = () => button.setAttribute("aria-expanded", String(card.classList.toggle("open")));
  card.classList.toggle("folded", Boolean(short));
  button.hidden = !short;
  say(at(`${name}-short`), short ?? "");
  at(`${name}-short`).hidden = !short;
}
