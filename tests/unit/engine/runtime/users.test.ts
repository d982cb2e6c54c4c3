import { describe, expect, test } from "@jest/globals";
import { resolveUser } from "../../../../src/engine/runtime/oci/users.js";

const passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:101:102::/srv/web:/bin/false\nbroken:x:abc:1::/:\n";
const group = "root:x:0:\nweb:x:102:\nlogs:x:200:web,other\n";
const ask = (user: string, groupAdd: string[] = []) => resolveUser({ user, groupAdd, passwd, group });

describe("resolveUser", () => {
  test("an empty user is root", () => {
    expect(ask("")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root", name: "root" });
  });
  test("a name brings its memberships, the primary group among them", () => {
    expect(ask("web")).toEqual({ uid: 101, gid: 102, additionalGids: [102, 200], home: "/srv/web", name: "web" });
  });
  test("a number with an entry is that user", () => {
    expect(ask("101").additionalGids).toEqual([102, 200]);
  });
  test("a number without an entry needs none", () => {
    expect(ask("4000")).toEqual({ uid: 4000, gid: 0, additionalGids: [0], home: "", name: "" });
  });
  test("an explicit group replaces memberships", () => {
    expect(ask("web:logs")).toMatchObject({ uid: 101, gid: 200, additionalGids: [200] });
    expect(ask("7:8")).toMatchObject({ uid: 7, gid: 8, additionalGids: [8] });
  });
  test("group_add takes names and numbers", () => {
    expect(ask("", ["logs", "33"]).additionalGids).toEqual([0, 200, 33]);
  });
  test("unknown names and impossible numbers are refused", () => {
    expect(() => ask("ghost")).toThrow("unable to find user ghost");
    expect(() => ask("99999999999")).toThrow("unable to find user");
    expect(() => ask("broken")).toThrow("unable to find user broken");
    expect(() => ask("web:ghost")).toThrow("unable to find group ghost");
  });
});
