import { describe, expect, test } from "@jest/globals";
import { parseDockerfile } from "../../../../src/engine/builder/dockerfile/parse.js";
import { planStages, type StageRequest } from "../../../../src/engine/builder/stages.js";

const plan = (text: string, request: Partial<StageRequest> = {}) =>
  planStages(parseDockerfile(text, "Dockerfile"), {
    file: "Dockerfile",
    args: {},
    platformArgs: { TARGETARCH: "amd64" },
    contexts: new Set(),
    ...request,
  });

const FILE = `ARG BASE=debian
FROM $BASE AS one
FROM one AS two
FROM alpine-$TARGETARCH AS three
COPY --from=ONE /a /b
FROM scratch
COPY --from=1 / /
RUN --mount=from=three,target=/x true
`;

describe("planStages", () => {
  test("keeps only what the target needs, the target last", () => {
    expect(plan(FILE).stages.map((stage) => stage.index)).toEqual([0, 1, 2, 3]);
    expect(plan(FILE, { target: "two" }).stages.map((stage) => stage.name)).toEqual(["one", "two"]);
    expect(plan(FILE, { target: "2" }).stages.map((stage) => stage.name)).toEqual(["one", "three"]);
  });
  test("expands FROM with global and platform arguments", () => {
    expect(plan(FILE, { args: { BASE: "busybox" } }).stages.map((stage) => stage.base)).toEqual([
      "busybox",
      "one",
      "alpine-amd64",
      "scratch",
    ]);
  });
  test("an additional context takes a stage's name away", () => {
    expect(plan(FILE, { contexts: new Set(["one"]), target: "three" }).stages.map((stage) => stage.name)).toEqual([
      "three",
    ]);
  });
  test("errors", () => {
    expect(() => plan("RUN x\nFROM a\n")).toThrow("Dockerfile:1: no build stage in current context");
    expect(() => plan("FROM $NOPE\n")).toThrow("base name ($NOPE) should not be blank");
    expect(() => plan("FROM a AS x\nFROM b AS X\n")).toThrow("duplicate name x");
    expect(() => plan(FILE, { target: "nine" })).toThrow('target stage "nine" could not be found');
  });
});
