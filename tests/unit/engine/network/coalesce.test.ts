import { expect, test } from "@jest/globals";
import { createCoalescer } from "../../../../src/engine/network/coalesce.js";

test("a burst is one update, and a change during an update gets another", async () => {
  let runs = 0;
  const gates: (() => void)[] = [];
  const coalescer = createCoalescer(() => {
    runs++;
    return new Promise<void>((resolve) => gates.push(resolve));
  });
  const first = [1, 2, 3].map(() => coalescer.settled(coalescer.changed()));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(runs).toBe(1);
  const late = coalescer.settled(coalescer.changed());
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(runs).toBe(1);
  gates[0]?.();
  await Promise.all(first);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(runs).toBe(2);
  gates[1]?.();
  await late;
  await coalescer.settled(1);
  expect(runs).toBe(2);
});

test("a failed update rejects its waiters and the next one runs all the same", async () => {
  let fail = true;
  const coalescer = createCoalescer(async () => {
    if (fail) throw new Error("no");
  });
  const change = coalescer.changed();
  await expect(coalescer.settled(change)).rejects.toThrow("no");
  fail = false;
  await coalescer.settled(coalescer.changed());
});
