/** What the parts of a service's spec share: the request, values of attributes, their error. */
import type { Project } from "../../compose/model.js";
import { parseDurationMs } from "../../lib/duration.js";
import type { Separator } from "../names.js";
import { invalid } from "./service-error.js";

/** One container of a service that is to be described. */
export interface SpecRequest {
  readonly project: Project;
  readonly service: string;
  readonly number: number;
  readonly separator: Separator;
  /** `sha256:…` of the image the container will run; "" while it is not known (dry run). */
  readonly imageId: string;
  /** Platform-independent digest of image volumes, by reference; part of the label that decides recreation. */
  readonly imageVolumeIds?: readonly string[];
  /** Host port for each published port or range of this replica. */
  readonly choosePort?: (port: PortChoice) => number;
  /** Name of the container that stands for another service when `what` (`network namespace`, `volume` …) is shared with it. */
  readonly containerOf: (service: string, what: string) => string;
  readonly noHosts?: boolean;
  readonly warn: (message: string) => void;
}

/** A published port or range that wants a host port. */
export interface PortChoice {
  readonly from: number;
  readonly to: number;
  readonly protocol: string;
  readonly hostIp: string;
}

/** Milliseconds of a duration attribute; TSC_SERVICE_INVALID naming the attribute when it is none. */
export function duration(service: string, attribute: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined) throw invalid(service, attribute, text);
  return Math.round(ms);
}
