import { describe, expect, test } from "@jest/globals";
import type { ArgumentSpec, OptionSpec } from "../../../src/cli/command.js";
import { parseWords } from "../../../src/cli/parse.js";

const options: readonly OptionSpec[] = [
  { long: "all", short: "a", help: "" },
  { long: "quiet", short: "q", help: "" },
  { long: "no-trunc", help: "" },
  { long: "orphans", default: true, help: "" },
  { long: "tail", short: "n", value: "string", default: "all", help: "" },
  { long: "env", short: "e", value: "list", help: "" },
  { long: "index", value: "int", help: "" },
  { long: "rmi", value: "string", choices: ["local", "all"], help: "" },
];
const args: readonly ArgumentSpec[] = [{ name: "SERVICE", variadic: true }];

function parse(
  words: readonly string[],
  extra: { stopAtFirstArgument?: boolean; args?: readonly ArgumentSpec[] } = {},
) {
  const parsed = parseWords({ path: "tscompose x", options, args, ...extra }, words);
  if (parsed === "help") throw new Error("help");
  return parsed;
}
function problem(words: readonly string[], extra: { args?: readonly ArgumentSpec[] } = {}): string {
  try {
    parse(words, extra);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "";
}

describe("parseWords", () => {
  test("a letter takes =true and =false as well", () => {
    expect(parse(["-a=false"]).options.flag("all")).toBe(false);
    expect(parse(["-qa=true"]).options.flag("all")).toBe(true);
    expect(problem(["-a=x"])).toMatch(/invalid argument "x" for "-a, --all" flag/);
  });
  test("a misspelt flag is told with the one that it is near to", () => {
    try {
      parse(["--quite"]);
      throw new Error("must fail");
    } catch (error) {
      expect(error).toMatchObject({ code: "TSC_USAGE", hint: expect.stringContaining("did you mean --quiet?") });
    }
  });
  test("flags and arguments in any order", () => {
    const parsed = parse(["web", "-aq", "db", "--no-trunc"]);
    expect(parsed.args).toEqual(["web", "db"]);
    expect(parsed.options.flag("all") && parsed.options.flag("quiet") && parsed.options.flag("no-trunc")).toBe(true);
  });
  test("values: apart, joined, after an equals sign", () => {
    for (const words of [["-n", "5"], ["-n5"], ["-n=5"], ["--tail", "5"], ["--tail=5"]]) {
      expect(parse(words).options.text("tail")).toBe("5");
    }
    expect(parse(["-qn", "-1"]).options.text("tail")).toBe("-1");
  });
  test("defaults, and booleans given a value", () => {
    expect(parse([]).options.text("tail")).toBe("all");
    expect(parse([]).options.flag("orphans")).toBe(true);
    expect(parse(["--orphans=false"]).options.flag("orphans")).toBe(false);
    expect(parse(["--all=true"]).options.flag("all")).toBe(true);
    expect(parse([]).options.given("tail")).toBe(false);
  });
  test("a list keeps every occurrence, commas included", () => {
    expect(parse(["-e", "A=1,2", "--env", "B="]).options.list("env")).toEqual(["A=1,2", "B="]);
  });
  test("numbers", () => {
    expect(parse(["--index", "3"]).options.number("index")).toBe(3);
    expect(problem(["--index", "x"])).toMatch(/invalid argument "x" for "--index" flag/);
  });
  test("after the first argument everything is the command's own", () => {
    const parsed = parse(["-e", "A=1", "web", "ls", "-a", "--", "-n"], { stopAtFirstArgument: true });
    expect(parsed.args).toEqual(["web", "ls", "-a", "--", "-n"]);
    expect(parsed.options.flag("all")).toBe(false);
  });
  test("two dashes end the flags", () => {
    expect(parse(["--", "-a"]).args).toEqual(["-a"]);
    expect(parse(["-", "x"]).args).toEqual(["-", "x"]);
  });
  test("docker's words for mistakes", () => {
    expect(problem(["--bogus"])).toBe("unknown flag: --bogus");
    expect(problem(["-az"])).toBe("unknown shorthand flag: 'z' in -az");
    expect(problem(["--tail"])).toBe("flag needs an argument: --tail");
    expect(problem(["--rmi", "some"])).toMatch(/invalid value for --rmi: "some" is none of local, all/);
    expect(problem(["a", "b"], { args: [{ name: "ONE" }] })).toMatch(/accepts at most 1 argument/);
    expect(problem([], { args: [{ name: "ONE", required: true }] })).toMatch(/requires 1 argument: ONE/);
  });
  test("help wins", () => {
    expect(parseWords({ path: "x", options, args }, ["-a", "--help"])).toBe("help");
    expect(parseWords({ path: "x", options, args }, ["-h"])).toBe("help");
  });
  test("capital letters of a flag do not matter", () => {
    expect(parse(["--No-Trunc"]).options.flag("no-trunc")).toBe(true);
  });
  test("asking for an undeclared option is our own mistake", () => {
    expect(() => parse([]).options.flag("nope")).toThrow(/not declared/);
  });
});
