import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { findProvider, providerEnvironment } from "../../../src/execute/operations/run-provider.js";

test("a compose file runs plugins, and no other program of the host or the project", () => {
  const base = mkdtempSync(join(tmpdir(), "tsc-provider-"));
  try {
    mkdirSync(join(base, "bin"));
    for (const name of ["docker-cloud", "sh", "evil"]) {
      writeFileSync(join(base, "bin", name), "#!/bin/sh\n");
      chmodSync(join(base, "bin", name), 0o755);
    }
    const PATH = `${join(base, "bin")}`;
    expect(findProvider("cloud", { PATH })).toBe(join(base, "bin/docker-cloud"));
    for (const type of ["sh", "evil", "./evil", join(base, "bin/evil"), "../bin/evil", "cloud/../evil", ""]) {
      expect(() => findProvider(type, { PATH })).toThrow(/was not found on PATH/);
    }
    expect(findProvider("evil", { PATH, TSCOMPOSE_PROVIDERS: "x,evil" })).toBe(join(base, "bin/evil"));
    expect(() => findProvider(join(base, "bin/evil"), { PATH, TSCOMPOSE_PROVIDERS: join(base, "bin/evil") })).toThrow();
    expect(() => findProvider("cloud", { PATH: ".:bin:" })).toThrow();
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test("a project's .env does not say which code a provider's program loads", () => {
  const callerEnv = { PATH: "/usr/bin", LD_LIBRARY_PATH: "/opt/lib", NODE_OPTIONS: "--no-warnings" };
  const env = {
    ...callerEnv,
    PATH: "/project",
    LD_PRELOAD: "./evil.so",
    BASH_ENV: "evil",
    ENV: "prod",
    NODE_ENV: "test",
  };
  const given = providerEnvironment({ env, callerEnv });
  expect(given.withheld).toEqual(["PATH", "LD_PRELOAD", "BASH_ENV"]);
  expect(given.env).toEqual({ ...callerEnv, ENV: "prod", NODE_ENV: "test" });
  expect(providerEnvironment({ env: callerEnv, callerEnv }).withheld).toEqual([]);
  // each of these makes some interpreter, library or tool run a file of the project
  const more = ["PYTHONUSERBASE", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_COUNT", "OPENSSL_CONF", "DOCKER_CONFIG"];
  const others = ["GEM_HOME", "CLASSPATH", "npm_config_node_options", "KUBECONFIG", "SSH_ASKPASS", "IFS"];
  const steering = Object.fromEntries([...more, ...others].map((name) => [name, "./evil"]));
  expect(providerEnvironment({ env: { ...callerEnv, ...steering }, callerEnv })).toEqual({
    env: callerEnv,
    withheld: [...more, ...others],
  });
});
