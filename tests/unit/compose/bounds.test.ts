/** Env files and templates of strangers: what doubles ends, what is long takes no longer than it is. */
import { describe, expect, test } from "@jest/globals";
import { parseDotenv } from "../../../src/compose/env/dotenv.js";
import { substitute, templateVariables } from "../../../src/compose/env/template.js";
import { load } from "./project.js";

const unset = (): undefined => undefined;

describe("bounds", () => {
  test("values that double with every line are refused", () => {
    const lines = Array.from({ length: 60 }, (_, i) => `V${i + 1}=$V${i}$V${i}`);
    expect(() => parseDotenv(`V0=xxxxxxxx\n${lines.join("\n")}`, unset)).toThrow(
      "a value becomes longer than 4194304 characters",
    );
  });
  test("a long text that grows little is none of them", () => {
    const text = "x".repeat(5 << 20);
    expect(substitute(`${text}$A`, () => "a")).toHaveLength(text.length + 1);
  });
  test("white space inside a line is looked at once", () => {
    // a regular expression for the end of a run looks at it once for each of its characters: 10^11 steps here
    const blanks = " ".repeat(300_000);
    expect(parseDotenv(`A=x${blanks}y`, unset).get("A")).toBe(`x${blanks}y`);
    expect(() => parseDotenv(`A${blanks}b=1`, unset)).toThrow("key cannot contain a space");
    expect(parseDotenv(`A = x \u0085 ${blanks}\nB=`, unset).get("A")).toBe("x");
  });
  test("a path that no system call takes is refused before it is normalised", async () => {
    // node's normalize takes more than a minute for this
    const path = `./${"b".repeat(300_000)}/${"a/../".repeat(60_000)}x`;
    for (const text of [
      `services: {a: {image: x, volumes: ['${path}:/v']}}`,
      `services: {a: {image: x, volumes: ['/v:/${path}']}}`,
      `services: {a: {image: x, env_file: '${path}'}}`,
      `include: ['${path}']`,
      `services: {a: {extends: {file: '${path}', service: b}}}`,
    ]) {
      await expect(load(text)).rejects.toThrow("characters is too long");
    }
  });
  test("defaults inside defaults have an end", () => {
    expect(() => templateVariables(`${"${A:-".repeat(5000)}${"}".repeat(5000)}`)).toThrow("Invalid template");
  });
});
