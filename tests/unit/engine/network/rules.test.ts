import { expect, test } from "@jest/globals";
import { chainsOf, type RuleNetwork, restoreText } from "../../../../src/engine/network/rules.js";

const chains = { forward: "F", isolate: "S", input: "I", masquerade: "M", publish: "P", outside: "R" };
const network = (change: Partial<RuleNetwork> = {}): RuleNetwork => ({
  bridge: "tsc-1",
  subnets: [{ subnet: "10.89.0.0/24", gateway: "10.89.0.1" }],
  internal: false,
  interContainer: true,
  masquerade: true,
  ...change,
});

test("the rules of a network with a published port", () => {
  const ports = [
    { protocol: "tcp" as const, hostIp: "", hostPort: 8080, containerIp: "10.89.0.2", containerPort: 80 },
    { protocol: "tcp" as const, hostIp: "127.0.0.1", hostPort: 8080, containerIp: "10.89.0.3", containerPort: 81 },
  ];
  expect(restoreText(4, chains, [network()], ports, "")).toBe(`*raw
:R - [0:0]
-I PREROUTING 1 -j R
-A R -i lo -j RETURN
-A R -d 127.0.0.0/8 -j DROP
-A R -i tsc-+ -j RETURN
-A R -d 10.89.0.0/24 -j DROP
COMMIT
*filter
:F - [0:0]
:I - [0:0]
:S - [0:0]
-I FORWARD 1 -j F
-I INPUT 1 -j I
-A S -m conntrack --ctstate DNAT -j RETURN
-A S -o tsc-+ -j DROP
-A F -i tsc-1 ! -o tsc-1 -j S
-A F -i tsc-1 -o tsc-1 -j ACCEPT
-A F -i tsc-1 -j ACCEPT
-A F -o tsc-1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT
-A F -o tsc-1 -j DROP
-A I -i lo -j RETURN
-A I -d 10.89.0.1/32 -i tsc-1 -p udp -m udp --dport 53 -j ACCEPT
-A I -d 10.89.0.1/32 -i tsc-1 -p tcp -m tcp --dport 53 -j ACCEPT
-A I -d 10.89.0.1/32 -i tsc-1 -j RETURN
-A I -d 10.89.0.1/32 -j DROP
COMMIT
*nat
:M - [0:0]
:P - [0:0]
-I PREROUTING 1 ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j P
-I OUTPUT 1 -m addrtype --dst-type LOCAL -j P
-I POSTROUTING 1 -j M
-A M -s 10.89.0.0/24 -d 10.89.0.0/24 -m conntrack --ctstate DNAT -j MASQUERADE
-A M -s 10.89.0.0/24 -o tsc-+ -j RETURN
-A M -s 10.89.0.0/24 ! -o tsc-1 -j MASQUERADE
-A M -s 127.0.0.0/8 -o tsc-1 -m conntrack --ctstate DNAT -j MASQUERADE
-A P -d 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.89.0.3:81
-A P -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.89.0.2:80
COMMIT
`);
});

test("a thousand ports come in commits that fit a user's socket, in order, and are known again as they are", () => {
  const ports = Array.from({ length: 1000 }, (_, index) => ({
    protocol: "tcp" as const,
    hostIp: "",
    hostPort: 30_000 + index,
    containerIp: "10.89.0.2",
    containerPort: 1 + index,
  }));
  const text = restoreText(4, chains, [network()], ports, "");
  const commits = text.split("COMMIT\n").slice(0, -1);
  expect(Math.max(...commits.map((commit) => commit.length))).toBeLessThan(40_000);
  expect(commits.filter((commit) => commit.startsWith("*nat\n")).length).toBe(5);
  // a chain that is declared again would be emptied
  expect(text.match(/^:P /gm)).toHaveLength(1);
  const dnat = [...text.matchAll(/--dport (\d+)/g)].map(([, port]) => Number(port)).filter((port) => port !== 53);
  expect(dnat).toEqual(ports.map(({ hostPort }) => hostPort));
  const saved = text.replace(/^-I (\w+) 1 /gm, "-A $1 ");
  expect(restoreText(4, chains, [network()], ports, saved)).toBe("");
});

test("jumps that are there are not made twice", () => {
  const saved = "*filter\n:F - [12:99]\n-A FORWARD -j F\n-A INPUT -j I\nCOMMIT\n*nat\n-A POSTROUTING -j M\nCOMMIT\n";
  const text = restoreText(4, chains, [network()], [], saved);
  expect(text.match(/^-I .*$/gm)).toEqual([
    "-I PREROUTING 1 -j R",
    "-I PREROUTING 1 ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j P",
    "-I OUTPUT 1 -m addrtype --dst-type LOCAL -j P",
  ]);
});

test("an internal network is dropped both ways before anything accepts", () => {
  const text = restoreText(4, chains, [network(), network({ bridge: "tsc-2", internal: true })], [], "");
  const forward = text.split("\n").filter((line) => line.startsWith("-A F "));
  expect(forward.slice(0, 3)).toEqual([
    "-A F -i tsc-1 ! -o tsc-1 -j S",
    "-A F -i tsc-2 ! -o tsc-2 -j DROP",
    "-A F ! -i tsc-2 -o tsc-2 -j DROP",
  ]);
  expect(text).toContain("-A I -i tsc-2 -j DROP\n");
  expect(text).not.toMatch(/-A M .*tsc-2/);
});

test("options: no inter-container traffic, no masquerading, own bridge names", () => {
  const text = restoreText(4, chains, [network({ bridge: "own0", interContainer: false, masquerade: false })], [], "");
  expect(text).toContain("-A F -i own0 -o own0 -j DROP\n");
  expect(text).toContain("-A S -o own0 -j DROP\n");
  expect(text).not.toContain("! -o own0 -j MASQUERADE");
  // answers to containers' own addresses come from outside
  expect(text.match(/^-A R .*$/gm)).toEqual([
    "-A R -i lo -j RETURN",
    "-A R -d 127.0.0.0/8 -j DROP",
    "-A R -i tsc-+ -j RETURN",
    "-A R -i own0 -j RETURN",
  ]);
});

test("a person's own bridge is admitted beside ours, and not alone", () => {
  const admitted = ["cni-own0"];
  const text = restoreText(4, chains, [network()], [], "", { admitted });
  expect(text.match(/^.*cni-own0.*$/gm)).toEqual([
    "-A F -i cni-own0 -j ACCEPT",
    "-A F -o cni-own0 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT",
  ]);
  expect(restoreText(4, chains, [], [], "", { admitted })).toBe("");
});

test("without networks everything of ours goes, and only that", () => {
  const saved = `*filter
:FORWARD DROP [1:2]
:F - [3:4]
:I - [0:0]
:S - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j F
-A INPUT -j I
COMMIT
*nat
:M - [0:0]
-A POSTROUTING -j M
COMMIT`;
  expect(restoreText(4, chains, [], [], saved)).toBe(`*filter
:F - [0:0]
:I - [0:0]
:S - [0:0]
-D FORWARD -j F
-D INPUT -j I
-X F
-X I
-X S
COMMIT
*nat
:M - [0:0]
-D POSTROUTING -j M
-X M
COMMIT
`);
  expect(restoreText(4, chains, [], [], "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n")).toBe("");
});

test("IPv6 rules write addresses in brackets and let neighbours be found", () => {
  const six = network({ subnets: [{ subnet: "fd00::/64", gateway: "fd00::1" }], internal: true });
  expect(restoreText(6, chains, [six], [], "")).toContain("-A I -i tsc-1 -p ipv6-icmp -j ACCEPT\n");
  const port = { protocol: "udp" as const, hostIp: "", hostPort: 53, containerIp: "fd00::2", containerPort: 53 };
  expect(restoreText(6, chains, [{ ...six, internal: false }], [port], "")).toContain(
    "--to-destination [fd00::2]:53\n",
  );
});

test("chain names fit the kernel and differ between engines", () => {
  const [a, b] = [chainsOf("/run/tscompose"), chainsOf("/tmp/other")];
  for (const name of Object.values(a)) expect(name.length).toBeLessThan(29);
  expect(new Set([...Object.values(a), ...Object.values(b)]).size).toBe(12);
});
