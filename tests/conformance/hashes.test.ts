/** The hashes that docker compose 2.40 wrote on networks and volumes, as an engine was asked to label them; ours are the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { networkHash, volumeHash } from "../../src/plan/hash.js";
import { LABEL } from "../../src/plan/labels.js";
import { hasShared, SHARED } from "./support/shared.js";

interface Request {
  readonly m: string;
  readonly u: string;
  readonly b?: { readonly Name?: string; readonly Labels?: Readonly<Record<string, string>> };
}

const check = hasShared ? test : test.skip;

function created(kind: string): readonly { readonly name: string; readonly hash: string }[] {
  return readFileSync(join(SHARED, "docker-api/compose-2.40.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Request)
    .filter(({ m, u }) => m === "POST" && u.endsWith(`/${kind}/create`))
    .flatMap(({ b }) => {
      const hash = b?.Labels?.[LABEL.configHash];
      return b?.Name === undefined || hash === undefined ? [] : [{ name: b.Name, hash }];
    });
}

check("a network and a volume without settings have docker compose's hash", () => {
  const networks = created("networks");
  const volumes = created("volumes");
  expect(networks.length).toBeGreaterThan(0);
  expect(volumes.length).toBeGreaterThan(0);
  for (const { name, hash } of networks) expect([name, networkHash({ name, ipam: {} })]).toEqual([name, hash]);
  for (const { name, hash } of volumes) expect([name, volumeHash({ name })]).toEqual([name, hash]);
});
