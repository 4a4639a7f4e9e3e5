// A video as it plays, with the face that was found drawn over it, and its waveform beneath.

import { at, decibels, sayOrHide } from "./format.js";

/** A face is looked for so often, in seconds; what was found holds as long, and a little. */
const HOLDS_S = 0.25;
/** A sound that is nowhere louder is silence. */
const SILENCE = 0.001;
/** Stretches of 68 landmarks that make a line: first, behind the last, and whether it is closed. */
const LINES = [[0, 17], [17, 22], [22, 27], [27, 31], [31, 36], [36, 42, true], [42, 48, true], [48, 60, true], [60, 68, true]];

function svg(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

/** The player of the card. */
export class Player {
  constructor() {
    this.video = at("film-video");
    this.url = null;
    this.inspection = null;
    this.box = svg("rect", { class: "box", rx: 4 }, at("film-face"));
    this.lines = svg("path", { class: "lines" }, at("film-face"));
    this.wave = svg("path", { class: "wave" }, at("film-wave"));
    this.position = svg("line", { class: "position", y1: -1, y2: 1, x1: 0, x2: 0 }, at("film-wave"));
    this.video.addEventListener("loadedmetadata", () => this.fit());
    this.video.addEventListener("error", () => {
      if (this.url) sayOrHide(at("film-note"), "The browser cannot play this kind of file; what the extractors make of it is shown all the same.");
    });
    for (const event of ["timeupdate", "seeked", "loadeddata"]) this.video.addEventListener(event, () => this.draw());
    this.video.addEventListener("play", () => this.follow());
  }

  /** Plays a file; what was found in the last one is gone. */
  load(file) {
    this.leave();
    this.url = URL.createObjectURL(file);
    this.video.muted = false;
    this.video.controls = true;
    this.video.src = this.url;
    at("film-player").hidden = false;
  }

  /** Shows what the camera sees, without the sound, which would come back. */
  preview(stream) {
    this.leave();
    this.video.muted = true;
    this.video.controls = false;
    this.video.srcObject = stream;
    this.video.play().catch(() => {});
    at("film-player").hidden = false;
  }

  leave() {
    this.found({ looked: true, seconds: 0, peaks: [], faces: [] }, []);
    sayOrHide(at("film-note"), null);
    at("film-player").hidden = true;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.video.srcObject = null;
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** Shows what was found by extractors of some modalities; gives it in a sentence. */
  found(inspection, modalities) {
    this.inspection = inspection;
    const { looked, seconds, peaks, faces } = inspection;
    at("film-wave").toggleAttribute("hidden", !peaks.length);
    if (peaks.length) this.drawWave(peaks, seconds);
    const [first] = faces;
    if (first && this.video.currentTime < first.time_s && this.video.paused) this.video.currentTime = first.time_s;
    this.draw();
    if (!looked) return "Sent whole: the receiver extracts features from what arrives. What it finds is not shown here.";
    const length = `${decibels(Number(seconds.toFixed(1)))} s`;
    const seen = faces.length ? `a face in ${faces.length} frames, of five a second` : "no face";
    const loud = peaks.some((ends) => ends.some((end) => Math.abs(end) > SILENCE));
    const heard = peaks.length ? (loud ? "sound" : "silence") : "no sound";
    const parts = [modalities.includes("audio") && heard, modalities.includes("visual") && seen].filter(Boolean);
    return `Found in ${length}: ${parts.join(", and ")}.`;
  }

  /** As high as the loudest sample. */
  drawWave(peaks, seconds) {
    const loudest = Math.max(0.01, ...peaks.flat().map(Math.abs));
    const along = (end) => peaks.map((pair, n) => `${n + 0.5},${(-pair[end] / loudest).toFixed(3)}`);
    this.wave.setAttribute("d", `M${[...along(1), ...along(0).reverse()].join("L")}Z`);
    at("film-wave").setAttribute("viewBox", `0 -1.02 ${peaks.length} 2.04`);
    at("film-wave").setAttribute("aria-label", `Waveform of ${decibels(Number(seconds.toFixed(1)))} seconds of sound`);
  }

  /** Gives the picture its shape, and the drawing over it the film's pixels; sound alone has neither. */
  fit() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const screen = at("film-screen");
    screen.classList.toggle("sound", !width);
    screen.style.aspectRatio = width ? `${width} / ${height}` : "";
    screen.style.maxWidth = width ? `calc(21rem * ${width / height})` : "";
    at("film-face").setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
    this.draw();
  }

  /** Draws for as long as it plays. */
  follow() {
    this.draw();
    if (!this.video.paused && !this.video.ended) requestAnimationFrame(() => this.follow());
  }

  draw() {
    const { videoWidth: width, videoHeight: height, currentTime: now } = this.video;
    const { seconds, peaks, faces } = this.inspection;
    const last = faces.findLast(({ time_s: time }) => time <= now + 0.02);
    const face = width && last && now - last.time_s < HOLDS_S ? last : null;
    at("film-face").toggleAttribute("hidden", !face);
    if (face) {
      const [x, y, w, h] = face.bounds;
      for (const [name, value] of Object.entries({ x: x * width, y: y * height, width: w * width, height: h * height })) this.box.setAttribute(name, value);
      const point = ([px, py]) => `${(px * width).toFixed(1)},${(py * height).toFixed(1)}`;
      this.lines.setAttribute("d", LINES.map(([from, to, closed]) => `M${face.landmarks.slice(from, to).map(point).join("L")}${closed ? "Z" : ""}`).join(""));
    }
    if (peaks.length) {
      const place = seconds ? Math.min(1, now / seconds) * peaks.length : 0;
      this.position.setAttribute("x1", place);
      this.position.setAttribute("x2", place);
    }
  }
}
