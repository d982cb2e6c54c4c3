/** The typed project of an untyped model: every section bound by its table, beside how the project was found. */
import { SECTIONS } from "../model/project.js";
import type { FileObject, ModelConfig, NetworkConfig, Position, Project, Service, VolumeConfig } from "../model.js";
import { placeOf } from "../problems.js";
import { scalarText } from "../tree.js";
import { bindMap } from "./bind.js";
import type { LoadedModel } from "./loaded-model.js";

/** The project with all its services, whatever their profiles. Throws TSC_COMPOSE_TYPE and its kin for what cannot be read. */
export function bindProject(model: LoadedModel): Project {
  const { tree, files, warn } = model;
  // bindMap's result has the shape of the tables, which the compiler holds to the model's types
  const section = <T>(name: keyof typeof SECTIONS): Readonly<Record<string, T>> =>
    bindMap(tree[name], SECTIONS[name], [name], { files, warn }) as unknown as Readonly<Record<string, T>>;
  const extensions = Object.fromEntries(Object.entries(tree).filter(([key]) => key.startsWith("x-")));
  return {
    name: scalarText(tree["name"] ?? null),
    services: section<Service>("services"),
    networks: section<NetworkConfig>("networks"),
    volumes: section<VolumeConfig>("volumes"),
    secrets: section<FileObject>("secrets"),
    configs: section<FileObject>("configs"),
    models: section<ModelConfig>("models"),
    ...extensions,
    workingDir: model.workingDir,
    configFiles: model.configFiles,
    envFiles: model.envFiles,
    environment: model.environment,
    profiles: model.profiles,
    disabledServices: {},
    warnings: model.warnings,
    locate: (path): Position | undefined => {
      const place = placeOf(files, path);
      return place === undefined ? undefined : { ...place, text: place.text ?? "" };
    },
  };
}
