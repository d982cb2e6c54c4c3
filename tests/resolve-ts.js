// Lets Node run the tests' TypeScript directly: `./x.js` in an import means `./x.ts` here, as it does for tsc.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (specifier.startsWith(".") && specifier.endsWith(".js"))
        return next(specifier.replace(/\.js$/, ".ts"), context);
      throw error;
    }
  },
});
