/**
 * One read pass over reality into a plain snapshot. Collects, parses labels, chooses nothing; a constant number of engine
 * calls whatever the number of services.
 */
import type { EngineApi } from "../engine/api.js";
import type { ContainerInfo, ImageInfo, NetworkInfo, VolumeInfo } from "../engine/types.js";
import { LABEL } from "./labels.js";

/** A container of the project with its labels read. */
export interface ObservedContainer {
  readonly info: ContainerInfo;
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** 0 when the label is missing or no number. */
  readonly number: number;
  readonly oneOff: boolean;
  readonly configHash: string;
}

/** What exists now. */
export interface Observed {
  readonly project: string;
  readonly containers: readonly ObservedContainer[];
  /** Every network of the engine, by name (external ones are looked up here too). */
  readonly networks: ReadonlyMap<string, NetworkInfo>;
  readonly volumes: ReadonlyMap<string, VolumeInfo>;
  /** Images that were asked for and are stored, by the reference they were asked by. */
  readonly images: ReadonlyMap<string, ImageInfo>;
}

/** Reads the project's containers and all networks and volumes; looks up `images` (references). */
export async function observe(
  engine: EngineApi,
  project: string,
  request: { readonly images?: Iterable<string>; readonly resources?: boolean } = {},
): Promise<Observed> {
  const withResources = request.resources ?? true;
  const [containers, networks, volumes, images] = await Promise.all([
    engine.containers.list({ labels: { [LABEL.project]: project } }),
    withResources ? engine.networks.list() : [],
    withResources ? engine.volumes.list() : [],
    observeImages(engine, request.images ?? []),
  ]);
  return {
    project,
    containers: containers.map(observeContainer).sort(byServiceThenNumber),
    networks: new Map(networks.map((network) => [network.name, network])),
    volumes: new Map(volumes.map((volume) => [volume.name, volume])),
    images,
  };
}

/** Looks up images by reference, or by reference and platform (`imageKey`); the missing ones are absent from the answer. */
export async function observeImages(
  engine: EngineApi,
  references: Iterable<string>,
): Promise<ReadonlyMap<string, ImageInfo>> {
  const wanted = [...new Set(references)].sort();
  const found = await Promise.all(wanted.map((key) => engine.images.find(...imageOfKey(key))));
  const images = new Map<string, ImageInfo>();
  wanted.forEach((reference, index) => {
    const image = found[index];
    if (image !== undefined) images.set(reference, image);
  });
  return images;
}

function imageOfKey(key: string): [name: string, platform?: string] {
  const [name = "", platform] = key.split(" ");
  return platform === undefined ? [name] : [name, platform];
}

/** Reads the labels of one container. */
export function observeContainer(info: ContainerInfo): ObservedContainer {
  const number = Number(info.labels[LABEL.number] ?? "0");
  return {
    info,
    id: info.id,
    name: info.name,
    service: info.labels[LABEL.service] ?? "",
    number: Number.isSafeInteger(number) && number > 0 ? number : 0,
    oneOff: info.labels[LABEL.oneOff] === "True",
    configHash: info.labels[LABEL.configHash] ?? "",
  };
}

function byServiceThenNumber(a: ObservedContainer, b: ObservedContainer): number {
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return a.number - b.number || (a.name < b.name ? -1 : 1);
}

/** True while the container's processes exist (also when paused or about to be restarted). */
export function isActive(container: ObservedContainer): boolean {
  const { state } = container.info;
  return state === "running" || state === "paused" || state === "restarting";
}
