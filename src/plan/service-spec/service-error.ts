/** What a service asks for and cannot have, with the attribute, so that its place in the file can be told. */
import type { Project } from "../../compose/model.js";
import type { ErrorCode } from "../../lib/error-codes/index.js";
import { TscError, type TscErrorOptions } from "../../lib/errors.js";
import { given } from "../../lib/given.js";

/** Path below the service: `["volumes", 0]`. */
export type AttributePath = readonly (string | number)[];

/** An error about one attribute of a service. */
export class ServiceError extends TscError {
  readonly path: AttributePath;

  constructor(code: ErrorCode, message: string, path: AttributePath, options: TscErrorOptions = {}) {
    super(code, message, { kind: "invalid-input", ...options });
    this.path = path;
  }
}

/** Runs `work`; a `ServiceError` leaves it with the place where the attribute was written, when that is known. */
export function placed<T>(project: Project, service: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const where = project.locate(["services", service, ...error.path]);
    if (where === undefined) throw error;
    throw new TscError(error.code, error.message, {
      kind: error.kind,
      where,
      ...given({ hint: error.hint }),
    });
  }
}

/** The error for a value that passed the schema and still means nothing. */
export function invalid(
  service: string,
  attribute: string,
  value: string,
  path: AttributePath = attribute.split("."),
): ServiceError {
  const message = `service "${service}": ${attribute}: invalid value ${JSON.stringify(value)}`;
  return new ServiceError("TSC_SERVICE_INVALID", message, path);
}
