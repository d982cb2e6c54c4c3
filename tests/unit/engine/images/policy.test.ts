import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { checkPolicy } from "../../../../src/engine/images/policy.js";
import { parseReference } from "../../../../src/engine/images/reference.js";

let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "tsc-policy-"));
  mkdirSync(join(home, ".config/containers"), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const accept = [{ type: "insecureAcceptAnything" }];
const reject = [{ type: "reject" }];
const signed = [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/x" }];

function allows(policy: unknown, name: string): boolean {
  writeFileSync(
    join(home, ".config/containers/policy.json"),
    typeof policy === "string" ? policy : JSON.stringify(policy),
  );
  try {
    checkPolicy({ HOME: home }, parseReference(name));
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "TSC_IMAGE_POLICY" });
    return false;
  }
}

test.each([
  ["the default", { default: accept }, "redis", true],
  ["a rejecting default", { default: reject }, "redis", false],
  [
    "the repository before the host",
    { default: reject, transports: { docker: { "docker.io": reject, "docker.io/library/redis": accept } } },
    "redis:7",
    true,
  ],
  [
    "the tag before the repository",
    {
      default: accept,
      transports: { docker: { "docker.io/library/redis": accept, "docker.io/library/redis:7": reject } },
    },
    "redis:7",
    false,
  ],
  [
    "wildcard hosts",
    { default: accept, transports: { docker: { "*.example.com": reject } } },
    "a.b.example.com/x",
    false,
  ],
  ["other hosts", { default: accept, transports: { docker: { "*.example.com": reject } } }, "example.org/x", true],
  ["signed kinds fail closed", { default: signed }, "redis", false],
  ["one refusal among several", { default: [...accept, ...signed] }, "redis", false],
  ["an empty list", { default: [] }, "redis", false],
  ["no default", {}, "redis", false],
  ["not JSON", "{", "redis", false],
])("%s", (_, policy, name, expected) => {
  expect(allows(policy, name)).toBe(expected);
});
