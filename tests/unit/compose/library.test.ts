/** The built library face, as another program imports it: no I/O but through the port. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type * as compose from "../../../src/compose/index.js";

const BUILT = resolve(import.meta.dirname, "../../../dist/compose.js");
const check = existsSync(BUILT) ? test : test.skip;

describe("tscompose/compose", () => {
  check("loads a project from a port, in memory", async () => {
    const library = (await import(BUILT)) as typeof compose;
    const asked: string[] = [];
    const files: Readonly<Record<string, string>> = {
      "/p/compose.yaml":
        "include: [more.yaml]\nservices: {web: {image: 'nginx:${TAG}', env_file: w.env, depends_on: [db]}}\n",
      "/p/more.yaml": "services: {db: {image: postgres:16}}\n",
      "/p/w.env": "A=$TAG\n",
      "/p/.env": "TAG=1\n",
    };
    const seen = <T>(path: string, answer: T): T => {
      asked.push(path);
      return answer;
    };
    const fs: compose.ComposeFs = {
      readFile: (path) => seen(path, files[path]),
      exists: (path) => seen(path, files[path] !== undefined),
      isDirectory: (path) => seen(path, path === "/p"),
      realpath: (path) => seen(path, path),
      readStdin: () => "",
    };
    const project = await library.loadProject({ cwd: "/p", env: {}, fs });
    expect(project.name).toBe("p");
    expect(project.services["web"]).toMatchObject({ image: "nginx:1", environment: { A: "1" } });
    expect(project.locate(["services", "db", "image"])).toMatchObject({ file: "/p/more.yaml", line: 1 });
    expect(library.dependencyGraph(project).edges.some(({ to }) => to === "service:db")).toBe(true);
    expect(JSON.parse(library.toConfigJson(project)).services.db.image).toBe("postgres:16");
    expect(asked.every((path) => path.startsWith("/p"))).toBe(true);
  });

  check("errors carry a code, a place and a hint", async () => {
    const library = (await import(BUILT)) as typeof compose;
    const fs: compose.ComposeFs = {
      readFile: () => "services:\n  web:\n    imag: x\n",
      exists: () => true,
      isDirectory: () => false,
      realpath: (path) => path,
      readStdin: () => "",
    };
    await expect(library.loadProject({ cwd: "/p", env: {}, fs, files: ["c.yaml"] })).rejects.toMatchObject({
      code: "TSC_COMPOSE_SCHEMA",
      hint: 'did you mean "image"?',
      where: { file: "/p/c.yaml", line: 3, column: 5, text: "    imag: x" },
    });
  });
});
