import { describe, expect, test } from "@jest/globals";
import { applyFilters, booleanFilter, hasLabel, hasName } from "../../../src/cli/filters.js";

const items = [
  { name: "web-1", labels: { a: "1", b: "2" } as Record<string, string> },
  { name: "db-1", labels: { a: "2" } as Record<string, string> },
];
const names = (filters: readonly string[]) =>
  applyFilters(items, filters, {
    name: (item, value) => hasName(item.name, value),
    label: (item, value) => hasLabel(item.labels, value),
  }).map(({ name }) => name);

describe("--filter", () => {
  test("names are alternatives, labels add up, keys add up", () => {
    expect(names([])).toEqual(["web-1", "db-1"]);
    expect(names(["name=web", "name=db"])).toEqual(["web-1", "db-1"]);
    expect(names(["label=a", "label=b=2"])).toEqual(["web-1"]);
    expect(names(["label=a=2", "name=^web"])).toEqual([]);
    expect(names(["name=("])).toEqual([]);
    expect(names(["label=toString"])).toEqual([]);
  });
  test("unknown keys and values are told", () => {
    expect(() => names(["nope=1"])).toThrow("invalid filter 'nope'");
    expect(() => names(["name"])).toThrow("write KEY=VALUE");
    expect(() => booleanFilter("maybe")).toThrow('invalid filter value "maybe"');
    expect(booleanFilter("1")).toBe(true);
  });
});
