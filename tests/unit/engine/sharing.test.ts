import { expect, test } from "@jest/globals";
import { sharedContainers, withSharedContainers } from "../../../src/engine/sharing.js";
import type { ContainerSpec } from "../../../src/engine/types.js";

const joined = (container: string) => ({ kind: "container", container }) as const;

const SPEC: ContainerSpec = {
  name: "x",
  image: "i",
  networkMode: joined("n"),
  pid: joined("p"),
  ipc: joined("i"),
  uts: joined("u"),
  volumesFrom: [{ container: "v", readOnly: true }],
};

test("every container that a spec names is found, and every name can be replaced", () => {
  expect(sharedContainers(SPEC).map(({ how, container }) => `${how} ${container}`)).toEqual([
    "network n",
    "pid p",
    "ipc i",
    "uts u",
    "volumes v",
  ]);
  expect(sharedContainers({ networkMode: { kind: "host" }, pid: { kind: "private" } })).toEqual([]);
  const replaced = withSharedContainers(SPEC, (name) => `id-${name}`);
  expect(sharedContainers(replaced).map(({ container }) => container)).toEqual("id-n id-p id-i id-u id-v".split(" "));
  expect(replaced.volumesFrom).toEqual([{ container: "id-v", readOnly: true }]);
  const plain: ContainerSpec = { name: "x", image: "i", networkMode: { kind: "host" } };
  expect(withSharedContainers(plain, () => "never")).toEqual(plain);
});
