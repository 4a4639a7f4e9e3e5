// Latency by hop: three quantiles in numbers, and as bars on one scale.

import { at, make, milliseconds, say } from "./format.js";

const HOPS = ["transmitter", "emulator", "receiver"];
const QUANTILES = ["p50_us", "p95_us", "p99_us"];

/** The next of 1, 2, 5, 10, … at or above. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** The card. */
export class Latency {
  constructor() {
    this.hops = HOPS.map((name) => {
      const row = make("tr");
      const head = make("th", "", name);
      head.scope = "row";
      const cells = QUANTILES.map(() => make("td", "", "–"));
      row.append(head, ...cells);
      // The bars say nothing that the numbers do not.
      const second = make("tr", "gauge");
      second.setAttribute("aria-hidden", "true");
      const gauge = make("td");
      gauge.colSpan = 4;
      const track = make("div", "meter");
      const bars = [...QUANTILES].reverse().map((quantile) => make("span", quantile.slice(0, 3)));
      track.append(...bars);
      gauge.append(track);
      second.append(gauge);
      at("latency-rows").append(row, second);
      return { name, cells, bars: bars.reverse() };
    });
  }

  /** Shows the quantiles; dashes where nothing was measured. */
  render(state) {
    const all = state.latency;
    const scale = all ? roundUp(Math.max(...HOPS.flatMap((hop) => QUANTILES.map((quantile) => all[hop][quantile])))) : 1;
    for (const { name, cells, bars } of this.hops) {
      QUANTILES.forEach((quantile, index) => {
        const us = all?.[name][quantile];
        say(cells[index], us == null ? "–" : milliseconds(us));
        bars[index].style.width = us == null ? "0" : `${((100 * us) / scale).toFixed(1)}%`;
      });
    }
    const bars = all ? ` The bars end at ${milliseconds(scale)}.` : "";
    say(at("latency-note"), `Of the last 1,000 clips, waiting in queues included.${bars}`);
  }
}
