import { expect, test } from "@jest/globals";
import { isLinkLocal } from "../../../src/lib/link-local.js";

test.each([
  ["169.254.169.254", true],
  ["[fe80::1]", true],
  ["fe80::1%eth0", true],
  ["[febf::1]", true],
  ["[::ffff:a9fe:a9fe]", true],
  ["fd00:ec2::254", true],
  ["169.255.0.1", false],
  ["127.0.0.1", false],
  ["[::1]", false],
  ["10.0.0.1", false],
  ["169.254.169.254.example.test", false],
])("%s: %p", (host, expected) => {
  expect(isLinkLocal(host)).toBe(expected);
});
