/** Words that docker has for drivers and that make no network here: the namespaces `host` and `none`, and what needs a cluster. */
import type { UnmadeDriver } from "./driver.js";

export const host: UnmadeDriver = {
  name: "host",
  why: "is the machine's own network",
  hint: "use network_mode: host",
};

export const none: UnmadeDriver = { name: "none", why: "is no network at all", hint: "use network_mode: none" };

export const overlay: UnmadeDriver = {
  name: "overlay",
  why: "needs a cluster",
  hint: "use bridge: there is one machine",
};
