/** The encoding that SSH keys, signatures and agents share (RFC 4251, section 5). */

/** Reads one field after the other. Every read throws a RangeError when the bytes end before the field does. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A number of four bytes. */
  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Bytes with their length before them. */
  string(): Buffer {
    const length = this.uint32();
    if (length > this.#bytes.length - this.#at) throw new RangeError("field is longer than what holds it");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A number that is not negative, without leading zeros. */
  mpint(): Buffer {
    return withoutZeros(this.string());
  }
}

/** Four bytes, highest first. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Bytes with their length before them. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A number that is not negative, of its bytes, highest first. */
export function mpint(bytes: Buffer): Buffer {
  const plain = withoutZeros(bytes);
  return wireString(((plain[0] ?? 0) & 0x80) === 0 ? plain : Buffer.concat([Buffer.from([0]), plain]));
}

function withoutZeros(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
}
