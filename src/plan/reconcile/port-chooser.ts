/** Ports of published ranges, one for each replica. */
import { TscError } from "../../lib/errors.js";
import type { ObservedContainer } from "../observe.js";
import type { PortChoice } from "../service-spec/values.js";

/** Gives each replica its own port of a published range; remembers what the project already uses. */
export class PortChooser {
  readonly #usedBy = new Map<string, string>();

  constructor(containers: readonly ObservedContainer[]) {
    for (const container of containers) {
      for (const { hostPort, protocol } of container.info.ports) {
        if (hostPort > 0) this.#usedBy.set(`${hostPort}/${protocol}`, container.id);
      }
    }
  }

  /** The port of the container before it, else the first free one; TSC_PORT_RANGE_FULL. */
  choose(port: PortChoice, previous: ObservedContainer | undefined): number {
    const old = previous?.info.ports.find(
      ({ hostPort, protocol }) => protocol === port.protocol && hostPort >= port.from && hostPort <= port.to,
    );
    if (old !== undefined) return old.hostPort;
    for (let candidate = port.from; candidate <= port.to; candidate++) {
      const key = `${candidate}/${port.protocol}`;
      if (this.#usedBy.has(key)) continue;
      this.#usedBy.set(key, "planned");
      return candidate;
    }
    throw new TscError("TSC_PORT_RANGE_FULL", `no free port left in the published range ${port.from}-${port.to}`, {
      kind: "conflict",
    });
  }
}
