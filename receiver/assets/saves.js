// What a plot shows, as a file: its picture as PNG, and its numbers as CSV.

/** Whether a trace is but an ornament of another: a band, a ring. */
const ornament = (trace) => trace.hoverinfo === "skip" && trace.showlegend === false;

const cell = (value) => {
  const text = value == null || Number.isNaN(value) ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * The numbers of traces, a line each: the series, where it is along the x axis, the value, and the columns that
 * `meta.columns` names of `customdata`. A level (`meta.level`) is one line.
 */
export function csv(traces, xName) {
  const series = traces.filter((trace) => !ornament(trace));
  const columns = [...new Set(series.flatMap((trace) => trace.meta?.columns ?? []))];
  const lines = [["series", xName, "value", ...columns]];
  for (const { name, x, y, customdata, meta } of series) {
    const count = meta?.level ? 1 : x.length;
    for (let n = 0; n < count; n += 1) {
      if (y[n] == null) continue;
      const more = columns.map((column) => customdata?.[n]?.[meta?.columns?.indexOf(column) ?? -1]);
      lines.push([name, meta?.level ? "" : x[n], y[n], ...more]);
    }
  }
  return lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
}

/** Gives a file to the browser to keep. */
function keep(name, url) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Saves text as a file. */
export function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  keep(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Saves traces and layout as a picture of twice as many pixels as on the page. */
export async function savePicture(name, data, layout, { width, height }) {
  keep(name, await window.Plotly.toImage({ data, layout: { ...layout, autosize: false, width, height } }, { format: "png", width, height, scale: 2 }));
}
