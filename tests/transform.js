// jest sees TypeScript through the same compiler that makes the bundle.
import { transformSync } from "esbuild";

export default {
  process(source, filename) {
    const { code, map } = transformSync(source, {
      loader: "ts",
      format: "esm",
      target: "node24",
      sourcefile: filename,
      sourcemap: "inline",
    });
    return { code, map };
  },
};
