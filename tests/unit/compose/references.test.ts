import { describe, expect, test } from "@jest/globals";
import { impliedDependency, isShared, type ReferenceKind, serviceReferences } from "../../../src/compose/references.js";
import { load } from "./project.js";

const POINTING = {
  depends_on: { a: { condition: "service_healthy" } },
  links: ["b:bee", "c"],
  network_mode: "service:d",
  ipc: "service:e",
  pid: "service:f",
  uts: "service:g",
  cgroup: "service:h",
  volumes_from: ["i:ro", "container:outside"],
  build: { context: ".", additional_contexts: { base: "service:j", web: "https://x.org" } },
};

describe("references to other services", () => {
  test("are found wherever they stand, with their place", () => {
    const found = serviceReferences(POINTING).map(({ how, service, path }) => `${how} ${service} ${path.join(".")}`);
    expect(found).toEqual([
      "depends_on a depends_on.a",
      "links b links.0",
      "links c links.1",
      "network_mode d network_mode",
      "ipc e ipc",
      "pid f pid",
      "uts g uts",
      "cgroup h cgroup",
      "volumes_from i volumes_from.0",
      "build j build.additional_contexts.base",
    ]);
    expect(serviceReferences({ network_mode: "host", pid: "container:x", links: undefined })).toEqual([]);
  });

  test("some imply a dependency, some bind to the very container", () => {
    const of = (judge: (reference: { how: ReferenceKind; service: string; path: [] }) => boolean) =>
      serviceReferences(POINTING)
        .filter(({ how, service }) => judge({ how, service, path: [] }))
        .map(({ service }) => service)
        .join("");
    expect(of(isShared)).toBe("defghi");
    expect(of((reference) => impliedDependency(reference)?.restart === true)).toBe("bcdefgh");
    expect(of((reference) => impliedDependency(reference)?.restart === false)).toBe("i");
  });

  test("normalising writes the implied ones down, and an unknown service is refused at its place", async () => {
    const text = "services: {a: {image: x, uts: 'service:b', volumes_from: [c]}, b: {image: x}, c: {image: x}}";
    expect((await load(text)).services["a"]?.depends_on).toEqual({
      b: { condition: "service_started", restart: true, required: true },
      c: { condition: "service_started", required: true },
    });
    const broken = "services: {a: {image: x, uts: 'service:bee'}, be: {image: x}}";
    await expect(load(broken)).rejects.toThrow('depends on undefined service "bee"');
    await expect(load(broken, { noNormalize: true })).rejects.toMatchObject({
      message: expect.stringContaining('depends on undefined service "bee"'),
      where: { line: 1 },
    });
  });
});
