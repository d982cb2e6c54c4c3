/** What hostile image configs say, field by field, and what is left of it. */
import { expect, test } from "@jest/globals";
import { readImageConfig } from "../../../../src/engine/images/image-config.js";

function read(config: unknown, rest: Record<string, unknown> = {}) {
  const warnings: string[] = [];
  const data = Buffer.from(
    JSON.stringify({ os: "linux", architecture: "amd64", config, rootfs: { diff_ids: [] }, ...rest }),
  );
  const record = readImageConfig(data, `sha256:${"0".repeat(64)}`, "evil:1", (message) => warnings.push(message));
  return { record, config: record.config, warnings };
}

const many = (count: number, entry: (index: number) => string) => Array.from({ length: count }, (_, i) => entry(i));
const set = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {}]));

test.each<[string, unknown]>([
  ["a NUL in a variable", { Env: ["A=b\0c"] }],
  ["a NUL in an argument", { Cmd: ["sh\0"] }],
  ["a NUL in the working directory", { WorkingDir: "/a\0b" }],
  ["a variable longer than the kernel takes", { Env: [`A=${"x".repeat(200_000)}`] }],
  ["thousands of variables", { Env: many(5000, (i) => `V${i}=x`) }],
  ["an environment of two megabytes", { Env: many(40, (i) => `V${i}=${"x".repeat(50_000)}`) }],
  ["a giant entrypoint", { Entrypoint: many(5000, () => "x") }],
  ["a giant shell", { Shell: many(5000, () => "x") }],
  ["a giant health check", { Healthcheck: { Test: ["CMD", ...many(5000, () => "x")] } }],
  ["thousands of triggers", { OnBuild: many(5000, () => "RUN true") }],
  ["thousands of volumes", { Volumes: set(many(1000, (i) => `/v${i}`)) }],
  ["thousands of labels", { Labels: Object.fromEntries(many(5000, (i) => `l${i}`).map((key) => [key, "x"])) }],
  ["a user of several lines", { User: "root\nx:x:0:0" }],
  ["a user of three parts", { User: "0:0:0" }],
  ["a user longer than names are", { User: "u".repeat(600) }],
  ["a working directory longer than paths are", { WorkingDir: `/${"d".repeat(5000)}` }],
  ["a stop signal longer than words are", { StopSignal: "S".repeat(5000) }],
])("%s is refused", (_name, config) => {
  expect(() => read(config)).toThrow(expect.objectContaining({ code: "TSC_IMAGE_CONFIG_INVALID" }));
});

test.each<[string, Record<string, unknown>]>([
  ["an architecture that is no word", { architecture: "amd64\n\u001b[31m" }],
  ["an operating system that is no word", { os: "../linux" }],
  ["a variant that is no word", { variant: "v8;rm" }],
  ["an endless history", { history: many(5000, () => "x") }],
  ["more layers than stack", { rootfs: { diff_ids: many(600, () => `sha256:${"1".repeat(64)}`) } }],
  ["layers that are no digests", { rootfs: { diff_ids: ["../../etc"] } }],
])("%s is refused", (_name, rest) => {
  expect(() => read({}, rest)).toThrow(expect.objectContaining({ code: "TSC_IMAGE_CONFIG_INVALID" }));
});

test("what has no meaning is left out, and told once for each field", () => {
  const { config, warnings } = read({
    Env: ["PATH=/bin", "NOVALUE", "=empty", "LD_PRELOAD=/evil.so"],
    ExposedPorts: set(["80/tcp", "0", "99999", "70-60/tcp", "8000-8010/udp", "x", "-1"]),
    Volumes: set(["/", "/proc", "/proc/sys", "/sys", "/dev", "../../etc/data", "data", "/a/../b/", "//c"]),
    StopSignal: "SIGNOTHING",
    Healthcheck: { Test: ["RUN", "x"] },
    WorkingDir: "srv",
  });
  expect(config).toMatchObject({
    env: ["PATH=/bin", "LD_PRELOAD=/evil.so"],
    exposedPorts: ["80/tcp", "8000-8010/udp"],
    volumes: ["/etc/data", "/data", "/b", "/c"],
    stopSignal: "",
    workingDir: "/srv",
  });
  expect(config.healthcheck).toBeUndefined();
  for (const field of ["Env", "ExposedPorts", "Volumes", "StopSignal", "Healthcheck"]) {
    expect(warnings.filter((line) => line.startsWith(`evil:1: ${field} `))).toHaveLength(1);
  }
});

test.each<[string, unknown, Record<string, unknown>]>([
  ["times that are none", { Interval: -1, Timeout: "1s", Retries: Number.NaN }, {}],
  ["times without end", { Interval: 1e300, Retries: 1e18 }, { intervalMs: 2147483647, retries: 2147483647 }],
  [
    "a probe each nanosecond",
    { Interval: 1, StartInterval: 1, Retries: 0.2 },
    { intervalMs: 1, startIntervalMs: 1, retries: 1 },
  ],
])("health checks: %s", (_name, fields, expected) => {
  const { config } = read({ Healthcheck: { Test: ["CMD", "true"], ...(fields as object) } });
  expect(config.healthcheck).toEqual({ test: ["CMD", "true"], ...expected });
});

test("fields of the wrong type count as not there", () => {
  const { record, config } = read(
    {
      User: 0,
      Env: "A=b",
      Cmd: { a: 1 },
      Entrypoint: 7,
      Labels: ["x"],
      Volumes: "x",
      OnBuild: 1,
      Shell: {},
      Healthcheck: [],
    },
    { created: "yesterday\u001b[2J", history: [{ created: "\u001b", created_by: 5 }, null] },
  );
  expect(config).toMatchObject({
    user: "",
    env: [],
    command: [],
    entrypoint: [],
    labels: {},
    volumes: [],
    onBuild: [],
  });
  expect(record.createdAt).toBe("1970-01-01T00:00:00Z");
  expect(record.history).toEqual([{}, {}]);
});

test("labels called like parts of objects are labels", () => {
  const data = `{"rootfs":{"diff_ids":[]},"config":{"Labels":{"__proto__":"x","constructor":"y"}}}`;
  const { config } = readImageConfig(Buffer.from(data), "sha256:0", "evil:1", () => {});
  expect(Object.entries(config.labels)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});
