/** The program on a real terminal: what a person sees and presses, and the terminal they get back. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { eventually, isRoot, onHost, TSCOMPOSE } from "../helpers/host.js";
import { Terminal } from "../helpers/terminal.js";

const check = isRoot ? test : test.skip;

const COMPOSE = `services:
  web:
    build: app
    init: true
    command: sh -c 'trap "echo web bye; exit 0" TERM; while :; do echo web line; sleep 1; done'
  flap:
    build: app
    restart: on-failure
    command: sh -c 'test -e /again && exec sleep 1000; touch /again; sleep 1; exit 4'
    stop_signal: SIGKILL
`;
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
`;
const SLOW = `FROM terminal-web
RUN for i in 1 2 3 4; do echo "a line of output that is longer than forty columns $i"; sleep 0.5; done; exit 3
`;

describe("on a terminal", () => {
  check(
    "progress, the keys of attached up, interrupts and exec",
    onHost("user", async (host) => {
      const folder = host.project("terminal", {
        "compose.yaml": COMPOSE,
        "app/Dockerfile": DOCKERFILE,
        "slow/Dockerfile": SLOW,
        "slow.yaml": "services:\n  slow:\n    build: slow\n",
      });
      cpSync("/bin/busybox", join(folder, "app/busybox"));
      using screen = new Terminal(host, folder, { columns: 80, rows: 24 });
      const run = async (command: string) => {
        screen.line("clear");
        await screen.until(/^\$$/);
        screen.line(`${TSCOMPOSE} ${command}; echo "code $?, $(stty -a | grep -o ' echo ')"`);
      };

      await run("up");
      await screen.until(/^\[\+\] up 5\/5 +\d+\.\ds$/m);
      await screen.until(/^v View Containers {3}o View Config {3}w Enable Watch {3}d Detach$/m);
      // a policy brings it back: up stays with it
      await screen.until(/^flap-1 exited with code 4 \(restarting\)$/m);
      // nor does another terminal's restart end it
      await host.must(folder, "restart", "-t", "0", "web");
      await screen.until(/^web-1 exited with code 137 \(restarting\)\nweb-1 +\| web line$/m);
      screen.keys("w");
      await screen.until(/^watch: none of the selected services is configured for watch/m);
      screen.resize(40, 12);
      await screen.until(/^v ps {3}o config {3}w watch {3}d detach$/m);
      screen.resize(80, 24);
      screen.keys("v");
      await screen.until(/^NAME +IMAGE +COMMAND[\s\S]*^terminal-web-1 +terminal-web/m);
      screen.keys("d");
      await screen.until(/^code 0, +echo$/m);

      await run("up");
      await screen.until(/^web-1 +\| web line$/m);
      screen.keys("C-c");
      await screen.until(/^Gracefully Stopping\.\.\. press Ctrl\+C again to force$/m);
      await screen.until(/^web-1 +\| web bye$/m);
      await screen.until(/^code 130, +echo$/m);
      expect(screen.screen()).toMatch(/^web-1 exited with code 0$/m);
      expect(screen.isCursorVisible).toBe(true);

      // the picture is folded by a narrower screen, and taken away whole
      await run("-f slow.yaml build");
      await screen.until(/│ a line of output/);
      screen.resize(40, 50);
      await screen.until(/^code 1, +echo$/m);
      const lines = screen.screen().split("\n");
      expect(lines.filter((line) => line.startsWith("[+]"))).toHaveLength(1);
      expect(screen.screen()).toMatch(/^ > Image terminal-slow:\na line of output/m);
      expect(screen.isCursorVisible).toBe(true);
      screen.resize(80, 24);

      await host.must(folder, "up", "-d");
      await run("exec web sh");
      await screen.until(/^\/ #$/m);
      screen.resize(70, 20);
      // the new size travels behind the keys
      await eventually(() => {
        if (!/#$/.test(screen.screen())) return false;
        screen.line("stty size");
        return /^20 70$/m.test(screen.screen());
      });
      screen.keys("C-p", "C-q");
      await screen.until(/^read escape sequence\ncode 0, +echo$/m);
      screen.resize(120, 24);
      await run("exec web no-such-program");
      await screen.until(/executable file not found[\s\S]*code 127, +echo$/m);
      await host.must(folder, "down", "-v", "-t", "0");
    }),
    120_000,
  );
});
