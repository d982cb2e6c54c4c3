import { describe, expect, test } from "@jest/globals";
import { findingsOfError, formatFindings } from "../../../src/cli/render/findings.js";
import type { Finding } from "../../../src/compose/check/index.js";
import { checkProject, RULES } from "../../../src/compose/check/index.js";
import { driverFacts } from "../../../src/engine/network/drivers/index.js";
import { load } from "./project.js";

async function check(
  text: string,
  around: { rootless?: boolean; ignored?: readonly string[] } = {},
): Promise<Finding[]> {
  const project = await load(text, { allResources: true, allProfiles: true });
  return checkProject(
    {
      project,
      rootless: around.rootless ?? false,
      unprivilegedPort: 1024,
      networkDriver: driverFacts,
      exists: (path) => path.includes("there"),
      realPath: (path) => path.replace("/proj/app/link", "/"),
    },
    around.ignored,
  );
}

const codes = (findings: readonly Finding[]) =>
  findings.map(({ code, level }) => `${level} ${code.replace("TSC_CHECK_", "")}`);

/** What each rule finds, and a twin it must be silent about. */
const CASES: readonly (readonly [name: string, text: string, wanted: readonly string[], rootless?: boolean])[] = [
  ["version", "version: '3'\nservices: {a: {image: 'a:1'}}", ["warning VERSION"]],
  [
    "external.name",
    "services: {a: {image: 'a:1', networks: [n]}}\nnetworks: {n: {external: {name: x}}}",
    ["warning EXTERNAL_NAME"],
  ],
  ["boolean", "services: {a: {image: 'a:1', tty: 'yes'}}", ["warning BOOLEAN"]],
  ["unset variable", "services: {a: {image: 'a:1', user: $U}}", ["warning VARIABLE_UNSET"]],
  ["default given", "services: {a: {image: 'a:1', user: '${U:-0}'}}", []],
  ["links", "services: {a: {image: 'a:1', links: [b]}, b: {image: 'b:1'}}", ["warning LEGACY_KEY"]],
  ["no tag", "services: {a: {image: 'r:5000/a'}}", ["warning IMAGE_LATEST"]],
  ["latest", "services: {a: {image: 'a:latest'}}", ["warning IMAGE_LATEST"]],
  ["built", "services: {a: {image: a, build: ./there}}", []],
  ["digest", `services: {a: {image: 'a@sha256:${"a".repeat(64)}'}}`, []],
  ["database port", "services: {a: {image: 'a:1', ports: ['6379:6379']}}", ["warning PORT_OPEN"]],
  ["other port", "services: {a: {image: 'a:1', ports: ['8080:8080']}}", ["note PORT_OPEN"]],
  ["loopback port", "services: {a: {image: 'a:1', ports: ['127.0.0.1:6379:6379']}}", []],
  [
    "same port twice",
    "services: {a: {image: 'a:1', ports: ['127.0.0.1:1234:1']}, b: {image: 'a:1', ports: ['127.0.0.1:1234:2']}}",
    ["error PORT_CONFLICT"],
  ],
  [
    "same port, the other family",
    "services: {a: {image: 'a:1', ports: ['[::]:1234:1', '127.0.0.1:1235:1']}, b: {image: 'a:1', ports: ['127.0.0.1:1234:2', '[::1]:1235:1']}}",
    ["note PORT_OPEN"],
  ],
  [
    "same port, one address and all of its family",
    "services: {a: {image: 'a:1', ports: ['[::1]:1234:1']}, b: {image: 'a:1', ports: ['[::]:1234:2']}}",
    ["note PORT_OPEN", "error PORT_CONFLICT"],
  ],
  [
    "same port, other protocol and address",
    "services: {a: {image: 'a:1', ports: ['127.0.0.1:1234:1', '127.0.0.1:1234:1/udp']}, b: {image: 'a:1', ports: ['127.0.0.2:1234:2']}}",
    [],
  ],
  ["replicas", "services: {a: {image: 'a:1', scale: 2, ports: ['127.0.0.1:1234:1']}}", ["error PORT_REPLICAS"]],
  ["replicas and range", "services: {a: {image: 'a:1', scale: 2, ports: ['127.0.0.1:1234-1235:1']}}", []],
  ["secret", "services: {a: {image: 'a:1', environment: {DB_PASSWORD: hunter2}}}", ["warning SECRET_ENVIRONMENT"]],
  [
    "secret by variable",
    "services: {a: {image: 'a:1', environment: ['API_KEY=${HOME}']}}",
    ["note SECRET_ENVIRONMENT"],
  ],
  ["secret file", "services: {a: {image: 'a:1', environment: {DB_PASSWORD_FILE: /run/secrets/x, TOKEN_TTL: 5m}}}", []],
  ["build secret", "services: {a: {build: {context: ./there, args: {TOKEN: abc}}}}", ["warning SECRET_BUILD_ARG"]],
  [
    "no healthcheck",
    "services: {a: {image: 'a:1', depends_on: {b: {condition: service_healthy}}}, b: {image: 'a:1'}}",
    ["warning HEALTHCHECK_MISSING"],
  ],
  [
    "disabled healthcheck",
    "services: {a: {image: 'a:1', depends_on: {b: {condition: service_healthy}}}, b: {image: 'a:1', healthcheck: {disable: true}}}",
    ["error HEALTHCHECK_MISSING"],
  ],
  [
    "never completes",
    "services: {a: {image: 'a:1', depends_on: {b: {condition: service_completed_successfully}}}, b: {image: 'a:1', restart: always}}",
    ["error NEVER_COMPLETES"],
  ],
  [
    "completes: deploy wins over restart",
    "services: {a: {image: 'a:1', depends_on: {b: {condition: service_completed_successfully}}}, b: {image: 'a:1', restart: always, deploy: {restart_policy: {condition: none}}}}",
    [],
  ],
  ["unused", "services: {a: {image: 'a:1'}}\nvolumes: {v: }", ["note UNUSED"]],
  ["used by a profile", "services: {a: {image: 'a:1', profiles: [p], volumes: ['vol:/v']}}\nvolumes: {vol: }", []],
  ["bind missing", "services: {a: {image: 'a:1', volumes: ['./x.conf:/x', './there:/y']}}", ["warning BIND_MISSING"]],
  [
    "secret file missing",
    "services: {a: {image: 'a:1', secrets: [s]}}\nsecrets: {s: {file: ./gone}}",
    ["error SECRET_FILE_MISSING"],
  ],
  ["windows", "services: {a: {image: 'a:1', cpu_count: 2}}", ["warning NO_EFFECT"]],
  ["windows' default", "services: {a: {image: 'a:1', isolation: default}}", []],
  ["a key that the model drops", "services: {a: {image: 'a:1', pull_refresh_after: 1d}}", ["warning NO_EFFECT"]],
  ["refused", "services: {a: {image: 'a:1', use_api_socket: true}}", ["error UNSUPPORTED"]],
  [
    "refused network",
    "services: {a: {image: 'a:1', networks: [n]}}\nnetworks: {n: {ipam: {driver: x}}}",
    ["error UNSUPPORTED"],
  ],
  ["socket", "services: {a: {image: 'a:1', volumes: ['/var/run/docker.sock:/s']}}", ["warning ENGINE_SOCKET"]],
  [
    "overlay",
    "services: {a: {image: 'a:1', networks: [n]}}\nnetworks: {n: {driver: overlay}}",
    ["error NETWORK_DRIVER"],
  ],
  ["privileged as root", "services: {a: {image: 'a:1', privileged: true}}", ["note HOST_ACCESS"]],
  ["privileged", "services: {a: {image: 'a:1', privileged: true}}", ["warning NOT_ROOTLESS", "note HOST_ACCESS"], true],
  ["low port", "services: {a: {image: 'a:1', ports: ['127.0.0.1:80:80']}}", ["error PORT_PRIVILEGED"], true],
  [
    "macvlan",
    "services: {a: {image: 'a:1', networks: [n]}}\nnetworks: {n: {driver: macvlan}}",
    ["error NETWORK_DRIVER", "note HOST_ACCESS"],
    true,
  ],
];

describe("check", () => {
  test.each(CASES)("%s", async (...[, text, wanted, rootless]) => {
    expect(codes(await check(text, { rootless: rootless ?? false }))).toEqual(wanted);
  });

  test("a finding has the place of its value, an ignored code is left out, a secret's value is not shown", async () => {
    const text = "services:\n  a:\n    image: a\n    environment:\n      TOKEN: hunter2\n";
    const findings = await check(text);
    expect(findings.map(({ where }) => [where?.file, where?.line, where?.column])).toEqual([
      ["/proj/app/compose.yaml", 3, 12],
      ["/proj/app/compose.yaml", 5, 14],
    ]);
    expect(codes(await check(text, { ignored: ["TSC_CHECK_IMAGE_LATEST"] }))).toEqual(["warning SECRET_ENVIRONMENT"]);
    const shown = formatFindings(findings, RULES, "text", "/proj/app");
    expect(shown).toContain('compose.yaml:3:12: warning[TSC_CHECK_IMAGE_LATEST]: service "a"');
    expect(shown).not.toContain("hunter2");
  });

  test("what is said of several services is said once, with the place of each", async () => {
    const services = ["a", "b", "c"].map((name) => `  ${name}:\n    image: a:1\n    privileged: true\n`).join("");
    const findings = await check(`services:\n${services}`, { rootless: true });
    const shown = formatFindings(findings, RULES, "text", "/proj/app");
    expect(shown.match(/privileged gives only/g)).toHaveLength(1);
    expect(shown).toContain(
      '    also: service "b" at compose.yaml:7:17\n    also: service "c" at compose.yaml:10:17\n',
    );
    expect(shown).toContain("3 warnings, 3 notes");
    expect(JSON.parse(formatFindings(findings, RULES, "json", "/proj/app"))).toHaveLength(6);
  });

  test("the host's network is the host's for a user as well, and takes no published ports", async () => {
    const text = "services: {a: {image: 'a:1', network_mode: host, ports: ['80:80'], deploy: {replicas: 2}}}";
    const found = await check(text, { rootless: true });
    expect(codes(found).toSorted()).toEqual(["note HOST_ACCESS", "warning NO_EFFECT"]);
  });

  test("all that a file asks of the host is listed, each at its place; what stays in the project is not", async () => {
    const text = `
services:
  a:
    image: a:1
    privileged: true
    network_mode: host
    pid: host
    ipc: host
    uts: host
    cgroup: host
    userns_mode: host
    cap_add: [SYS_ADMIN]
    devices: ["/dev/there:/dev/x"]
    device_cgroup_rules: ["b *:* rwm"]
    gpus: all
    security_opt: ["seccomp=unconfined", "apparmor:unconfined", "systempaths=unconfined", "unmask=ALL", "seccomp=./p.json"]
    volumes: ["/there:/host", "../there:/up:ro", "~/there:/home"]
    post_start: [{ command: id, privileged: true }]
    runtime: runc
    develop: { watch: [{ path: /there, action: sync, target: /x }] }
    secrets: [s, e]
    configs: [conf]
  b:
    build: { context: /there, network: host, privileged: true, ssh: [default], entitlements: [security.insecure], additional_contexts: { x: /there } }
    profiles: [p]
    networks: [link]
    volumes: ["device:/d"]
  c: { provider: { type: model } }
  d: { x-podman.rootfs: /there }
  quiet:
    build: ./there
    image: q:1
    cap_drop: [ALL]
    network_mode: none
    pid: service:a
    security_opt: ["no-new-privileges"]
    volumes: [".:/app", "./there:/x", "plain:/v"]
  linked: { image: a:1, volumes: ["./link:/x"] }
secrets: { s: { file: /there }, e: { environment: TOKEN } }
configs: { conf: { file: ../there }, own: { file: ./there } }
networks: { link: { driver: macvlan, driver_opts: { parent: eth0 } } }
volumes: { plain: , device: { driver_opts: { type: none, o: bind, device: /there } } }
`;
    const findings = (await check(text)).filter(({ code }) => code === "TSC_CHECK_HOST_ACCESS");
    const said = findings.map(({ message }) => message);
    const by = (name: string) => said.filter((message) => message.includes(`${JSON.stringify(name)} gets`)).length;
    expect(["a", "b", "c", "d", "s", "e", "link", "device", "linked", "quiet", "own", "plain"].map(by)).toEqual([
      22, 6, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0,
    ]);
    expect(said).toContain('service "a" gets from the host: /proj/there to read');
    expect(said).toContain('config "conf" gets from the host: /proj/there');
    expect(findings.every(({ level, where }) => level === "note" && where !== undefined)).toBe(true);
  });

  test("sarif names rules, levels and places", async () => {
    const findings = await check("services: {a: {image: a, cpu_count: 1}}");
    const { runs } = JSON.parse(formatFindings(findings, RULES, "sarif", "/proj/app"));
    expect(
      runs[0].results.map((one: { ruleId: string; ruleIndex: number }) => runs[0].tool.driver.rules[one.ruleIndex].id),
    ).toEqual(findings.map(({ code }) => code));
    expect(runs[0].results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: "compose.yaml", uriBaseId: "ROOT" },
      region: { startLine: 1, startColumn: 23 },
    });
  });

  test("what keeps a project from loading becomes findings", async () => {
    const error = await load("services: {a: {imag: x, portz: []}}").catch((thrown: unknown) => thrown);
    expect(findingsOfError(error)?.map(({ code, hint }) => [code, hint])).toEqual([
      ["TSC_COMPOSE_SCHEMA", 'did you mean "image"?'],
      ["TSC_COMPOSE_SCHEMA", 'did you mean "ports"?'],
    ]);
    expect(findingsOfError(new TypeError("x"))).toBeUndefined();
  });

  test("codes are unique", () => {
    expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  });
});
