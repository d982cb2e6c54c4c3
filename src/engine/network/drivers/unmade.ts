/** Words that docker has for drivers and that make no network here: the namespaces `host` and `none`, and what needs a cluster. */
import type { UnmadeDriver } from "./driver.js";

/** Docker has a network of this name without anybody making it; `network_mode: host` is how to be in it. */
export const host: UnmadeDriver = {
  name: "host",
  why: "is the machine's own network",
  hint: "use network_mode: host",
};

/** Docker has a network of this name without anybody making it; `network_mode: none` is a namespace with loopback alone. */
export const none: UnmadeDriver = { name: "none", why: "is no network at all", hint: "use network_mode: none" };

/** Docker's network between the machines of a swarm. */
export const overlay: UnmadeDriver = {
  name: "overlay",
  why: "needs a cluster",
  hint: "use bridge: there is one machine",
};
