/**
 * Arrays in the kernels' memory that are given back together. Kernels read and write them where they
 * are, and memory that was used before costs nothing to use again: the system hands out new pages
 * one by one, which takes longer than a kernel takes to fill them.
 */
import type { TypedArray } from "../typedArrays.ts";
import { type ArrayType, type Heap, heap, typeOf } from "./heap.ts";

/** Arenas do not make the heap larger than this: it never gets smaller again. */
const MOST_BYTES = 2 ** 30;
/** Kernels copy fewer entries in no time. */
const LEAST_ENTRIES = 1 << 12;

/** Copies an array to one of its type and length. */
type Copy = (to: TypedArray, from: TypedArray) => void;

let copyTo: Copy = (to, from) => {
  to.set(from);
};

/** Makes arenas copy arrays in this way from now on. */
export function copyWith(copy: Copy): void {
  copyTo = copy;
}

export class Arena {
  private readonly heap: Heap | null;
  private readonly most: number;
  private addresses: number[] = [];

  /** @param on memory that is not shared moves when it grows, and is not used */
  constructor(on: Heap = heap(), most = MOST_BYTES) {
    this.heap = on.shared ? on : null;
    this.most = most;
  }

  /** A new array with any contents, outside the kernels' memory where it is small or does not fit. */
  array<A extends TypedArray>(type: ArrayType<A>, length: number): A {
    const bytes = length * type.BYTES_PER_ELEMENT;
    if (this.heap === null || length < LEAST_ENTRIES || !this.heap.hasRoom(bytes, this.most)) {
      return new type(new ArrayBuffer(bytes), 0, length);
    }
    const address = this.heap.allocate(bytes);
    this.addresses.push(address);
    return this.heap.view(type, address, length);
  }

  /** The array itself where it is in the kernels' memory or does not fit there, else a copy. */
  resident(array: TypedArray): TypedArray {
    const { heap: on, most } = this;
    const fits = array.length >= LEAST_ENTRIES && on?.hasRoom(array.byteLength, most) === true;
    if (!fits || on.addressOf(array) !== null) return array;
    const copy = this.array(typeOf(array), array.length);
    copyTo(copy, array);
    return copy;
  }

  /** Gives all arrays back: what they are read as from now on belongs to others. */
  release(): void {
    for (const address of this.addresses) this.heap!.release(address);
    this.addresses = [];
  }
}
