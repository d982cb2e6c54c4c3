/** Seeded changes of bytes: what happens to an input between the corpus and the code under test. Pure but for the generator's state. */

/** A whole number from 0 to below `below`. */
export type Pick = (below: number) => number;

/** xorshift32: small, and the same everywhere. */
export function generator(seed: number): Pick {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}

/** Longest input made. */
const MAX_INPUT = 64 * 1024;
const EDGES = [
  "0",
  "-1",
  "1",
  "255",
  "256",
  "65536",
  "2147483648",
  "4294967295",
  "9007199254740993",
  "1e400",
  "00000000010",
  "77777777777",
];

const splice = (data: Buffer, at: number, remove: number, put: Buffer): Buffer =>
  Buffer.concat([data.subarray(0, at), put, data.subarray(at + remove)]).subarray(0, MAX_INPUT);

/** A few changes of `data`: bits, bytes, pieces moved, doubled and repeated, words of the format, pieces of `other`. */
export function mutate(data: Buffer, other: Buffer, words: readonly string[], pick: Pick): Buffer {
  let result = data;
  for (let changes = pick(5); changes >= 0; changes--) {
    const at = pick(result.length + 1);
    const piece = () => Buffer.from(result.subarray(at, at + pick(40)));
    switch (pick(9)) {
      case 0: {
        const copy = Buffer.from(result);
        if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << pick(8));
        result = copy;
        break;
      }
      case 1:
        result = splice(result, at, 1, Buffer.from([pick(256)]));
        break;
      case 2:
        result = splice(result, at, 1 + pick(24), Buffer.alloc(0));
        break;
      case 3:
        result = splice(result, pick(result.length + 1), 0, piece());
        break;
      case 4: {
        const repeated = piece();
        result = splice(
          result,
          at,
          0,
          Buffer.concat(Array.from({ length: 1 << pick(13) }, () => repeated)).subarray(0, MAX_INPUT),
        );
        break;
      }
      case 5:
        result = splice(result, at, 0, Buffer.from(words[pick(words.length)] ?? ""));
        break;
      case 6: {
        const word = Buffer.from(words[pick(words.length)] ?? "");
        result = splice(result, at, word.length, word);
        break;
      }
      case 7:
        result = splice(result, at, pick(8), Buffer.from(EDGES[pick(EDGES.length)] ?? ""));
        break;
      default: {
        const from = pick(other.length + 1);
        result = splice(result, at, pick(8), other.subarray(from, from + pick(200)));
      }
    }
  }
  return result;
}
