/** What `build.ssh` and `--ssh` name. */
import { describe, expect, test } from "@jest/globals";
import { sshForward, sshForwards } from "../../../src/plan/build-ssh.js";

describe("ssh of builds", () => {
  const parse = (word: string) => sshForward(word, (path) => `/cwd/${path}`);

  test("an id with its paths, or the agent", () => {
    expect(parse("default")).toEqual({ id: "default", paths: [] });
    expect(parse("default=")).toEqual({ id: "default", paths: [] });
    expect(parse("k=a")).toEqual({ id: "k", paths: ["/cwd/a"] });
    expect(parse("k=a,b=c")).toEqual({ id: "k", paths: ["/cwd/a", "/cwd/b=c"] });
  });

  test.each(["k", "", "=a"])("%j is refused", (word) => {
    expect(() => parse(word)).toThrow(`invalid ssh key ${JSON.stringify(word)}`);
  });

  test("the command line counts before the file", () => {
    expect(sshForwards(["default", "k=/file"], [parse("k=a"), parse("l=b")])).toEqual([
      { id: "default", paths: [] },
      { id: "k", paths: ["/cwd/a"] },
      { id: "l", paths: ["/cwd/b"] },
    ]);
  });
});
