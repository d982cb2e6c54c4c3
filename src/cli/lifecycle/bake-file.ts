/** `build --print`: the builds as a buildx bake file. Pure. */
import { given } from "../../lib/given.js";
import type { Plan } from "../../plan/plan.js";
import { joined, type Printed, printed, printedJson } from "../render/printed.js";

/** A target for each image that the plan builds, by service, and a group `default` of all: JSON with a newline at the end. */
export function bakeFile(plan: Plan): Printed {
  const target: Record<string, unknown> = {};
  for (const operation of plan.operations) {
    if (operation.kind !== "build-image") continue;
    const { request } = operation;
    target[operation.service] = {
      context: request.context,
      ...given({ dockerfile: request.dockerfile, "dockerfile-inline": request.dockerfileInline }),
      ...(Object.keys(request.args ?? {}).length === 0 ? {} : { args: request.args }),
      ...(Object.keys(request.labels ?? {}).length === 0 ? {} : { labels: request.labels }),
      ...(Object.keys(request.additionalContexts ?? {}).length === 0 ? {} : { contexts: request.additionalContexts }),
      tags: request.tags,
      ...given({ target: request.target }),
      ...(request.noCache === true ? { "no-cache": true } : {}),
      ...(request.pull === true ? { pull: true } : {}),
      ...((request.ssh ?? []).length === 0
        ? {}
        : { ssh: request.ssh?.map(({ id, paths }) => `${id}=${paths.join(",")}`) }),
      ...((request.allow ?? []).length === 0 ? {} : { entitlements: request.allow }),
      ...given({ network: request.network }),
      ...(request.platform === undefined ? {} : { platforms: [request.platform, ...(operation.alsoFor ?? [])] }),
      output: ["type=docker"],
    };
  }
  return joined([printedJson({ group: { default: { targets: Object.keys(target) } }, target }, 2), printed`\n`]);
}
