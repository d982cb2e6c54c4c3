import { expect, test } from "@jest/globals";
import type { ContainerInfo } from "../../../src/engine/types.js";
import { missing } from "../../../src/execute/operations/wait-service.js";

const info = (change: Partial<ContainerInfo>): ContainerInfo =>
  ({ state: "running", healthLog: [], ...change }) as unknown as ContainerInfo;
const probe = (exitCode: number, output: string) => ({ start: "", end: "", exitCode, output });

test.each([
  ["service_healthy", info({}), "for its first health check to end"],
  ["service_healthy", info({ state: "restarting" }), "for it to run: it is restarting"],
  ["service_running_or_healthy", info({ state: "paused" }), "for it to run: it is paused"],
  [
    "service_healthy",
    info({ healthLog: [probe(0, ""), probe(1, "a\nrefused\n")] }),
    "for its health check: exit code 1: refused",
  ],
  ["service_healthy", info({ healthLog: [probe(-1, "")] }), "for its health check: exit code -1"],
  ["service_completed_successfully", info({}), "for its end"],
  ["service_completed_successfully", info({ state: "paused" }), "for its end: it is paused"],
] as const)("what %s waits for is said", (condition, seen, words) => {
  expect(missing({ condition }, seen)).toBe(words);
});
