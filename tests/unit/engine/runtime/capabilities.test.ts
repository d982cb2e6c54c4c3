import { describe, expect, test } from "@jest/globals";
import {
  boundingSet,
  CAPABILITIES,
  capabilitiesInMask,
  capabilitySets,
  DEFAULT_CAPABILITIES,
} from "../../../../src/engine/runtime/oci/capabilities.js";

const all = new Set(CAPABILITIES);
const ask = (add: string[], drop: string[], more: { privileged?: boolean; available?: Set<string> } = {}) => ({
  add,
  drop,
  privileged: more.privileged ?? false,
  isRootUser: true,
  available: more.available ?? all,
});

describe("boundingSet", () => {
  test("docker's fourteen by default", () => {
    expect(boundingSet(ask([], [])).bounding.toSorted()).toEqual([...DEFAULT_CAPABILITIES].toSorted());
  });
  test("drop ALL and add one, in any spelling", () => {
    expect(boundingSet(ask(["net_admin"], ["ALL"])).bounding).toEqual(["CAP_NET_ADMIN"]);
    expect(boundingSet(ask(["CAP_NET_ADMIN"], ["all"])).bounding).toEqual(["CAP_NET_ADMIN"]);
  });
  test("add ALL minus one", () => {
    const { bounding } = boundingSet(ask(["ALL"], ["SYS_ADMIN"]));
    expect(bounding).toHaveLength(CAPABILITIES.length - 1);
    expect(bounding).not.toContain("CAP_SYS_ADMIN");
  });
  test("what this process does not have cannot be given, and is named when asked for", () => {
    const available = capabilitiesInMask("000001fffeffffff");
    expect(available.has("CAP_SYS_RESOURCE")).toBe(false);
    expect(boundingSet(ask(["SYS_RESOURCE"], [], { available }))).toMatchObject({ missing: ["CAP_SYS_RESOURCE"] });
    expect(boundingSet(ask([], [], { available, privileged: true })).bounding).toHaveLength(available.size);
  });
  test("unknown names are refused", () => {
    expect(() => boundingSet(ask(["FLY"], []))).toThrow("no such capability");
  });
});

test("inheritable and ambient stay empty, and another user than root holds nothing", () => {
  const request = ask([], []);
  const { bounding } = boundingSet(request);
  expect(capabilitySets(bounding, request)).toMatchObject({ inheritable: [], ambient: [], effective: bounding });
  expect(capabilitySets(bounding, { ...request, isRootUser: false })).toMatchObject({
    bounding,
    inheritable: [],
    ambient: [],
    effective: [],
    permitted: [],
  });
});
