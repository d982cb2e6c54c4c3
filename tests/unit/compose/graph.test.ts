import { describe, expect, test } from "@jest/globals";
import { drawGraph, narrowGraph } from "../../../src/cli/render/graph.js";
import { dependencyGraph } from "../../../src/compose/index.js";
import { load } from "./project.js";

const STACK = `
services:
  web:
    image: w
    depends_on: { db: { condition: service_healthy, required: false } }
    networks: [front]
    secrets: [key]
    configs: [conf]
    build: { context: ., additional_contexts: { base: service:db } }
  db: { image: d, build: ., volumes: ["data:/data"], networks: [front] }
networks: { front: { external: true } }
volumes: { data: }
secrets: { key: { environment: KEY } }
configs: { conf: { content: x } }
`;

describe("dependency graph", () => {
  test("has every resource and why it is needed", async () => {
    const graph = dependencyGraph(await load(STACK));
    expect(graph.nodes.map(({ id }) => id).toSorted()).toEqual([
      "config:conf",
      "network:front",
      "secret:key",
      "service:db",
      "service:web",
      "volume:data",
    ]);
    expect(graph.nodes.find(({ id }) => id === "network:front")?.external).toBe(true);
    expect(graph.edges.filter(({ from }) => from === "service:web").map(({ to, reason }) => `${reason} ${to}`)).toEqual(
      ["depends_on service:db", "build service:db", "network network:front", "secret secret:key", "config config:conf"],
    );
    expect(graph.cycle).toBeUndefined();
  });

  test("a cycle is a path", async () => {
    const text =
      "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x, links: [a]}}";
    const graph = dependencyGraph(await load(text, { noConsistency: true }));
    expect(graph.cycle).toEqual(["a", "b", "c", "a"]);
    expect(drawGraph(graph, "p", "mermaid").match(/stroke:red/g)).toHaveLength(3);
    expect(drawGraph(graph, "p", "dot")).toContain('"service:c" -> "service:a" [color=red];');
    expect(JSON.parse(drawGraph(graph, "p", "json"))).toMatchObject({ project: "p", cycle: ["a", "b", "c", "a"] });
    await expect(load(text)).rejects.toThrow("dependency cycle detected: a -> b -> c -> a");
  });

  test("draws conditions, and only the kinds that were asked for", async () => {
    const graph = dependencyGraph(await load(STACK));
    const services = narrowGraph(graph, { kinds: ["services"], noDefaultNetwork: false });
    expect(drawGraph(services, "p", "mermaid")).toBe(
      'flowchart LR\n  n0["db"]:::service\n  n1["web"]:::service\n  n1 -->|"healthy, optional"| n0\n  n1 -->|"build"| n0\n',
    );
    expect(() => narrowGraph(graph, { kinds: ["servce"], noDefaultNetwork: false })).toThrow('unknown kind "servce"');
  });

  test("thousands of services in a chain do not overflow", async () => {
    const services = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [
        `s${i}`,
        { image: "x", ...(i === 0 ? {} : { depends_on: [`s${i - 1}`] }) },
      ]),
    );
    expect(dependencyGraph(await load(JSON.stringify({ services }))).edges).toHaveLength(6000 - 1);
  });
});
