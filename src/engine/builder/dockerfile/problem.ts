/** Thrown inside the parser; the place is added where it is known. */
export class Problem extends Error {}
