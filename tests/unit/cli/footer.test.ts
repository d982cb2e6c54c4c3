import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { Footer } from "../../../src/cli/render/footer.js";
import { quietProgress } from "../../../src/cli/render/quiet.js";

describe("the line below the output", () => {
  function screen() {
    const stream = new PassThrough();
    let seen = "";
    stream.on("data", (data: Buffer) => {
      seen += data.toString();
    });
    return { stream: Object.assign(stream, { columns: 20 }) as unknown as NodeJS.WriteStream, seen: () => seen };
  }

  test("is taken away before every write and comes back after whole lines; afterwards the stream is as it was", () => {
    const { stream, seen } = screen();
    const { write } = stream;
    const footer = new Footer([stream, stream], "keys");
    stream.write("one\n");
    stream.write("half ");
    stream.write("line\n");
    footer.set("other keys that are longer than the screen");
    footer[Symbol.dispose]();
    stream.write("two\n");
    const erase = "\r\u001b[2K";
    expect(seen()).toBe(`keys\r${erase}one\nkeys\r${erase}half line\nkeys\r${erase}other keys that ar…\r${erase}two\n`);
    expect(stream.write).toBe(write);
  });
});

test("a quiet build that fails shows what its step wrote last", async () => {
  const out: string[] = [];
  const progress = quietProgress({ write: (text: string) => out.push(text) > 0 });
  const step = (details: string) =>
    ({ kind: "item", id: "Image a", status: "working", text: "Building", details }) as const;
  const output = (text: string) => ({ kind: "output", id: "Image a", stream: "stdout", text }) as const;
  progress.update(step("[1/2] RUN a"));
  progress.update(output("of another step"));
  progress.update(step("[2/2] RUN b"));
  for (let i = 0; i < 30; i++) progress.update(output(`line ${i}`));
  progress.update({ kind: "item", id: "Image a", status: "error", text: "Error", details: "exit code 1" });
  await progress.end();
  expect(out).toHaveLength(23);
  expect(out.join("")).toMatch(/^------\n > Image a:\nline 10\n[\s\S]*line 29\n------\n$/);
});
