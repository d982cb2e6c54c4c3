/** SIGKILL of whole commands, at chosen events and at odd moments: the next command converges, and `down` leaves nothing. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, isRoot, onHost, type TestHost } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";
import { type Peer, putImage, startPeer, tarOf } from "../integration/images/fixtures.js";
import { check, killedAfter, killedAt, modes, processesOf, unfinished } from "./support.js";

const LAYERS = 6;
let registry: Registry;
/** Hands blobs out in slow pieces, so that there is a middle to be killed in. */
let slow: Peer;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
  await putImage(registry.address, "many", "1", {
    layers: Array.from({ length: LAYERS }, (_, index) => ({
      tar: tarOf({ [`file${index}`]: Buffer.alloc(300_000, `${index}`), [`noise${index}`]: String(Math.random()) }),
      packing: "none" as const,
    })),
  });
  slow = await startPeer(registry.address, async (request) => {
    if (request.url?.includes("/blobs/")) await new Promise((resolve) => setTimeout(resolve, 60));
    return false;
  });
}, 60_000);
afterAll(async () => {
  await slow?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const stack = (image: string) => `
services:
${["a", "b", "c", "d", "e"].map((name) => `  ${name}:\n    image: ${image}\n    command: sleep 1000\n    init: true\n    volumes: [data:/data]\n    stop_grace_period: 1s`).join("\n")}
volumes: { data: {} }
`;

/** Folders whose changes mark the steps of `up` and `down`, with the change to be killed at. */
const events: readonly [string, number][] = [
  ["store/containers", 1],
  ["store/storage/containers", 2],
  ["run/rootfs", 1],
  ["run/netns", 1],
  ["run/netns", 4],
  ["run/exits", 1],
];

const list = (host: TestHost, path: string): string[] => {
  try {
    return readdirSync(join(host.folder, path));
  } catch {
    return [];
  }
};

describe.each(modes)("kill -9, %s", (mode) => {
  check(
    "of up, then up again; of down, then down again",
    onHost(mode, async (host) => {
      const folder = host.project("killed", { "compose.yaml": stack(`${registry.address}/busybox:1`) });
      await host.must(folder, "pull", "-q");
      const converge = async () => {
        await host.must(folder, "up", "-d");
        expect((await host.must(folder, "ps", "-q")).trim().split("\n")).toHaveLength(5);
      };
      for (const delay of [180, 400]) {
        await killedAfter(host, folder, ["up", "-d"], delay);
        await converge();
        await killedAfter(host, folder, ["down", "-v", "-t", "0"], delay);
        await host.must(folder, "down", "-v", "-t", "0");
        expect({ delay, leaks: (await host.leaks()).lines, unfinished: unfinished(host) }).toEqual({
          delay,
          leaks: [],
          unfinished: [],
        });
      }
      let killed = 0;
      for (const [place, nth] of events) {
        if (await killedAt(host, folder, ["up", "-d"], place, nth)) killed++;
        await converge();
        if (await killedAt(host, folder, ["down", "-v", "-t", "0"], place, nth)) killed++;
        await host.must(folder, "down", "-v", "-t", "0");
        const at = `${place} ${nth}`;
        expect({ at, leaks: (await host.leaks()).lines, unfinished: unfinished(host) }).toEqual({
          at,
          leaks: [],
          unfinished: [],
        });
      }
      // most events must really have been met, or this test proves nothing
      expect(killed).toBeGreaterThan(events.length);
    }),
    120_000,
  );
});

describe("kill -9 of work on images", () => {
  const modesOfWork: readonly [string, number][] = [
    ["store/images/tmp", 1],
    ["store/storage/tmp", 1],
    ["store/storage/tmp", 4],
    ["store/storage/layers", 1],
    ["store/storage/layers", 3],
    ["store/storage/l", 5],
    ["store/images/blobs/sha256", 1],
  ];

  check(
    "pull: nothing half done is seen, finished layers are not fetched again, the next pull is whole",
    onHost("root", async (host) => {
      const image = `${slow.address}/many:1`;
      const folder = host.project("pulled", { "compose.yaml": `services: { a: { image: "${image}" } }` });
      // every folder must be there to be watched
      await host.must(folder, "pull");
      await host.must(folder, "image", "rm", image);
      let killed = 0;
      for (const [place, nth] of modesOfWork) {
        if (await killedAt(host, folder, ["pull"], place, nth)) killed++;
        const kept = list(host, "store/storage/layers").length;
        const before = slow.requests.length;
        expect(await host.must(folder, "image", "ls", "-q")).toBe("");
        await host.must(folder, "pull");
        // at most the layers that were missing, the config, and one that had come in just before the end
        const fetched = slow.requests
          .slice(before)
          .filter(({ method, url }) => method === "GET" && url.includes("/blobs/"));
        expect({ place, nth, fetched: fetched.length <= LAYERS - kept + 1 }).toEqual({ place, nth, fetched: true });
        expect({ place, nth, unfinished: unfinished(host) }).toEqual({ place, nth, unfinished: [] });
        expect(list(host, "store/storage/layers")).toHaveLength(LAYERS);
        await host.must(folder, "image", "rm", image);
        expect(list(host, "store/storage/layers")).toHaveLength(0);
      }
      expect(killed).toBeGreaterThanOrEqual(5);
    }),
    120_000,
  );

  for (const mode of modes) {
    check(
      `build, ${mode}: no process, mount or half layer is left, the next build is whole`,
      onHost(mode, async (host) => {
        const folder = host.project("built", {
          "compose.yaml": "services: { a: { build: ., image: killed-build } }",
          Dockerfile: `FROM ${registry.address}/busybox:1\nRUN echo one > /one\nCOPY compose.yaml /copy\nRUN echo two > /two && sleep 0.3\nRUN cat /one /two > /three\n`,
        });
        for (const delay of [200, 450, 800]) {
          await killedAfter(host, folder, ["build", "--no-cache"], delay);
          await host.must(folder, "build");
          const rootfs = list(host, "store/storage/containers");
          expect({ delay, rootfs, conmon: processesOf(host, "conmon"), unfinished: unfinished(host) }).toEqual({
            delay,
            rootfs: [],
            conmon: [],
            unfinished: [],
          });
          expect((await host.leaks()).lines).toEqual([]);
          expect(await host.must(folder, "run", "--rm", "-T", "a", "cat", "/three")).toBe("one\ntwo\n");
          await host.must(folder, "down", "-t", "0");
        }
      }),
      120_000,
    );
  }
});
