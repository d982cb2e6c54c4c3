/** Byte sizes as compose writes them (`1.5g`, `512m`, `100kb`): powers of 1024. */
import { TscError } from "../lib/errors.js";

const POWERS: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** Bytes of a size. Throws TSC_SIZE_INVALID with the reference's messages. */
export function parseSize(text: string): bigint {
  const match = /^([-+]?[0-9]*\.?[0-9]*)( ?)(.*)$/s.exec(text);
  const [, digits = "", , suffix = ""] = match ?? [];
  if (!/[0-9]/.test(digits)) throw invalid(`invalid size: '${text}'`);
  const unit = suffix.trim().toLowerCase();
  const power = unit === "" ? 0 : POWERS[unit[0] as string];
  if (power === undefined || !/^(?:b|[kmgtp](?:i?b)?|)$/.test(unit)) throw invalid(`invalid suffix: '${suffix}'`);
  if (digits.startsWith("-") && digits !== "-1") throw invalid(`invalid size: '${text}'`);
  const scale = 1024n ** BigInt(power);
  if (!digits.includes(".")) return BigInt(digits.replace(/^\+/, "")) * scale;
  return BigInt(Math.trunc(Number(digits) * Number(scale)));
}

function invalid(message: string): TscError {
  return new TscError("TSC_SIZE_INVALID", message, { kind: "invalid-input" });
}
