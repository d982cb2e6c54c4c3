/** What writes the operations of each fate. */
export { writePhase, writerOf } from "./write.js";
