import { describe, expect, test } from "@jest/globals";
import { servedNames } from "../../../../src/engine/network/served-names.js";

const of = (more: object) => ({
  containerId: "0123456789abcdef",
  containerName: "p-a-1",
  hostname: "",
  aliases: [],
  ...more,
});

describe("names that DNS answers for", () => {
  test("container, aliases, host name, short id, each with the network's name behind it too", () => {
    expect(servedNames(of({ hostname: "ahost", aliases: ["a", "web.example.org"] }), "p_n")).toEqual([
      ...["p-a-1", "a", "web.example.org", "ahost", "0123456789ab"],
      ...["p-a-1.p_n", "a.p_n", "web.example.org.p_n", "ahost.p_n", "0123456789ab.p_n"],
    ]);
  });
  test("the spelling that came first, once", () => {
    expect(
      servedNames(of({ hostname: "UPPER", aliases: ["upper"] }), "n").filter((name) => /upper/i.test(name)),
    ).toEqual(["upper", "upper.n"]);
  });
  test("only an alias that is no host name is a mistake", () => {
    expect(servedNames(of({ hostname: "a.", containerName: "b-" }), "n")).toEqual(["0123456789ab", "0123456789ab.n"]);
    expect(() => servedNames(of({ aliases: ["a,b"] }), "n")).toThrow("is not a host name");
  });
});
