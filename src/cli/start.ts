/** What Node is started with (built to dist/main.cjs). Required by scripts/warm-code.mjs, it only hands out the loader. */
import { openProgram } from "./load-program.js";

declare const require: ((name: string) => unknown) & { readonly main: unknown };
declare const module: unknown;
declare const __dirname: string;

if (require.main === module) {
  const { main } = openProgram(__dirname, require).load("./main.js") as { main(): Promise<void> };
  void main();
}

export { openProgram };
