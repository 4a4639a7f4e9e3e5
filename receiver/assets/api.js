// The receiver's HTTP API: calls that fail with a sentence for people, and the stream of states.

/** A call that failed; its message can be shown. */
export class Problem extends Error {}

/** How long to wait before the stream is opened anew where the browser has given up (a refusal), in milliseconds. */
const REOPEN_MS = 3000;

/** Calls `path`, relative to the page, which a proxy may show below a path of its own; gives the answer's JSON, or null where there is none. */
export function call(method, path, body) {
  const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return ask(method, path, method === "GET" ? {} : json);
}

/** Sends a file to `path`; gives the answer's JSON. */
export function upload(path, file) {
  return ask("POST", path, { headers: { "Content-Type": "application/octet-stream" }, body: file });
}

async function ask(method, path, options) {
  let response;
  try {
    response = await fetch(path, { method, cache: "no-store", ...options });
  } catch {
    throw new Problem("The receiver does not answer.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Problem(answer?.error ?? `The receiver answered ${response.status} to ${method} ${path}.`);
  }
  return answer;
}

/**
 * Follows the stream of states for good: `on.open` at every connection, `on.state` with each state, `on.lost` when
 * the connection is gone and is being sought again.
 */
export function follow(on) {
  const source = new EventSource("api/events");
  source.addEventListener("open", () => on.open());
  source.addEventListener("state", (event) => on.state(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    on.lost();
    // The browser itself tries again, unless it was answered with anything but a stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(on), REOPEN_MS);
  });
}
