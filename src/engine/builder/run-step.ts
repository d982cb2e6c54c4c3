/** RUN through the engine's own containers: created on the mounted rootfs, attached, waited for and always removed. */
import { given } from "../../lib/given.js";
import { DEFAULT_PATH } from "../default-path.js";
import type { Containers } from "../runtime/containers-api.js";
import type { RunStep } from "./deps.js";

/** A `RunStep` over the containers API. */
export function containerRunStep(
  containers: Pick<Containers, "createStep" | "attach" | "start" | "wait" | "kill" | "remove">,
): RunStep {
  return async (request) => {
    const { signal } = request;
    signal?.throwIfAborted();
    const id = await containers.createStep({
      name: request.id,
      image: "",
      rootfs: request.rootfs,
      entrypoint: request.argv,
      command: [],
      env: { PATH: DEFAULT_PATH, ...request.env },
      user: request.user,
      workingDir: request.workdir,
      mounts: request.mounts,
      files: request.files,
      networkMode: request.network === "default" ? { kind: "bridge" } : { kind: request.network },
      extraHosts: request.extraHosts,
      ulimits: request.ulimits,
      privileged: request.privileged,
      securityOpt: request.level === "" || request.privileged ? [] : [`label=level:${request.level}`],
      hostname: "buildkitsandbox",
      logging: { driver: "none", options: {} },
      restart: { policy: "no" },
      ...given({ shmSizeBytes: request.shmSizeBytes }),
    });
    const kill = (): void => {
      // it may have ended already; removal is forced below anyway
      containers.kill(id, "SIGKILL").catch(() => {});
    };
    try {
      signal?.addEventListener("abort", kill, { once: true });
      await using session = await containers.attach(id);
      const reading = (async () => {
        for await (const { stream, data } of session.output) request.onOutput(stream, data);
      })();
      await containers.start(id);
      // output comes before the start is noted: a kill in between met a container that did not run yet
      if (signal?.aborted === true) kill();
      const code = await containers.wait(id);
      await reading;
      signal?.throwIfAborted();
      return code;
    } finally {
      signal?.removeEventListener("abort", kill);
      await containers.remove(id, { force: true, volumes: true });
    }
  };
}
