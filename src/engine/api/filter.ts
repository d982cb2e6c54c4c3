/** Which things of a kind are meant. */

/** Which things are listed. */
export interface LabelFilter {
  /** Only those carrying every label; an undefined value asks for presence. */
  readonly labels?: Readonly<Record<string, string | undefined>>;
}
