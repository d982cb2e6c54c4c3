/** What `build.ssh` and `--ssh` name, as the builder is given it. Pure. */
import type { SshForward } from "../engine/api.js";
import { TscError } from "../lib/errors.js";

/** `default`, `ID=PATH` or `ID=PATH,PATH`; a path is made absolute by `resolve`. `TSC_BUILD_SSH` for any other word. */
export function sshForward(word: string, resolve: (path: string) => string): SshForward {
  const equals = word.indexOf("=");
  const id = equals < 0 ? word : word.slice(0, equals);
  if (id === "" || (equals < 0 && id !== "default")) {
    throw new TscError("TSC_BUILD_SSH", `invalid ssh key ${JSON.stringify(word)}`, {
      kind: "invalid-input",
      hint: "give default, for the agent of SSH_AUTH_SOCK, or ID=PATH",
    });
  }
  const paths = equals < 0 ? [] : word.slice(equals + 1).split(",");
  return { id, paths: paths.filter((path) => path !== "").map(resolve) };
}

/** What a service's build is given: an id of `asked` (the command line) counts before the file's. Paths of the file are absolute by now. */
export function sshForwards(listed: readonly string[], asked: readonly SshForward[]): SshForward[] {
  const byId = new Map<string, SshForward>();
  for (const word of listed) {
    const forward = sshForward(word, (path) => path);
    byId.set(forward.id, forward);
  }
  for (const forward of asked) byId.set(forward.id, forward);
  return [...byId.values()];
}
