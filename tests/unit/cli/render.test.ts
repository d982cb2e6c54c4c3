import { describe, expect, test } from "@jest/globals";
import { portsText, statusText } from "../../../src/cli/render/container-rows.js";
import { renderError } from "../../../src/cli/render/errors.js";
import { splitReference } from "../../../src/cli/render/image-rows.js";
import { createLogPrinter } from "../../../src/cli/render/log-printer.js";
import { plainLine, plainProgress } from "../../../src/cli/render/plain.js";
import { printed } from "../../../src/cli/render/printed.js";
import { boardLines } from "../../../src/cli/render/progress-lines.js";
import { applyUpdate, newBoard } from "../../../src/cli/render/progress-state.js";
import { displayWidth } from "../../../src/cli/render/table.js";
import { binarySize, ellipsis, goQuote, humanDuration, humanSize } from "../../../src/cli/render/units.js";
import type { ContainerInfo, LogLine } from "../../../src/engine/types.js";
import { TscError, TscErrorList } from "../../../src/lib/errors.js";

describe("units", () => {
  test.each([
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [2_124_800, "2.12MB"],
    [187_654_321, "188MB"],
  ])("%d bytes", (bytes, text) => expect(humanSize(bytes)).toBe(text));
  test("binary", () => expect(binarySize(13_107_200)).toBe("12.5MiB"));
  test.each([
    [500, "Less than a second"],
    [1500, "1 second"],
    [59_000, "59 seconds"],
    [61_000, "About a minute"],
    [46 * 60_000, "46 minutes"],
    [61 * 60_000, "About an hour"],
    [26 * 3_600_000, "26 hours"],
    [72 * 3_600_000, "3 days"],
    [20 * 86_400_000, "2 weeks"],
    [100 * 86_400_000, "3 months"],
    [800 * 86_400_000, "2 years"],
  ])("%d ms", (ms, text) => expect(humanDuration(ms)).toBe(text));
  test("docker cuts a command at twenty and quotes it", () => {
    expect(goQuote(ellipsis("/docker-entrypoint.sh nginx", 20))).toBe('"/docker-entrypoint.…"');
    expect(goQuote('a"b\n')).toBe('"a\\"b\\n"');
  });
  test("wide characters count twice", () => expect(displayWidth("漢a\u001b[1mb")).toBe(4));
});

describe("ports", () => {
  const port = (TargetPort: number, PublishedPort: number, URL = "0.0.0.0") => ({
    URL,
    TargetPort,
    PublishedPort,
    Protocol: "tcp",
  });
  test("runs are joined where nothing is mapped to another number; mapped ports come last, as docker lists them", () => {
    expect(portsText([port(80, 8080), port(81, 8081), port(90, 90), port(91, 91)])).toBe(
      "0.0.0.0:90-91->90-91/tcp, 0.0.0.0:8080->80/tcp, 0.0.0.0:8081->81/tcp",
    );
  });
  test("exposed only, and IPv6", () => {
    expect(portsText([port(6379, 0, ""), port(80, 80, "::")])).toBe("6379/tcp, [::]:80->80/tcp");
  });
});

describe("status", () => {
  const now = Date.parse("2026-01-01T00:10:00Z");
  const info = (change: Partial<ContainerInfo>) =>
    ({
      startedAt: "2026-01-01T00:05:00Z",
      finishedAt: "2026-01-01T00:09:57Z",
      health: "none",
      exitCode: 3,
      ...change,
    }) as ContainerInfo;
  test.each<[Partial<ContainerInfo>, string]>([
    [{ state: "running" }, "Up 5 minutes"],
    [{ state: "running", health: "starting" }, "Up 5 minutes (health: starting)"],
    [{ state: "running", health: "healthy" }, "Up 5 minutes (healthy)"],
    [{ state: "paused" }, "Up 5 minutes (Paused)"],
    [{ state: "exited" }, "Exited (3) 3 seconds ago"],
    [{ state: "restarting" }, "Restarting (3) 3 seconds ago"],
    [{ state: "created" }, "Created"],
  ])("%o", (change, text) => expect(statusText(info(change), now)).toBe(text));
});

describe("errors", () => {
  const style = { verbose: false, color: false };
  test("code, place, caret and hint", () => {
    const error = new TscError("TSC_COMPOSE_SCHEMA", "unexpected key", {
      kind: "invalid-input",
      hint: "remove it",
      where: { file: "compose.yaml", line: 12, column: 5, text: "    bogus: 1" },
    });
    expect(renderError(error, style)).toBe(
      [
        "error[TSC_COMPOSE_SCHEMA]: unexpected key",
        "   --> compose.yaml:12:5",
        "   |",
        "12 |     bogus: 1",
        "   |     ^",
        "  hint: remove it",
        "",
      ].join("\n"),
    );
  });
  test("a list shows every one", () => {
    const list = new TscErrorList([new TscError("TSC_IO", "a"), new TscError("TSC_USAGE", "b")]);
    expect(renderError(list, style)).toBe("error[TSC_IO]: a\nerror[TSC_USAGE]: b\n");
  });
  test("anything else is our fault, short, and with a stack only when asked", () => {
    const text = renderError(new TypeError("boom"), style);
    expect(text).toContain("error[TSC_INTERNAL]: boom");
    expect(text).not.toContain("at ");
    expect(renderError(new TypeError("boom"), { ...style, verbose: true })).toContain("    at ");
  });
  test("escape sequences are shown, not obeyed; causes too; further lines cannot pass for ours", () => {
    const error = new TscError("TSC_IO", "bad \u001b[31mname\u0007", { cause: new Error("EACCES\u001b[2J") });
    expect(renderError(error, style)).toBe("error[TSC_IO]: bad \\x1b[31mname\\x07\n  cause: EACCES\\x1b[2J\n");
    expect(renderError(new TscError("TSC_IO", "one\n  hint: two", { hint: "a\nerror[X]: b" }), style)).toBe(
      "error[TSC_IO]: one\n  |   hint: two\n  hint: a\\nerror[X]: b\n",
    );
    const where = { file: "a\nb.yaml", line: 1, column: 5, text: "k\u001b\u202e: v" };
    expect(renderError(new TscError("TSC_IO", "x", { where }), style)).toBe(
      "error[TSC_IO]: x\n  --> a\\nb.yaml:1:5\n  |\n1 | k  : v\n  |     ^\n",
    );
  });
});

describe("log printer", () => {
  const line = (text: string, change: Partial<LogLine> = {}): LogLine => ({
    stream: "stdout",
    time: "2026-01-01T00:00:00.000000001+00:00",
    text,
    partial: false,
    ...change,
  });
  function printer(change: { prefix?: boolean; timestamps?: boolean; color?: boolean } = {}) {
    const out: string[] = [];
    const sink = { write: (text: string) => out.push(text) > 0 };
    return {
      out,
      print: createLogPrinter({ stdout: sink, stderr: sink, color: false, prefix: true, timestamps: false, ...change }),
    };
  }
  test("prefixes are padded to the widest name", () => {
    const { out, print } = printer();
    print.register("web-1");
    print.register("longer-name-1");
    print.log("web-1", line("hi"));
    print.status("web-1", "exited with code 0");
    expect(out).toEqual(["web-1          | hi\n", "web-1 exited with code 0\n"]);
  });
  test("pieces of a line are joined; what has no end is kept for last", () => {
    const { out, print } = printer({ prefix: false, timestamps: true });
    print.log("a", line("one ", { partial: true }));
    print.log("a", line("two"));
    print.log("a", line("rest", { partial: true }));
    print.flush();
    expect(out).toEqual(["2026-01-01T00:00:00.000000001Z one two\n", "2026-01-01T00:00:00.000000001Z rest\n"]);
  });
  test("a line without an end comes before the status, hooks under their container, watch marked", () => {
    const { out, print } = printer();
    print.log("a-1", line("open", { partial: true }));
    print.log("b-1", line("other", { partial: true }));
    print.status("a-1", "exited with code 0");
    print.hook("a-1", "from a hook");
    print.watch(printed`Watch enabled`);
    print.bare("stdout", "as it is");
    print.log("a-1", line("next"));
    print.flush();
    expect(out).toEqual([
      "a-1  | open\n",
      "a-1 exited with code 0\n",
      "a-1 ->  | from a hook\n",
      "        ⦿ Watch enabled\n",
      "as it is\n",
      "a-1     | next\n",
      "b-1     | other\n",
    ]);
  });
  test("colours cycle", () => {
    const { out, print } = printer({ color: true });
    print.log("a", line("x"));
    print.log("b", line("x"));
    expect(out[0]).toContain("\u001b[36m");
    expect(out[1]).toContain("\u001b[33m");
  });
});

describe("progress", () => {
  const item = (id: string, status: "working" | "done" | "error", text: string) =>
    ({ kind: "item", id, status, text }) as const;
  const frame = (nowMs: number, columns: number, rows: number) => ({ nowMs, columns, rows, title: "up" });
  test("plain lines, each state once", () => {
    const out: string[] = [];
    const progress = plainProgress({ write: (text: string) => out.push(text) > 0 });
    progress.update(item("Container p-s-1", "working", "Starting"));
    progress.update(item("Container p-s-1", "working", "Starting"));
    progress.update(item("Container p-s-1", "done", "Started"));
    expect(out).toEqual([" Container p-s-1 Starting \n", " Container p-s-1 Started \n"]);
  });
  test("hostile ids cannot move the cursor", () => {
    expect(plainLine(item("a\u001b[2Jb", "done", "Started"))).not.toContain("\u001b");
  });
  test("fifty services fit a small screen, failures and work first", () => {
    const board = newBoard();
    for (let i = 0; i < 50; i++)
      applyUpdate(board, item(`Container p-s-${i}`, i < 48 ? "done" : "working", "Started"), i);
    applyUpdate(board, item("Container p-s-7", "error", "Error"), 100);
    const lines = boardLines(board, frame(200, 60, 14), (_, text) => text);
    expect(lines.length).toBeLessThanOrEqual(14);
    expect(lines[0]).toMatch(/^\[\+\] up 48\/50 +0\.2s$/);
    expect(lines.at(-1)).toMatch(/… \d+ more: \d+ Started$/);
    const text = lines.join("\n");
    expect(text).toContain("p-s-48");
    expect(text).toContain("p-s-49");
    expect(text).toContain("✘ Container p-s-7");
    expect(text).toMatch(/… \d+ more/);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(60);
  });
  test("a layer is drawn under its image with bar and rate; the time it waited is no part of the rate", () => {
    const board = newBoard();
    const layer = (id: string, currentBytes: number) =>
      ({ ...item(id, "working", "Downloading"), parent: "Image redis", currentBytes, totalBytes: 1_000_000 }) as const;
    applyUpdate(board, item("Image redis", "working", "Pulling"), 0);
    applyUpdate(board, layer("abc", 0), 0);
    applyUpdate(board, layer("waiting", 0), 0);
    applyUpdate(board, layer("abc", 100_000), 9000);
    applyUpdate(board, layer("abc", 500_000), 10_000);
    const lines = boardLines(board, frame(10_000, 100, 24), (_, text) => text);
    expect(lines[1]).toContain("[0/2]  500kB/2MB  400kB/s");
    expect(lines[2]).toMatch(/Downloading +\[━{10} {10}\] 500kB\/1MB {2}400kB\/s/);
    expect(lines).toHaveLength(3);
    applyUpdate(board, item("Image redis", "done", "Pulled"), 11_000);
    expect(boardLines(board, frame(11_000, 100, 24), (_, text) => text)[1]).toMatch(/Pulled {2}2MB +11.0s$/);
  });
  test("on a narrow screen names give way to states, and every image keeps a bar", () => {
    const board = newBoard();
    for (const image of ["registry.example/team/one:1", "registry.example/team/two:1"]) {
      applyUpdate(board, item(`Image ${image}`, "working", "Pulling"), 0);
      for (let i = 0; i < 9; i++) {
        const layer = { ...item(`layer${i}`, "working", "Downloading"), parent: `Image ${image}`, totalBytes: 1000 };
        applyUpdate(board, { ...layer, currentBytes: 500 }, 0);
      }
    }
    const lines = boardLines(board, frame(1000, 40, 10), (_, text) => text);
    expect(lines.filter((text) => text.includes("Pulling"))).toHaveLength(2);
    expect(lines.findLastIndex((text) => text.includes("layer0"))).toBeGreaterThan(3);
    expect(lines[1]).toMatch(/^ ⠋ Ima….*one:1 {2}Pulling/);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(40);
  });
});

test("image names as docker shows them", () => {
  expect(splitReference("docker.io/library/redis:7")).toEqual({ repository: "redis", tag: "7" });
  expect(splitReference("localhost:5000/a/b")).toEqual({ repository: "localhost:5000/a/b", tag: "" });
});
