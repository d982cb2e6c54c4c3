/** Byte sizes as compose and docker write them (`1.5g`, `512m`, `100kb`, `1e3`). */
import { TscError } from "./errors.js";

const POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

const DIGITS = "[0-9]+(?:_[0-9]+)*";
const NUMBER = new RegExp(`^[-+]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:[eE][-+]?[0-9]+)?$`);

/** Bytes of a size; its units are powers of 1024 unless another base is told. Throws TSC_SIZE_INVALID with the reference's messages. */
export function parseSize(text: string, base: 1000 | 1024 = 1024): bigint {
  const match = /^(.*[0-9.])( ?)([^0-9.]*)$/s.exec(text);
  const [, digits = "", , suffix = ""] = match ?? [];
  if (!NUMBER.test(digits)) throw invalidSize(text);
  const unit = suffix.toLowerCase();
  if (!/^(?:b|[kmgtp](?:i?b)?)?$/.test(unit)) throw invalid(`invalid suffix: '${suffix}'`);
  const scale = BigInt(base) ** BigInt(POWERS[unit[0] ?? ""] ?? 0);
  const plain = digits.replaceAll("_", "").replace(/^\+/, "");
  if (/^-?[0-9]+$/.test(plain)) return BigInt(plain) * scale;
  const size = Number(plain) * Number(scale);
  if (!Number.isFinite(size) || Math.abs(size) > 2 ** 63) throw invalidSize(text);
  return BigInt(Math.trunc(size));
}

/** `TSC_SIZE_INVALID` in the reference's words. */
export function invalidSize(text: string): TscError {
  return invalid(`invalid size: '${text}'`);
}

function invalid(message: string): TscError {
  return new TscError("TSC_SIZE_INVALID", message, { kind: "invalid-input", hint: "write for instance 512m or 1.5g" });
}
