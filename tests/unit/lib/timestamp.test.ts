import { describe, expect, test } from "@jest/globals";
import { formatRfc3339Nano, parsePointInTime, parseRfc3339Nano } from "../../../src/lib/timestamp.js";

describe("points in time", () => {
  test("RFC 3339 with offset and nanoseconds", () => {
    expect(parseRfc3339Nano("2026-01-02T03:04:05.000000001+01:00")).toBe(1767319445000000001n);
    expect(parseRfc3339Nano("nonsense")).toBeUndefined();
    expect(formatRfc3339Nano(1767319445000000001n)).toBe("2026-01-02T02:04:05.000000001Z");
  });
  test("seconds, spans and loose dates", () => {
    const now = 1_000_000_000_000n;
    expect(parsePointInTime("1767319445.5", now)).toBe(1767319445500000000n);
    expect(parsePointInTime("1m30s", now)).toBe(now - 90_000_000_000n);
    expect(parsePointInTime("1.5h", now)).toBe(now - 5_400_000_000_000n);
    expect(parsePointInTime("2026-01-02Z", now)).toBe(1767312000000000000n);
    expect(parsePointInTime("soon", now)).toBeUndefined();
  });
});
