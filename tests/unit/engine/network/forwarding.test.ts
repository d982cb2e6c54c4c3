import { describe, expect, test } from "@jest/globals";
import { type ForwardingNow, planForwarding } from "../../../../src/engine/network/forwarding.js";
import { chainsOf } from "../../../../src/engine/network/rules.js";

const own = chainsOf("/run/tscompose");
const other = chainsOf("/run/other");
const now = (change: Partial<ForwardingNow> = {}): ForwardingNow => ({
  isOn: false,
  isNoted: false,
  hearing: [],
  seesBridged: false,
  ...change,
});
const saved = (policy: string, ...lines: string[]): string =>
  ["*filter", `:FORWARD ${policy} [1:2]`, ...lines, "COMMIT", ""].join("\n");

describe("switching on", () => {
  test("writes down what was, behind a guard", () => {
    const plan = planForwarding(saved("ACCEPT", "-A FORWARD -j ufw-forward"), own, true, now({ hearing: ["eth0"] }));
    expect(plan).toEqual({
      lines: [
        ":FORWARD DROP [0:0]",
        ":TSC-WAS-OFF-ACCEPT-1 - [0:0]",
        "-A TSC-WAS-OFF-ACCEPT-1 -j ACCEPT",
        "-A TSC-WAS-OFF-ACCEPT-1 -i eth0 -j RETURN",
      ],
      turn: "on",
      hearing: ["eth0"],
      isLeft: false,
    });
  });

  test("lets bridges carry what they carried, unless the policy was strict", () => {
    const jump = "-A FORWARD -m physdev --physdev-is-bridged -j TSC-WAS-OFF-ACCEPT-0";
    expect(planForwarding("", own, true, now({ seesBridged: true })).lines).toContain(jump);
    expect(planForwarding(saved("DROP"), own, true, now({ seesBridged: true })).lines.join()).not.toContain("physdev");
  });

  test("is no affair of ours when it was on; a switch turned for us counts as off", () => {
    expect(planForwarding(saved("ACCEPT"), own, true, now({ isOn: true }))).toMatchObject({
      lines: [],
      turn: undefined,
    });
    const plan = planForwarding(saved("ACCEPT"), own, true, now({ isOn: true, isNoted: true }));
    expect([plan.lines[0], plan.turn]).toEqual([":FORWARD DROP [0:0]", "on"]);
  });

  test("happens again, without another record, when somebody switched it off", () => {
    const text = saved("DROP", ":TSC-WAS-OFF-ACCEPT-0 - [0:0]");
    expect(planForwarding(text, own, true, now())).toMatchObject({ lines: [], turn: "on" });
    expect(planForwarding(text, own, true, now({ isOn: true }))).toMatchObject({ lines: [], turn: undefined });
  });
});

describe("switching off", () => {
  const record = [":TSC-WAS-OFF-ACCEPT-1 - [0:0]", `:${own.forward} - [0:0]`, "-A FORWARD -j ufw-forward"];

  test("with the last engine, and everything as it was", () => {
    const text = saved(
      "DROP",
      ...record,
      "-A FORWARD -m physdev --physdev-is-bridged -j TSC-WAS-OFF-ACCEPT-1",
      "-A TSC-WAS-OFF-ACCEPT-1 -j ACCEPT",
      "-A TSC-WAS-OFF-ACCEPT-1 -i eth0 -j RETURN",
    );
    expect(planForwarding(text, own, false, now({ isOn: true }))).toEqual({
      lines: [
        ":FORWARD ACCEPT [0:0]",
        ":TSC-WAS-OFF-ACCEPT-1 - [0:0]",
        "-D FORWARD -m physdev --physdev-is-bridged -j TSC-WAS-OFF-ACCEPT-1",
        "-X TSC-WAS-OFF-ACCEPT-1",
      ],
      turn: "off",
      hearing: ["eth0"],
      isLeft: false,
    });
  });

  test("not under another engine, and not without a record", () => {
    const text = saved("DROP", ...record, `:${other.forward} - [0:0]`);
    expect(planForwarding(text, own, false, now({ isOn: true }))).toMatchObject({ lines: [], turn: undefined });
    expect(planForwarding(saved("DROP"), own, false, now({ isOn: true }))).toMatchObject({
      lines: [],
      turn: undefined,
    });
  });

  test("not when others began to forward: the guard stays with the switch", () => {
    const text = saved("DROP", ...record, "-A FORWARD -j DOCKER-FORWARD");
    expect(planForwarding(text, own, false, now({ isOn: true }))).toEqual({
      lines: [":TSC-WAS-OFF-ACCEPT-1 - [0:0]", "-X TSC-WAS-OFF-ACCEPT-1"],
      turn: undefined,
      hearing: [],
      isLeft: true,
    });
  });
});
