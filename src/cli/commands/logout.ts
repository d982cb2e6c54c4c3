/** `logout`: forgets credentials for a registry. */
import type { CommandSpec } from "../command.js";
import { printed } from "../render/printed.js";
import { usage } from "../usage.js";
import { authFileOption, loginTarget, notLoggedIn } from "./login.js";

export const command: CommandSpec = {
  name: "logout",
  engine: true,
  summary: "Log out from a registry",
  example: "tscompose logout registry.example.com",
  args: [{ name: "SERVER" }],
  options: [{ long: "all", short: "a", help: "Forget the logins to all registries" }, authFileOption],
  run: async (ctx, args, options) => {
    const { logins } = await ctx.engine();
    const { registry, ...place } = loginTarget(ctx, args[0], options);
    if (options.flag("all")) {
      if (args[0] !== undefined) {
        throw usage("--all takes no registry");
      }
      await logins.logout(place);
      ctx.print(printed`Removed login credentials for all registries\n`);
      return 0;
    }
    if ((await logins.logout({ registry, ...place })).length === 0) throw notLoggedIn(registry);
    ctx.print(printed`Removing login credentials for ${registry}\n`);
    return 0;
  },
};
