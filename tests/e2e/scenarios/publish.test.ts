/** What publish asks before anything leaves the machine. All of it with --dry-run: nothing is sent. */
import { dockerIo, type Scenario, scenario } from "../../helpers/scenario.js";

dockerIo();

const PUBLISHED = /test\/test +published/i;
/** Refuses the question: everything asked about is listed, nothing is published. */
async function declines(s: Scenario, args: readonly string[], ...listed: (string | RegExp)[]): Promise<void> {
  s.input = "n\n";
  await s.exits(130, ["publish", "test/test", ...args, "--dry-run"], ...listed);
  s.saysNot(PUBLISHED);
  s.input = "";
}

scenario("TestPublishPromptEnvFile", "env files are asked about", async (s) => {
  await declines(s, [], 'service "serviceA": env_file declared', "Are you ok to publish these env declarations?");
  await s.ok("publish", "test/test", "--with-env", "-y", "--dry-run");
  s.says(PUBLISHED);
});
scenario("TestPublishPromptSuspiciousEnv", "literal values of keys that look secret are asked about", async (s) => {
  await declines(s, [], 'service "serviceA": literal value for "MYSQL_ROOT_PASSWORD"');
  await s.ok("publish", "test/test", "--with-env", "-y", "--dry-run");
  s.says(PUBLISHED);
});
scenario("TestPublishInterpolatedEnv", "a value that stays a variable is no question", async (s) => {
  await s.ok("publish", "test/test", "-y", "--dry-run");
  s.says(PUBLISHED);
  s.saysNot("env declarations");
});
scenario("TestPublishPromptAggregatesFindings", "one question lists everything found", async (s) => {
  await declines(
    s,
    [],
    'service "serviceA": literal value for "DB_PASSWORD"',
    'service "serviceB": env_file declared',
    'service "serviceB": literal value for "API_KEY"',
    "env_file paths and literal values for sensitive-looking keys are embedded as-is in the published YAML;\n" +
      'interpolated values like "${VAR}" are kept symbolic and have already been excluded.\n',
    "--with-env",
  );
});
scenario("TestPublishWithExtends", "extends is published", async (s) => {
  await s.ok("publish", "test/test", "--dry-run");
  s.says(PUBLISHED);
});
scenario("TestPublishBindMount", "bind mounts are asked about", async (s) => {
  await declines(
    s,
    [],
    "you are about to publish bind mounts declaration within your OCI artifact.\n" +
      "only the bind mount declarations will be added to the OCI artifact (not content)\n" +
      "please double check that you are not mounting potential user's sensitive directories or data\n",
    `${s.folder}:/user-data`,
    "Are you ok to publish these bind mount declarations?",
  );
  s.input = "y\n";
  await s.ok("publish", "test/test", "--dry-run");
  s.says(PUBLISHED);
});
scenario("TestPublishBuildOnly", "services that others cannot run are refused", async (s) => {
  await s.exits(1, ["publish", "test/test", "--with-env", "-y", "--dry-run"], "serviceA", "serviceB");
});
scenario("TestPublishLocalInclude", "a local include is refused", async (s) => {
  await s.exits(1, ["publish", "test/test", "--dry-run"], "cannot publish compose file with local includes");
});
const TOKEN = `ghp_${"1234567890abcdefghijklmnopqrstuvwxyz"}`;
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6y";
scenario(
  "TestPublishDetectSensitiveData",
  "keys and tokens are named wherever they stand",
  async (s) => {
    await declines(
      s,
      ["--with-env"],
      "you are about to publish sensitive data within your OCI artifact.",
      "please double check that you are not leaking sensitive data",
      'AWS Client ID\n"services.serviceA.environment.AWS_ACCESS_KEY_ID"',
      'AWS Secret Key\n"services.serviceA.environment.AWS_SECRET_ACCESS_KEY"',
      'Github authentication\n"GITHUB_TOKEN"',
      "JSON Web Token\n",
      "Private Key\n",
    );
    s.saysNot(TOKEN, JWT);
  },
  {
    files: {
      "compose.yaml": `services:
  serviceA:
    image: alpine
    environment:
      AWS_ACCESS_KEY_ID: A3TX1234567890ABCDEF
      AWS_SECRET_ACCESS_KEY: aws"12345+67890/abcdefghijklm+NOPQRSTUVWXYZ+"
    env_file: a.env
    configs: [one]
    secrets: [two]
configs: { one: { file: config.txt } }
secrets: { two: { file: secret.txt } }
`,
      "a.env": `GITHUB_TOKEN=${TOKEN}\n`,
      "config.txt": `${JWT}\n`,
      "secret.txt": "-----BEGIN DSA PRIVATE KEY-----\nwxyz+ABC=\n-----END DSA PRIVATE KEY-----\n",
    },
  },
);
