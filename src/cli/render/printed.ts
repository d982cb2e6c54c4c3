/**
 * The one place through which every word from outside passes before it reaches a terminal or a pipe. What is written must be `Printed`, and only
 * these functions make one: a verb that writes a bare string does not compile. Pure.
 */
import { styleText } from "node:util";
import { escaped, escapedJson, escapedLines } from "../../lib/printable.js";

declare const passed: unique symbol;
/** Text that holds no control characters but line ends and tabs of ours, and colours that we have added. */
export type Printed = string & { readonly [passed]: true };

/** Where printed text goes. */
export interface PrintedStream {
  write(text: Printed): unknown;
}

/** A line of a template: what stands in it is ours, every value is a word from outside and stays on its line. */
export function printed(parts: TemplateStringsArray, ...values: readonly (string | number)[]): Printed {
  return parts
    .map((part, index) => part + (index < values.length ? escaped(String(values[index])) : ""))
    .join("") as Printed;
}

/** One word of a table, a list, a name: it stays on its line. */
export function printedWord(word: string): Printed {
  return escaped(word) as Printed;
}

/** Each word on a line of its own. */
export function printedLines(words: readonly string[]): Printed {
  return words.map((word) => `${escaped(word)}\n`).join("") as Printed;
}

/** Text of several lines whose maker has quoted or escaped the words in it: YAML, help, scripts. */
export function printedText(text: string): Printed {
  return escapedLines(text) as Printed;
}

/** A value as JSON; what a terminal would obey is escaped inside its strings, so that a reader gets the same value. */
export function printedJson(value: unknown, indent = 0): Printed {
  return printedJsonText(JSON.stringify(value ?? null, null, indent));
}

/** As `printedJson`, of a JSON text. */
export function printedJsonText(json: string): Printed {
  return escapedJson(json) as Printed;
}

/** One after the other. */
export function joined(texts: readonly Printed[], between: "" | "\n" | "\t" = ""): Printed {
  return texts.join(between) as Printed;
}

/** In a colour or style of ours. */
export function painted(format: Parameters<typeof styleText>[0], text: Printed): Printed {
  return styleText(format, text, { validateStream: false }) as Printed;
}

/** Clears a terminal and puts the cursor into its corner. */
export const CLEAR_SCREEN = "\u001b[H\u001b[2J" as Printed;
/** docker's words; the cursor stands behind what a process has written to a raw terminal. */
export const DETACHED = "\r\nread escape sequence\r\n" as Printed;
