/** Keys without a value are absent, in the object and in its type. */
import { expect, test } from "@jest/globals";
import { given } from "../../../src/lib/given.js";

interface Wanted {
  readonly kind: "bind" | "volume";
  readonly source?: string;
  readonly mode?: number;
  readonly silent?: true;
}

test("undefined is left out; null, empty and zero values stay", () => {
  const source: string | undefined = process.env["NO_SUCH_VARIABLE_OF_OURS"];
  const wanted: Wanted = { kind: "bind", ...given({ source, mode: 0 }) };
  expect(Object.keys(wanted)).toEqual(["kind", "mode"]);
  expect(given({ a: null, b: "", c: false, d: undefined })).toStrictEqual({ a: null, b: "", c: false });
});

test("required keys stay required and literals keep their type", () => {
  const mode: number | undefined = 3;
  const whole: Wanted = given({ kind: "volume", mode, silent: mode > 2 ? true : undefined });
  expect(whole).toStrictEqual({ kind: "volume", mode: 3, silent: true });
});
