/** docker's flags of `container run` as a compose document. */
import { describe, expect, test } from "@jest/globals";
import { containerDocument, containerOptions } from "../../../src/cli/container-flags.js";
import { parseWords } from "../../../src/cli/parse.js";

function documentOf(...words: string[]): Readonly<Record<string, unknown>> {
  const parsed = parseWords(
    {
      path: "tscompose container run",
      options: containerOptions,
      args: [
        { name: "IMAGE", required: true },
        { name: "ARG", variadic: true },
      ],
      stopAtFirstArgument: true,
    },
    words,
  );
  if (parsed === "help") throw new Error("help");
  const [image = "", ...argv] = parsed.args;
  return containerDocument("c", image, argv, parsed.options);
}

describe("containerDocument", () => {
  test("no more than is said", () => {
    expect(documentOf("redis")).toEqual({
      services: { c: { image: "redis", container_name: "c", network_mode: "bridge" } },
      volumes: {},
    });
  });
  test("words after the image are the command's", () => {
    expect(documentOf("-e", "A=1", "-e", "B", "-it", "redis", "sh", "-e", "x")).toMatchObject({
      services: { c: { command: ["sh", "-e", "x"], environment: ["A=1", "B"], stdin_open: true, tty: true } },
    });
  });
  test("volumes of both spellings; only names become volumes", () => {
    expect(
      documentOf("-v", "data:/d", "-v", "./x:/x", "-v", "/anon", "--mount", "type=volume,src=m,dst=/m,ro", "redis"),
    ).toMatchObject({
      services: {
        c: {
          volumes: ["data:/d", "./x:/x", "/anon", { type: "volume", source: "m", target: "/m", read_only: true }],
        },
      },
      volumes: { data: { name: "data" }, m: { name: "m" } },
    });
  });
  test("a network of one's own is external", () => {
    expect(documentOf("--net", "back", "--network-alias", "db", "--ip", "10.0.0.5", "redis")).toMatchObject({
      services: { c: { networks: { back: { aliases: ["db"], ipv4_address: "10.0.0.5" } } } },
      networks: { back: { external: true, name: "back" } },
    });
    expect(documentOf("--network", "container:web", "redis")).toMatchObject({
      services: { c: { network_mode: "container:web" } },
    });
  });
  test("limits, health, logs, entrypoint", () => {
    expect(
      documentOf("-m", "64m", "--ulimit", "nofile=10:20", "--health-cmd", "true", "--entrypoint", "", "redis"),
    ).toMatchObject({
      services: {
        c: {
          mem_limit: "64m",
          ulimits: { nofile: { soft: 10, hard: 20 } },
          healthcheck: { test: ["CMD-SHELL", "true"] },
          entrypoint: [],
        },
      },
    });
  });
  test.each([
    [["--mount", "type=bind,source=/a", "x"], /target is missing/],
    [["--mount", "target=/a,colour=red", "x"], /unknown option "colour"/],
    [["--ulimit", "nofile", "x"], /write NAME=SOFT/],
    [["--log-opt", "a", "x"], /write KEY=VALUE/],
    [["--network", "host", "--ip", "1.2.3.4", "x"], /need a network of your own/],
  ])("%j is refused", (words, message) => {
    expect(() => documentOf(...words)).toThrow(message);
  });
});
