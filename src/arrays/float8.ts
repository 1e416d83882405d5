/**
 * The 8-bit floating-point types of PyTorch and ml_dtypes. Nothing computes in them here: they are read
 * as float32, which holds every one of their values.
 *
 * Source: "FP8 Formats for Deep Learning" (Micikevicius et al., 2022), and the OCP Microscaling
 * specification for the scales without sign and fraction.
 */
import { bytesOf } from "./elements.ts";
import { cutShort } from "./fileErrors.ts";
import { readInto, BLOCK_BYTES, type FlatElements, type PackedElements } from "./stored.ts";

/** A format, by its name in PyTorch without "float8_". */
export type Float8 = "e4m3fn" | "e4m3fnuz" | "e5m2" | "e5m2fnuz" | "e8m0fnu";

interface Format {
  readonly fractionBits: number;
  readonly bias: number;
  readonly signed: boolean;
  /** The value of a bit pattern that is no ordinary number; undefined where it is one. */
  readonly special: (bits: number) => number | undefined;
}

/** The one pattern that is not a number where there is neither infinity nor minus zero. */
const onlyMinusZero = (bits: number): number | undefined => (bits === 0x80 ? NaN : undefined);

const FORMATS: Readonly<Record<Float8, Format>> = {
  e4m3fn: {
    fractionBits: 3,
    bias: 7,
    signed: true,
    special: (bits) => ((bits & 0x7f) === 0x7f ? NaN : undefined),
  },
  e4m3fnuz: { fractionBits: 3, bias: 8, signed: true, special: onlyMinusZero },
  e5m2: {
    fractionBits: 2,
    bias: 15,
    signed: true,
    special: (bits) => {
      if ((bits & 0x7c) !== 0x7c) return undefined;
      if ((bits & 3) !== 0) return NaN;
      return bits & 0x80 ? -Infinity : Infinity;
    },
  },
  e5m2fnuz: { fractionBits: 2, bias: 16, signed: true, special: onlyMinusZero },
  e8m0fnu: {
    fractionBits: 0,
    bias: 127,
    signed: false,
    special: (bits) => (bits === 0xff ? NaN : 2 ** (bits - 127)),
  },
};

const tables = new Map<Float8, Float32Array>();

/** The values of a format's 256 bit patterns. */
export function float8Values(type: Float8): Float32Array {
  const known = tables.get(type);
  if (known !== undefined) return known;
  const table = Float32Array.from({ length: 256 }, (_, bits) => valueOf(bits, FORMATS[type]));
  tables.set(type, table);
  return table;
}

function valueOf(bits: number, { fractionBits, bias, signed, special }: Format): number {
  const odd = special(bits);
  if (odd !== undefined) return odd;
  const magnitude = signed ? bits & 0x7f : bits;
  const exponent = magnitude >> fractionBits;
  const fraction = (magnitude & ((1 << fractionBits) - 1)) / (1 << fractionBits);
  // Exponent 0 stands for numbers without the leading one.
  const value =
    exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return bits !== magnitude ? -value : value;
}

/** The values of elements of one byte each. */
export function float8ToFloat32(bytes: Uint8Array, type: Float8): Float32Array {
  const table = float8Values(type);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i += 1) values[i] = table[bytes[i]!]!;
  return values;
}

/** The values of elements of one byte each, as the bytes of float32 elements, little-endian. */
export function float8Bytes(bytes: Uint8Array, type: Float8): Uint8Array {
  return bytesOf(float8ToFloat32(bytes, type), "float32");
}

/** Elements that lie one after the other, for reading part by part as little-endian float32. */
export function float8InFile(
  { source, offset, verify }: Omit<FlatElements, "kind">,
  count: number,
  type: Float8,
  label: string,
): PackedElements {
  return {
    kind: "packed",
    packing: "float8",
    unpack: (put, tick) => {
      verify?.(tick);
      const block = new Uint8Array(Math.min(BLOCK_BYTES, count));
      for (let at = 0; at < count; at += block.length) {
        const part = block.subarray(0, count - at);
        const there = readInto(source, offset + at, part);
        if (there < part.length) {
          throw cutShort(label, `${String(count)} bytes of elements`, at + there);
        }
        put(4 * at, float8Bytes(part, type));
        tick(Math.min(1, (at + part.length) / count));
      }
    },
  };
}
