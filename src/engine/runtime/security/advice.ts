/** Which published holes a version of an OCI runtime has. Pure. */

/** A known hole of a runtime, and the versions that are without it. */
export interface Hole {
  readonly id: string;
  readonly what: string;
  /** First version of each series that is mended, oldest series first. */
  readonly mended: readonly string[];
}

/** Of the runtimes' own advisories. */
const HOLES: Readonly<Record<string, readonly Hole[]>> = {
  runc: [
    { id: "CVE-2024-21626", what: "a working folder that is a leaked descriptor of the host", mended: ["1.1.12"] },
    { id: "CVE-2024-45310", what: "empty files and folders made on the host", mended: ["1.1.14"] },
    {
      id: "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
      what: "masked paths, /dev/console and writes to /proc that are led astray",
      mended: ["1.2.8", "1.3.3"],
    },
    { id: "CVE-2026-41579", what: "an image whose /dev is a link (refused by tscompose itself)", mended: ["1.3.6"] },
  ],
  crun: [
    { id: "CVE-2022-27650", what: "inheritable capabilities", mended: ["1.4.4"] },
    {
      id: "CVE-2025-24965",
      what: "the krun handler (never reached from images or compose files here)",
      mended: ["1.20"],
    },
  ],
};

/** The holes that a version may have; distributions mend theirs without a new number. */
export function holesOf(program: string, version: string): Hole[] {
  return (HOLES[program] ?? []).filter(({ mended }) => !isMended(version, mended));
}

function isMended(version: string, mended: readonly string[]): boolean {
  const have = numbers(version);
  const series = mended.map(numbers);
  const own = series.find((fix) => fix[0] === have[0] && fix[1] === have[1]);
  const wanted = own ?? series.at(-1) ?? [];
  return compare(have, wanted) >= 0;
}

function numbers(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
