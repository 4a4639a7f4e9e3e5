// Runs beside the page, where the sound is: hands every block of the microphone's samples on.

registerProcessor("microphone", class extends AudioWorkletProcessor {
  process([[samples]]) {
    if (samples) this.port.postMessage(samples.slice());
    return true;
  }
});
