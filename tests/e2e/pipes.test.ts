/** Bytes through `exec -T` and `run -T`: nothing is lost or changed, whatever the size and whoever is faster. */
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isRoot, onHost, TSCOMPOSE } from "../helpers/host.js";

const check = isRoot ? test : test.skip;

const COMPOSE = `services:
  box:
    build: app
    init: true
    command: sleep 1000
`;
const DOCKERFILE =
  'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nENV PATH=/bin\n';

describe.each(["user", "root"] as const)("pipes, %s", (mode) => {
  check(
    "keep their checksum in, out and through",
    onHost(mode, async (host) => {
      const folder = host.project("pipes", { "compose.yaml": COMPOSE, "app/Dockerfile": DOCKERFILE });
      await host.exec(folder, ["cp", "/bin/busybox", "app/busybox"]);
      await host.must(folder, "up", "-d", "--build");
      const block = randomBytes(1 << 20);
      const hash = createHash("sha256");
      for (let i = 0; i < 64; i++) {
        block.writeUInt32LE(i);
        appendFileSync(join(folder, "big"), block);
        hash.update(block);
      }
      const wanted = `${hash.digest("hex")}  -`;
      const shell = async (script: string) => {
        const result = await host.exec(folder, ["sh", "-c", script.replaceAll("TSC", TSCOMPOSE)]);
        return { code: result.code, text: result.stdout.trim(), error: result.code === 0 ? "" : result.stderr };
      };
      const same = { code: 0, text: wanted, error: "" };
      expect(await shell("cat big | TSC exec -T box sha256sum")).toEqual(same);
      expect(await shell("TSC exec -T box cat < big | sha256sum")).toEqual(same);
      expect(await shell("cat big | TSC run --rm -T box cat | sha256sum")).toEqual(same);
      // the end of input right after the last chunk, often enough to meet every order of events
      for (let i = 0; i < 10; i++)
        expect(await shell("head -c 3000000 big | TSC exec -T box wc -c")).toEqual({
          code: 0,
          text: "3000000",
          error: "",
        });
      expect(await shell("TSC exec -T box sh -c 'exit 42' </dev/null")).toMatchObject({ code: 42 });
      expect(await shell("TSC exec -T box no-such-program </dev/null")).toMatchObject({ code: 127 });
      expect(await shell("TSC exec -T box /etc </dev/null")).toMatchObject({ code: 126 });
      await host.must(folder, "down", "-v", "-t", "0");
    }),
    180_000,
  );
});
