/** Containers that go for good. */
import type { Orphan, Surplus } from "../../reconcile/fate.js";
import { removeContainer } from "../stops.js";
import type { Writer } from "./writer.js";

/** No service accounts for it (docs/reconcile.md R8). */
export const orphanWriter: Writer<Orphan> = { remove: (up, container) => removeContainer(up, container) };

/** More than the scale: its anonymous volumes go too. */
export const surplusWriter: Writer<Surplus> = {
  remove: (up, container) => removeContainer(up, container, { volumes: true }),
};
