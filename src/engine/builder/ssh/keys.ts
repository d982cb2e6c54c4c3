/**
 * Private keys as ssh-keygen and openssl write them, and what an agent makes of them: the public key's blob (RFC 4253, 6.6; RFC 5656;
 * RFC 8709) and signatures (RFC 8332 for RSA's hashes). OpenSSH's own file format: PROTOCOL.key of OpenSSH.
 */
import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { mpint, WireReader, wireString } from "./wire.js";

/** One key that can be offered and can sign. */
export interface SshKey {
  /** What a server knows it by. */
  readonly publicBlob: Buffer;
  /** Signature blob; `flags` are those of the agent protocol (2: SHA-256, 4: SHA-512 for RSA keys). */
  readonly sign: (data: Buffer, flags: number) => Buffer;
}

/** Why a text is no usable key; in the words of the reference where it has some. */
export class KeyProblem extends Error {}

const MAGIC = "openssh-key-v1\0";
const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const LOCKED = "this private key is passphrase protected";

/** Reads an OpenSSH, PKCS#8, PKCS#1 or SEC 1 key. Throws `KeyProblem`. */
export function parsePrivateKey(text: string): SshKey {
  const body = OPENSSH.exec(text)?.[1];
  let key: KeyObject;
  try {
    key = body === undefined ? createPrivateKey(text) : openSshKey(Buffer.from(body, "base64"));
  } catch (error) {
    if (error instanceof KeyProblem) throw error;
    const isLocked = (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE";
    throw new KeyProblem(isLocked ? LOCKED : "no key found");
  }
  return sshKey(key);
}

function openSshKey(bytes: Buffer): KeyObject {
  if (bytes.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) throw new KeyProblem("no key found");
  const file = new WireReader(bytes.subarray(MAGIC.length));
  const cipher = file.string().toString();
  if (cipher !== "none") throw new KeyProblem(LOCKED);
  file.string();
  file.string();
  if (file.uint32() !== 1) throw new KeyProblem("a file with several keys");
  file.string();
  const secret = new WireReader(file.string());
  const check = secret.uint32();
  if (secret.uint32() !== check) throw new KeyProblem("malformed private key");
  const type = secret.string().toString();
  return createPrivateKey({ key: jwkOf(type, secret), format: "jwk" });
}

/** A private section of `type`, read to the end of its numbers. */
function jwkOf(type: string, secret: WireReader): JsonWebKey {
  if (type === "ssh-ed25519") {
    const x = secret.string();
    return { kty: "OKP", crv: "Ed25519", x: text(x), d: text(secret.string().subarray(0, 32)) };
  }
  if (type === "ssh-rsa") {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => secret.mpint()) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const part = (prime: Buffer) => text(remainder(d, prime));
    return {
      kty: "RSA",
      n: text(n),
      e: text(e),
      d: text(d),
      p: text(p),
      q: text(q),
      dp: part(p),
      dq: part(q),
      qi: text(qi),
    };
  }
  const curve = CURVES.find((known) => `ecdsa-sha2-${known.name}` === type);
  if (curve === undefined) throw new KeyProblem(`unsupported key type ${JSON.stringify(type)}`);
  secret.string();
  const point = secret.string();
  const d = secret.mpint();
  if (point.length !== 1 + 2 * curve.bytes || d.length > curve.bytes) throw new KeyProblem("malformed private key");
  return {
    kty: "EC",
    crv: curve.jwk,
    x: text(point.subarray(1, 1 + curve.bytes)),
    y: text(point.subarray(1 + curve.bytes)),
    d: text(Buffer.concat([Buffer.alloc(curve.bytes - d.length), d])),
  };
}

const CURVES = [
  { name: "nistp256", jwk: "P-256", bytes: 32, hash: "sha256" },
  { name: "nistp384", jwk: "P-384", bytes: 48, hash: "sha384" },
  { name: "nistp521", jwk: "P-521", bytes: 66, hash: "sha512" },
] as const;

function sshKey(key: KeyObject): SshKey {
  const jwk = key.export({ format: "jwk" });
  const part = (name: "x" | "y" | "n" | "e") => Buffer.from(jwk[name] ?? "", "base64url");
  if (key.asymmetricKeyType === "ed25519") {
    return {
      publicBlob: Buffer.concat([wireString("ssh-ed25519"), wireString(part("x"))]),
      sign: (data) => Buffer.concat([wireString("ssh-ed25519"), wireString(sign(null, data, key))]),
    };
  }
  if (key.asymmetricKeyType === "rsa") {
    return {
      publicBlob: Buffer.concat([wireString("ssh-rsa"), mpint(part("e")), mpint(part("n"))]),
      sign: (data, flags) => {
        const [name, hash] =
          (flags & 4) !== 0
            ? ["rsa-sha2-512", "sha512"]
            : (flags & 2) !== 0
              ? ["rsa-sha2-256", "sha256"]
              : ["ssh-rsa", "sha1"];
        return Buffer.concat([wireString(name), wireString(sign(hash, data, key))]);
      },
    };
  }
  const curve = CURVES.find((known) => known.jwk === jwk.crv);
  if (curve === undefined) throw new KeyProblem(`unsupported key type ${JSON.stringify(key.asymmetricKeyType ?? "")}`);
  const name = `ecdsa-sha2-${curve.name}`;
  const point = Buffer.concat([Buffer.from([4]), part("x"), part("y")]);
  return {
    publicBlob: Buffer.concat([wireString(name), wireString(curve.name), wireString(point)]),
    sign: (data) => {
      const both = sign(curve.hash, data, { key, dsaEncoding: "ieee-p1363" });
      const numbers = [mpint(both.subarray(0, curve.bytes)), mpint(both.subarray(curve.bytes))];
      return Buffer.concat([wireString(name), wireString(Buffer.concat(numbers))]);
    },
  };
}

function text(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/** d mod (prime - 1), which the file leaves out. */
function remainder(d: Buffer, prime: Buffer): Buffer {
  const number = (bytes: Buffer) => BigInt(`0x0${bytes.toString("hex")}`);
  const hex = (number(d) % (number(prime) - 1n)).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}
