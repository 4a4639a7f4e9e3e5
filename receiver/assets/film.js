// A video or recording of the user's own: dropped, chosen or recorded, played with what was found in it, and sent.

import { Answers, reasonAgainst } from "./answers.js";
import { Problem, upload } from "./api.js";
import { fold } from "./fold.js";
import { at, conditionsText, count, say, sayOrHide } from "./format.js";
import { Latent } from "./latent.js";
import { Player } from "./player.js";
import { Recorder } from "./recorder.js";

const REMEDY = {
  short: "off: the transmitter has no extractors",
  reason: "The transmitter takes no media files. Start it with --extractors DIR, the pretrained extractors that its weights were "
    + "trained with; weights that were trained on features of unknown origin take none.",
};

/** The card. */
export class Film {
  constructor() {
    this.answers = new Answers("film");
    this.latent = new Latent();
    this.player = new Player();
    this.recorder = new Recorder(this.player, {
      begun: () => {
        this.forget();
        at("film-file").value = "";
      },
      taken: (file) => this.take(file),
      problem: (sentence) => sayOrHide(at("film-problem"), sentence),
    });
    this.info = null;
    this.file = null;
    this.busy = false;
    at("film-file").addEventListener("change", ({ target }) => { if (target.files[0]) this.take(target.files[0]); });
    at("film-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.catchDrops(at("film-drop"));
  }

  /** A file that is dropped beside the zone would take the place of the page. */
  catchDrops(zone) {
    const bringsFile = (event) => event.dataTransfer?.types.includes("Files");
    for (const name of ["dragover", "drop"]) {
      document.addEventListener(name, (event) => { if (bringsFile(event)) event.preventDefault(); });
    }
    const over = (state) => zone.classList.toggle("over", state && !at("film-fields").disabled);
    zone.addEventListener("dragover", () => over(true));
    zone.addEventListener("dragleave", () => over(false));
    zone.addEventListener("drop", (event) => {
      over(false);
      const file = event.dataTransfer?.files[0];
      if (!file || at("film-fields").disabled || this.recorder.recording) return;
      this.take(file);
      at("film-file").value = "";
    });
  }

  /** Shows a file that is to be sent. */
  take(file) {
    const most = this.info?.media_bytes ?? Infinity;
    if (file.size > most) return sayOrHide(at("film-problem"), `The file has ${count(file.size / 2 ** 20)} MiB; at most ${count(most / 2 ** 20)} MiB are accepted.`);
    this.forget();
    this.file = file;
    this.player.load(file);
    at("film-send").disabled = this.busy;
    say(at("film-status"), `${file.name ?? "The recording"}, ${count(Math.max(1, file.size / 1024))} KiB, is ready to be sent.`);
  }

  /** The last file, what was said in it, and what became of it. */
  forget() {
    if (this.file) at("film-text").value = "";
    this.file = null;
    sayOrHide(at("film-problem"), null);
    say(at("film-status"), "");
    at("film-answer").hidden = true;
    at("film-empty").hidden = false;
    at("film-send").disabled = true;
  }

  async send() {
    if (this.busy || !this.file) return;
    const { file } = this;
    const text = this.info?.takes_text ? at("film-text").value.trim() : "";
    this.wait(true);
    say(at("film-status"), "It is read and sent through the link.");
    const answer = await upload(`api/video?${new URLSearchParams(text ? { text } : {})}`, file).catch((problem) => problem);
    this.wait(false);
    // Another may have been chosen meanwhile.
    if (file !== this.file) return;
    const problem = answer instanceof Problem ? answer.message : null;
    sayOrHide(at("film-problem"), problem);
    if (problem) say(at("film-status"), "");
    else this.show(answer);
  }

  wait(busy) {
    this.busy = busy;
    at("film-send").disabled = busy || !this.file;
    if (busy) at("film-form").setAttribute("aria-busy", "true");
    else at("film-form").removeAttribute("aria-busy");
  }

  show(film) {
    const { inspection, live, text } = film;
    at("film-empty").hidden = true;
    at("film-answer").hidden = false;
    sayOrHide(at("film-said"), text);
    this.answers.show(film);
    this.answers.date(null);
    say(at("film-status"), inspection ? this.player.found(inspection, this.info?.takes_media ?? []) : "");
    this.latent.show(inspection, live);
  }

  /** Says whether the answers are those of the channel as it is now. */
  follow({ conditions }) {
    if (at("film-answer").hidden || this.busy) return;
    this.answers.date(conditions, `The channel is now ${conditionsText(conditions)}: send it again.`);
  }

  /** Shows whether a video can be sent. `force`: the colours have changed. */
  render(info, force = false) {
    this.info = info;
    const taken = info?.takes_media == null ? null : info.takes_media.length > 0;
    const reason = reasonAgainst(info, taken, "videos or recordings", REMEDY);
    fold("film", this.file ? null : reason?.short, reason?.reason);
    const fields = at("film-fields");
    if (fields.disabled !== Boolean(reason)) fields.disabled = Boolean(reason);
    at("film-words").hidden = !info?.takes_text;
    this.recorder.render(info?.takes_media ?? []);
    if (force) {
      this.answers.draw();
      this.latent.draw();
    }
  }
}
