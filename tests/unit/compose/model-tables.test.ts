/** The tables beside the model's types: the compiler holds them to each other, and what derives from them derives from all of them. */
import { describe, expect, test } from "@jest/globals";
import { structOf } from "../../../src/compose/model/kinds.js";
import { ATTRIBUTES } from "../../../src/compose/model/project.js";

interface Part {
  readonly path: string;
}
interface Whole {
  readonly name: string;
  readonly count?: number;
  readonly parts?: readonly Part[];
  readonly [extension: `x-${string}`]: unknown;
}

const PART = structOf<Part>({ path: "string" });
const OTHER = structOf<{ readonly other: string }>({ other: "string" });

describe("tables of the model", () => {
  test("a row that is missing, too many or of another kind does not compile", () => {
    const whole = structOf<Whole>({ name: "string!", count: "int", parts: { list: PART } });
    // @ts-expect-error count is missing
    structOf<Whole>({ name: "string", parts: { list: PART } });
    // @ts-expect-error the type has no field `more`
    structOf<Whole>({ name: "string", count: "int", parts: { list: PART }, more: "string" });
    // @ts-expect-error a number is not read as a string
    structOf<Whole>({ name: "string", count: "string", parts: { list: PART } });
    // @ts-expect-error the items are of another type
    structOf<Whole>({ name: "string", count: "int", parts: { list: OTHER } });
    // @ts-expect-error a list is no map
    structOf<Whole>({ name: "string", count: "int", parts: { map: PART } });
    expect(whole).toEqual([
      { name: "name", kind: "string", keepZero: true },
      { name: "count", kind: "int" },
      { name: "parts", kind: "structs", struct: [{ name: "path", kind: "string" }] },
    ]);
  });

  test("attributes are found at every depth", () => {
    const paths = ATTRIBUTES.map(({ path }) => path);
    expect(paths.filter((path, i) => paths.indexOf(path) !== i)).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        "services.*.ports[].target",
        "services.*.networks.*.aliases",
        "networks.*.ipam.config[].subnet",
      ]),
    );
  });
});
