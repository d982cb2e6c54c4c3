/** A dependency graph as Mermaid, DOT or JSON; the edges of a cycle stand out. Pure. */
import type { DependencyGraph, GraphEdge, GraphNode, ResourceKind } from "../../compose/index.js";
import { RESOURCE_KINDS } from "../../compose/index.js";
import { TscError } from "../../lib/errors.js";
import { nearest } from "../../lib/nearest.js";
import { joined, type Printed, printed, printedJson, printedLines } from "./printed.js";

/** The part of a graph that was asked for. Throws TSC_USAGE for an unknown kind. */
export function narrowGraph(
  graph: DependencyGraph,
  { kinds, noDefaultNetwork }: { readonly kinds: readonly string[]; readonly noDefaultNetwork: boolean },
): DependencyGraph {
  const wanted = kinds.map((kind) => kind.replace(/s$/, ""));
  for (const kind of wanted) {
    if (RESOURCE_KINDS.some((known) => known === kind)) continue;
    const near = nearest(kind, RESOURCE_KINDS);
    throw new TscError("TSC_USAGE", `unknown kind ${JSON.stringify(kind)}`, {
      kind: "invalid-input",
      hint: near === undefined ? `use ${RESOURCE_KINDS.join(", ")}` : `did you mean ${near}?`,
    });
  }
  const nodes = graph.nodes.filter(
    ({ id, kind }) => (wanted.length === 0 || wanted.includes(kind)) && !(noDefaultNetwork && id === "network:default"),
  );
  const kept = new Set(nodes.map(({ id }) => id));
  return { ...graph, nodes, edges: graph.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)) };
}

/** In the given format, newline at the end. */
export function drawGraph(graph: DependencyGraph, project: string, format: string): Printed {
  if (format === "json") return joined([printedJson({ project, ...graph }, 2), printed`\n`]);
  return printedLines(format === "dot" ? dot(graph, project) : mermaid(graph));
}

function isOnCycle(graph: DependencyGraph, { from, to, reason }: GraphEdge): boolean {
  if (reason !== "depends_on" || graph.cycle === undefined) return false;
  const steps = graph.cycle.slice(1).map((name, i) => [graph.cycle?.[i], name] as const);
  return steps.some(([a, b]) => from === `service:${a ?? ""}` && to === `service:${b}`);
}

/** Words on an edge: the condition that is waited for, and whether it may be missing. */
function labelOf({ reason, condition, required }: GraphEdge): string {
  if (reason === "build") return "build";
  if (reason !== "depends_on") return "";
  const words = condition === undefined || condition === "service_started" ? [] : [condition.replace("service_", "")];
  if (required === false) words.push("optional");
  return words.join(", ");
}

const SHAPES: Readonly<Record<ResourceKind, readonly [open: string, close: string]>> = {
  service: ["[", "]"],
  network: ["([", "])"],
  volume: ["[(", ")]"],
  secret: ["{{", "}}"],
  config: ["[/", "/]"],
  model: ["[[", "]]"],
};

/** A word of anybody's as a quoted text of Mermaid. */
export function mermaidText(text: string): string {
  return `"${text.replaceAll("&", "#amp;").replaceAll('"', "#quot;").replaceAll("<", "#lt;")}"`;
}

/** https://mermaid.js.org/syntax/flowchart.html: ids are numbered, since names may hold any of its words. */
function mermaid(graph: DependencyGraph): readonly string[] {
  const ids = new Map(graph.nodes.map(({ id }, i) => [id, `n${i}`]));
  const lines = ["flowchart LR"];
  for (const { id, kind, name } of graph.nodes) {
    const [open, close] = SHAPES[kind];
    lines.push(
      `  ${ids.get(id) ?? ""}${open}${mermaidText(kind === "service" ? name : `${kind} ${name}`)}${close}:::${kind}`,
    );
  }
  graph.edges.forEach((edge, i) => {
    const label = labelOf(edge);
    const arrow = edge.reason === "depends_on" || edge.reason === "build" ? "-->" : "-.->";
    lines.push(
      `  ${ids.get(edge.from) ?? ""} ${arrow}${label === "" ? "" : `|${mermaidText(label)}|`} ${ids.get(edge.to) ?? ""}`,
    );
    if (isOnCycle(graph, edge)) lines.push(`  linkStyle ${i} stroke:red`);
  });
  if (graph.cycle !== undefined) lines.push(`  %% dependency cycle: ${graph.cycle.join(" -> ")}`);
  return lines;
}

const DOT_SHAPES: Readonly<Record<ResourceKind, string>> = {
  service: "box",
  network: "ellipse",
  volume: "cylinder",
  secret: "hexagon",
  config: "note",
  model: "component",
};

/** https://graphviz.org/doc/info/lang.html */
function dot(graph: DependencyGraph, project: string): readonly string[] {
  const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const node = ({ id, kind, name }: GraphNode) =>
    `  ${quoted(id)} [label=${quoted(name)}, shape=${DOT_SHAPES[kind]}${kind === "service" ? ", style=filled, fillcolor=lightblue" : ""}];`;
  const lines = [`digraph ${quoted(project)} {`, "  rankdir=LR;", ...graph.nodes.map(node)];
  for (const edge of graph.edges) {
    const label = labelOf(edge);
    const attributes = [
      ...(label === "" ? [] : [`label=${quoted(label)}`]),
      ...(edge.reason === "depends_on" || edge.reason === "build" ? [] : ["style=dashed"]),
      ...(isOnCycle(graph, edge) ? ["color=red"] : []),
    ];
    lines.push(
      `  ${quoted(edge.from)} -> ${quoted(edge.to)}${attributes.length === 0 ? "" : ` [${attributes.join(", ")}]`};`,
    );
  }
  return [...lines, "}"];
}
