import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { providerEnvironment } from "../../../src/execute/operations/provider-environment.js";
import { findProvider } from "../../../src/execute/operations/run-provider.js";

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

test("a project's .env says neither which code a provider's program loads nor where its credentials are", () => {
  const callerEnv = { PATH: "/usr/bin", LD_LIBRARY_PATH: "/opt/lib", NODE_OPTIONS: "--no-warnings" };
  const env = {
    ...callerEnv,
    PATH: "/project",
    LD_PRELOAD: "./evil.so",
    BASH_ENV: "evil",
    GIT_SSH_COMMAND: "evil",
    HOME: "/project",
    DOCKER_CONFIG: "/project/.docker",
    DOCKER_HOST: "tcp://evil",
    XDG_CONFIG_HOME: "/project",
    REGISTRY_AUTH_FILE: "/project/auth.json",
    TSCOMPOSE_PROVIDERS: "evil",
    SSL_CERT_FILE: "/project/ca.pem",
    COMPOSE_PROFILES: "all",
    AWS_ACCESS_KEY_ID: "of the project",
    ENV: "prod",
    NODE_ENV: "test",
  };
  const given = providerEnvironment({ env, callerEnv });
  const project = { COMPOSE_PROFILES: "all", AWS_ACCESS_KEY_ID: "of the project", ENV: "prod", NODE_ENV: "test" };
  expect(given.env).toEqual({ ...callerEnv, ...project });
  expect(given.withheld).toEqual(
    Object.keys(env).filter((name) => name !== "LD_LIBRARY_PATH" && name !== "NODE_OPTIONS" && !(name in project)),
  );
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
