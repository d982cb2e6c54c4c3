import { createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { holderOf, parseSockets, waitingSockets } from "../../../src/kernel/sockets.js";

// proc(5), net/tcp: addresses are words of 32 bits in the machine's order
test.each([
  ["00000000", "0.0.0.0"],
  ["0100007F", "127.0.0.1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000001000000", "::1"],
  ["0000000000000000FFFF00000100000A", "::ffff:10.0.0.1"],
  ["B80D0120000000000000000001000000", "2001:db8::1"],
])("%s is %s", (words, address) => {
  const line = (state: string) => `   0: ${words}:1F90 00000000:0000 ${state} 0:0 00:0 0 0 0 777 1 0`;
  expect(parseSockets(`  sl  local_address rem_address\n${line("0A")}\n${line("01")}\n`, "0A")).toEqual([
    { address, port: 8080, inode: "777" },
  ]);
});

test("a socket that listens is found with the process that holds it", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const found = waitingSockets("self", "tcp").find((socket) => socket.port === port);
  expect(found?.address).toBe("127.0.0.1");
  expect(holderOf(found?.inode ?? "")).toEqual({ pid: process.pid, program: "node" });
  server.close();
});
