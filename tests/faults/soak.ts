/** `npm run soak`: many rounds of random kills, as root and as a user; a line per round, a summary per mode, exit code 1 after a failure. */
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, type Mode, TestHost } from "../helpers/host.js";
import { pushImage, startRegistry } from "../helpers/registry.js";
import { playRound, projectOf, type Round } from "./random-kills.js";

const [count = "300", first = String(Date.now() % 1_000_000), ...named] = process.argv.slice(2);
const modes: readonly Mode[] = named.length > 0 ? (named as Mode[]) : ["root", "user"];

async function soak(mode: Mode, image: string): Promise<number> {
  let failed = 0;
  let host: TestHost | undefined;
  let folder = "";
  const endHost = async (): Promise<void> => {
    const ending = host;
    host = undefined;
    await ending?.[Symbol.asyncDispose]().catch((error: unknown) => console.log(`${mode}: ${String(error)}`));
  };
  for (let number = 0; number < Number(count); number++) {
    if (host === undefined) {
      host = new TestHost(mode);
      folder = host.project("soak", projectOf(image));
      await host.must(folder, "pull", "-q");
    }
    const round: Round = { seed: Number(first) + number, kills: [] };
    try {
      await playRound(host, folder, round);
      console.log(`ok      ${mode} ${round.seed}  ${round.kills.join("; ")}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${mode} ${round.seed}  ${round.kills.join("; ")}\n        ${String(error)}`);
      await endHost();
    }
  }
  await endHost();
  console.log(`${mode}: ${count} rounds from seed ${first}, ${failed} failed`);
  return failed;
}

await using registry = await startRegistry();
await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
let failures = 0;
for (const mode of modes) failures += await soak(mode, `${registry.address}/busybox:1`);
process.exitCode = failures === 0 ? 0 : 1;
