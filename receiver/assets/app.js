// The dashboard: one state in, one drawing out. States come up to five times a second; only the newest is drawn, at
// most four times a second, so that a page that is slow falls behind in frames, never in time.

import { call, follow } from "./api.js";
import { Clips } from "./clips.js";
import { Channel } from "./conditions.js";
import { Constellation } from "./constellation.js";
import { Curve } from "./curve.js";
import { Film } from "./film.js";
import { at, channelName, conditionsText, count, decibels, fixed, percent, say, sayOrHide } from "./format.js";
import { Latency } from "./latency.js";
import { Sentence } from "./sentence.js";
import { Sweep, streamCommand } from "./sweep.js";
import { startTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { Voice } from "./voice.js";

const PERIOD_MS = 250;
/** A drawing that takes long is followed by a rest as many times as long, so that the controls stay quick. */
const REST = 2;
/** How often to ask again what the receiver has not found out yet. */
const INFO_MS = 5000;

class App {
  constructor() {
    this.state = null;
    this.info = null;
    this.queued = false;
    this.frozen = false;
    this.notBefore = 0;
    this.recolour = false;
    this.curve = new Curve();
    this.timeline = new Timeline();
    this.clips = new Clips();
    this.constellation = new Constellation();
    this.latency = new Latency();
    this.sweep = new Sweep();
    this.sentence = new Sentence();
    this.film = new Film();
    this.voice = new Voice();
    this.channel = new Channel((conditions) => {
      if (this.state) this.accept({ ...this.state, conditions });
    });
  }

  run() {
    startTheme(() => {
      this.recolour = true;
      this.schedule();
    });
    at("freeze").addEventListener("click", () => this.freeze(!this.frozen));
    document.addEventListener("visibilitychange", () => this.schedule());
    setInterval(() => {
      if (this.info?.transmitter && this.info.takes_text == null) this.askInfo();
    }, INFO_MS);
    follow({ open: () => this.opened(), state: (state) => this.take(state), lost: () => this.lost() });
  }

  /** A connection: whatever was known may be of another receiver by now. */
  opened() {
    this.link("live", "live", null);
    this.askInfo();
    call("GET", "api/history").then(({ points }) => this.timeline.load(points), () => {});
  }

  lost() {
    this.link("lost", "reconnecting", "The connection to the receiver is lost. It is being sought; what you see is the last that came.");
  }

  link(state, word, sentence) {
    at("link").dataset.link = state;
    say(at("link-word"), word);
    sayOrHide(at("banner"), sentence);
    document.documentElement.dataset.link = state;
  }

  async askInfo() {
    try {
      this.info = await call("GET", "api/info");
    } catch {
      // The connection's own banner says it; asked again at the next one.
      return;
    }
    const { scheme, symbols, equaliser, model_id: id } = this.info;
    say(at("about"), [scheme, symbols ? `${symbols} symbols a clip` : "transport blocks", equaliser?.toUpperCase()].filter(Boolean).join(" · "));
    say(at("foot"), `Weights ${id}`);
    say(at("clips-command"), streamCommand(this.info));
    this.sentence.render(this.info);
    this.film.render(this.info);
    this.schedule();
  }

  take(state) {
    this.timeline.accept(state);
    this.accept(state);
  }

  accept(state) {
    this.state = state;
    this.schedule();
  }

  freeze(frozen) {
    this.frozen = frozen;
    at("freeze").setAttribute("aria-pressed", String(frozen));
    this.schedule();
  }

  /** Draws soon, unless nobody looks. */
  schedule() {
    if (this.queued || document.hidden || !this.state) return;
    this.queued = true;
    const wait = Math.max(0, this.notBefore - performance.now());
    setTimeout(() => requestAnimationFrame(() => this.draw()), wait);
  }

  draw() {
    this.queued = false;
    const start = performance.now();
    const { state, info, recolour } = this;
    // Controls and their conditions are never frozen.
    this.channel.render(state, info);
    this.sweep.render(state, info);
    if (!this.frozen || recolour) {
      this.recolour = false;
      this.tiles(state);
      this.curve.render(state, info, recolour);
      this.timeline.render(state, recolour);
      this.constellation.render(state, recolour);
      this.clips.render(state);
      this.latency.render(state);
      this.sentence.render(info, recolour);
      this.sentence.follow(state);
      this.film.render(info, recolour);
      this.film.follow(state);
      document.documentElement.dataset.renderedMs = String(state.now_ms);
    }
    this.voice.tell(state);
    const took = performance.now() - start;
    this.notBefore = start + Math.max(PERIOD_MS, took * (1 + REST));
  }

  tiles({ recent, arriving, conditions, clips, clips_per_s: rate }) {
    const estimate = recent.acc2_pos;
    const where = conditions ? `at ${conditionsText(conditions)}` : "over all conditions: which are current is not known";
    say(at("tile-accuracy"), estimate ? percent(estimate.value) : "–");
    const repeats = estimate && estimate.distinct < estimate.n ? ` of ${count(estimate.distinct)} different clips` : "";
    say(at("tile-accuracy-sub"), estimate
      ? `95 %: ${fixed(100 * estimate.low, 1)} – ${fixed(100 * estimate.high, 1)}, Acc-2 of the last ${count(recent.clips)}${repeats} ${where}`
      : conditions && clips ? `no labelled clips ${where} yet` : "no labelled clips yet");
    const all = arriving.here + arriving.others;
    sayOrHide(at("tile-others"), arriving.others
      ? `${percent(arriving.others / all, 0)} of the last ${arriving.seconds} s met other conditions; not counted`
      : null);
    say(at("tile-snr"), conditions ? (conditions.snr_db == null ? "none" : `${decibels(conditions.snr_db)} dB`) : "–");
    say(at("tile-snr-sub"), conditions ? channelName(conditions) : "no channel emulator");
    say(at("tile-rate"), rate < 10 ? fixed(rate, 1) : count(rate));
    say(at("tile-clips"), count(clips));
    const title = estimate ? `${percent(estimate.value, 0)} at ${conditionsText(conditions)} · Latentlink` : "Latentlink";
    if (document.title !== title) document.title = title;
  }
}

new App().run();
