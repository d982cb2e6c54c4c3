/** Containers that end sooner than expected, that are to go with their end, or that cannot be made: nothing half done, nothing untold. */
import { expect } from "@jest/globals";
import { eventually } from "../../helpers/host.js";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };

const HOOKED = `services:
  b:
    image: alpine:3.20
    init: true
    command: sleep 600
    stop_grace_period: 0s
    post_start:
      - {command: sh -c "echo started >> /logs; id -u", user: nobody}
      - {command: ["sh", "-c", "echo two >> /tmp/logs"], working_dir: /tmp}
    pre_stop: [{command: sh -c "echo stopping"}]
  q: {image: "alpine:3.20", command: "true", post_start: [{command: sleep 5}], pre_stop: [{command: "true"}]}
  z: {image: "alpine:3.20", command: sleep 600, init: true, stop_grace_period: 0s, post_start: [{command: "false"}]}
`;

scenario(
  "hooks-too-late",
  "a command that ends before its hooks: run has its exit code, up says which container ended",
  async (s) => {
    for (let round = 0; round < 5; round++) {
      await s.ok("run", "--rm", "-T", "b", "true");
      s.saysNot("TSC_INTERNAL", "/proc/");
      await s.exits(7, ["run", "--rm", "-T", "b", "sh", "-c", "exit 7"]);
    }
    await s.exits(
      1,
      ["up", "-d", "q"],
      'service "q": container hooks-too-late-q-1 ended (exit code 0) before its hooks',
    );
    s.saysNot("TSC_INTERNAL", "/proc/");
    await s.exits(1, ["up", "-d", "z"], "z hook exited with status 1");
    await s.ok("stop", "q");
  },
  { ...both, files: { "compose.yaml": HOOKED } },
);

scenario(
  "removed-with-its-end",
  "what run --rm -d made is gone with its anonymous volumes, however it ends",
  async (s) => {
    const ends = [
      ["container", "stop"],
      ["container", "kill"],
      ["container", "kill", "-s", "TERM"],
    ];
    for (const end of ends) {
      const id = (await s.ok("run", "--rm", "-d", "c")).stdout.trim();
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      await s.ok(...end, id);
      await eventually(async () => !(await s.host.must(s.folder, "container", "ls", "-aq", "--no-trunc")).includes(id));
      await eventually(async () => (await s.host.must(s.folder, "volume", "ls", "-q")).trim() === "");
    }
    await s.exits(127, ["run", "--rm", "-d", "d", "/no/such/program"]);
    expect(await s.host.must(s.folder, "container", "ls", "-aq")).toBe("");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  c: {image: "alpine:3.20", command: "sleep 600", init: true, stop_grace_period: 1s, volumes: [/anonymous]}
  d: {image: "alpine:3.20"}
`,
    },
  },
);

const TAKEN = (word: string): string => `services:
  a: {image: "alpine:3.20", init: true, command: sleep 100, environment: ["WORD=${word}"], stop_grace_period: 0s}
  b: {image: "alpine:3.20", init: true, command: sleep 100, container_name: short-lives-taken, stop_grace_period: 0s}
  c: {image: "alpine:3.20", init: true, command: sleep 100, depends_on: [a], stop_grace_period: 0s}
`;

scenario(
  "made-before-started",
  "one container that cannot be made: nothing starts, and nothing that runs is stopped to be replaced",
  async (s) => {
    s.write("holder/compose.yaml", "services: {h: {image: 'alpine:3.20', container_name: short-lives-taken}}\n");
    await s.ok("-f", "holder/compose.yaml", "-p", "holder", "create");
    await s.exits(1, ["up", "-d"], "short-lives-taken");
    expect((await s.rows()).filter(({ State }) => State === "running")).toEqual([]);
    await s.ok("up", "-d", "a");
    const [before] = await s.of("a");
    s.write("compose.yaml", TAKEN("two"));
    await s.exits(1, ["up", "-d"], "short-lives-taken");
    const running = (await s.of("a")).filter(({ State }) => State === "running");
    expect(running.map(({ ID }) => ID)).toEqual([before?.ID]);
    await s.ok("-f", "holder/compose.yaml", "-p", "holder", "rm", "-f");
    await s.ok("up", "-d");
    for (const name of ["a", "b", "c"]) await s.scale(name, 1);
    expect((await s.of("a"))[0]?.ID).not.toBe(before?.ID);
  },
  { ...both, files: { "compose.yaml": TAKEN("one") } },
);
