/**
 * The catalogue: every code that an error of ours can have, with its meaning and what to do about it. `docs/errors.md` is printed from
 * here. Only types and the printer use it: the program does not load the texts.
 */
import { COMPOSE_CODES } from "./compose.js";
import { CONTAINER_CODES } from "./container.js";
import { HOST_CODES } from "./host.js";
import { IMAGE_CODES } from "./image.js";
import { NETWORK_CODES } from "./network.js";

/** By what a person was busy with, in the order of the document. */
export const ERROR_CATALOGUE = {
  "Compose files and projects": COMPOSE_CODES,
  "Builds, images and registries": IMAGE_CODES,
  Containers: CONTAINER_CODES,
  Networks: NETWORK_CODES,
  "Machine, store and program": HOST_CODES,
} as const;

type Sections = typeof ERROR_CATALOGUE;

/** A stable code of an error. */
export type ErrorCode = { [S in keyof Sections]: keyof Sections[S] }[keyof Sections];
