/** Keys that builds are given, and the agent that shows them to a step. */
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { keyAgent, remoteAgent, serveAgent } from "../../../../src/engine/builder/ssh/agent.js";
import { parsePrivateKey } from "../../../../src/engine/builder/ssh/keys.js";
import { uint32, WireReader, wireString } from "../../../../src/engine/builder/ssh/wire.js";
import { SSH_KEYS } from "../../../helpers/ssh-keys.js";

const DATA = Buffer.from("what is signed");

describe("private keys", () => {
  const fields = (bytes: Buffer, count: number): Buffer[] => {
    const reader = new WireReader(bytes);
    return Array.from({ length: count }, () => reader.string());
  };
  const encoded = (bytes: Buffer | undefined): string => (bytes ?? Buffer.alloc(0)).toString("base64url");
  const publicKey = (key: JsonWebKey) => createPublicKey({ key, format: "jwk" });

  for (const name of ["ed25519", "rsa", "ecdsaP256", "ecdsaP521", "pkcs1"] as const) {
    test(`${name}: the public blob is that of ssh-keygen`, () => {
      expect(parsePrivateKey(SSH_KEYS[name].file).publicBlob.toString("base64")).toBe(SSH_KEYS[name].blob);
    });
  }

  test("ed25519 signs", () => {
    const key = parsePrivateKey(SSH_KEYS.ed25519.file);
    const [name, signature] = fields(key.sign(DATA, 0), 2);
    const [, x] = fields(key.publicBlob, 2);
    expect(name?.toString()).toBe("ssh-ed25519");
    expect(verify(null, DATA, publicKey({ kty: "OKP", crv: "Ed25519", x: encoded(x) }), signature as Buffer)).toBe(
      true,
    );
  });

  test("rsa signs with the hash that is asked for", () => {
    const key = parsePrivateKey(SSH_KEYS.rsa.file);
    const [, e, n] = fields(key.publicBlob, 3);
    const open = publicKey({ kty: "RSA", n: encoded(n), e: encoded(e) });
    const signed = [0, 2, 4].map((flags) => {
      const [name, signature] = fields(key.sign(DATA, flags), 2);
      const hash = { "ssh-rsa": "sha1", "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" }[String(name)] ?? "";
      return [String(name), verify(hash, DATA, open, signature as Buffer)];
    });
    expect(signed).toEqual([
      ["ssh-rsa", true],
      ["rsa-sha2-256", true],
      ["rsa-sha2-512", true],
    ]);
  });

  test.each([
    ["ecdsaP256", "P-256", "sha256", 32],
    ["ecdsaP521", "P-521", "sha512", 66],
  ] as const)("%s signs", (name, crv, hash, size) => {
    const key = parsePrivateKey(SSH_KEYS[name].file);
    const [, signature] = fields(key.sign(DATA, 0), 2);
    const [r, s] = fields(signature as Buffer, 2).map((number) =>
      Buffer.concat([Buffer.alloc(size), number]).subarray(-size),
    ) as [Buffer, Buffer];
    const point = fields(key.publicBlob, 3)[2] as Buffer;
    const open = publicKey({
      kty: "EC",
      crv,
      x: encoded(point.subarray(1, 1 + size)),
      y: encoded(point.subarray(1 + size)),
    });
    expect(verify(hash, DATA, { key: open, dsaEncoding: "ieee-p1363" }, Buffer.concat([r, s]))).toBe(true);
  });

  test("what is no usable key is said", () => {
    expect(() => parsePrivateKey(SSH_KEYS.locked.file)).toThrow("this private key is passphrase protected");
    expect(() => parsePrivateKey("hello")).toThrow("no key found");
    const [first, ...rest] = SSH_KEYS.ed25519.file.split("\n");
    const middle = rest.join("\n");
    for (const cut of [0, 40, 120, 200]) {
      expect(() => parsePrivateKey(`${first}\n${middle.slice(0, cut)}\n-----END OPENSSH PRIVATE KEY-----\n`)).toThrow(
        /no key found|malformed/,
      );
    }
  });
});

describe("the agent", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsc-agent-"));
  const open: { [Symbol.asyncDispose](): PromiseLike<unknown> }[] = [];
  afterAll(async () => {
    for (const one of open) await one[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const key = parsePrivateKey(SSH_KEYS.ed25519.file);
  const sign = Buffer.concat([Buffer.from([13]), wireString(key.publicBlob), wireString(DATA), uint32(0)]);
  const addKey = Buffer.from([17, 0, 0, 0, 0]);

  /** Sends what is given, in two pieces; the answers as they came until there are `count` or the agent hung up. */
  async function talk(path: string, bytes: Buffer, count: number): Promise<Buffer[]> {
    const socket = connect(path);
    await once(socket, "connect");
    socket.write(bytes.subarray(0, 3));
    setImmediate(() => socket.write(bytes.subarray(3)));
    const answers: Buffer[] = [];
    let held = Buffer.alloc(0);
    for await (const data of socket) {
      held = Buffer.concat([held, data as Buffer]);
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
        answers.push(held.subarray(4, 4 + held.readUInt32BE(0)));
        held = held.subarray(4 + held.readUInt32BE(0));
      }
      if (answers.length === count) break;
    }
    socket.destroy();
    return answers;
  }

  test("lists its keys, signs with them, and refuses everything else", async () => {
    const path = join(folder, "keys");
    open.push(await serveAgent(path, keyAgent([key])));
    const other = Buffer.concat([Buffer.from([13]), wireString("another"), wireString(DATA), uint32(0)]);
    const cut = Buffer.concat([Buffer.from([13]), uint32(1000)]);
    const requests = [Buffer.from([11]), sign, addKey, other, cut];
    const answers = await talk(path, Buffer.concat(requests.map((request) => wireString(request))), 5);
    expect(answers.map((answer) => answer[0])).toEqual([12, 14, 5, 5, 5]);
    expect(answers[0]?.subarray(1).equals(Buffer.concat([uint32(1), wireString(key.publicBlob), wireString("")]))).toBe(
      true,
    );
    expect(answers[1]?.subarray(1).equals(wireString(key.sign(DATA, 0)))).toBe(true);
  });

  test("hangs up on what is no message", async () => {
    expect(await talk(join(folder, "keys"), Buffer.from([0xff, 0xff, 0xff, 0xff, 11]), 1)).toEqual([]);
    expect(await talk(join(folder, "keys"), Buffer.from([0, 0, 0, 0, 11]), 1)).toEqual([]);
  });

  test("lets the caller's agent see requests for keys and signatures only", async () => {
    const seen: (number | undefined)[] = [];
    const caller: Server = createServer((socket) => {
      socket.on("data", (data) => {
        seen.push(data[4]);
        socket.write(wireString(Buffer.from([12, 0, 0, 0, 0])));
      });
    });
    await new Promise<void>((resolve) => caller.listen(join(folder, "caller"), resolve));
    open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => caller.close(resolve)) });
    const path = join(folder, "remote");
    open.unshift(await serveAgent(path, remoteAgent(join(folder, "caller"))));
    const answers = await talk(path, Buffer.concat([Buffer.from([11]), addKey, sign].map((one) => wireString(one))), 3);
    expect(answers.map((answer) => answer[0])).toEqual([12, 5, 12]);
    expect(seen).toEqual([11, 13]);
  });

  test("a caller's agent that is gone, or never answers, does not keep it", async () => {
    const gone = join(folder, "gone");
    open.push(await serveAgent(gone, remoteAgent(join(folder, "nobody"))));
    expect(await talk(gone, wireString(Buffer.from([11])), 1)).toEqual([Buffer.from([5])]);

    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(join(folder, "silent"), resolve));
    const served = await serveAgent(join(folder, "waiting"), remoteAgent(join(folder, "silent")));
    const asked = once(silent, "connection");
    const talking = talk(join(folder, "waiting"), wireString(Buffer.from([11])), 1).catch(() => []);
    await asked;
    await served[Symbol.asyncDispose]();
    expect(await talking).toEqual([]);
    await new Promise((resolve) => silent.close(resolve));
  });
});
