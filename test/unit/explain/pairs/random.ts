/** Reproducible choices. */
import { generator } from "../../../../src/expression/equalityPoints.ts";

export class Random {
  private readonly next: () => number;
  constructor(seed: number) {
    this.next = generator(seed);
  }
  /** A whole number below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    const found: T[] = [];
    while (left.length > 0) found.push(...left.splice(this.below(left.length), 1));
    return found;
  }
}
