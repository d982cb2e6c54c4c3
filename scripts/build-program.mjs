// Builds the program into FOLDER: program.js holds its chunks (what a command imports lazily is a chunk of its own) as functions of
// `require`, program.json where each lies. src/cli/load-program.ts loads them: Node's own loader takes a millisecond per file.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";

const folder = process.argv[2];
const common = { platform: "node", target: "node24", minifySyntax: true, minifyWhitespace: true, charset: "ascii", legalComments: "none", logLevel: "warning" };
const { outputFiles } = await build({
  ...common,
  entryPoints: ["src/cli/main.ts"],
  bundle: true,
  splitting: true,
  format: "esm",
  write: false,
  outdir: folder,
  chunkNames: "[name]-[hash]",
  define: { "import.meta.url": "__url" },
});
const places = {};
let program = "";
for (const { path, text } of outputFiles) {
  const { code } = await transform(text, { ...common, format: "cjs", supported: { "dynamic-import": false } });
  const chunk = `(function(require,module,exports,__url){${code}})\n`;
  if (/[^\0-\x7f]/.test(chunk)) throw new Error(`${path} must be ASCII: it is read as Latin-1`);
  places[`./${basename(path)}`] = [program.length, chunk.length];
  program += chunk;
}
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "program.js"), program, "latin1");
writeFileSync(join(folder, "program.json"), JSON.stringify(places));
