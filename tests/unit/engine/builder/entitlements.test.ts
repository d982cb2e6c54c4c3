import { describe, expect, test } from "@jest/globals";
import { parseDockerfile } from "../../../../src/engine/builder/dockerfile/parse.js";
import { checkEntitlements, stepNetwork } from "../../../../src/engine/builder/entitlements.js";
import { entitlement } from "../../../../src/plan/build-request.js";

const ask = (run: string, request: Parameters<typeof checkEntitlements>[0]) => () => {
  for (const instruction of parseDockerfile(`FROM x\nRUN ${run}\n`, "Dockerfile").instructions) {
    checkEntitlements(request, instruction, "Dockerfile");
  }
};

describe("RUN steps ask for the host only with the caller's grant", () => {
  test("without one they are refused with BuildKit's words and the place", () => {
    expect(ask("--network=host id", {})).toThrow("network.host is not allowed");
    expect(ask("--security=insecure id", {})).toThrow("security.insecure is not allowed");
    expect(ask("--security=insecure id", { network: "host" })).toThrow("security.insecure is not allowed");
    expect(ask("--network=host id", { allow: ["security.insecure"] })).toThrow("network.host is not allowed");
    expect(ask("--network=none id", {})).not.toThrow();
    try {
      ask("--network=host id", {})();
    } catch (error) {
      expect(error).toMatchObject({ code: "TSC_BUILD_ENTITLEMENT", where: { file: "Dockerfile", line: 2 } });
    }
  });
  test("with it they run; a build on the host's network has granted that", () => {
    expect(ask("--network=host id", { allow: ["network.host"] })).not.toThrow();
    expect(ask("--network=host id", { network: "host" })).not.toThrow();
    expect(ask("--security=insecure id", { allow: ["security.insecure"] })).not.toThrow();
  });
  test("unknown words and networks are refused", () => {
    expect(() => entitlement("device", "--allow")).toThrow('--allow: unknown entitlement "device"');
    expect(() => stepNetwork({ network: "container:x" })).toThrow(
      'network mode "container:x" is not supported by builds',
    );
    expect(
      [undefined, "bridge", "none", "host"].map((network) => stepNetwork(network === undefined ? {} : { network })),
    ).toEqual(["default", "default", "none", "host"]);
  });
});
