import { describe, expect, test } from "@jest/globals";
import type { Service } from "../../../src/compose/model.js";
import { networkHash, serviceHash } from "../../../src/plan/hash.js";

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
