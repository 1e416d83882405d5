/**
 * HDF5's filters that keep fewer bits of each element than it has: n-bit, which leaves out those that
 * its type does not use, and scale-offset, which keeps the difference from a chunk's smallest element.
 * Both pack from the highest bit on. Source: the specification, IV.A.2.l, and the library's filters.
 */
import { damaged } from "../../fileErrors.ts";
import type { PackedPlace } from "../../inflate.ts";
import { viewOf } from "../../source.ts";

/** Bits of integers, one integer after the other, from each one's highest bit on. */
class PackedIntegers {
  private readonly bytes: Uint8Array;
  private at: number;
  private held = 0;
  private heldBits = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.at = start;
  }

  /** The next integer of up to 32 bits. */
  next(width: number): number {
    while (this.heldBits < width) {
      this.held = this.held * 256 + (this.bytes[this.at] ?? 0);
      this.at += 1;
      this.heldBits += 8;
    }
    this.heldBits -= width;
    const rest = 2 ** this.heldBits;
    const value = Math.floor(this.held / rest);
    this.held -= value * rest;
    return value;
  }

  /** The next integer of up to 64 bits. */
  nextWide(width: number): bigint {
    if (width <= 32) return BigInt(this.next(width));
    const high = BigInt(this.next(width - 32));
    return (high << 32n) | BigInt(this.next(32));
  }
}

/** Stores integers of a width, one after the other, in the order of their bytes. */
function integerStore(
  view: DataView,
  width: number,
  littleEndian: boolean,
): (i: number, value: number | bigint) => void {
  switch (width) {
    case 1:
      return (i, value) => {
        view.setUint8(i, Number(value));
      };
    case 2:
      return (i, value) => {
        view.setUint16(2 * i, Number(value), littleEndian);
      };
    case 4:
      return (i, value) => {
        view.setUint32(4 * i, Number(value), littleEndian);
      };
    default:
      return (i, value) => {
        view.setBigUint64(8 * i, BigInt(value), littleEndian);
      };
  }
}

const WIDTHS: readonly number[] = [1, 2, 4, 8];

const invalid = (place: PackedPlace, what: string) =>
  damaged(place.label, `a chunk packed by ${what} does not fit its parameters`, place);

/** @throws ArrayError unless there are `bits` bits from `start` on */
function checkBits(
  packed: Uint8Array,
  start: number,
  bits: number,
  place: PackedPlace,
  what: string,
): void {
  if (bits > 8 * (packed.length - start)) throw invalid(place, what);
}

/**
 * Undoes the n-bit filter.
 *
 * @param values the filter's: their number, whether nothing was done, elements of a chunk, and then
 *   class, bytes, order, bits and the lowest bit's place of an element
 * @param size bytes of the chunk in memory
 * @throws ArrayError if it is damaged, or packs records
 */
export function unpackNbit(
  packed: Uint8Array,
  values: readonly number[],
  size: number,
  place: PackedPlace,
): Uint8Array {
  const [, untouched, count = 0, kind, width = 0, order, precision = 0, offset = 0] = values;
  if (untouched === 1) return packed;
  const fits =
    kind === 1 &&
    WIDTHS.includes(width) &&
    count * width === size &&
    precision >= 1 &&
    precision + offset <= 8 * width;
  if (!fits) throw invalid(place, "n-bit");
  checkBits(packed, 0, count * precision, place, "n-bit");
  const out = new Uint8Array(size);
  const store = integerStore(viewOf(out), width, order === 0);
  const integers = new PackedIntegers(packed, 0);
  if (width < 8) {
    for (let i = 0; i < count; i += 1) store(i, integers.next(precision) * 2 ** offset);
  } else {
    const shift = BigInt(offset);
    for (let i = 0; i < count; i += 1) store(i, integers.nextWide(precision) << shift);
  }
  return out;
}

/** Where the bits begin, after their width, eight bytes of the smallest element, and room. */
const SCALE_OFFSET_HEADER = 21;

/**
 * Undoes the scale-offset filter.
 *
 * @param values the filter's: method, its factor, elements of a chunk, and then class, bytes, sign,
 *   order of an element, and whether there is a fill value and which
 * @param size bytes of the chunk in memory
 * @throws ArrayError if it is damaged
 */
export function unpackScaleOffset(
  packed: Uint8Array,
  values: readonly number[],
  size: number,
  place: PackedPlace,
): Uint8Array {
  const [method, factor = 0, count = 0, kind, width = 0, , order, hasFill, ...fill] = values;
  const isFloat = kind === 1 && method === 0 && (width === 4 || width === 8);
  const isInteger = kind === 0 && method === 2 && WIDTHS.includes(width);
  const full = 8 * width;
  if (!(isFloat || isInteger) || count * width !== size) throw invalid(place, "scale-offset");
  // Integers of which every bit is asked for are left as they are.
  if (isInteger && factor === full) return packed;
  if (packed.length < SCALE_OFFSET_HEADER) throw invalid(place, "scale-offset");
  const head = viewOf(packed);
  const bits = head.getUint32(0, true);
  if (bits > full) throw invalid(place, "scale-offset");
  checkBits(packed, SCALE_OFFSET_HEADER, count * bits, place, "scale-offset");
  const minimum = head.getBigUint64(5, true);
  const out = new Uint8Array(size);
  const target = viewOf(out);
  const littleEndian = order === 0;
  const store = integerStore(target, width, littleEndian);
  if (bits === full) {
    // Every bit was needed: the elements as they were, in the order of most machines.
    for (let i = 0; i < count; i += 1) {
      for (let byte = 0; byte < width; byte += 1) {
        const to = littleEndian ? byte : width - 1 - byte;
        out[i * width + to] = packed[SCALE_OFFSET_HEADER + i * width + byte]!;
      }
    }
    return out;
  }
  const integers = new PackedIntegers(packed, SCALE_OFFSET_HEADER);
  const words = viewOf(Uint8Array.from({ length: 8 }));
  words.setUint32(0, fill[0] ?? 0, true);
  words.setUint32(4, fill[1] ?? 0, true);
  if (isFloat) {
    const decimal = { count, width, bits, factor: factor | 0, hasFill: hasFill === 1 };
    unscale(integers, decimal, words, head, target, littleEndian);
  } else if (width < 8) {
    const modulus = 2 ** full;
    const base = Number(BigInt.asUintN(full, minimum));
    const empty = hasFill === 1 ? 2 ** bits - 1 : -1;
    const filled = words.getUint32(0, true) % modulus;
    for (let i = 0; i < count; i += 1) {
      const value = integers.next(bits);
      store(i, value === empty ? filled : (value + base) % modulus);
    }
  } else {
    const empty = hasFill === 1 ? (1n << BigInt(bits)) - 1n : -1n;
    const filled = words.getBigUint64(0, true);
    for (let i = 0; i < count; i += 1) {
      const value = integers.nextWide(bits);
      store(i, value === empty ? filled : BigInt.asUintN(64, value + minimum));
    }
  }
  return out;
}

interface Decimal {
  readonly count: number;
  readonly width: number;
  readonly bits: number;
  /** Decimal digits that were kept. */
  readonly factor: number;
  readonly hasFill: boolean;
}

/** Floating-point elements: whole numbers of a power of ten above the smallest, in their own precision. */
function unscale(
  integers: PackedIntegers,
  { count, width, bits, factor, hasFill }: Decimal,
  fill: DataView,
  head: DataView,
  target: DataView,
  littleEndian: boolean,
): void {
  if (width === 4) {
    const scale = Math.fround(10 ** factor);
    const minimum = head.getFloat32(5, true);
    const empty = hasFill ? 2 ** bits - 1 : -1;
    for (let i = 0; i < count; i += 1) {
      const value = integers.next(bits);
      const unscaled = Math.fround(Math.fround(Math.fround(value | 0) / scale) + minimum);
      target.setFloat32(4 * i, value === empty ? fill.getFloat32(0, true) : unscaled, littleEndian);
    }
    return;
  }
  const scale = 10 ** factor;
  const minimum = head.getFloat64(5, true);
  const empty = hasFill ? (1n << BigInt(bits)) - 1n : -1n;
  for (let i = 0; i < count; i += 1) {
    const value = integers.nextWide(bits);
    const unscaled = Number(BigInt.asIntN(64, value)) / scale + minimum;
    target.setFloat64(8 * i, value === empty ? fill.getFloat64(0, true) : unscaled, littleEndian);
  }
}
