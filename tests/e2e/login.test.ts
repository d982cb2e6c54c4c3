/** `login` and `logout` against a registry that wants a password. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type TestHost } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";

const check = isRoot ? test : test.skip;
const PASSWORD = "s3cret: with a colon";

let registry: Registry;
let folder = "";
beforeAll(async () => {
  if (!isRoot) return;
  folder = mkdtempSync(join(tmpdir(), "tsc-login-"));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "htpasswd"), execFileSync("htpasswd", ["-Bbn", "me", PASSWORD]));
  registry = await startRegistry({ htpasswd: join(folder, "htpasswd") });
  const authorization = `Basic ${Buffer.from(`me:${PASSWORD}`).toString("base64")}`;
  await pushImage(registry.address, "private", "1", {
    layers: [debianRootfs("busybox", CACHE)],
    headers: { authorization },
  });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

/** A home of the test's own, so that nobody's credentials are read or written. */
function home(host: TestHost): { readonly env: Record<string, string>; readonly cwd: string; readonly path: string } {
  const cwd = host.project("home", { ".keep": "" });
  return {
    cwd,
    path: cwd,
    env: { HOME: cwd, XDG_CONFIG_HOME: "", XDG_RUNTIME_DIR: "", DOCKER_CONFIG: "", REGISTRY_AUTH_FILE: "" },
  };
}

describe.each(["root", "user"] as Mode[])("%s", (mode) => {
  check(
    "logs in, pulls, knows it, logs out",
    onHost(mode, async (host) => {
      const { env, cwd, path } = home(host);
      const run = (args: readonly string[], input?: string) =>
        host.run(cwd, args, { env, ...(input === undefined ? {} : { input }) });
      const { address } = registry;
      const file = join(path, ".config/containers/auth.json");

      const refused = await run(["image", "pull", `${address}/private:1`]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(`tscompose login ${address}`);

      const wrong = await run(["login", "-u", "me", "--password-stdin", address], "nonsense\n");
      expect(wrong).toMatchObject({ code: 1, stdout: "" });
      expect(wrong.stderr).toContain("incorrect username or password");
      expect(existsSync(file)).toBe(false);

      const good = await run(["login", "-u", "me", "--password-stdin", address], `${PASSWORD}\n`);
      expect(good).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
      expect(good.stderr).toContain(file);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(`${good.stdout}${good.stderr}`).not.toContain(PASSWORD);

      expect((await run(["image", "pull", "-q", `${address}/private:1`])).code).toBe(0);
      expect(await run(["login", address])).toMatchObject({
        code: 0,
        stdout: `Existing credentials are valid. Already logged in to ${address}\n`,
      });
      expect(await run(["login", "--get-login", address])).toMatchObject({ code: 0, stdout: "me\n" });

      expect(await run(["logout", address])).toMatchObject({
        code: 0,
        stdout: `Removing login credentials for ${address}\n`,
      });
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ auths: {} });
      const again = await run(["logout", address]);
      expect(again.code).toBe(1);
      expect(again.stderr).toContain(`not logged in to ${address}`);
    }),
    120_000,
  );

  check(
    "changes the file that knows the registry, and leaves the rest of it alone",
    onHost(mode, async (host) => {
      const { env, cwd, path } = home(host);
      const { address } = registry;
      const other = { "other.example": { auth: Buffer.from("a:b").toString("base64") } };
      host.project("home", {
        ".docker/config.json": JSON.stringify({ auths: { ...other, [address]: {} }, HttpHeaders: { A: "b" } }),
      });
      const done = await host.run(cwd, ["login", "-u", "me", "-p", PASSWORD, address], { env });
      expect(done.code).toBe(0);
      expect(done.stderr).toContain("--password-stdin");
      const document: unknown = JSON.parse(readFileSync(join(path, ".docker/config.json"), "utf8"));
      expect(document).toEqual({
        auths: { ...other, [address]: { auth: Buffer.from(`me:${PASSWORD}`).toString("base64") } },
        HttpHeaders: { A: "b" },
      });
      expect(existsSync(join(path, ".config/containers/auth.json"))).toBe(false);
    }),
    120_000,
  );

  check(
    "gives the password to a credential helper when one is set up",
    onHost(mode, async (host) => {
      const { env, cwd, path } = home(host);
      const { address } = registry;
      const bin = join(host.folder, "bin");
      mkdirSync(bin);
      const script = `#!/bin/sh\nread -r line\ncase $1 in\nstore) printf '%s' "$line" > ${path}/kept ;;\nget) [ -s ${path}/kept ] && cat ${path}/kept || { echo "credentials not found in native keychain"; exit 1; } ;;\nerase) rm ${path}/kept ;;\nesac\n`;
      writeFileSync(join(bin, "docker-credential-test"), script, { mode: 0o755 });
      host.project("home", { ".docker/config.json": JSON.stringify({ credsStore: "test" }) });
      const around = { env: { ...env, PATH: `${bin}:${host.env["PATH"] ?? ""}` } };
      const done = await host.run(cwd, ["login", "-u", "me", "--password-stdin", address], {
        ...around,
        input: PASSWORD,
      });
      expect(done).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
      expect(done.stderr).not.toContain("unencrypted");
      expect(JSON.parse(readFileSync(join(path, "kept"), "utf8"))).toEqual({
        ServerURL: address,
        Username: "me",
        Secret: PASSWORD,
      });
      expect(readFileSync(join(path, ".docker/config.json"), "utf8")).not.toContain("auth");
      expect((await host.run(cwd, ["image", "pull", "-q", `${address}/private:1`], around)).code).toBe(0);
      expect((await host.run(cwd, ["logout", address], around)).code).toBe(0);
      expect(existsSync(join(path, "kept"))).toBe(false);
    }),
    120_000,
  );

  check(
    "wrong use is told in docker's words",
    onHost(mode, async (host) => {
      const { env, cwd } = home(host);
      const said = async (...args: string[]) => (await host.run(cwd, ["login", ...args], { env })).stderr;
      expect(await said("-p", "x", "--password-stdin")).toContain("mutually exclusive");
      expect(await said("--password-stdin")).toContain("--username");
      expect(await said("127.0.0.1:1")).toContain("non TTY");
      expect(await said("-u", "a", "-p", "b", "bad name")).toContain("not the name of a registry");
    }),
    120_000,
  );
});
