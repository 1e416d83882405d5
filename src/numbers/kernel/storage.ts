/** The arrays that a run of a kernel reads and writes. */
import { copiedTo } from "../interruption.ts";
import { type Entries, type StoredArray, isStored } from "../typedArrays.ts";
import type { Arena } from "../wasm/arena.ts";
import { type Heap, OutOfMemory } from "../wasm/heap.ts";
import type { Buffer, Schedule } from "./plan.ts";

export type FloatArray = Float64Array | Float32Array;

export interface StorageOptions {
  /** Arrays to write outputs to, by position, where their lengths fit. */
  readonly into: readonly (FloatArray | StoredArray | undefined)[];
  /** Whether an array that is not an input holds float32 numbers. */
  readonly isSingle: (buffer: Buffer) => boolean;
  /** Whether arrays that are no inputs hold pairs: all high parts, then all low ones. */
  readonly pairs: boolean;
  /** Where results stand that nobody sees; null without WebAssembly. */
  readonly heap: Heap | null;
  /** Where outputs are to stand, if the kernel runs in WebAssembly. */
  readonly arena: Arena | null;
}

export class Storage {
  private readonly schedule: Schedule;
  private readonly arrays: Map<number, Entries>;
  private readonly options: StorageOptions;
  private readonly borrowed: number[] = [];

  /** @param inputs by the ids of their buffers */
  constructor(schedule: Schedule, inputs: ReadonlyMap<number, Entries>, options: StorageOptions) {
    this.schedule = schedule;
    this.arrays = new Map(inputs);
    this.options = options;
  }

  of(buffer: Buffer): Entries {
    let array = this.arrays.get(buffer.id);
    if (array === undefined) this.arrays.set(buffer.id, (array = this.allocate(buffer)));
    return array;
  }

  /** The outputs' values. One that is asked for twice is given in two arrays. */
  outputs(): FloatArray[] {
    const { pairs } = this.options;
    const given = new Set<Buffer>();
    return this.schedule.outputs.map(({ buffer }) => {
      const array = this.of(buffer);
      // What was written elsewhere is not read back.
      const data = isStored(array) ? new Float64Array(0) : (array as FloatArray);
      const isOwn = !given.has(buffer) && !(pairs && this.borrowed.includes(data.byteOffset));
      const output = isOwn
        ? data
        : copiedTo(data.constructor as new (length: number) => FloatArray, data);
      given.add(buffer);
      return output;
    });
  }

  release(): void {
    for (const address of this.borrowed) this.options.heap?.release(address);
  }

  private allocate(buffer: Buffer): FloatArray | StoredArray {
    const k = this.schedule.outputs.findIndex((o) => o.buffer === buffer);
    const given = k < 0 ? undefined : this.options.into[k];
    const isSingle = this.options.isSingle(buffer);
    if (given !== undefined && isStored(given)) {
      return given.like instanceof Float32Array === isSingle
        ? given
        : this.create(buffer, true, isSingle);
    }
    const fits = given?.length === buffer.count && given instanceof Float32Array === isSingle;
    const array = fits ? given : this.create(buffer, k >= 0, isSingle);
    // What is stored is stored whole; what is accumulated, or combines nothing, starts from its
    // first value.
    const isStoredWhole = this.schedule.passes.some((p) =>
      p.roots.some((r) => r.kind !== "reduce" && r.buffer === buffer),
    );
    if (!isStoredWhole) array.fill(0);
    if (buffer.initial !== 0) array.fill(buffer.initial, 0, buffer.count);
    return array;
  }

  private create(buffer: Buffer, isOutput: boolean, isSingle: boolean): FloatArray {
    const { heap, arena, pairs } = this.options;
    const type = isSingle ? Float32Array : Float64Array;
    const length = buffer.count * (pairs ? 2 : 1);
    // Memory that is not shared moves when it grows, and arrays in it are lost.
    if (heap?.shared !== true) return new type(length);
    if (isOutput) {
      const array = arena?.array<FloatArray>(type, length) ?? null;
      if (array !== null && heap.addressOf(array) !== null) return array;
      if (!pairs) return array ?? new type(length);
    }
    try {
      const address = heap.allocate(length * type.BYTES_PER_ELEMENT);
      this.borrowed.push(address);
      return heap.view<FloatArray>(type, address, length);
    } catch (error) {
      if (error instanceof OutOfMemory && !pairs) return new type(length);
      throw error;
    }
  }
}
