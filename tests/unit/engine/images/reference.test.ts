import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { familiarName, fullName, parseReference } from "../../../../src/engine/images/reference.js";

const HEX = "0123456789abcdef".repeat(4);

function codeOf(text: string): string {
  try {
    parseReference(text);
    return "accepted";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("parseReference", () => {
  test.each([
    ["redis", "docker.io/library/redis:latest"],
    ["redis:7", "docker.io/library/redis:7"],
    ["docker.io/redis", "docker.io/library/redis:latest"],
    ["index.docker.io/library/redis:7", "docker.io/library/redis:7"],
    ["user/app", "docker.io/user/app:latest"],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000/app:1", "localhost:5000/app:1"],
    ["127.0.0.1:5000/a/b/c:x_y-z.1", "127.0.0.1:5000/a/b/c:x_y-z.1"],
    ["[::1]:5000/app", "[::1]:5000/app:latest"],
    ["ghcr.io/org/app", "ghcr.io/org/app:latest"],
    ["Registry/app", "Registry/app:latest"],
    [`redis:7@sha256:${HEX}`, `docker.io/library/redis@sha256:${HEX}`],
    ["a__b/c-d--e.f", "docker.io/a__b/c-d--e.f:latest"],
  ])("%s means %s", (text, name) => {
    expect(fullName(parseReference(text))).toBe(name);
  });

  test.each([
    "",
    "Redis",
    "redis:",
    "redis:-x",
    "redis@sha256:12",
    `redis@sha512:${HEX}`,
    `redis@sha256:${HEX}/../../x`,
    "a//b",
    "/a",
    "a/",
    "a/../b",
    ".hidden/a",
    "a b",
    "a:b\n",
    "ghcr.io/Upper/app",
    "ghcr.io/",
    "-bad.io/app",
    HEX,
    `x/${"a".repeat(255)}`,
  ])("%j is refused", (text) => {
    expect(codeOf(text)).toBe("TSC_IMAGE_REFERENCE_INVALID");
  });

  test("never accepts what could leave a folder or break a URL", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        if (codeOf(text) !== "accepted") return;
        const { path, tag = "", domain } = parseReference(text);
        expect(`${domain}/${path}:${tag}`).not.toMatch(/[\s?#%\\@]|\.\.\/|\/\//);
      }),
    );
  });

  test("a full name parses to itself", () => {
    const component = fc.stringMatching(/^[a-z0-9]+([._-][a-z0-9]+)*$/);
    fc.assert(
      fc.property(fc.constantFrom("docker.io/library", "ghcr.io/x", "localhost:5000"), component, (prefix, name) => {
        const full = `${prefix}/${name}:v1`;
        expect(fullName(parseReference(full))).toBe(full);
      }),
    );
  });
});

test.each([
  ["docker.io/library/redis:7", "redis:7"],
  ["docker.io/user/app:1", "user/app:1"],
  ["docker.io/library/a/b:1", "library/a/b:1"],
  ["ghcr.io/org/app:1", "ghcr.io/org/app:1"],
])("%s is shown as %s", (full, familiar) => {
  expect(familiarName(full)).toBe(familiar);
  expect(fullName(parseReference(familiar))).toBe(full);
});
