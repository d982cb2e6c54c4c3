/** `PacketSocket` over the addon's SOCK_SEQPACKET client. */
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "../lib/errors.js";
import type { Addon, Handle } from "./addon.js";
import type { PacketSocket } from "./kernel.js";

/**
 * Connects. Retries for a second while the listener's queue is full (EAGAIN): the kernel has no event for
 * room in an AF_UNIX backlog.
 */
export async function connectPacketSocket(addon: Addon, path: string): Promise<PacketSocket> {
  let packetListener: ((packet: Buffer) => void) | undefined;
  const endListeners: (() => void)[] = [];
  let ended = false;
  const onPacket = (packet: Buffer): void => packetListener?.(packet);
  const onEnd = (): void => {
    ended = true;
    for (const listener of endListeners) listener();
  };
  const handle = await connect(addon, path, onPacket, onEnd);
  let closed = false;
  return {
    onPacket(listener) {
      packetListener = listener;
      if (!closed) addon.packetRead(handle, true);
    },
    onEnd(listener) {
      if (ended) queueMicrotask(listener);
      else endListeners.push(listener);
    },
    write(data) {
      return new Promise((resolve, reject) => {
        addon.packetWrite(handle, data, (error) => (error === undefined ? resolve() : reject(error)));
      });
    },
    shutdownWrite() {
      addon.packetShutdown(handle);
    },
    pause() {
      addon.packetRead(handle, false);
    },
    resume() {
      if (packetListener !== undefined) addon.packetRead(handle, true);
    },
    close() {
      if (closed) return;
      closed = true;
      addon.packetClose(handle);
    },
  };
}

async function connect(
  addon: Addon,
  path: string,
  onPacket: (packet: Buffer) => void,
  onEnd: () => void,
): Promise<Handle> {
  for (let attempt = 0; ; attempt++) {
    try {
      return addon.packetConnect(path, onPacket, onEnd);
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN" || attempt === 50) throw error;
      await delay(20);
    }
  }
}
