// Recordings of the user's own: camera and microphone by the browser's recorder, the microphone alone as WAV, which the
// transmitter reads without any other program.

import { at, say, sayOrHide } from "./format.js";
import { wav } from "./wav.js";

/** The longest recording, in seconds. */
const MOST_S = 20;
/** What films are recorded as: the first that the browser knows. */
const KINDS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 25 } };

/** Camera and microphone; `stop` gives the film. */
class Filming {
  constructor(stream) {
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { mimeType: KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.parts.push(data));
    this.stopped = new Promise((stopped) => this.recorder.addEventListener("stop", stopped));
    this.recorder.start();
  }

  async stop() {
    // It stops by itself where the camera is unplugged.
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.stopped;
    return new Blob(this.parts, { type: this.recorder.mimeType });
  }
}

/** The microphone alone; `stop` gives the recording. */
class Listening {
  static async start(stream) {
    const context = new AudioContext();
    await context.audioWorklet.addModule("microphone.js");
    return new Listening(context, stream);
  }

  constructor(context, stream) {
    this.context = context;
    this.blocks = [];
    const microphone = new AudioWorkletNode(context, "microphone", { channelCount: 1, channelCountMode: "explicit" });
    microphone.port.addEventListener("message", ({ data }) => this.blocks.push(data));
    microphone.port.start();
    // What is not connected to the end may not run. It gives silence.
    context.createMediaStreamSource(stream).connect(microphone).connect(context.destination);
  }

  async stop() {
    await this.context.close();
    return wav(this.blocks, this.context.sampleRate);
  }
}

/** Why nothing can be recorded; null where it can. */
function reasonAgainst() {
  if (!window.isSecureContext) return "Browsers record only on pages from localhost or over https.";
  return navigator.mediaDevices && window.MediaRecorder ? null : "This browser does not record.";
}

/** The buttons. */
export class Recorder {
  /** `on.begun` is told when a recording begins, `on.taken` gets it, and `on.problem` a sentence where there is none. */
  constructor(player, on) {
    Object.assign(this, { player, on, recording: null, starting: false, reason: reasonAgainst() });
    at("record-film").addEventListener("click", () => this.start(true));
    at("record-sound").addEventListener("click", () => this.start(false));
    at("record-stop").addEventListener("click", () => this.stop());
  }

  async start(withCamera) {
    if (this.recording || this.starting) return;
    this.starting = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: withCamera && CAMERA });
      const take = withCamera ? new Filming(stream) : await Listening.start(stream);
      this.recording = { stream, take, left: MOST_S };
      this.recording.clock = setInterval(() => this.tick(), 1000);
      this.on.begun();
      if (withCamera) this.player.preview(stream);
      else this.player.leave();
      this.show();
      at("record-stop").focus();
    } catch (error) {
      stream?.getTracks().forEach((track) => track.stop());
      this.on.problem(`The browser gives no ${withCamera ? "camera and microphone" : "microphone"}: ${error.message}.`);
    }
    this.starting = false;
  }

  tick() {
    this.recording.left -= 1;
    this.show();
    if (this.recording.left <= 0) this.stop();
  }

  async stop() {
    const { recording } = this;
    if (!recording) return;
    this.recording = null;
    clearInterval(recording.clock);
    const file = await recording.take.stop();
    recording.stream.getTracks().forEach((track) => track.stop());
    this.show();
    this.on.taken(file);
    at("film-send").focus();
  }

  show() {
    const left = this.recording?.left;
    at("record-film").hidden = at("record-sound").hidden = this.recording != null;
    at("record-stop").hidden = this.recording == null;
    at("film-file").disabled = this.recording != null;
    say(at("record-left"), left == null ? "" : `${left} s left`);
  }

  /** Offers what the weights take, and says what they do not. */
  render(modalities) {
    const sees = modalities.includes("visual");
    const hears = modalities.includes("audio");
    at("record-film").disabled = Boolean(this.reason) || !sees;
    at("record-sound").disabled = Boolean(this.reason) || !hears;
    const only = modalities.length === 1 ? `These weights take ${hears ? "sound" : "pictures"} alone.` : null;
    sayOrHide(at("record-note"), this.reason ?? only);
  }
}
