import { expect, test } from "@jest/globals";
import type { Build } from "../../../src/compose/model.js";
import { buildRequest } from "../../../src/plan/build-request.js";
import { project } from "./fixtures.js";

function request(build: Build, allow?: readonly ("network.host" | "security.insecure")[]) {
  const warnings: string[] = [];
  const made = buildRequest(
    project({ web: { build } }),
    "web",
    { build, command: null, entrypoint: null },
    {
      separator: "-",
      warn: (message) => warnings.push(message),
      ...(allow === undefined ? {} : { allow }),
    },
  );
  return { allow: made.allow, warnings };
}

test("entitlements and privileged are grants; neither is dropped in silence", () => {
  expect(request({ context: "." })).toEqual({ allow: undefined, warnings: [] });
  expect(request({ context: ".", entitlements: ["network.host"] })).toEqual({ allow: ["network.host"], warnings: [] });
  expect(request({ context: ".", privileged: true })).toEqual({ allow: ["security.insecure"], warnings: [] });
  expect(
    request({ context: ".", privileged: true, entitlements: ["security.insecure"] }, ["network.host"]).allow,
  ).toEqual(["security.insecure", "network.host"]);
  expect(() => request({ context: ".", entitlements: ["device"] })).toThrow(
    'service "web": build.entitlements: unknown entitlement "device"',
  );
});
