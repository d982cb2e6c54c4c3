/** Applies rules.ts in the namespace that holds the bridges. One iptables-save and one iptables-restore per change. */
import type { Kernel } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { needProgram } from "./programs.js";
import { type Chains, type RuleNetwork, restoreText } from "./rules.js";
import { run } from "./run.js";

export interface FirewallHost {
  readonly kernel: Kernel;
  readonly callerEnv: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string>>;
  readonly prefix: readonly string[];
}

async function program(host: FirewallHost, argv: readonly string[], input = ""): Promise<string> {
  const result = await run(host.kernel, [...host.prefix, ...argv], { env: host.env, input });
  if (result.code !== 0) {
    throw new TscError("TSC_FIREWALL_FAILED", `${argv[0]} failed: ${printable(result.stderr)}`, {
      kind: "unavailable",
      hint: "check that the kernel has nf_tables (or ip_tables), conntrack and nat support",
    });
  }
  return result.stdout;
}

/** Makes the rules of one family equal to `networks`. The caller holds the firewall lock. `TSC_FIREWALL_FAILED`. */
export async function applyRules(
  host: FirewallHost,
  family: 4 | 6,
  chains: Chains,
  networks: readonly RuleNetwork[],
): Promise<void> {
  const name = family === 4 ? "iptables" : "ip6tables";
  const base = needProgram(host.callerEnv, "iptables").replace(/iptables$/, name);
  const saved = await program(host, [`${base}-save`]);
  const text = restoreText(family, chains, networks, saved);
  if (text !== "") await program(host, [`${base}-restore`, "--noflush", "-w", "10"], text);
}
