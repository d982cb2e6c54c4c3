/** Rules on declared resources. */
import type { Project } from "../model.js";
import { pruneResources } from "../phases/select.js";
import type { Complaint, Rule } from "./types.js";
import { entries } from "./walk.js";

const SECTIONS = ["networks", "volumes", "secrets", "configs", "models"] as const;

function unused(project: Project): Complaint[] {
  const used = pruneResources({ ...project, services: { ...project.disabledServices, ...project.services } });
  return SECTIONS.flatMap((section) =>
    entries<unknown>(project[section])
      .filter(([name]) => used[section][name] === undefined && !(section === "networks" && name === "default"))
      .map(([name]) => ({
        message: `${section.slice(0, -1)} ${JSON.stringify(name)} is declared, but no service uses it`,
        path: [section, name],
      })),
  );
}

/** Unused declarations and files that are not there. */
export const resourceRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_UNUSED",
    level: "note",
    title: "a resource that no service uses",
    help: "remove it, or use it",
    find: ({ project }) => unused(project),
  },
  {
    code: "TSC_CHECK_BIND_MISSING",
    level: "warning",
    title: "a bind mount of something that is not there",
    help: "an empty folder is made in its place; make the file first, or write create_host_path: false to get an error",
    find: ({ project, exists }) =>
      entries(project.services).flatMap(([name, { volumes }]) =>
        (volumes ?? []).flatMap((volume, i): Complaint[] => {
          if (volume.type !== "bind" || volume.source === undefined || exists(volume.source)) return [];
          // an engine's socket has its own rule
          if (volume.source.endsWith(".sock")) return [];
          const isRefused = volume.bind?.create_host_path === false;
          return [
            {
              message: `service ${JSON.stringify(name)}: ${volume.source} does not exist`,
              path: ["services", name, "volumes", i],
              level: isRefused ? "error" : /\.\w{1,5}$/.test(volume.source) ? "warning" : "note",
            },
          ];
        }),
      ),
  },
  {
    code: "TSC_CHECK_SECRET_FILE_MISSING",
    level: "error",
    title: "the file of a secret or config is not there",
    help: "make it, or correct its path",
    find: ({ project, exists }) =>
      (["secrets", "configs"] as const).flatMap((section) =>
        entries(project[section]).flatMap(([name, { file }]): Complaint[] =>
          file === undefined || file === "" || exists(file)
            ? []
            : [
                {
                  message: `${section.slice(0, -1)} ${JSON.stringify(name)}: ${file} does not exist`,
                  path: [section, name, "file"],
                },
              ],
        ),
      ),
  },
];
