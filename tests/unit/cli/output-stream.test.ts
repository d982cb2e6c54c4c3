/** Standard output as the program writes it: through pipes that are full, that do not block, and that nobody reads any more. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "@jest/globals";

const source = pathToFileURL(resolve("src/cli/output-stream.ts")).href;
const script = `
import { outputStream } from ${JSON.stringify(source)};
const out = outputStream(1, () => { throw new Error("not a pipe"); });
out.on("error", (error) => { console.error(error.code); process.exit(3); });
for (let i = 0; i < 64; i++) out.write(String(i % 10).repeat(65536));
out.write("", () => setImmediate(() => process.exit(0)));`;
const node = `'${process.execPath}' --import '${resolve("tests/resolve-ts.js")}' --no-warnings --input-type=module --eval "$SCRIPT"`;
const shell = (command: string) =>
  spawnSync("bash", ["-o", "pipefail", "-c", command], { encoding: "utf8", env: { ...process.env, SCRIPT: script } });

test("everything arrives, however slow the reader", () => {
  expect(shell(`${node} | (sleep 0.2; cksum)`)).toMatchObject({ status: 0, stderr: "" });
  const whole = shell(`${node} | cksum`).stdout;
  expect(whole).toMatch(/ 4194304\n$/);
  // a pipe that somebody made non-blocking
  const nonBlocking = `perl -MFcntl -e 'fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV' ${node}`;
  expect(shell(`${nonBlocking} | (sleep 0.2; cksum)`)).toMatchObject({ status: 0, stdout: whole, stderr: "" });
}, 20_000);

test("a file", () => {
  expect(shell(`f=$(mktemp); ${node} > "$f" && wc -c < "$f"; rm "$f"`)).toMatchObject({
    status: 0,
    stdout: "4194304\n",
  });
});

test("a reader that has gone is an error of the stream", () => {
  expect(shell(`${node} | head -c 10`)).toMatchObject({ status: 3, stdout: "0000000000", stderr: "EPIPE\n" });
});
