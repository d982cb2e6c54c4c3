/** Numbers of replicas, orphans, one-offs and what down and rm take away. */
import { expect } from "@jest/globals";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const SLEEP = "image: alpine:3.20\n    init: true\n    command: sleep 1000\n";

scenario(
  "scale-holes",
  "a new replica takes the number after the highest, the highest go first",
  async (s) => {
    await s.ok("up", "-d", "--scale", "a=3");
    await s.numbers("a", 1, 2, 3);
    await s.ok("container", "rm", "-f", `${s.project}-a-2`);
    await s.numbers("a", 1, 3);
    await s.ok("up", "-d", "--scale", "a=3");
    await s.numbers("a", 1, 3, 4);
    const kept = (await s.ids("a"))[0];
    await s.ok("up", "-d", "-t", "0", "--scale", "a=1");
    await s.numbers("a", 1);
    expect(await s.ids("a")).toEqual([kept]);
    await s.exits(1, ["up", "-d", "--scale", "nobody=2"], "no such service: nobody");
  },
  { modes: ["user", "root"], files: { "compose.yaml": `services:\n  a:\n    ${SLEEP}` } },
);

scenario(
  "orphans",
  "orphans are named in a warning, removed when asked, and never counted as ours",
  async (s) => {
    await s.ok("up", "-d");
    s.write("compose.yaml", `services:\n  a:\n    ${SLEEP}`);
    await s.ok("up", "-d");
    s.says(/Found orphan containers \(\[\S+-b-1\]\) for this project/);
    await s.state("b", "running");
    await s.ok("ps", "--orphans=false", "-q");
    expect(s.last.stdout.trim().split("\n")).toHaveLength(1);
    await s.ok("up", "-d", "-t", "0", "--remove-orphans");
    await s.absent("b");
    await s.state("a", "running");
  },
  { files: { "compose.yaml": `services:\n  a:\n    ${SLEEP}  b:\n    ${SLEEP}` } },
);

scenario(
  "down-images",
  "down --rmi local takes images without a name of their own, all takes every image; networks and volumes as told",
  async (s) => {
    await s.ok("up", "-d");
    await s.ok("down", "-t", "0", "--rmi", "local");
    await s.imageExists(`${s.project}-built`, false);
    await s.imageExists("named/built:1");
    await s.imageExists("alpine:3.20");
    await s.ok("volume", "ls", "-q");
    s.says(`${s.project}_vol`);
    await s.ok("up", "-d");
    await s.ok("down", "-t", "0", "--rmi", "all", "-v");
    await s.imageExists("named/built:1", false);
    await s.imageExists("alpine:3.20", false);
    await s.ok("volume", "ls", "-q");
    s.saysNot(`${s.project}_vol`);
    await s.ok("network", "ls", "--format", "json");
    s.saysNot(`${s.project}_default`);
    await s.exits(1, ["down", "--rmi", "some"], "--rmi");
  },
  {
    files: {
      Dockerfile: "FROM alpine:3.20\nRUN echo built > /b\n",
      "compose.yaml": `services:
  plain:
    ${SLEEP}    volumes: ["vol:/v"]
  built: {build: ., init: true, command: sleep 1000}
  named: {build: ., image: "named/built:1", init: true, command: sleep 1000}
volumes: {vol: {}}
`,
    },
  },
);

scenario(
  "pull-policies",
  "never needs the image, missing pulls once, always every time, build builds",
  async (s) => {
    await s.exits(1, ["up", "-d", "never"], /alpine:3\.19/);
    await s.ok("pull", "--policy", "always", "missing");
    await s.ok("up", "-d", "missing");
    s.saysNot("Pulling");
    await s.ok("up", "-d", "always");
    await s.ok("--progress", "plain", "up", "-d", "-t", "0", "always");
    s.says(/alpine:3\.20 +Pulled/);
    await s.ok("--progress", "plain", "up", "-d", "-t", "0", "build");
    s.says(/Built/);
    await s.ok("--progress", "plain", "up", "-d", "-t", "0", "build");
    s.says(/Built/);
    await s.exits(1, ["up", "-d", "--pull", "sometimes", "missing"], "sometimes");
  },
  {
    files: {
      Dockerfile: "FROM alpine:3.20\n",
      "compose.yaml": `services:
  never: {image: "alpine:3.19", pull_policy: never, command: sleep 1000}
  missing: {image: "alpine:3.18", pull_policy: missing, init: true, command: sleep 1000}
  always: {image: "alpine:3.20", pull_policy: always, init: true, command: sleep 1000}
  build: {build: ., pull_policy: build, init: true, command: sleep 1000}
`,
    },
  },
);
