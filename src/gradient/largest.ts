/** The largest of many keys, found in one pass. */
export class Largest {
  /** Below this a key is not among them; −∞ until there are enough. */
  least = -Infinity;
  private readonly take: number;
  private readonly kept: { readonly i: number; readonly key: number }[] = [];

  constructor(take: number) {
    this.take = take;
  }

  private get isFull(): boolean {
    return this.kept.length >= this.take;
  }

  /** Where the keys were, in descending order of the keys; of equal ones the first. */
  get indices(): number[] {
    return this.kept.map((x) => x.i);
  }

  add(i: number, key: number): void {
    const { kept } = this;
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.key < key) at--;
    kept.splice(at, 0, { i, key });
    if (kept.length > this.take) kept.pop();
    if (this.isFull) this.least = kept.at(-1)!.key;
  }

  /** Adds a key if it is among the largest; `least` afterwards. */
  offer(i: number, key: number): number {
    if (key > this.least) this.add(i, key);
    return this.least;
  }
}
