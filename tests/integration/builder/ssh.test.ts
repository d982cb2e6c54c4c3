/** `RUN --mount=type=ssh` on the real engine: needs root, an OCI runtime, conmon, a static busybox and a C compiler. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { keyAgent, serveAgent } from "../../../src/engine/builder/ssh/agent.js";
import { parsePrivateKey } from "../../../src/engine/builder/ssh/keys.js";
import { type BuildRequest, type Engine, openEngine } from "../../../src/engine/index.js";
import type { ProgressEvent } from "../../../src/engine/types.js";
import { SSH_KEYS } from "../../helpers/ssh-keys.js";

const BUSYBOX = "/bin/busybox";
const why = process.getuid?.() !== 0 ? "not root" : existsSync(BUSYBOX) ? "" : "no static busybox";
const suite = why === "" ? describe : describe.skip;
if (why !== "") console.warn(`SSH builds are not tested: ${why}`);

suite("SSH in builds", () => {
  let base: string;
  let engine: Engine;
  let caller: AsyncDisposable;
  const hex = (key: keyof typeof SSH_KEYS): string => Buffer.from(SSH_KEYS[key].blob, "base64").toString("hex");

  beforeAll(async () => {
    // a long name: a socket's address is cut at 108 bytes
    base = join(mkdtempSync(join(tmpdir(), "tsc-ssh-")), "a".repeat(100));
    const context = join(base, "base");
    mkdirSync(join(base, "keys"), { recursive: true });
    mkdirSync(context);
    for (const [name, { file }] of Object.entries(SSH_KEYS))
      writeFileSync(join(base, "keys", name), file, { mode: 0o600 });
    const socket = join(base, "..", "caller");
    caller = await serveAgent(socket, keyAgent([parsePrivateKey(SSH_KEYS.ecdsaP256.file)]));
    engine = await openEngine({
      root: join(base, "root"),
      runRoot: join(base, "..", "run"),
      env: { PATH: process.env.PATH, SSH_AUTH_SOCK: socket },
    });
    cpSync(BUSYBOX, join(context, "busybox"));
    const source = join(import.meta.dirname, "../../helpers/ask-agent.c");
    execFileSync("gcc", ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", join(context, "ask"), source]);
    chmodSync(join(context, "ask"), 0o755);
    writeFileSync(
      join(context, "Dockerfile"),
      'FROM scratch\nCOPY busybox ask /bin/\nRUN ["/bin/busybox","--install","-s","/bin"]\nRUN mkdir -p /etc && echo "app:x:7:8::/:/bin/sh" > /etc/passwd\n',
    );
    await engine.images.build({ context, tags: ["base:1"] });
  }, 60_000);

  afterAll(async () => {
    await engine?.close();
    await caller?.[Symbol.asyncDispose]();
    const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
    rmSync(join(base, ".."), { recursive: true, force: true });
    expect(mounts.filter((line) => line.includes(base))).toEqual([]);
  });

  const events: ProgressEvent[] = [];
  async function build(steps: readonly string[], ssh: BuildRequest["ssh"] = []): Promise<readonly string[]> {
    const context = mkdtempSync(join(base, "ctx"));
    writeFileSync(join(context, "Dockerfile"), ["FROM base:1", ...steps].join("\n"));
    events.length = 0;
    await engine.images.build({ context, tags: [], ssh, noCache: true, onProgress: (event) => events.push(event) });
    return events.flatMap((event) => (event.type === "build-output" ? event.text : []));
  }
  const failure = async (work: Promise<unknown>): Promise<{ code?: string; message?: string }> =>
    await work.then(
      () => ({}),
      ({ code, message }) => ({ code, message }),
    );

  test("a step sees the keys that its mount names, and nothing of it stays", async () => {
    const key = (name: string) => join(base, "keys", name);
    const output = await build(
      [
        "RUN --mount=type=ssh,required=true ask",
        'RUN --mount=type=ssh,id=files --mount=type=ssh echo $SSH_AUTH_SOCK && ask && SSH_AUTH_SOCK=/run/buildkit/ssh_agent.1 ask && stat -c "%a %u:%g" $SSH_AUTH_SOCK',
        'RUN --mount=type=ssh,id=files,target=/a/sock,uid=7,gid=8,mode=0640 stat -c "%a %u:%g" /a/sock',
        "USER app",
        "RUN --mount=type=ssh,id=files,uid=7 ask",
        "RUN --mount=type=ssh,id=files ask 2>&1 || true",
        "RUN --mount=type=ssh,id=other echo $SSH_AUTH_SOCK; ls -d /run /a 2>/dev/null; true",
      ],
      [
        { id: "default", paths: [] },
        { id: "files", paths: [key("ed25519"), key("rsa")] },
      ],
    );
    const both = expect.stringMatching(new RegExp(`^0c00000002.*${hex("ed25519")}.*${hex("rsa")}`));
    expect(output).toEqual([
      expect.stringContaining(hex("ecdsaP256")),
      "/run/buildkit/ssh_agent.0",
      both,
      expect.stringContaining(hex("ecdsaP256")),
      "600 0:0",
      "640 7:8",
      both,
      "/run/buildkit/ssh_agent.0: Permission denied",
      "/run/buildkit/ssh_agent.0",
    ]);
    expect(readdirSync(join(base, "root", "storage", "tmp"))).toEqual([]);
  }, 60_000);

  test("what cannot be given is refused before the first step, what a step misses at that step", async () => {
    const path = join(base, "keys");
    const refusals = [["locked"], ["missing"], ["."], ["ed25519", "../../caller"]].map((names) =>
      failure(build(["RUN echo ran"], [{ id: "k", paths: names.map((name) => join(path, name)) }])),
    );
    const messages = (await Promise.all(refusals)).map(({ code, message }) => [code, message?.replaceAll(base, "")]);
    expect(messages).toEqual([
      ["TSC_BUILD_SSH", "ssh k: failed to parse /keys/locked: this private key is passphrase protected"],
      ["TSC_BUILD_SSH", expect.stringMatching(/^ssh k: failed to open \/keys\/missing: ENOENT/)],
      ["TSC_BUILD_SSH", "ssh k: /keys is neither a key nor an agent's socket"],
      ["TSC_BUILD_SSH", expect.stringContaining("not 2 that are mixed")],
    ]);
    expect(events.filter((event) => event.type === "build-output")).toEqual([]);
    expect(await failure(build(["RUN --mount=type=ssh,id=wrong,required=true true"]))).toEqual({
      code: "TSC_BUILD_SSH",
      message: "Dockerfile:2: unset ssh forward key wrong",
    });
  }, 60_000);
});
