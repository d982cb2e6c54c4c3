/** Answers of a person: a line, a line that is not shown, or all of standard input. */
import { createInterface } from "node:readline/promises";
import { TscError } from "../lib/errors.js";
import type { CliContext } from "./context.js";
import { type Printed, printed } from "./render/printed.js";
import { usage } from "./usage.js";

/** At most this much is read as a password. */
const SECRET_LIMIT = 64 * 1024;

/** One line from the terminal. */
export async function readLine(ctx: CliContext, question: Printed): Promise<string> {
  ctx.note(question);
  // the terminal itself shows what is typed
  const reader = createInterface({ input: ctx.stdin });
  try {
    return (await reader.question("", { signal: ctx.signal })).trim();
  } finally {
    reader.close();
  }
}

/** One line from the terminal without showing it. `TSC_CANCELLED` for Ctrl-C. */
export async function readSecret(ctx: CliContext, question: Printed): Promise<string> {
  const { stdin } = ctx;
  ctx.note(question);
  stdin.setRawMode(true);
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = "";
      const onData = (chunk: Buffer | string): void => {
        for (const character of String(chunk)) {
          if (character === "\r" || character === "\n" || character === "\u0004") {
            stdin.off("data", onData);
            resolve(text);
            return;
          }
          if (character === "\u0003") {
            stdin.off("data", onData);
            reject(new TscError("TSC_CANCELLED", "the login was cancelled", { kind: "cancelled" }));
            return;
          }
          text = character === "\u007f" || character === "\b" ? text.slice(0, -1) : text + character;
        }
      };
      stdin.on("data", onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    ctx.note(printed`\n`);
  }
}

/** Everything on standard input. `TSC_USAGE` for more than 64 KiB. */
export async function readAll(ctx: CliContext): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.stdin) {
    const data = Buffer.from(chunk);
    size += data.length;
    if (size > SECRET_LIMIT) throw usage("the password is too long");
    parts.push(data);
  }
  return Buffer.concat(parts).toString("utf8");
}
