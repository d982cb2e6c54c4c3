/**
 * Attacks by a neighbour container that swaps a folder with a link to a folder of the host, without pause, while the engine works in what
 * both share. A program of its own, so that it runs in an ordinary user's namespaces too (through the launcher), and against any build:
 *
 *     LAUNCHER swap-attacks.ts PACKAGE ATTACK ROUNDS BAIT IMAGE RUNTIME
 *
 * BAIT is a folder of the host with a file `secret`. Prints one line of JSON: the rounds played, how many of them reached BAIT, how many
 * ended with an error (one of each kind is kept).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ContainerSpec, Engine } from "../../src/engine/index.js";

export interface Outcome {
  readonly rounds: number;
  /** Rounds that read or wrote in the host's folder. */
  readonly hits: number;
  /** Rounds that did what was asked for. */
  readonly done: number;
  readonly errors: Readonly<Record<string, number>>;
}

interface Scene {
  readonly engine: Engine;
  readonly image: string;
  readonly bait: string;
  readonly runtime: string;
  /** A container on the host's folder `shared` that exchanges `sub` (a folder) and `link` (to the bait) in `below` for ever. */
  readonly swapIn: (shared: string, below?: string) => Promise<void>;
  /** Runs a container to its end; its exit code. */
  readonly run: (spec: Partial<ContainerSpec>) => Promise<number>;
}

/** One round; true when something of the host was reached. */
type Round = (index: number) => Promise<boolean>;

const TAR_BLOCK = 512;

function tarWith(name: string, content: string): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const size = Buffer.byteLength(content).toString(8).padStart(11, "0");
  header.write(name, 0);
  header.write(`0000644\0${"0000000\0".repeat(2)}${size}\0${"0".repeat(11)}\0        0`, 100);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / TAR_BLOCK) * TAR_BLOCK);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(2 * TAR_BLOCK)]);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** What of the host's folder was changed since the last look; put back. */
function wasChanged(bait: string): boolean {
  const extra = readdirSync(bait).filter((name) => name !== "secret");
  for (const name of extra) rmSync(join(bait, name), { recursive: true });
  return extra.length > 0;
}

/** A folder `sub` (with `inner`), a link to the bait, and for lookups that take the bait's path inside: an empty folder there. */
function lay(folder: string, bait: string): void {
  mkdirSync(join(folder, "sub/inner"), { recursive: true });
  mkdirSync(join(folder, bait), { recursive: true });
  rmSync(join(folder, "link"), { force: true });
  symlinkSync(bait, join(folder, "link"));
}

async function volume(scene: Scene, secret?: string): Promise<void> {
  const { mountpoint } = await scene.engine.volumes.create({ name: "shared" });
  lay(mountpoint, scene.bait);
  if (secret !== undefined) writeFileSync(join(mountpoint, "sub/secret"), secret);
  await scene.swapIn(mountpoint);
}

/** A folder of the host that is the rootfs of containers, with a swapper at work in it. */
async function rootfs(scene: Scene, base: string): Promise<string> {
  const root = join(base, "rootfs");
  for (const name of ["bin", "proc", "sys", "dev", "etc"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "bin/busybox"), readFileSync("/bin/busybox"), { mode: 0o755 });
  lay(root, scene.bait);
  await scene.swapIn(root);
  return root;
}

/** A container that stays, with the volume's `sub` at /m. */
async function holder(scene: Scene): Promise<string> {
  for (;;) {
    const id = await scene.engine.containers.create(plain(scene, { command: ["/bin/busybox", "sleep", "9999"] }, "/m"));
    try {
      await scene.engine.containers.start(id);
      return id;
    } catch {
      await scene.engine.containers.remove(id, { force: true });
    }
  }
}

function plain(scene: Scene, spec: Partial<ContainerSpec>, subpathAt?: string): ContainerSpec {
  return {
    name: `c${Math.random().toString(36).slice(2)}`,
    image: scene.image,
    networkMode: { kind: "none" },
    runtime: scene.runtime,
    stopSignal: "SIGKILL",
    ...(subpathAt === undefined
      ? {}
      : { mounts: [{ type: "volume", source: "shared", subpath: "sub", target: subpathAt }] }),
    ...spec,
  };
}

const attacks: Readonly<Record<string, (scene: Scene, base: string) => Promise<Round>>> = {
  "start with subpath": async (scene) => {
    await volume(scene);
    return async () => (await scene.run(plain(scene, { command: ["/bin/busybox", "cat", "/m/secret"] }, "/m"))) === 0;
  },
  "cp out": async (scene) => {
    await volume(scene);
    const id = await holder(scene);
    return async () => (await textOf(await scene.engine.containers.copyOut(id, "/m"))).includes("host secret");
  },
  "cp out through a link": async (scene) => {
    await volume(scene, "mine\n");
    const id = await scene.engine.containers.create(
      plain(scene, { mounts: [{ type: "volume", source: "shared", target: "/v" }] }),
    );
    return async () =>
      (await textOf(await scene.engine.containers.copyOut(id, "/v/sub/secret"))).includes("host secret");
  },
  "cp in": async (scene) => {
    await volume(scene);
    const id = await holder(scene);
    return async (index) => {
      await scene.engine.containers.copyIn(id, "/m", Readable.from([tarWith(`f${index}`, "x")]));
      return wasChanged(scene.bait);
    };
  },
  stat: async (scene) => {
    await volume(scene);
    const id = await holder(scene);
    return async () => (await scene.engine.containers.stat(id, "/m/secret")) !== undefined;
  },
  commit: async (scene) => {
    const script = `mkdir -p /w/sub/inner; ln -s ${scene.bait} /w/link; exec /swap /w/sub /w/link`;
    const exec = plain(scene, { command: ["/bin/busybox", "sh", "-c", script] });
    const busy = await scene.engine.containers.create(exec);
    await scene.engine.containers.start(busy);
    return async () => {
      const made = await scene.engine.containers.commit(busy, { pause: false });
      const archive = join(scene.bait, "..", "saved.tar");
      await scene.engine.images.save([made], archive);
      const leaked = readFileSync(archive).includes("host secret");
      rmSync(archive);
      await scene.engine.images.remove(made, { force: true });
      return leaked || wasChanged(scene.bait);
    };
  },
  "copy-up": async (scene, base) => {
    const root = await rootfs(scene, base);
    return async (index) => {
      const name = `v${index}`;
      const mounts = [{ type: "volume", source: name, target: "/sub" }] as const;
      try {
        await scene.run({ rootfs: root, image: "", mounts, command: ["/bin/busybox", "true"] });
      } finally {
        const made = await scene.engine.volumes.find(name);
        if (made !== undefined && existsSync(join(made.mountpoint, "secret"))) index = -1;
        await scene.engine.volumes.remove(name, { force: true });
      }
      return index === -1 || wasChanged(scene.bait);
    };
  },
  "working directory": async (scene, base) => {
    const root = await rootfs(scene, base);
    return async (index) => {
      try {
        await scene.run({ rootfs: root, image: "", workingDir: `/sub/w${index}`, command: ["/bin/busybox", "true"] });
      } finally {
        rmSync(join(root, scene.bait, `w${index}`), { recursive: true, force: true });
      }
      return wasChanged(scene.bait);
    };
  },
  "secrets target": async (scene) => {
    await volume(scene);
    return async (index) => {
      await scene.run(
        plain(scene, {
          mounts: [{ type: "volume", source: "shared", target: "/v" }],
          files: [{ target: `/v/sub/s${index}/f`, content: "x" }],
          command: ["/bin/busybox", "true"],
        }),
      );
      return wasChanged(scene.bait);
    };
  },
  "build mounts": async (scene, base) => {
    const context = join(base, "context");
    lay(context, scene.bait);
    await scene.swapIn(context);
    const kinds = ["bind,source=sub,target=/m", "bind,source=sub,target=/m,rw", "cache,from=ctx,source=sub,target=/m"];
    return async (index) => {
      const mount = `RUN --mount=type=${kinds[index % kinds.length]} [ ! -e /m/secret ]`;
      try {
        const made = await scene.engine.images.build({
          context,
          additionalContexts: { ctx: context },
          dockerfileInline: `FROM ${scene.image}\nARG ROUND=${index}\n${mount.replace("type=cache,", `type=cache,id=${index},`)}\n`,
          tags: [],
          noCache: true,
        });
        await scene.engine.images.remove(made.id, { force: true });
      } catch (error) {
        if (String(error).includes("did not complete")) return true;
        throw error;
      }
      return wasChanged(scene.bait);
    };
  },
  "COPY from the context": async (scene, base) => {
    const context = join(base, "context");
    lay(context, scene.bait);
    writeFileSync(join(context, "sub/secret"), "mine\n");
    await scene.swapIn(context);
    return async (index) => {
      try {
        const made = await scene.engine.images.build({
          context,
          dockerfileInline: `FROM ${scene.image}\nARG ROUND=${index}\nCOPY . /all/\nRUN ! grep -rq "host secret" /all\n`,
          tags: [],
          noCache: true,
        });
        await scene.engine.images.remove(made.id, { force: true });
      } catch (error) {
        if (String(error).includes("did not complete")) return true;
        throw error;
      }
      return false;
    };
  },
};

async function main(): Promise<void> {
  const [packageRoot = "", name = "", count = "0", bait = "", reference = "", runtime = ""] = process.argv.slice(2);
  const attack = attacks[name];
  if (attack === undefined) throw new Error(`no attack ${name}; there are: ${Object.keys(attacks).join(", ")}`);
  const { openEngine }: typeof import("../../src/engine/index.js") = await import(join(packageRoot, "dist/engine.js"));
  const engine = await openEngine({ env: process.env });
  const base = join(bait, "..", "work");
  mkdirSync(base, { recursive: true });
  const errors: Record<string, number> = {};
  let rounds = 0;
  let hits = 0;
  let done = 0;
  try {
    await engine.images.pull(reference);
    const scene: Scene = {
      engine,
      image: reference,
      bait,
      runtime,
      async swapIn(shared, below = "") {
        const at = join("/shared", below);
        const id = await engine.containers.create({
          name: "neighbour",
          image: reference,
          command: ["/swap", join(at, "sub"), join(at, "link")],
          networkMode: { kind: "none" },
          mounts: [{ type: "bind", source: shared, target: "/shared" }],
        });
        await engine.containers.start(id);
      },
      async run(spec) {
        const id = await engine.containers.create(plain(scene, spec));
        try {
          await engine.containers.start(id);
          return await engine.containers.wait(id);
        } finally {
          await engine.containers.remove(id, { force: true, volumes: true });
        }
      },
    };
    const round = await attack(scene, base);
    // quick rounds may all fall into one pause of a neighbour that the kernel lets wait: then there are more
    for (let index = 0; index < Number(count) || (done === 0 && index < 100 * Number(count)); index++) {
      rounds++;
      try {
        if (await round(index)) hits++;
        else done++;
      } catch (error) {
        if (wasChanged(bait)) hits++;
        const text = String(error)
          .replace(/\b(c|v|w|f|s)?[0-9a-z]{8,}\b|\d+/g, "N")
          .slice(0, 200);
        errors[text] = (errors[text] ?? 0) + 1;
      }
    }
  } finally {
    for (const { id } of await engine.containers.list()) {
      await engine.containers.remove(id, { force: true, volumes: true });
    }
    await engine.close();
    rmSync(base, { recursive: true, force: true });
  }
  const outcome: Outcome = { rounds, hits, done, errors };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

await main();
