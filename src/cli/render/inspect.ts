/** Networks, volumes and images as docker's `inspect` shows them, so that templates and scripts written for it read them. Pure. */
import type { ImageInfo, NetworkInfo, VolumeInfo } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { splitReference } from "./image-rows.js";
import { exposed, healthcheck, NO_TIME, orNull } from "./inspect-values.js";
import { openMap } from "./template.js";

/** docker's network object. */
export function inspectNetwork(info: NetworkInfo, nameOf: (containerId: string) => string): object {
  return {
    Name: info.name,
    Id: info.id,
    Created: info.createdAt,
    Scope: "local",
    Driver: info.driver,
    EnableIPv4: true,
    EnableIPv6: info.ipv6,
    IPAM: {
      Driver: "default",
      Options: null,
      Config: info.subnets.map(({ subnet, gateway, ipRange, auxAddresses }) => ({
        Subnet: subnet,
        ...given({ IPRange: ipRange, Gateway: gateway, AuxiliaryAddresses: auxAddresses }),
      })),
    },
    Internal: info.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: openMap(
      Object.fromEntries(
        Object.entries(info.containers).map(([id, endpoint]) => [
          id,
          {
            Name: nameOf(id),
            MacAddress: endpoint.mac,
            IPv4Address: endpoint.ipv4 === "" ? "" : `${endpoint.ipv4}/${endpoint.ipv4PrefixLength}`,
            IPv6Address: endpoint.ipv6 === "" ? "" : `${endpoint.ipv6}/${endpoint.ipv6PrefixLength}`,
          },
        ]),
      ),
    ),
    Options: openMap({
      ...info.options,
      ...(info.bridge === "" ? {} : { "com.docker.network.bridge.name": info.bridge }),
    }),
    Labels: openMap(info.labels),
  };
}

/** docker's volume object. */
export function inspectVolume(info: VolumeInfo): object {
  return {
    CreatedAt: info.createdAt,
    Driver: info.driver,
    Labels: openMap(info.labels),
    Mountpoint: info.mountpoint,
    Name: info.name,
    Options: Object.keys(info.driverOpts).length === 0 ? null : openMap(info.driverOpts),
    Scope: "local",
  };
}

/** docker's image object. */
export function inspectImage(info: ImageInfo): object {
  const { config } = info;
  const last = info.history.at(-1);
  return {
    Id: info.id,
    RepoTags: info.tags.map((name) => {
      const { repository, tag } = splitReference(name);
      return `${repository}:${tag}`;
    }),
    RepoDigests: info.repoDigests.map((name) => name.replace(/^docker\.io\/(library\/)?/, "")),
    Parent: "",
    Comment: last?.comment ?? "",
    Created: info.createdAt,
    Author: last?.author ?? "",
    Config: {
      User: config.user,
      ExposedPorts: config.exposedPorts.length === 0 ? null : exposed(config.exposedPorts),
      Env: config.env,
      Cmd: orNull(config.command),
      ...(config.healthcheck === undefined ? {} : { Healthcheck: healthcheck(config.healthcheck) }),
      Volumes: config.volumes.length === 0 ? null : Object.fromEntries(config.volumes.map((path) => [path, {}])),
      WorkingDir: config.workingDir,
      Entrypoint: orNull(config.entrypoint),
      OnBuild: orNull(config.onBuild),
      Labels: openMap(config.labels),
      ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
      ...(config.shell.length === 0 ? {} : { Shell: config.shell }),
    },
    Architecture: info.architecture,
    ...(info.variant === "" ? {} : { Variant: info.variant }),
    Os: info.os,
    Size: info.sizeBytes,
    RootFS: { Type: "layers", Layers: info.diffIds },
    Metadata: { LastTagTime: info.lastTaggedAt ?? NO_TIME },
  };
}
