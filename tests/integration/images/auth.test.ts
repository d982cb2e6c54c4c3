/** Authentication: htpasswd and token authentication of a real docker-registry, credential files and helpers. */
import { execFileSync, spawn } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, startRegistry } from "../../helpers/registry.js";
import { openTestEngine } from "./context.js";
import { putImage, startPeer, tarOf } from "./fixtures.js";

// user anna, password s3cret, made by htpasswd -B
const HTPASSWD = "anna:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-auth-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const basic = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString("base64");
function authFile(auths: Record<string, unknown>, rest: Record<string, unknown> = {}): string {
  const file = join(folder, `${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify({ auths, ...rest }), { mode: 0o600 });
  return file;
}

describe("htpasswd", () => {
  const withRegistry = async () => {
    const htpasswd = join(folder, "htpasswd");
    writeFileSync(htpasswd, `${HTPASSWD}\n`);
    const registry = await startRegistry({ htpasswd });
    await putImage(registry.address, "team/app", "1", {
      layers: [{ tar: tarOf({ a: "private" }) }],
      headers: { authorization: `Basic ${basic("anna", "s3cret")}` },
    });
    return registry;
  };

  test("pull and push work with the credentials of auth.json, and only with them", async () => {
    await using registry = await withRegistry();
    const name = `${registry.address}/team/app:1`;
    {
      await using engine = await openTestEngine();
      await expect(engine.images.pull(name)).rejects.toMatchObject({
        code: "TSC_REGISTRY_UNAUTHORIZED",
        message: expect.stringMatching(/pull access denied .*may require a login/),
      });
    }
    {
      await using engine = await openTestEngine({
        env: { REGISTRY_AUTH_FILE: authFile({ [registry.address]: { auth: basic("anna", "wrong-password") } }) },
      });
      const error = await engine.images.pull(name).catch((caught: Error) => caught);
      expect(error).toMatchObject({ code: "TSC_REGISTRY_UNAUTHORIZED" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("wrong-password");
    }
    await using engine = await openTestEngine({
      env: { REGISTRY_AUTH_FILE: authFile({ [`${registry.address}/team`]: { auth: basic("anna", "s3cret") } }) },
    });
    await engine.images.pull(name);
    await engine.images.tag(name, `${registry.address}/team/copy:2`);
    const { digest } = await engine.images.push(`${registry.address}/team/copy:2`);
    expect(await engine.images.resolveDigest(`${registry.address}/team/copy:2`)).toBe(digest);
  });

  test("a credential helper is asked on stdin, and its name cannot be a path", async () => {
    await using registry = await withRegistry();
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const helper = join(bin, "docker-credential-tsctest");
    writeFileSync(
      helper,
      `#!/bin/sh\n[ "$1" = get ] || exit 2\nread server\n[ "$server" = "${registry.address}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"ServerURL":"'$server'","Username":"anna","Secret":"s3cret"}'\n`,
    );
    chmodSync(helper, 0o755);
    const home = mkdtempSync(join(folder, "home-"));
    mkdirSync(join(home, ".docker"));
    const useHelper = (name: string) =>
      writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ credHelpers: { [registry.address]: name } }));
    const env = { HOME: home, PATH: `${bin}:${process.env.PATH}` };
    useHelper("tsctest");
    {
      await using engine = await openTestEngine({ env });
      expect((await engine.images.pull(`${registry.address}/team/app:1`)).tags).toHaveLength(1);
    }
    useHelper("../../../../bin/sh");
    await using engine = await openTestEngine({ env });
    await expect(engine.images.pull(`${registry.address}/team/app:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_CREDENTIALS",
    });
  });
});

/** A key and a certificate of its own for it, as files. */
function selfSigned(name: string, subject: string, extension?: string): { key: string; certificate: string } {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const files = ["-keyout", key, "-out", certificate, "-subj", `/CN=${subject}`, "-days", "2"];
  const more = extension === undefined ? [] : ["-addext", extension];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...more], { stdio: "ignore" });
  return { key, certificate };
}

/** docker-registry's own token authentication, with a token server as its protocol asks for. */
async function startTokenRegistry() {
  const { key, certificate } = selfSigned("token", "tokens");
  const x5c = readFileSync(certificate, "utf8").replace(/-----[^-]+-----|\s/g, "");
  const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const granted: { scopes: string[]; authorization: string | undefined; body: string }[] = [];
  const tokens = await startPeer(undefined, async (request, response) => {
    const url = new URL(request.url ?? "/", "http://tokens");
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    const scopes = request.method === "POST" ? (form.get("scope") ?? "").split(" ") : url.searchParams.getAll("scope");
    granted.push({ scopes, authorization: request.headers.authorization, body });
    const isAnna =
      request.headers.authorization === `Basic ${basic("anna", "s3cret")}` ||
      form.get("refresh_token") === "anna-identity";
    if (request.headers.authorization !== undefined && !isAnna) {
      response
        .writeHead(401, { "content-type": "application/json" })
        .end('{"details":"incorrect username or password"}');
      return true;
    }
    const access = scopes
      .filter((scope) => scope !== "")
      .map((scope) => {
        const [type = "", name = "", actions = ""] = scope.split(":");
        const allowed = actions
          .split(",")
          .filter((action) => isAnna || (action === "pull" && name.startsWith("public/")));
        return { type, name, actions: allowed };
      });
    const now = Math.floor(Date.now() / 1000);
    const unsigned = `${segment({ typ: "JWT", alg: "RS256", x5c: [x5c] })}.${segment({ iss: "tsc-tests", sub: isAnna ? "anna" : "", aud: "tsc-registry", exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID(), access })}`;
    const token = `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(readFileSync(key), "base64url")}`;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expires_in: 300 }));
    return true;
  });
  const port = await freePort();
  const config = join(folder, "token-registry.yml");
  writeFileSync(
    config,
    [
      "version: 0.1",
      "log: {level: error, accesslog: {disabled: true}}",
      `storage: {filesystem: {rootdirectory: ${join(folder, "token-data")}}}`,
      `http: {addr: "127.0.0.1:${port}"}`,
      `auth: {token: {realm: "http://${tokens.address}/token", service: tsc-registry, issuer: tsc-tests, rootcertbundle: ${certificate}}}`,
      "",
    ].join("\n"),
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const address = `127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt++) {
    const isUp = await fetch(`http://${address}/v2/`).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    address,
    granted,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await once(child, "exit");
      await tokens[Symbol.asyncDispose]();
    },
  };
}

test("the token flow: anonymous, password and identity token, one token per scope", async () => {
  await using registry = await startTokenRegistry();
  const image = { layers: [{ tar: tarOf({ a: "token" }) }] };
  const tokenFor = async (scope: string) => {
    const realm = /realm="([^"]+)"/.exec(
      (await fetch(`http://${registry.address}/v2/`)).headers.get("www-authenticate") ?? "",
    )?.[1];
    const response = await fetch(`${realm}?service=tsc-registry&scope=${scope}`, {
      headers: { authorization: `Basic ${basic("anna", "s3cret")}` },
    });
    return ((await response.json()) as { token: string }).token;
  };
  for (const name of ["public/app", "private/app"]) {
    await putImage(registry.address, name, "1", {
      ...image,
      headers: { authorization: `Bearer ${await tokenFor(`repository:${name}:pull,push`)}` },
    });
  }
  registry.granted.length = 0;
  {
    await using engine = await openTestEngine();
    await engine.images.pull(`${registry.address}/public/app:1`);
    expect(registry.granted.map((one) => [one.scopes, one.authorization])).toEqual([
      [["repository:public/app:pull"], undefined],
    ]);
    await expect(engine.images.pull(`${registry.address}/private/app:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_UNAUTHORIZED",
    });
  }
  {
    await using engine = await openTestEngine({
      env: { REGISTRY_AUTH_FILE: authFile({ [registry.address]: { auth: basic("anna", "s3cret") } }) },
    });
    await engine.images.pull(`${registry.address}/private/app:1`);
    await engine.images.tag(`${registry.address}/private/app:1`, `${registry.address}/private/copy:1`);
    registry.granted.length = 0;
    await engine.images.push(`${registry.address}/private/copy:1`);
    // one scope for the blobs and the manifest, one that may also read where a blob is mounted from
    expect(registry.granted.length).toBeLessThanOrEqual(4);
  }
  {
    await using engine = await openTestEngine({
      env: { REGISTRY_AUTH_FILE: authFile({ [registry.address]: { auth: basic("anna", "bad") } }) },
    });
    await expect(engine.images.pull(`${registry.address}/private/app:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_UNAUTHORIZED",
      message: expect.stringContaining("incorrect username or password"),
    });
  }
  await using engine = await openTestEngine({
    env: { REGISTRY_AUTH_FILE: authFile({ [registry.address]: { identitytoken: "anna-identity" } }) },
  });
  registry.granted.length = 0;
  await engine.images.pull(`${registry.address}/private/app:1`);
  expect(registry.granted[0]?.body).toContain("grant_type=refresh_token");
});

test("mirrors are tried first, with their own credentials, and failing ones are passed over", async () => {
  await using registry = await startRegistry();
  const image = await putImage(registry.address, "mirrored", "1", { layers: [] });
  await using mirror = await startPeer(undefined, (_, response) => {
    response.writeHead(500).end();
    return true;
  });
  const conf = join(folder, "mirrors.conf");
  writeFileSync(
    conf,
    `[[registry]]\nlocation = "${registry.address}"\n[[registry.mirror]]\nlocation = "${mirror.address}"\n`,
  );
  await using engine = await openTestEngine({
    env: {
      CONTAINERS_REGISTRIES_CONF: conf,
      REGISTRY_AUTH_FILE: authFile({ [registry.address]: { auth: basic("anna", "s3cret") } }),
    },
  });
  expect((await engine.images.pull(`${registry.address}/mirrored:1`)).id).toBe(image.id);
  expect(mirror.requests.length).toBeGreaterThan(0);
  expect(mirror.requests.every((one) => one.authorization === undefined)).toBe(true);
  expect(engine.warnings.join()).toContain("mirror");
});

test("TLS: a loopback registry may have any certificate, others need a trusted one", async () => {
  const { key, certificate } = selfSigned("tls", "localhost", "subjectAltName=DNS:localhost");
  await using plain = await startRegistry();
  const image = await putImage(plain.address, "tls", "1", { layers: [{ tar: tarOf({ a: "tls" }) }] });
  const port = await freePort();
  const config = join(folder, "tls-registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${plain.storage}}}\nhttp: {addr: "0.0.0.0:${port}", tls: {certificate: ${certificate}, key: ${key}}}\n`,
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  try {
    await using engine = await openTestEngine();
    for (let attempt = 0; ; attempt++) {
      try {
        expect((await engine.images.pull(`localhost:${port}/tls:1`)).id).toBe(image.id);
        break;
      } catch (error) {
        if (attempt > 40 || (error as { code?: string }).code !== "TSC_REGISTRY_UNREACHABLE") throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    // the same server by an address that is not loopback
    const address = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === "IPv4" && !one.internal)?.address;
    if (address === undefined) return;
    await expect(engine.images.pull(`${address}:${port}/tls:1`)).rejects.toMatchObject({ code: "TSC_REGISTRY_TLS" });
    const conf = join(folder, "insecure.conf");
    writeFileSync(conf, `[[registry]]\nlocation = "${address}:${port}"\ninsecure = true\n`);
    await using lax = await openTestEngine({ env: { CONTAINERS_REGISTRIES_CONF: conf } });
    expect((await lax.images.pull(`${address}:${port}/tls:1`)).id).toBe(image.id);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
});
