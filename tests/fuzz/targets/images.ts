/** What registries and images say: manifests, configs, names, challenges, accounts. */
import { isDigest } from "../../../src/engine/images/digest.js";
import { readImageConfig } from "../../../src/engine/images/image-config.js";
import { MEDIA, parseManifest } from "../../../src/engine/images/manifest.js";
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform } from "../../../src/engine/images/platform.js";
import { familiarName, fullName, parseReference } from "../../../src/engine/images/reference.js";
import { parseChallenges } from "../../../src/engine/images/registry/challenge.js";
import { resolveUser } from "../../../src/engine/runtime/oci/users.js";
import { promise, type Target } from "../target.js";
import { refusing } from "./refusal.js";

const JSON_WORDS = [
  ...[
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "1e999",
    '"__proto__":',
    '"constructor":',
    '"toString"',
    "\\u0000",
    "\\ud800",
  ],
  ...[
    '"schemaVersion":2',
    '"mediaType":',
    '"config":',
    '"layers":[',
    '"manifests":[',
    '"digest":',
    '"size":',
    '"urls":["file:///etc"]',
    '"annotations":{',
  ],
  ...[
    '"platform":{',
    '"os":"linux"',
    '"architecture":"constructor"',
    '"rootfs":',
    '"diff_ids":',
    '"history":',
    `"sha256:${"0".repeat(64)}"`,
  ],
  ...Object.values(MEDIA).map((type) => `"${type}"`),
];

export const manifest: Target = {
  words: JSON_WORDS,
  run(data) {
    for (const type of ["", MEDIA.ociManifest, `${MEDIA.dockerList}; charset=utf-8`]) {
      const document = refusing(() => parseManifest(data, type, "it"));
      if (document === undefined) continue;
      const all = document.kind === "index" ? document.manifests : [document.config, ...document.layers];
      promise(
        all.every(({ digest, size }) => isDigest(digest) && Number.isSafeInteger(size) && size >= 0),
        "digests and sizes are checked",
      );
      if (document.kind === "index") {
        const chosen = choosePlatform(
          hostPlatform(),
          document.manifests.map(({ platform }) => platform),
        );
        promise(chosen >= -1 && chosen < document.manifests.length, "the choice is one of them");
      }
    }
  },
};

export const imageConfig: Target = {
  words: [
    ...JSON_WORDS,
    ...[
      '"config":{',
      '"Env":[',
      '"Cmd":',
      '"Entrypoint":',
      '"Labels":{',
      '"Healthcheck":{',
      '"Test":[',
      '"Interval":',
      '"StopSignal":',
      '"Volumes":{',
      '"ExposedPorts":{',
    ],
  ],
  run(data) {
    const record = refusing(() => readImageConfig(data, `sha256:${"0".repeat(64)}`, "it", () => undefined));
    if (record === undefined) return;
    const { config } = record;
    const texts = [
      ...config.env,
      ...config.entrypoint,
      ...config.command,
      ...config.volumes,
      ...config.exposedPorts,
      ...Object.values(config.labels),
    ];
    promise(
      texts.every((text) => typeof text === "string"),
      "every word is text",
    );
    promise(
      [config.user, config.workingDir, config.stopSignal, record.createdAt].every((text) => typeof text === "string"),
      "every field is text",
    );
    promise(record.diffIds.every(isDigest), "digests are checked");
  },
};

export const names: Target = {
  words: [
    ":",
    "@",
    "/",
    ".",
    "_",
    "--",
    "[::1]",
    "localhost",
    "docker.io/",
    "library/",
    "sha256:",
    "0".repeat(64),
    "latest",
    "linux/",
    "arm64",
    "v8",
    "constructor",
    "__proto__",
    "toString",
  ],
  run(data) {
    const text = data.toString("utf8");
    const reference = refusing(() => parseReference(text));
    if (reference !== undefined) {
      const name = fullName(reference);
      promise(!/[\s\p{Cc}]|\.\./u.test(name), "a name holds no blanks, controls or climbing");
      promise(fullName(parseReference(name)) === name, "printed and read again it is the same");
      promise(fullName(parseReference(familiarName(name))) === name, "its familiar form means the same");
    }
    const platform = refusing(() => parsePlatform(text));
    if (platform !== undefined) {
      const printed = formatPlatform(platform);
      promise(formatPlatform(parsePlatform(printed)) === printed, "printed and read again the platform is the same");
    }
  },
};

export const challenges: Target = {
  words: [
    "Bearer ",
    "Basic ",
    "realm=",
    "service=",
    "scope=",
    '"',
    "\\",
    ",",
    " ",
    "=",
    "__proto__=",
    "constructor=",
    "\t",
    "/",
  ],
  run(data) {
    const header = data.toString("latin1");
    const found = parseChallenges(header);
    promise(found.length <= header.length, "no more challenges than letters");
    for (const { scheme, parameters } of found) {
      promise(scheme === scheme.toLowerCase() && scheme !== "", "schemes are lower case");
      promise(
        Object.values(parameters).every((value) => typeof value === "string"),
        "parameters are text",
      );
    }
  },
};

export const accounts: Target = {
  words: [
    "root:x:0:0::/root:/bin/sh\n",
    "web:x:101:102::/srv:/bin/sh\n",
    ":",
    "\n",
    "-1",
    "4294967295",
    "4294967296",
    "0x0",
    "1e3",
    ",",
    "\0",
    "logs:x:200:web\n",
  ],
  run(data) {
    const [user = "", added = "", passwd = "", group = ""] = data.toString("utf8").split("\u0001");
    const found = refusing(() => resolveUser({ user, groupAdd: added === "" ? [] : added.split(","), passwd, group }));
    if (found === undefined) return;
    const ids = [found.uid, found.gid, ...found.additionalGids];
    promise(
      ids.every((id) => Number.isInteger(id) && id >= 0 && id < 4294967295),
      "ids are ids",
    );
  },
};
