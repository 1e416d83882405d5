/** The arrays that a run of a kernel reads and writes. */
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
    const given = new Set<Buffer>();
    return this.schedule.outputs.map(({ buffer }) => {
      const array = this.of(buffer);
      // What was written elsewhere is not read back.
      const data = isStored(array) ? new Float64Array(0) : (array as FloatArray);
      const output = given.has(buffer) ? data.slice() : data;
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
    // What is stored is stored whole; what is accumulated starts from its first value.
    const isAccumulated = this.schedule.passes.some((p) =>
      p.roots.some((r) => r.kind === "reduce" && (r.buffer === buffer || r.second === buffer)),
    );
    if (buffer.initial !== 0 || isAccumulated) array.fill(buffer.initial);
    return array;
  }

  private create(buffer: Buffer, isOutput: boolean, isSingle: boolean): FloatArray {
    const { heap, arena } = this.options;
    const type = isSingle ? Float32Array : Float64Array;
    // Memory that is not shared moves when it grows, and arrays in it are lost.
    if (heap?.shared !== true) return new type(buffer.count);
    if (isOutput) return arena?.array<FloatArray>(type, buffer.count) ?? new type(buffer.count);
    try {
      const address = heap.allocate(buffer.count * type.BYTES_PER_ELEMENT);
      this.borrowed.push(address);
      return heap.view<FloatArray>(type, address, buffer.count);
    } catch (error) {
      if (error instanceof OutOfMemory) return new type(buffer.count);
      throw error;
    }
  }
}
