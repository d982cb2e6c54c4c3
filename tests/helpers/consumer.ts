/** A project of somebody else that uses the library: `examples/library`, with the package as npm would put it there. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./host.js";

/** The consumer in `folder`; `package` is the folder that holds tscompose. */
export function consumerIn(folder: string, from: string): string {
  cpSync(join(REPOSITORY, "examples/library"), folder, { recursive: true });
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"])
    symlinkSync(join(REPOSITORY, "node_modules", name), join(modules, name));
  symlinkSync(from, join(modules, "tscompose"));
  return folder;
}

/** What `npm pack` makes of this repository, unpacked in `folder`. */
export function packedIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const name = execFileSync("npm", pack, { cwd: REPOSITORY, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xf", join(folder, name), "-C", folder]);
  return join(folder, "package");
}
