/** A program of somebody else's that brings a project up through the library: `examples/library/up.ts`, as root and as a user. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { consumerIn } from "../helpers/consumer.js";
import { REPOSITORY } from "../helpers/host.js";
import { dockerIo, scenario } from "../helpers/scenario.js";

dockerIo();

const LAUNCHER = join(REPOSITORY, "native/build/tscompose-launcher");
const compose = readFileSync(join(REPOSITORY, "examples/library/compose.yaml"), "utf8");

scenario(
  "consumer",
  "a program brings a project up, is told each event, finds nothing left to do, and takes it down",
  async (s) => {
    consumerIn(s.folder, REPOSITORY);
    const result = await s.host.exec(s.folder, [LAUNCHER, "up.ts"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const told = result.stdout.trimEnd().split("\n");
    const at = (line: string): number => {
      expect(told).toContain(line);
      return told.indexOf(line);
    };
    expect(at("Container consumer-db-1 Started")).toBeLessThan(at("Container consumer-web-1 Starting"));
    expect(at("Container consumer-web-1 Started")).toBeLessThan(at("nothing left to do"));
    expect(at("nothing left to do")).toBeLessThan(at("Container consumer-web-1 Removed"));
    at("Network consumer_default Removed");
    expect(await s.rows()).toEqual([]);
  },
  { modes: ["user", "root"], files: { "compose.yaml": compose } },
);
