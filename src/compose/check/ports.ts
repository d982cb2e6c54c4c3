/** Rules on published ports. */
import type { Complaint, Rule } from "./types.js";
import { entries, portRange, publishedPorts, replicasOf } from "./walk.js";

/** Ports of programs that answer everybody who can reach them, or nearly so. */
const DELICATE: Readonly<Record<number, string>> = {
  2375: "a Docker API",
  3306: "MySQL",
  5432: "PostgreSQL",
  5672: "RabbitMQ",
  5984: "CouchDB",
  6379: "Redis",
  8086: "InfluxDB",
  9042: "Cassandra",
  9092: "Kafka",
  9200: "Elasticsearch",
  9300: "Elasticsearch",
  11211: "memcached",
  15672: "RabbitMQ's console",
  27017: "MongoDB",
};

const isEverywhere = (ip: string | undefined): boolean => ip === undefined || ip === "0.0.0.0" || ip === "::";

/** Whether one port can be asked for at both addresses: "" is all of both families, `0.0.0.0` and `::` all of one. */
function meet(a: string, b: string): boolean {
  if (a === b || a === "" || b === "") return true;
  return a.includes(":") === b.includes(":") && (isEverywhere(a) || isEverywhere(b));
}

/** Ports that are open too wide, taken twice, or that several replicas would fight for. */
export const portRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_PORT_OPEN",
    level: "warning",
    title: "a port that is open to the world",
    help: "publish it on 127.0.0.1, or not at all: services of one network reach each other without published ports",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, service]) =>
        publishedPorts(service).flatMap((port, i): Complaint[] => {
          if (!isEverywhere(port.host_ip) || port.target === undefined) return [];
          const program = DELICATE[port.target];
          const shown = `${port.published ?? "a free port"} (container port ${port.target})`;
          return [
            {
              message:
                program === undefined
                  ? `service ${JSON.stringify(name)} publishes ${shown} on every address of the host`
                  : `service ${JSON.stringify(name)} publishes ${shown}, the port of ${program}, on every address of the host`,
              path: ["services", name, "ports", i],
              level: program === undefined ? "note" : "warning",
            },
          ];
        }),
      ),
  },
  {
    code: "TSC_CHECK_PORT_CONFLICT",
    level: "error",
    title: "two services publish the same port",
    help: "give one of them another port, or another address of the host",
    find: ({ project }) => {
      const taken: { from: number; to: number; ip: string; protocol: string; owner: string }[] = [];
      return entries(project.services).flatMap(([name, service]) =>
        publishedPorts(service).flatMap((port, i): Complaint[] => {
          const range = portRange(port.published);
          if (range === undefined) return [];
          const [from, to] = range;
          const ip = port.host_ip ?? "";
          const protocol = port.protocol ?? "tcp";
          const other = taken.find(
            (one) =>
              one.protocol === protocol &&
              one.owner !== name &&
              from === to &&
              one.from === one.to &&
              one.from === from &&
              meet(one.ip, ip),
          );
          taken.push({ from, to, ip, protocol, owner: name });
          if (other === undefined) return [];
          return [
            {
              message: `services ${JSON.stringify(other.owner)} and ${JSON.stringify(name)} both publish port ${from}/${protocol}`,
              path: ["services", name, "ports", i],
            },
          ];
        }),
      );
    },
  },
  {
    code: "TSC_CHECK_PORT_REPLICAS",
    level: "error",
    title: "several replicas need the same host port",
    help: "leave out the published port, or give a range that has a port for each replica",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, service]) => {
        const replicas = replicasOf(service);
        if (replicas < 2) return [];
        return publishedPorts(service).flatMap((port, i): Complaint[] => {
          const range = portRange(port.published);
          if (range === undefined || range[1] - range[0] + 1 >= replicas) return [];
          return [
            {
              message: `service ${JSON.stringify(name)} has ${replicas} replicas, but port ${port.published ?? ""} can be published once`,
              path: ["services", name, "ports", i],
            },
          ];
        });
      }),
  },
];
