/** Networks with who is on them, as text, Mermaid or JSON. Pure. */
import type { ContainerInfo, NetworkInfo } from "../../engine/index.js";
import { publishedAt, publishersOf } from "./container-rows.js";
import { mermaidText } from "./graph.js";
import { joined, type Printed, printed, printedJson, printedLines } from "./printed.js";
import { renderTable, TOP_SHAPE } from "./table.js";

/** One container on one network. */
interface Member {
  readonly container: string;
  readonly addresses: readonly string[];
  /** `0.0.0.0:8080->80/tcp`; on the network by which they are reached. */
  readonly ports: readonly string[];
}
interface DrawnNetwork {
  readonly name: string;
  /** `host` and `none` for containers without a network. */
  readonly driver: string;
  readonly bridge: string;
  readonly internal: boolean;
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string }[];
  readonly members: readonly Member[];
}

/** Networks in the order given, each with its members; then what containers that are on none share. */
export function networkPicture(
  networks: readonly NetworkInfo[],
  containers: readonly ContainerInfo[],
): readonly DrawnNetwork[] {
  const portsOf = (info: ContainerInfo): readonly string[] =>
    publishersOf(info)
      .filter(({ PublishedPort }) => PublishedPort > 0)
      .map((one) => `${publishedAt(one)}->${one.TargetPort}/${one.Protocol}`);
  const drawn = networks.map(
    ({ name, driver, bridge, internal, subnets }): DrawnNetwork => ({
      name,
      driver,
      bridge,
      internal,
      subnets: subnets.map(({ subnet, gateway = "" }) => ({ subnet, gateway })),
      members: containers.flatMap((info) => {
        const at = info.networks.findIndex(({ network }) => network === name);
        const endpoint = info.networks[at];
        if (endpoint === undefined) return [];
        const addresses = [endpoint.ipv4, endpoint.ipv6].filter((address) => address !== "");
        return [{ container: info.name, addresses, ports: at === 0 ? portsOf(info) : [] }];
      }),
    }),
  );
  const nameOf = (idOrName: string): string => containers.find(({ id }) => id === idOrName)?.name ?? idOrName;
  const apart = Map.groupBy(
    containers.filter((info) => info.networks.length === 0),
    ({ spec: { networkMode: mode } }) =>
      mode?.kind === "container" ? `container ${nameOf(mode.container)}` : (mode?.kind ?? "none"),
  );
  return [
    ...drawn,
    ...[...apart].map(([name, members]): DrawnNetwork => {
      const plain = members.map((info) => ({ container: info.name, addresses: [], ports: portsOf(info) }));
      return { name, driver: name.split(" ")[0] ?? "", bridge: "", internal: false, subnets: [], members: plain };
    }),
  ];
}

/** In the given format, newline at the end. */
export function drawNetworks(networks: readonly DrawnNetwork[], format: string): Printed {
  if (format === "json") return joined([printedJson(networks, 2), printed`\n`]);
  if (format === "mermaid") return printedLines(mermaid(networks));
  return joined(networks.map(textOf), "\n");
}

function textOf({ name, driver, bridge, internal, subnets, members }: DrawnNetwork): Printed {
  const facts = [
    driver === name || name.startsWith(`${driver} `) ? "" : driver,
    bridge,
    ...subnets.map(({ subnet, gateway }) => (gateway === "" ? subnet : `${subnet} by ${gateway}`)),
    internal ? "internal" : "",
  ].filter((fact) => fact !== "");
  const head = printed`${name}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}\n`;
  const rows = members.map(({ container, addresses, ports }) => [
    `  ${container}`,
    ...(addresses.length + ports.length === 0 ? [] : [addresses.join(" ")]),
    ...(ports.length === 0 ? [] : [ports.join(", ")]),
  ]);
  return joined([head, ...(rows.length === 0 ? [printed`  nobody\n`] : [renderTable(rows, TOP_SHAPE)])]);
}

/** https://mermaid.js.org/syntax/flowchart.html: host ports lead to containers, containers to networks by their addresses. */
function mermaid(networks: readonly DrawnNetwork[]): readonly string[] {
  const names = [...new Set(networks.flatMap(({ members }) => members.map(({ container }) => container)))];
  const idOf = new Map(names.map((name, index) => [name, `c${index}`]));
  const lines = ["flowchart LR", ...names.map((name) => `  ${idOf.get(name)}[${mermaidText(name)}]`)];
  let ports = 0;
  networks.forEach(({ name, driver, internal, subnets, members }, index) => {
    const words = [name, ...subnets.map(({ subnet }) => subnet), ...(internal ? ["internal"] : [])];
    lines.push(`  n${index}([${mermaidText(`${words.join(" ")}`)}]):::${/^\w+$/.test(driver) ? driver : "network"}`);
    for (const { container, addresses, ports: published } of members) {
      for (const port of published) {
        lines.push(`  p${ports}>${mermaidText(port)}] --> ${idOf.get(container)}`);
        ports++;
      }
      const label = addresses.length === 0 ? "" : `|${mermaidText(addresses.join(" "))}|`;
      lines.push(`  ${idOf.get(container)} ---${label} n${index}`);
    }
  });
  return lines;
}
