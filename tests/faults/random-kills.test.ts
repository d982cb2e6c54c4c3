/** Commands die at random moments, alone, with their children and with their control group. More rounds: `npm run soak`. */
import { describe } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { onHost } from "../helpers/host.js";
import { playRound, projectOf, type Round } from "./random-kills.js";
import { check, modes } from "./support.js";

const ROUNDS = 3;
const registry = busyboxRegistry();

describe.each(modes)("random kills, %s", (mode) => {
  check(
    "the next command makes the project whole, and down leaves nothing",
    onHost(mode, async (host) => {
      const folder = host.project("random", projectOf(registry.image));
      await host.must(folder, "pull", "-q");
      for (let seed = 1; seed <= ROUNDS; seed++) {
        const round: Round = { seed, kills: [] };
        await playRound(host, folder, round).catch((cause: unknown) => {
          throw new Error(`seed ${seed} (${round.kills.join("; ")})`, { cause });
        });
      }
    }),
    300_000,
  );
});
