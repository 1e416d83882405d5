/**
 * The memory that kernels work in, and arrays in it. Where the engine has it, it is memory that
 * several threads see. It grows as needed and is never given back, so arrays are to be released.
 */
import { type Entries, type TypedArray, isStored } from "../typedArrays.ts";
import { features } from "./features.ts";

const PAGE = 1 << 16;
/** 4 GiB, all that 32-bit addresses reach; only reserved, not used. */
const MOST_PAGES = 1 << 16;
const ALIGNMENT = 64;
/** A vector of which one entry belongs to an array may reach so far over its end. */
const OVERHANG = 32;

interface Block {
  readonly start: number;
  readonly size: number;
}

export interface ArrayType<A extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
}

/** The type of an array, to make others of it. */
export function typeOf(array: Entries): ArrayType<TypedArray> {
  const like = isStored(array) ? array.like : array;
  return like.constructor as unknown as ArrayType<TypedArray>;
}

/** Thrown when an array does not fit into the memory any more. */
export class OutOfMemory extends Error {
  override readonly name = "OutOfMemory";
}

function sizeFor(bytes: number): number {
  return Math.ceil((bytes + OVERHANG) / ALIGNMENT) * ALIGNMENT;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Shared memory keeps earlier buffers alive when it grows. */
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private free: Block[] = [];
  private readonly used = new Map<number, number>();

  constructor() {
    this.shared = features().shared;
    this.memory = this.shared
      ? new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true })
      : new WebAssembly.Memory({ initial: 1 });
    this.buffers.add(this.memory.buffer);
    // Address 0 stays unused.
    this.free = [{ start: ALIGNMENT, size: PAGE - ALIGNMENT }];
  }

  /** Address of so many bytes. @throws OutOfMemory */
  allocate(bytes: number): number {
    const size = sizeFor(bytes);
    let at = this.free.findIndex((b) => b.size >= size);
    if (at < 0) {
      this.grow(size);
      at = this.free.findIndex((b) => b.size >= size);
    }
    const block = this.free[at]!;
    if (block.size === size) this.free.splice(at, 1);
    else this.free[at] = { start: block.start + size, size: block.size - size };
    this.used.set(block.start, size);
    return block.start;
  }

  /** Whether so many bytes can be had without making the memory larger than `most` bytes. */
  hasRoom(bytes: number, most: number): boolean {
    const size = sizeFor(bytes);
    return (
      this.free.some((b) => b.size >= size) || this.memory.buffer.byteLength + size + PAGE <= most
    );
  }

  release(address: number): void {
    const size = this.used.get(address);
    if (size === undefined) return;
    this.used.delete(address);
    const merged: Block[] = [];
    for (const b of [...this.free, { start: address, size }].sort((p, q) => p.start - q.start)) {
      const last = merged.at(-1);
      if (last !== undefined && last.start + last.size === b.start) {
        merged[merged.length - 1] = { start: last.start, size: last.size + b.size };
      } else merged.push(b);
    }
    this.free = merged;
  }

  /** An array at an address. In memory that is not shared it holds until the next allocation. */
  view<A extends TypedArray>(type: ArrayType<A>, address: number, length: number): A {
    return new type(this.memory.buffer, address, length);
  }

  /** A new array, filled with zeros. @throws OutOfMemory */
  array<A extends TypedArray>(type: ArrayType<A>, length: number): A {
    const address = this.allocate(length * type.BYTES_PER_ELEMENT);
    const array = this.view(type, address, length);
    array.fill(0);
    return array;
  }

  /** Where an array stands in this memory; null if it is elsewhere. */
  addressOf(array: Entries): number | null {
    return !isStored(array) && this.buffers.has(array.buffer) ? array.byteOffset : null;
  }

  private grow(size: number): void {
    const end = this.memory.buffer.byteLength;
    const last = this.free.at(-1);
    const spare = last !== undefined && last.start + last.size === end ? last.size : 0;
    const pages = Math.ceil((size - spare) / PAGE);
    try {
      this.memory.grow(pages);
    } catch {
      throw new OutOfMemory(
        `${Math.ceil(size / 2 ** 20)} MB more do not fit into the memory of kernels (4 GB at most)`,
      );
    }
    this.buffers.add(this.memory.buffer);
    this.used.set(end, pages * PAGE);
    this.release(end);
  }
}

/** A part of the heap that grows as needed; what stood there is lost then. */
export class Scratch {
  private address = 0;
  private size = 0;
  private readonly heap: Heap;

  constructor(on: Heap) {
    this.heap = on;
  }

  atLeast(bytes: number): number {
    if (bytes > this.size) {
      this.release();
      this.address = this.heap.allocate(bytes);
      this.size = bytes;
    }
    return this.address;
  }

  release(): void {
    if (this.size > 0) this.heap.release(this.address);
    this.size = 0;
  }
}

let common: Heap | null = null;

/** The one heap of this thread. */
export function heap(): Heap {
  return (common ??= new Heap());
}
