/**
 * Every verb with an image, a compose file, containers and a registry whose every free word attacks the terminal: nothing of it may arrive
 * there or in a pipe, and no line may be forged. Containers' own output (logs, attach, what exec and run print) is theirs, as in docker.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { commandTable } from "../../src/cli/table.js";
import { escapedJson, hasUnprintable } from "../../src/lib/printable.js";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, eventually, isRoot, type Mode, onHost, type TestHost, TSCOMPOSE } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";

const check = isRoot ? test : test.skip;

/** A blinking colour that we never use, a window title, C1, bidi, zero-width, a carriage return, and a line of its own. */
const EVIL = "x\u001b[5;7mred\u001b]0;title\u0007\u009b2J\u202erev\u2066\u200bz\u007f\rover\nFORGED line";
/** As YAML, which takes no control characters but as escapes; zero-width and bidi ones are text to it. */
const quoted = escapedJson(JSON.stringify(EVIL));

let registry: Registry;
let liar: Server;
let liarAddress = "";
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "evil", "1", {
    layers: [debianRootfs("busybox", CACHE)],
    config: {
      Labels: { evil: EVIL, [EVIL]: "key" },
      Cmd: ["sh", "-c", "sleep 600; : $0", EVIL],
      Env: ["PATH=/bin:/usr/bin", `EVIL=${EVIL}`],
      OnBuild: [],
    },
    history: { created_by: EVIL, author: EVIL, comment: EVIL },
  });
  liar = createServer((_request, response) => {
    response.writeHead(403, { "content-type": "application/json", "docker-distribution-api-version": "registry/2.0" });
    response.end(JSON.stringify({ errors: [{ code: "DENIED", message: EVIL, detail: EVIL }] }));
  });
  await new Promise<void>((listening) => liar.listen(0, "127.0.0.1", listening));
  liarAddress = `127.0.0.1:${(liar.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  liar?.close();
});

const yaml = () => `
name: evil
x-evil: ${quoted}
services:
  web:
    image: ${registry.address}/evil:1
    command: ["sh", "-c", "sleep 600; : $$0", ${quoted}]
    stop_grace_period: 0s
    labels: { evil: ${quoted}, ${quoted}: key }
    annotations: { evil: ${quoted} }
    environment: { EVIL: ${quoted} }
    volumes: ["data:/data"]
    configs: [c]
    healthcheck: { test: ["CMD-SHELL", "printf \\"$$EVIL\\"; exit 1"], interval: 1s, retries: 1 }
  built:
    profiles: [b]
    image: evil-built
    build:
      context: .
      dockerfile_inline: ${JSON.stringify(`FROM BASE\nLABEL evil=1\nRUN printf '\\033[5;7mEVIL\\rx\\n'; echo "$EVIL"\n`)}
      labels: { evil: ${quoted} }
  lies:
    profiles: [l]
    image: ${liarAddress}/evil:1
configs: { c: { content: ${quoted} } }
volumes: { data: { labels: { evil: ${quoted} } } }
networks: { default: { labels: { evil: ${quoted} } } }
`;

/** What is asked of each verb; a reason where its output is not ours. */
function calls(now: string): Readonly<Record<string, string | readonly (readonly string[])[]>> {
  const formats = [[], ["--format", "json"], ["--format", "{{.}}"], ["--format", "{{json .}}"]];
  const rows = [...formats, ["--format", "{{.Labels}}"], ["--format", 'table {{.Labels}}\\t{{.Label "evil"}}']];
  const object = [[], ["--format", "json"], ["--format", "{{.}}"]];
  const web = "evil-web-1";
  return {
    attach: "a container's output",
    logs: "a container's output",
    "container logs": "a container's output",
    run: "a container's output",
    export: [["web", "-o", "/dev/null"]],
    "image save": [[EVIL, "-o", "/dev/null"]],
    watch: "goes on until it is interrupted; what it tells is tested with `note`",
    "alpha watch": "as watch",
    "internal cleanup": "no person calls it",
    "internal restart": "no person calls it",
    build: [["built"], ["--print"], ["--check", "built"]],
    check: [[], ["--format", "json"], ["--format", "sarif"]],
    commit: [["web", "evil-commit"]],
    completion: [["bash"]],
    config: [
      ...[[], ["--format", "json"], ["--images"], ["--environment"], ["--variables"], ["--volumes"], ["--hash", "*"]],
      ...[["--no-interpolate"], ["--services"], ["--lock-image-digests"]],
    ],
    convert: [[]],
    cp: [[`web:/${EVIL}`, "/tmp/none"]],
    create: [["--no-recreate"]],
    doctor: [[], ["--format", "json"]],
    down: [["--dry-run"], ["-v", EVIL]],
    events: [
      ["--since", "0", "--until", now],
      ["--since", "0", "--until", now, "--json"],
    ],
    exec: [
      ["-T", "web", EVIL],
      [EVIL, "true"],
    ],
    images: [[], ["--format", "json"], ["--format", EVIL]],
    info: [...object],
    kill: [["-s", EVIL]],
    ls: [[], ["--format", "json"], ["--filter", `name=${EVIL}(`]],
    pause: [["web"]],
    unpause: [["web"]],
    port: [["web", EVIL]],
    // line ends of a template are its author's
    ps: [...rows, ["--no-trunc"], ["-q"], ["--services"], ["--format", EVIL.replace("\n", "")], ["--filter", EVIL]],
    publish: [
      ["--yes", "--dry-run", `127.0.0.1:1/${EVIL}`],
      ["--dry-run", `127.0.0.1:1/${EVIL}`],
    ],
    pull: [["lies"], ["web"]],
    push: [["lies"]],
    restart: [["web"]],
    rm: [["-f"]],
    scale: [["web=1"], [`${EVIL}=1`]],
    start: [["web"]],
    stats: [["--no-stream"], ["--no-stream", "--format", "json"]],
    stop: [["-t", EVIL]],
    top: [[]],
    up: [["-d"], ["-d", "--dry-run"], ["--dry-run", "-d", "--force-recreate"]],
    version: [[], ["--format", "json"]],
    viz: [[], ["--format", "dot"], ["--format", "json"]],
    volumes: [...rows],
    wait: [[EVIL]],
    "builder prune": [["--dry-run"], ["--filter", `label=${EVIL}`], ["--filter", EVIL]],
    history: [...formats.map((format) => [`${registry.address}/evil:1`, ...format])],
    inspect: [...object.map((format) => [web, ...format]), [EVIL]],
    load: [["-i", `/${EVIL}`]],
    login: [
      ["-u", EVIL, "-p", "x", liarAddress],
      ["-u", "x", "-p", EVIL, EVIL],
      ["--get-login", EVIL],
    ],
    logout: [[EVIL]],
    rename: [[web, EVIL]],
    rmi: [[EVIL]],
    save: [[EVIL, "-o", "/dev/null"]],
    tag: [[`${registry.address}/evil:1`, EVIL]],
    update: [["--restart", EVIL, web], [EVIL]],
    "container attach": "a container's output",
    "container cp": [[`${web}:/${EVIL}`, "/tmp/none"]],
    "container create": [["--name", EVIL, `${registry.address}/evil:1`], [EVIL]],
    "container run": "a container's output",
    "container exec": [[web, EVIL]],
    "container inspect": [...object.map((format) => [web, ...format]), [EVIL]],
    "container kill": [["-s", EVIL, web]],
    "container ls": [...rows, ["--no-trunc"], ["--filter", `label=${EVIL}`]],
    "container pause": [[EVIL]],
    "container port": [[web], [web, EVIL]],
    "container prune": [["--dry-run"], ["--filter", `label=${EVIL}`, "--dry-run"]],
    "container rename": [[web, EVIL]],
    "container restart": [[EVIL]],
    "container rm": [[EVIL]],
    "container start": [[EVIL]],
    "container stats": [["--no-stream"], ["--no-stream", "--format", "json"]],
    "container stop": [[EVIL]],
    "container top": [[web], [web, EVIL]],
    "container unpause": [[EVIL]],
    "container update": [[EVIL]],
    "container wait": [[EVIL]],
    "image build": [["-t", EVIL, "."]],
    "image history": [...formats.map((format) => [`${registry.address}/evil:1`, ...format])],
    "image prune": [["--dry-run"], ["--all", "--dry-run"]],
    "image inspect": [...object.map((format) => [`${registry.address}/evil:1`, ...format]), [EVIL]],
    "image load": [["-i", `/${EVIL}`]],
    "image ls": [...formats, ["--filter", `reference=${EVIL}`]],
    "image pull": [[`${liarAddress}/evil:1`], [EVIL]],
    "image push": [[EVIL]],
    "image rm": [[EVIL]],
    "image tag": [[`${registry.address}/evil:1`, EVIL]],
    "net trace": [
      ["web", EVIL],
      ["web", "80"],
      ["web", "80", "--json"],
    ],
    "network connect": [
      ["evil_default", EVIL],
      [EVIL, web],
    ],
    "network create": [[EVIL]],
    "network disconnect": [
      ["evil_default", EVIL],
      [EVIL, web],
    ],
    "network graph": [[], ...["text", "mermaid", "json"].map((format) => ["--all", "--format", format])],
    "network inspect": [...object.map((format) => ["evil_default", ...format]), [EVIL]],
    "network ls": [...rows],
    "network prune": [["--dry-run"]],
    "network rm": [[EVIL]],
    "system boot": [[], ["--dry-run"]],
    "system df": [...formats, ["-v"], ["-v", "--format", "json"]],
    "system events": [
      ["--since", "0", "--until", now],
      ["--since", "0", "--until", now, "--format", "json"],
      ["--filter", EVIL],
    ],
    "system info": [...object],
    "system prune": [["--dry-run"], ["--all", "--volumes", "--dry-run"]],
    "system reset": "removes what the other calls need; system-disk.test.ts looks at what it prints",
    "volume create": [["--label", `evil=${EVIL}`, "more"], [EVIL]],
    "volume inspect": [...object.map((format) => ["evil_data", ...format]), [EVIL]],
    "volume ls": [...rows],
    "volume prune": [["-f"], []],
    "volume rm": [["more"], [EVIL]],
    alpha: [[]],
    "alpha dry-run": [[EVIL]],
    "alpha generate": [[web], ["--format", "json", web]],
    "alpha publish": [["--yes", "--dry-run", EVIL]],
    "alpha scale": [[EVIL]],
    "alpha viz": [["--image", "--networks"]],
    bridge: [[]],
    "bridge convert": [[]],
    "bridge transformations": [[]],
    "bridge transformations create": [[EVIL]],
    "bridge transformations list": [[]],
    commands: [[], ["--json"]],
    __complete: [
      ["--", "up", ""],
      ["--", EVIL, ""],
    ],
  };
}

/** What of an output a terminal would obey, or the line that was forged; undefined when it is clean. */
function attack(output: string, isTerminal: boolean): string | undefined {
  if (output.includes("\u001b[5;7m")) return "the attacker's escape sequence";
  if (/^FORGED/m.test(output)) return "a forged line";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours and cursor movements
  const rest = isTerminal ? output.replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, "") : output;
  return hasUnprintable(rest.replace(/[\n\t]/g, "")) ? "a control character" : undefined;
}

const shellWord = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Into pipes; on a terminal too, where progress and colours are others. */
async function play(
  host: TestHost,
  folder: string,
  argv: readonly string[],
  onTerminal = true,
): Promise<readonly string[]> {
  const piped = await host.run(folder, argv, { timeoutMs: 60_000 });
  const found: (readonly [string | undefined, string])[] = [
    [attack(piped.stdout, false), piped.stdout],
    [attack(piped.stderr, false), piped.stderr],
  ];
  if (onTerminal) {
    const line = [TSCOMPOSE, ...argv].map(shellWord).join(" ");
    const typed = await host.exec(folder, ["script", "-qec", line, "/dev/null"], {
      env: { TERM: "xterm-256color" },
      timeoutMs: 60_000,
    });
    found.push([attack(typed.stdout, true), typed.stdout]);
  }
  return found.flatMap(([what, text]) =>
    what === undefined ? [] : [`${JSON.stringify(argv)}: ${what}: ${JSON.stringify(text).slice(0, 600)}`],
  );
}

describe("hostile words", () => {
  test("every verb is asked, or said why not", () => {
    expect(Object.keys(calls("0")).toSorted()).toEqual(commandTable.map(({ name }) => name).toSorted());
  });

  describe.each(["root", "user"] as Mode[])("%s", (mode) => {
    check(
      "no verb passes one of them to a terminal or a pipe, and JSON gives them back",
      onHost(mode, async (host) => {
        const folder = host.project("evil", { "compose.yaml": yaml().replace("BASE", `${registry.address}/evil:1`) });
        await host.must(folder, "up", "-d");
        await eventually(async () => (await host.run(folder, ["ps"])).stdout.includes("(unhealthy)"), 60_000);
        const found: string[] = [];
        // rootless the same code prints: what differs is how errors come about
        const last = ["down", "rm", "stop", "kill", "pause", "unpause", "restart"];
        const all = Object.entries(calls(String(Math.ceil(Date.now() / 1000)))).flatMap(([name, lists]) =>
          typeof lists === "string"
            ? []
            : lists.map((args, index) => ({ name, argv: [...name.split(" "), ...args], isFirst: index === 0 })),
        );
        const chosen =
          mode === "root"
            ? all
            : all.filter(({ name }) => /^(?:ps|build|pull|exec|events|config|up|images|container inspect)$/.test(name));
        for (const isLast of [false, true]) {
          for (const { name, argv, isFirst } of chosen) {
            if (last.includes(name) === isLast) found.push(...(await play(host, folder, argv, isFirst)));
          }
        }
        expect(found).toEqual([]);

        await host.must(folder, "up", "-d");
        const [label] = JSON.parse(await host.must(folder, "container", "inspect", "evil-web-1")) as {
          readonly Config: { readonly Labels: Readonly<Record<string, string>> };
        }[];
        expect(label?.Config.Labels.evil).toBe(EVIL);
        expect(JSON.parse(await host.must(folder, "ps", "--format", "{{json .Labels}}"))).toContain(EVIL);
        // one row each, whatever is in it
        expect((await host.must(folder, "ps", "--no-trunc")).trimEnd().split("\n")).toHaveLength(2);
        expect((await host.must(folder, "volumes", "--format", "{{.Labels}}")).trimEnd().split("\n")).toHaveLength(1);
      }),
      900_000,
    );

    check(
      "errors about a file, its lines and its name do not either",
      onHost(mode, async (host) => {
        const found: string[] = [];
        const raw = EVIL.replaceAll("\n", " ");
        const files = {
          "key.yaml": `services: { web: { image: x, ${quoted}: 1 } }`,
          "value.yaml": `services: { web: { image: ${quoted} } }`,
          "line.yaml": `services:\n  web: [ # ${raw}\n   image: "${raw}`,
          "needs.yaml": `services: { web: { image: x, depends_on: [${quoted}] } }`,
          "variable.yaml": `services: { web: { image: "\${X:?${EVIL.replaceAll("\n", "\\n").replaceAll("\u001b", "\\u001b")}}" } }`,
          [`${raw}.yaml`]: "services: {",
        };
        const folder = host.project("broken", files);
        for (const file of [...Object.keys(files), `missing${EVIL}`]) {
          found.push(...(await play(host, folder, ["-f", file, "config"])));
          found.push(...(await play(host, folder, ["--verbose", "--progress", "json", "-f", file, "config"], false)));
        }
        found.push(
          ...(await play(host, folder, ["--verbose", EVIL])),
          ...(await play(host, folder, ["ps", `--${EVIL}`])),
        );
        expect(found).toEqual([]);
      }),
      300_000,
    );
  });
});
