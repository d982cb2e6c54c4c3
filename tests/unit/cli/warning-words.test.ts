import { expect, test } from "@jest/globals";
import { warningWords } from "../../../src/cli/lifecycle/warning-words.js";
import { planUp } from "../../../src/plan/up.js";
import { container, noPrompt, observed, project } from "../plan/fixtures.js";

const wanted = project({ web: { scale: 3 }, other: {} });
const words = async (...there: Parameters<typeof observed>) =>
  warningWords(await planUp(wanted, observed(...there), { confirm: noPrompt }));

test("a warning about a container of the plan is one about its service, whichever replica it is", async () => {
  const said = await words(wanted);
  const warnings = [1, 2, 3].map((number) => said(`container p-web-${number}: memory cannot be honoured here: why`));
  expect(new Set(warnings)).toEqual(new Set(['service "web": memory cannot be honoured here: why']));
  expect(said("container p-other-1: x: y")).toBe('service "other": x: y');
});

test("the name that a replacement has for a moment is not shown", async () => {
  const old = project({ web: { user: "1" } });
  const [, ...rest] = [0, 1].map((number) => container(old, "web", number));
  const said = await words(old, rest);
  const id = rest[0]?.id.slice(0, 12) ?? "";
  expect(said(`container ${id}_p-web-1: cap_add X cannot be honoured`)).toBe(
    'service "web": cap_add X cannot be honoured',
  );
});

test("containers that the plan does not make keep their names", async () => {
  const said = await words(wanted);
  const message = "container stranger: its monitor still runs after its end";
  expect(said(message)).toBe(message);
  expect(said("network p_default: container p-web-1: x")).toBe("network p_default: container p-web-1: x");
});
