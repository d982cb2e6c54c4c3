/** The live display writes to its own stream only, whatever standard output is. */
import { PassThrough } from "node:stream";
import { describe, expect, jest, test } from "@jest/globals";
import { ttyProgress } from "../../../src/cli/render/tty.js";

describe("the live display", () => {
  test("with standard output in a file, nothing of it goes there; the cursor comes back", async () => {
    const written = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const screen = new PassThrough();
      let seen = "";
      screen.on("data", (data: Buffer) => {
        seen += data.toString();
      });
      const stream = Object.assign(screen, { columns: 80, rows: 24, isTTY: true }) as unknown as NodeJS.WriteStream;
      const progress = ttyProgress(stream, { color: false, title: "up" });
      progress.update({ kind: "item", id: "Container p-web-1", status: "working", text: "Starting" });
      progress.update({ kind: "item", id: "Container p-web-1", status: "done", text: "Started" });
      await progress.end();
      expect(written).not.toHaveBeenCalled();
      expect(seen).toContain("Container p-web-1  Started");
      expect(seen.lastIndexOf("\u001b[?25h")).toBeGreaterThan(seen.lastIndexOf("\u001b[?25l"));
    } finally {
      written.mockRestore();
    }
  });
});
