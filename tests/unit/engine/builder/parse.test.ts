import { describe, expect, test } from "@jest/globals";
import type { Instruction } from "../../../../src/engine/builder/dockerfile/instructions.js";
import { parseDockerfile } from "../../../../src/engine/builder/dockerfile/parse.js";

const parse = (text: string): readonly Instruction[] => parseDockerfile(text, "Dockerfile").instructions;
const errorOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
};

describe("lines", () => {
  test("continuations, comments and blank lines inside them, CRLF and BOM", () => {
    const [, run] = parse("\uFEFFFROM a\r\nRUN one \\\r\n  # comment\r\n\r\n  two \\  \r\n  three\r\n");
    expect(run).toMatchObject({ kind: "RUN", line: 2, command: { form: "shell", script: "one   two   three" } });
  });
  test("the escape directive changes the continuation mark", () => {
    const [, copy] = parse("# escape=`\nFROM a\nCOPY c:\\x `\n d\\\n");
    expect(copy).toMatchObject({ sources: ["c:\\x"], destination: "d\\" });
  });
  test("a directive after the first other line is a comment", () => {
    expect(parse("FROM a\n# escape=`\nRUN x\\\n y\n")[1]).toMatchObject({ command: { script: "x y" } });
  });
  test("here-documents: names, quoting, tabs, several on a line", () => {
    const [, copy, run] = parse("FROM a\nCOPY <<A <<-'B' /d/\n$x\nA\n\ty\n\tB\nRUN <<E\nRUN no\nE\n");
    expect(copy).toMatchObject({
      sources: [],
      destination: "/d/",
      heredocs: [
        { name: "A", expand: true, content: "$x\n" },
        { name: "B", expand: false, content: "y\n" },
      ],
    });
    expect(run).toMatchObject({ line: 7, heredocs: [{ content: "RUN no\n" }] });
    expect(parse("FROM a\nRUN cat <<<word && echo $((1<<2))\n")[1]).toMatchObject({ heredocs: [] });
    expect(errorOf("FROM a\nRUN <<E\nx\n")).toBe("Dockerfile:2: unterminated heredoc E");
  });
});

describe("instructions", () => {
  test("FROM with platform and name", () => {
    expect(parse("FROM --platform=$P a:1 as B\n")[0]).toMatchObject({ base: "a:1", platform: "$P", name: "B" });
  });
  test("exec and shell form; a broken array is shell form", () => {
    expect(parse('FROM a\nCMD ["a", "b c"]\n')[1]).toMatchObject({ command: { form: "exec", argv: ["a", "b c"] } });
    expect(parse("FROM a\nCMD ['a']\n")[1]).toMatchObject({ command: { form: "shell", script: "['a']" } });
  });
  test("ENV and LABEL in both forms keep quotes for later", () => {
    expect(parse('FROM a\nENV A="b c" D=e\\ f\n')[1]).toMatchObject({
      pairs: [
        ["A", '"b c"'],
        ["D", "e\\ f"],
      ],
    });
    expect(parse("FROM a\nENV A b  c\n")[1]).toMatchObject({ pairs: [["A", "b  c"]] });
    expect(errorOf("FROM a\nENV A\n")).toContain("ENV must have two arguments");
  });
  test("RUN mounts with aliases", () => {
    expect(parse("FROM a\nRUN --mount=type=cache,dst=/c,id=x --mount=src=.,target=/s,readonly go\n")[1]).toMatchObject({
      mounts: [
        { type: "cache", options: { target: "/c", id: "x" } },
        { type: "bind", options: { source: ".", target: "/s", ro: "true" } },
      ],
      command: { script: "go" },
    });
  });
  test("HEALTHCHECK, ONBUILD, SHELL, ARG", () => {
    expect(parse("FROM a\nHEALTHCHECK --interval=1s --retries=2 CMD curl x\n")[1]).toMatchObject({
      test: ["CMD-SHELL", "curl x"],
      flags: { interval: "1s", retries: "2" },
    });
    expect(parse("FROM a\nONBUILD RUN x \\\n y\n")[1]).toMatchObject({ trigger: "RUN x  y" });
    expect(errorOf("FROM a\nONBUILD FROM b\n")).toContain("FROM is not allowed as an ONBUILD trigger");
    expect(errorOf("FROM a\nSHELL sh\n")).toContain("JSON form");
    expect(parse("ARG A B=c\nFROM a\n")[0]).toMatchObject({ names: [{ name: "A" }, { name: "B", value: "c" }] });
  });
});

describe("errors", () => {
  test("name the line and the nearest word, all of them at once", () => {
    expect(errorOf("FROM a\nFORM b\nCOPY x\nCOPY --fro=a b c\nRNU x\n").split("\n")).toEqual([
      "Dockerfile:2: unknown instruction: FORM (did you mean FROM?)",
      "Dockerfile:3: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
      "Dockerfile:4: COPY: unknown flag --fro (did you mean --from?)",
      "Dockerfile:5: unknown instruction: RNU (did you mean RUN?)",
    ]);
  });
  test("carry the place", () => {
    try {
      parse("FROM a\n  BAD x\n");
    } catch (error) {
      expect(error).toMatchObject({
        code: "TSC_DOCKERFILE",
        where: { file: "Dockerfile", line: 2, column: 3, text: "  BAD x" },
      });
    }
    expect.assertions(1);
  });
  test("an empty file", () => {
    expect(errorOf("# nothing\n")).toBe("Dockerfile: the Dockerfile cannot be empty");
  });
  test("hostile files end", () => {
    // each of these was looked at once for each of its characters
    const blanks = " ".repeat(300_000);
    expect(errorOf(`# syntax = a${blanks}b\nFROM${blanks}a${blanks}b\n`)).toContain("FROM requires either");
    expect(errorOf(`FROM a\n${"x".repeat(300_000)}\n`)).toContain("unknown instruction");
    expect(errorOf(`FROM a\n${"BAD x\n".repeat(5000)}`).split("\n")).toHaveLength(100);
    // each flag copied those before it
    expect(errorOf(`FROM a\nRUN ${"--mount=target=/a ".repeat(200_000)}\n`)).toContain("RUN requires at least one");
    expect(errorOf(`FROM a\nRUN ${"<<A ".repeat(200_000)}\n`)).toBe("Dockerfile:2: unterminated heredoc A");
    const open = errorOf(`FROM a\n${"# escape=x\n".repeat(2)}RUN <<A\n`);
    expect(open).toBe("Dockerfile:4: unterminated heredoc A");
    expect(errorOf(`FROM a\n${"USER x\n".repeat(60_000)}`)).toBe("Dockerfile: more than 50000 instructions");
  });
});
