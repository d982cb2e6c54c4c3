/** Files of the host and of containers that the engine reads, and what it prints of them. */
import { LineJoiner, MAX_LINE_BYTES, parseRawLine } from "../../../src/engine/logs/format.js";
import { parseAddress, parsePrefix } from "../../../src/engine/network/addresses.js";
import { parseConflist } from "../../../src/engine/network/cni.js";
import { parseResolvConf } from "../../../src/engine/network/site.js";
import { parseDurationMs, parseGoDuration } from "../../../src/lib/duration.js";
import { printable } from "../../../src/lib/printable.js";
import { parsePointInTime, parseRfc3339Nano } from "../../../src/lib/timestamp.js";
import { promise, type Target } from "../target.js";
import { refusing } from "./refusal.js";

export const logs: Target = {
  words: ["2024-01-01T00:00:00.000000000+00:00 ", "stdout ", "stderr ", "F ", "P ", "\n", " ", "\0"],
  run(data) {
    const joiner = new LineJoiner();
    let bytes = 0;
    for (let at = 0; at < data.length; ) {
      const end = data.indexOf(0x0a, at);
      const raw = parseRawLine(data.subarray(at, end < 0 ? data.length : end));
      at = end < 0 ? data.length : end + 1;
      const line = raw === undefined ? undefined : joiner.push(raw);
      bytes += line?.text.length ?? 0;
    }
    for (const line of joiner.flush()) bytes += line.text.length;
    promise(bytes <= Math.max(data.length, MAX_LINE_BYTES), "no more text than there was");
  },
};

export const networks: Target = {
  words: [
    "nameserver ",
    "search ",
    "options ",
    "domain ",
    "#",
    ";",
    "10.0.0.1",
    "fd00::1",
    "/24",
    "/129",
    ":",
    "::",
    "%eth0",
    "0x",
    "256",
    '{"name":"n"',
    '"plugins":[',
    '"type":"bridge"',
    '"type":"../x"',
    "\n",
  ],
  run(data) {
    const text = data.toString("utf8");
    const { servers, search } = parseResolvConf(text);
    promise(
      [...servers, ...search].every((word) => !/\s/.test(word)),
      "words hold no blanks",
    );
    refusing(() => parseAddress(text));
    const prefix = refusing(() => parsePrefix(text));
    promise(
      prefix === undefined || (prefix.bits >= 0 && prefix.bits <= (prefix.family === 4 ? 32 : 128)),
      "prefixes fit their family",
    );
    const list = refusing(() => parseConflist(text, "it"));
    promise(list === undefined || /^[\w.-]+$/.test(list.name), "names of networks are plain");
  },
};

export const text: Target = {
  words: [
    "\u001b[2J",
    "\u001b]0;x\u0007",
    "\u009b",
    "\u202e",
    "\u2066",
    "\u200b",
    "https://user:password@host/",
    "Bearer abcdefghijkl",
    "token=",
    "1h",
    "ms",
    "µs",
    "-",
    "2024-01-01T00:00:00Z",
    "+25:00",
    "9".repeat(30),
  ],
  run(data) {
    const given = data.toString("utf8");
    const shown = printable(given);
    promise(!/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u.test(shown), "no control reaches the screen");
    promise(shown.length <= 401, "it is cut");
    promise(!/:\/\/[^/\s@*]+@/.test(shown), "no password of an address is shown");
    refusing(() => parseGoDuration(given));
    parseDurationMs(given);
    parseRfc3339Nano(given);
    refusing(() => parsePointInTime(given, 0n));
  },
};
