import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseReference } from "../../../../src/engine/images/reference.js";
import { parseChallenges } from "../../../../src/engine/images/registry/challenge.js";
import {
  applyAlias,
  endpointsFor,
  isLoopback,
  loadRegistriesConfig,
} from "../../../../src/engine/images/registry/endpoints.js";
import { printable } from "../../../../src/lib/printable.js";

describe("parseChallenges", () => {
  test("commas inside quotes belong to the value", () => {
    expect(
      parseChallenges('Bearer realm="https://auth.x/token",service="reg",scope="repository:a/b:pull,push"'),
    ).toEqual([
      {
        scheme: "bearer",
        parameters: { realm: "https://auth.x/token", service: "reg", scope: "repository:a/b:pull,push" },
      },
    ]);
  });
  test("several challenges in one header", () => {
    expect(
      parseChallenges('Basic realm="x", Bearer realm="y\\"z", Negotiate').map((one) => [
        one.scheme,
        one.parameters.realm,
      ]),
    ).toEqual([
      ["basic", "x"],
      ["bearer", 'y"z'],
      ["negotiate", undefined],
    ]);
  });
  test.each(["", ",,,", '"', "=", 'Bearer realm="', "\u0000\u0001"])("%j does not hang or throw", (text) => {
    expect(Array.isArray(parseChallenges(text))).toBe(true);
  });
});

describe("registries.conf", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tsc-conf-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const load = (text: string) => {
    const file = join(folder, "registries.conf");
    writeFileSync(file, text);
    return loadRegistriesConfig({ CONTAINERS_REGISTRIES_CONF: file });
  };

  test("mirrors come before the registry, the longest prefix wins", async () => {
    const config = await load(`
      [[registry]]
      prefix = "docker.io"
      location = "docker.io"
      [[registry.mirror]]
      location = "mirror.lan:5000/hub"
      insecure = true
      [[registry]]
      location = "docker.io/private"
      blocked = true
    `);
    expect(endpointsFor(config, parseReference("redis:7"), false)).toEqual([
      { host: "mirror.lan:5000", path: "hub/library/redis", insecure: true, mirror: true },
      { host: "registry-1.docker.io", path: "library/redis", insecure: false, mirror: false },
    ]);
    expect(endpointsFor(config, parseReference("redis:7"), true)).toHaveLength(1);
    expect(() => endpointsFor(config, parseReference("private/x"), false)).toThrow(/blocked/);
    expect(endpointsFor(config, parseReference("privateer/x"), false)).toHaveLength(2);
  });

  test("wildcard prefixes, digest-only mirrors and aliases", async () => {
    const config = await load(`
      [[registry]]
      prefix = "*.example.com"
      insecure = true
      [[registry]]
      location = "ghcr.io"
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "cache.lan/ghcr"
      [aliases]
      "tool" = "ghcr.io/org/tool"
    `);
    expect(endpointsFor(config, parseReference("a.example.com/x"), false)[0]?.insecure).toBe(true);
    expect(endpointsFor(config, parseReference("example.org/x"), false)[0]?.insecure).toBe(false);
    expect(endpointsFor(config, parseReference("ghcr.io/x:1"), false)).toHaveLength(1);
    expect(endpointsFor(config, parseReference(`ghcr.io/x@sha256:${"0".repeat(64)}`), false)).toHaveLength(2);
    expect(applyAlias(config, "tool:2")).toBe("ghcr.io/org/tool:2");
    expect(applyAlias(config, "user/tool:2")).toBe("user/tool:2");
  });

  test("a broken file is named", async () => {
    await expect(load("[[registry]\nx")).rejects.toMatchObject({ code: "TSC_REGISTRY_CONFIG" });
  });
});

test.each([
  ["localhost", true],
  ["localhost:5000", true],
  ["127.9.0.1:1", true],
  ["[::1]:5000", true],
  ["127.0.0.1.evil.com", false],
  ["localhost.evil.com", false],
  ["128.0.0.1", false],
])("%s is loopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test("text from strangers loses control characters and secrets", () => {
  expect(printable("a\u001b[31mb\u0000c\r\nd")).toBe("a [31mb c d");
  expect(printable("see https://user:pw@host/x?token=abc&y=1")).toBe("see https://***@host/x?token=***&y=1");
  expect(printable("Authorization: Bearer abcdefghijkl")).toBe("Authorization: Bearer ***");
  expect(printable("x".repeat(1000)).length).toBeLessThan(410);
});
