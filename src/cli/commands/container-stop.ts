/** `container stop`: stop one or more running containers. */
import { given } from "../../lib/given.js";
import type { OptionSpec, ParsedOptions } from "../command.js";
import { containersCommand } from "../container-verb.js";

/** `--timeout` of stop and restart. */
export const timeoutOption: OptionSpec = {
  long: "timeout",
  synonyms: ["time"],
  short: "t",
  value: "int",
  help: "Seconds to wait before killing the container",
};

/** The engine's form of `--timeout`. */
export function stopLimit(options: ParsedOptions): { readonly timeoutMs?: number } {
  const seconds = options.number("timeout");
  return seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
}

export const command = containersCommand({
  verb: "stop",
  summary: "Stop one or more running containers",
  options: [
    { long: "signal", short: "s", value: "string", complete: "signal", help: "Signal to send to the container" },
    timeoutOption,
  ],
  work: ({ containers }, { id }, options) => {
    const signal = options.text("signal");
    return containers.stop(id, { ...stopLimit(options), ...given({ signal }) });
  },
});
