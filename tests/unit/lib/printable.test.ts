/** Text from strangers, fit to print. */
import { expect, test } from "@jest/globals";
import { printable } from "../../../src/lib/printable.js";

test.each([
  ["https://user:password@host/x", "https://***@host/x"],
  // found by the fuzzer: no word begins before the scheme here
  ["1https://user:password@host/x", "1https://***@host/x"],
  ["_https://user:password@host/x", "_https://***@host/x"],
  ["https://user:p@ss@host/x", "https://***@host/x"],
  ["https://host/a@b", "https://host/a@b"],
])("%s shows no password", (given, shown) => expect(printable(given)).toBe(shown));
