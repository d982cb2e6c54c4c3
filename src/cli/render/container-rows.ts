/** Containers as rows of docker's `ps`: fields, words and their order. Pure. */

import type { ContainerInfo, PortMapping } from "../../engine/types.js";
import { compareText } from "../../lib/compare-text.js";
import { LABEL } from "../../plan/labels.js";
import { type Row, type RowFormat, withLabels } from "./rows.js";
import { goStruct } from "./template.js";
import { ago, ellipsis, goQuote, goTime, humanDuration, humanSize } from "./units.js";

/** A port in docker compose's words, as `ps --format json` has it; `PublishedPort` is 0 and `URL` empty for one that is only exposed. */
export interface Publisher {
  readonly URL: string;
  readonly TargetPort: number;
  readonly PublishedPort: number;
  readonly Protocol: string;
}

/** `ps` of docker compose. */
export const PS_FORMAT: RowFormat = {
  columns: ["Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports"],
  headers: {
    ID: "CONTAINER ID",
    Name: "NAME",
    Names: "NAMES",
    Project: "PROJECT",
    Service: "SERVICE",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Size: "SIZE",
    Labels: "LABELS",
  },
  rawTemplate:
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\n" +
    "status: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n",
};

/** `container ls`, docker's own columns. */
export const CONTAINER_LS_FORMAT: RowFormat = {
  ...PS_FORMAT,
  columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"],
  headers: { ...PS_FORMAT.headers, Mounts: "MOUNTS", Networks: "NETWORKS", LocalVolumes: "LOCAL VOLUMES" },
};

/** One row; keys in the order docker prints them in JSON (sorted). `now` in milliseconds. */
export function containerRow(info: ContainerInfo, options: { readonly now: number; readonly trunc: boolean }): Row {
  const command = commandText(info.argv);
  const mounts = info.mounts.filter((mount) => mount.type !== "tmpfs").map((mount) => mount.name || mount.source);
  const publishers = publishersOf(info);
  const isOver = info.state === "exited" || info.state === "dead";
  const row = {
    Command: goQuote(options.trunc ? ellipsis(command, 20) : command),
    CreatedAt: goTime(info.createdAt),
    ExitCode: isOver ? info.exitCode : 0,
    Health: info.state === "running" && info.health !== "none" ? info.health : "",
    ID: options.trunc ? info.id.slice(0, 12) : info.id,
    Image: info.imageName || info.spec.image,
    Labels: Object.entries(info.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    LocalVolumes: String(info.mounts.filter((mount) => mount.type === "volume").length),
    Mounts: mounts.map((name) => (options.trunc ? ellipsis(name, 15) : name)).join(","),
    Name: info.name,
    Names: info.name,
    Networks: networkNames(info).join(","),
    Ports: portsText(publishers),
    Project: info.labels[LABEL.project] ?? "",
    Publishers: publishers,
    RunningFor: ago(info.createdAt, options.now),
    Service: info.labels[LABEL.service] ?? "",
    Size: humanSize(0),
    State: info.state,
    Status: statusText(info, options.now),
  };
  return withLabels(row, info.labels);
}

function networkNames(info: ContainerInfo): readonly string[] {
  if (info.networks.length > 0) return info.networks.map(({ network }) => network);
  const mode = info.spec.networkMode;
  if (mode?.kind === "host" || mode?.kind === "none") return [mode.kind];
  return (info.spec.networks ?? []).map(({ network }) => network);
}

/** `Up 3 minutes (healthy)`, `Exited (0) 5 seconds ago`, `Created` … as dockerd words it. */
export function statusText(info: ContainerInfo, now: number): string {
  const since = (time: string) => humanDuration(Math.max(0, now - (Date.parse(time) || now)));
  switch (info.state) {
    case "created":
      return "Created";
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "restarting":
      return `Restarting (${info.exitCode}) ${since(info.finishedAt)} ago`;
    case "exited":
      return info.finishedAt === "" ? "Created" : `Exited (${info.exitCode}) ${since(info.finishedAt)} ago`;
    case "paused":
      return `Up ${since(info.startedAt)} (Paused)`;
    case "running": {
      const up = `Up ${since(info.startedAt)}`;
      if (info.health === "none") return up;
      return `${up} (${info.health === "starting" ? "health: starting" : info.health})`;
    }
  }
}

/** Published ports of a running container, then the ports it only exposes; by container port. */
export function publishersOf(info: ContainerInfo): readonly Publisher[] {
  const isRunning = info.state === "running" || info.state === "paused";
  if (!isRunning) return [];
  const published = info.ports.flatMap(publisherOf);
  const exposed = (info.spec.expose ?? []).flatMap((text): Publisher[] => {
    const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text);
    if (match === null) return [];
    const port = { URL: "", TargetPort: Number(match[1]), PublishedPort: 0, Protocol: match[2] ?? "tcp" };
    const isTaken = published.some((other) => other.TargetPort === port.TargetPort && other.Protocol === port.Protocol);
    return isTaken ? [] : [port];
  });
  return [...published, ...exposed]
    .toSorted(
      (a, b) =>
        a.TargetPort - b.TargetPort ||
        compareText(a.URL, b.URL) ||
        a.PublishedPort - b.PublishedPort ||
        compareText(a.Protocol, b.Protocol),
    )
    .map(goStruct);
}

/** `0.0.0.0:8080`, `[::]:8080`. */
export function publishedAt({ URL, PublishedPort }: { readonly URL: string; readonly PublishedPort: number }): string {
  return `${URL.includes(":") ? `[${URL}]` : URL}:${PublishedPort}`;
}

function publisherOf(port: PortMapping): readonly Publisher[] {
  return [
    {
      URL: port.hostIp === "" ? "0.0.0.0" : port.hostIp,
      TargetPort: port.containerPort,
      PublishedPort: port.hostPort,
      Protocol: port.protocol,
    },
  ];
}

/**
 * `9000-9001/tcp, 0.0.0.0:80->80/tcp, 0.0.0.0:8080->81/tcp`: docker joins neighbours only where nothing is mapped to another number,
 * and lists mapped ports last.
 */
export function portsText(publishers: readonly Publisher[]): string {
  const runs = new Map<string, { first: number; last: number }>();
  const texts: string[] = [];
  const mapped: string[] = [];
  const runText = (key: string, { first, last }: { first: number; last: number }): string => {
    const slash = key.lastIndexOf("/");
    const range = first === last ? String(first) : `${first}-${last}`;
    const host = key.slice(0, slash);
    return `${host === "" ? "" : `${host}:${range}->`}${range}${key.slice(slash)}`;
  };
  for (const { URL: url, TargetPort: target, PublishedPort: published, Protocol: protocol } of publishers) {
    const host = url.includes(":") ? `[${url}]` : url;
    if (host !== "" && published !== target) {
      mapped.push(`${publishedAt({ URL: url, PublishedPort: published })}->${target}/${protocol}`);
      continue;
    }
    const key = `${host}/${protocol}`;
    const run = runs.get(key);
    if (run !== undefined && run.last + 1 === target) {
      run.last = target;
      continue;
    }
    if (run !== undefined) texts.push(runText(key, run));
    runs.set(key, { first: target, last: target });
  }
  return [...texts, ...[...runs].map(([key, run]) => runText(key, run)), ...mapped].join(", ");
}

/** The command as dockerd words it: arguments (not the program) with a blank in quotes. */
function commandText(argv: readonly string[]): string {
  const [program = "", ...args] = argv;
  return [program, ...args.map((argument) => (argument.includes(" ") ? `'${argument}'` : argument))].join(" ");
}
