/**
 * What a provider says about itself (`PROGRAM compose metadata`): which parameters its commands take, and whether it stops. Pure; docker
 * compose's provider protocol.
 */

import type { Provider } from "../../compose/model.js";
import { TscError } from "../../lib/errors.js";
import { isObject } from "../../lib/is-object.js";

interface Command {
  readonly parameters: readonly { readonly name: string; readonly required: boolean }[];
}

/** What a provider program says of itself. */
export interface ProviderMetadata {
  /** Parameters are named: only those are passed, and the required ones must be there. */
  readonly isTold: boolean;
  readonly up: Command;
  readonly down: Command;
  /** undefined: `stop` is not for this provider. */
  readonly stop: Command | undefined;
}

const NOTHING: ProviderMetadata = {
  isTold: false,
  up: { parameters: [] },
  down: { parameters: [] },
  stop: undefined,
};

/** Anything but the object of the protocol says nothing. */
export function parseMetadata(text: string): ProviderMetadata {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return NOTHING;
  }
  if (!isObject(value)) return NOTHING;
  const { description, up, down, stop } = value;
  const hasParameters = [up, down].some((one) => isObject(one) && Array.isArray(one["parameters"]));
  return {
    isTold: (typeof description === "string" && description !== "") || hasParameters,
    up: commandOf(up),
    down: commandOf(down),
    stop: isObject(stop) ? commandOf(stop) : undefined,
  };
}

/** The `--NAME=VALUE` words for a command; undefined when the provider has no such command. `TSC_PROVIDER_PARAMETER` for a required one that is missing. */
export function providerOptions(
  metadata: ProviderMetadata,
  { type, options = {} }: Provider,
  action: "up" | "stop" | "down",
): readonly string[] | undefined {
  const command = metadata[action];
  if (command === undefined) return undefined;
  const missing = command.parameters.find(({ name, required }) => required && !Object.hasOwn(options, name));
  if (metadata.isTold && missing !== undefined) {
    const words = `required parameter ${JSON.stringify(missing.name)} is missing from provider ${JSON.stringify(type)} definition`;
    throw new TscError("TSC_PROVIDER_PARAMETER", words, {
      kind: "invalid-input",
      hint: "it belongs under provider.options",
    });
  }
  const isTaken = (key: string) => !metadata.isTold || command.parameters.some(({ name }) => name === key);
  return Object.entries(options)
    .filter(([key]) => isTaken(key))
    .flatMap(([key, values]) => values.map((value) => `--${key}=${value}`));
}

function commandOf(value: unknown): Command {
  const parameters = isObject(value) && Array.isArray(value["parameters"]) ? value["parameters"] : [];
  return {
    parameters: parameters
      .filter(isObject)
      .map((one) => ({ name: String(one["name"] ?? ""), required: one["required"] === true })),
  };
}
