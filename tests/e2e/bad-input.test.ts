/** Wrong input gets one clear error and leaves nothing: no half image, mount, link, address or process. */

import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type Result } from "../helpers/host.js";
import { freePort, pushImage, startRegistry } from "../helpers/registry.js";

const registry = busyboxRegistry();

/** One refusal: exit code not 0, the subject named, no stack trace. */
function expectRefusal(result: Result, subject: RegExp): void {
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(subject);
  expect(result.stderr).not.toMatch(/\n {4}at /);
}

const modes: Mode[] = ["root", "user"];
describe.each(modes)("bad input, %s", (mode) => {
  const check = isRoot ? test : test.skip;

  check(
    "a folder without a compose file",
    onHost(mode, async (host) => {
      const folder = host.project("empty", { README: "nothing" });
      expectRefusal(await host.run(folder, ["up", "-d"]), /no configuration file provided: not found/);
      expectRefusal(await host.run(folder, ["-f", "missing.yaml", "up", "-d"]), /missing\.yaml/);
    }),
    60_000,
  );

  check(
    "invalid YAML is shown with its place",
    onHost(mode, async (host) => {
      const folder = host.project("yaml", { "compose.yaml": "services:\n  a:\n    image: [x\n" });
      expectRefusal(await host.run(folder, ["up", "-d"]), /compose\.yaml:\d+:\d+/);
    }),
    60_000,
  );

  check(
    "an unknown attribute and an unknown service are named",
    onHost(mode, async (host) => {
      const folder = host.project("unknown", { "compose.yaml": "services:\n  web:\n    imagee: busybox\n" });
      expectRefusal(await host.run(folder, ["config"]), /imagee[\s\S]*did you mean "?image"?/i);
      const good = host.project("good", {
        "compose.yaml": `services:\n  web:\n    image: ${registry.address}/busybox:1\n`,
      });
      expectRefusal(await host.run(good, ["up", "-d", "wbe"]), /no such service: wbe/);
    }),
    60_000,
  );

  check(
    "a taken port is named, and nothing stays half started",
    onHost(mode, async (host) => {
      const port = await freePort();
      const holder = createServer().listen(port, "127.0.0.1");
      await once(holder, "listening");
      try {
        const folder = host.project("port", {
          "compose.yaml": `services:\n  web:\n    image: ${registry.address}/busybox:1\n    command: sleep 100\n    ports: ["127.0.0.1:${port}:80"]\n`,
        });
        expectRefusal(await host.run(folder, ["up", "-d"]), new RegExp(`${port}.*(already in use|already allocated)`));
        await host.must(folder, "down", "-t", "0");
        expect((await host.leaks()).lines).toEqual([]);
      } finally {
        holder.close();
      }
    }),
    60_000,
  );

  check(
    "a registry that does not answer, and one that does not know the image",
    onHost(mode, async (host) => {
      const dead = host.project("dead", {
        "compose.yaml": `services:\n  a:\n    image: 127.0.0.1:${await freePort()}/x:1\n`,
      });
      expectRefusal(await host.run(dead, ["up", "-d"]), /connect|refused|unreachable/i);
      const unknown = host.project("unknown-image", {
        "compose.yaml": `services:\n  a:\n    image: ${registry.address}/nothing:1\n`,
      });
      expectRefusal(await host.run(unknown, ["pull"]), /nothing:1.*(not found|unknown)|(not found|unknown).*nothing/i);
      expect((await host.must(unknown, "image", "ls", "-q")).trim()).toBe("");
    }),
    60_000,
  );

  check(
    "a corrupt layer is refused and nothing of it is kept",
    onHost(mode, async (host) => {
      await using broken = await startRegistry();
      await pushImage(broken.address, "broken", "1", { layers: [debianRootfs("busybox", CACHE)] });
      const blobs = join(broken.storage, "docker/registry/v2/blobs/sha256");
      for (const prefix of readdirSync(blobs)) {
        for (const digest of readdirSync(join(blobs, prefix))) {
          const path = join(blobs, prefix, digest, "data");
          const data = readFileSync(path);
          if (data.length < 100_000) continue;
          data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ 0xff;
          writeFileSync(path, data);
        }
      }
      const folder = host.project("corrupt", {
        "compose.yaml": `services:\n  a:\n    image: ${broken.address}/broken:1\n`,
      });
      expectRefusal(await host.run(folder, ["up", "-d"]), /sha256|digest|corrupt|layer/i);
      expect((await host.must(folder, "image", "ls", "-q")).trim()).toBe("");
      const kept = await host.exec(folder, ["find", join(host.folder, "store/images"), "-type", "f", "-size", "+50k"]);
      expect(kept.stdout).toBe("");
    }),
    60_000,
  );
});
