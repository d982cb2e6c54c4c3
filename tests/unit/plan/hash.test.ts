import { describe, expect, test } from "@jest/globals";
import type { Service } from "../../../src/compose/model.js";
import { withDefaultPlatforms } from "../../../src/plan/build-platforms.js";
import { networkHash, serviceHash, volumeHash } from "../../../src/plan/hash.js";
import { project } from "./fixtures.js";

const base: Service = { command: null, entrypoint: null, image: "test", networks: { default: null } };

describe("serviceHash", () => {
  test("equals docker compose's, whatever the order of the keys", () => {
    const port = { protocol: "tcp", published: "8080", target: 8080, mode: "ingress" };
    expect(serviceHash({ ports: [port], ...base })).toBe(
      "529bed766dc2397e8005a5aed895038a943684ba1892ff4e492f9d628f432d03",
    );
  });

  test("leaves out what does not make a container differ", () => {
    const changed: Service = {
      ...base,
      build: { context: "/x" },
      pull_policy: "always",
      scale: 3,
      depends_on: { db: { condition: "service_started", required: true } },
      profiles: ["a"],
      "x-note": 1,
    };
    expect(serviceHash(changed)).toBe(serviceHash(base));
  });

  test("sees everything else", () => {
    expect(serviceHash({ ...base, environment: { A: "1" } })).not.toBe(serviceHash(base));
    expect(networkHash({ ipam: { options: { a: "1" } } })).not.toBe(networkHash({ ipam: {} }));
    const deploy = { resources: {}, placement: {} };
    expect(serviceHash({ ...base, deploy: { ...deploy, replicas: 2 } })).toBe(serviceHash({ ...base, deploy }));
    expect(serviceHash({ ...base, deploy: { ...deploy, labels: { a: "1" } } })).not.toBe(
      serviceHash({ ...base, deploy }),
    );
  });
});

test("a volume without a driver has the hash of a local one", () => {
  expect(volumeHash({ name: "v" })).toBe(volumeHash({ name: "v", driver: "local" }));
  expect(volumeHash({ name: "v" })).not.toBe(volumeHash({ name: "v", driver: "other" }));
});

test("the default platform is that of built services without one", () => {
  const built = { build: { context: "/x" } };
  const services = { a: built, b: {}, c: { ...built, platform: "linux/386" } };
  const environment = { DOCKER_DEFAULT_PLATFORM: "linux/arm64" };
  const { a, b, c } = withDefaultPlatforms(project(services, { environment })).services;
  expect([a?.platform, b?.platform, c?.platform]).toEqual(["linux/arm64", undefined, "linux/386"]);
  const listed = { a: { build: { context: "/x", platforms: ["linux/amd64"] } } };
  expect(() => withDefaultPlatforms(project(listed, { environment }))).toThrow("set by DOCKER_DEFAULT_PLATFORM");
});
