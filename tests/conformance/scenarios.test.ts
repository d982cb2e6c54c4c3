/** Every end-to-end scenario of docker compose has a test of its name, or a reason why not. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import {
  CANNOT_RUN_HERE,
  listedScenarios,
  SCENARIOS,
  scenarioTable,
  testedScenarios,
} from "../../scripts/scenario-table.js";

(existsSync(SCENARIOS) ? test : test.skip)("every listed scenario is tested or says why it cannot be", () => {
  const listed = listedScenarios(readFileSync(SCENARIOS, "utf8"));
  const tested = testedScenarios();
  const names = listed.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !tested.has(name)).toSorted()).toEqual(
    [...CANNOT_RUN_HERE.keys()].filter((name) => !tested.has(name)).toSorted(),
  );
  expect([...CANNOT_RUN_HERE.keys()].filter((name) => !names.includes(name))).toEqual([]);
});

test("the table counts what ran, by group and mode", () => {
  const listed = [
    { group: "a", name: "TestOne" },
    { group: "a", name: "TestTwo" },
    { group: "b", name: "TestThree" },
  ];
  const assertionResults = [
    { title: "TestOne (user): x", status: "passed" },
    { title: "TestTwo (user): x", status: "failed" },
    { title: "TestOne (root): x", status: "passed" },
    { title: "TestThree (user): x", status: "pending" },
  ];
  const table = scenarioTable(listed, [{ testResults: [{ assertionResults }] }]);
  expect(table).toContain("| a | 2 | 1/2 | 1/1 |\n| b | 1 | – | – |\n| **all** | 3 | 1/2 | 1/1 |");
  expect(table).toContain("failed: TestTwo user\n");
});
