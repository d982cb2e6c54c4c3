/** What the writers of one `up` plan remember: which operations bring something about. */

/**
 * What is brought about, and of what: a container by `keyOf` (`gone`, `stopped`, `startable`), a container by its final name (`created`), a
 * network or volume by name, a service (`started`), a wait by its words (`waited`).
 */
export type Milestone = "gone" | "stopped" | "startable" | "created" | "network" | "volume" | "started" | "waited";

/** Numbers are ids of operations. Lives while one plan is written. */
export class Ledger {
  readonly #reached = new Map<Milestone, Map<string, readonly number[]>>();
  /** Operations that come after every creation. */
  readonly #behindCreations = new Set<number>();

  /** The milestone is reached after these operations; replaces what was noted before. */
  note(milestone: Milestone, key: string, ids: readonly number[]): void {
    let reached = this.#reached.get(milestone);
    if (reached === undefined) {
      reached = new Map();
      this.#reached.set(milestone, reached);
    }
    reached.set(key, ids);
  }

  /** True when something was noted, be it no operation at all. */
  has(milestone: Milestone, key: string): boolean {
    return this.#reached.get(milestone)?.has(key) ?? false;
  }

  /** The operations to wait for; none when nothing is to be waited for. */
  after(milestone: Milestone, key: string): readonly number[] {
    return this.#reached.get(milestone)?.get(key) ?? [];
  }

  /** Every creation: when one of them fails nothing is started, and nothing that runs is stopped for a replacement. */
  creations(): number[] {
    return [...(this.#reached.get("created")?.values() ?? [])].flat();
  }

  /** `waits`, and every creation unless one of `waits` comes after them itself. */
  behindCreations(waits: readonly number[]): number[] {
    return waits.some((id) => this.#behindCreations.has(id)) ? [...waits] : [...waits, ...this.creations()];
  }

  /** These operations come after every creation. */
  noteBehindCreations(ids: readonly number[]): void {
    for (const id of ids) this.#behindCreations.add(id);
  }
}
