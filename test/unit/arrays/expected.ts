/** The files and values that test/golden/make_npy.py wrote with NumPy. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { elementAt } from "../../../src/arrays/convert.ts";
import { dtypes, type DType } from "../../../src/arrays/dtype.ts";
import { ArrayError, elementCount, type NdArray } from "../../../src/arrays/ndarray.ts";

export interface ExpectedArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (string | readonly [string, string])[];
}

interface Golden {
  readonly files: readonly (Partial<ExpectedArray> & {
    readonly file: string;
    readonly member?: string;
    readonly sum?: string;
  })[];
  readonly refused: Readonly<Record<string, readonly string[]>>;
  readonly literals: readonly (ExpectedArray & { readonly text: string })[];
  readonly promotions: Readonly<Record<string, Readonly<Record<string, DType>>>>;
}

const FOLDER = new URL("../../golden/arrays/", import.meta.url);

export function goldenBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

export const golden = JSON.parse(
  readFileSync(new URL("expected.json", FOLDER), "utf8"),
) as unknown as Golden;

function parsed(text: string, dtype: DType): number | bigint {
  if (dtypes[dtype].bytes === 8 && dtype.includes("int")) return BigInt(text);
  if (text === "inf") return Infinity;
  return text === "-inf" ? -Infinity : Number(text);
}

/** Fails unless dtype, shape and every bit of every element are as NumPy has them. */
export function assertArray(found: NdArray, wanted: ExpectedArray, label: string): void {
  const { dtype, shape, values } = wanted;
  assert.equal(found.dtype, dtype, `${label}: dtype`);
  assert.deepEqual(found.shape, shape, `${label}: shape`);
  const complex = dtypes[dtype].kind === "complex";
  assert.equal(found.data.length, elementCount(shape) * (complex ? 2 : 1), `${label}: length`);
  values.forEach((value, i) => {
    const parts =
      typeof value === "string"
        ? [[elementAt(found, i), value] as const]
        : value.map((part, unit) => [found.data[2 * i + unit]!, part] as const);
    for (const [element, text] of parts) {
      const number = parsed(text === "nan" ? "NaN" : text, dtype);
      assert.ok(
        Object.is(element, number),
        `${label}: element ${String(i)} is ${String(element)}, not ${text}`,
      );
    }
  });
}

/** The ArrayError that `act` raises; fails if it raises none or another one. */
export function arrayError(act: () => unknown): ArrayError {
  try {
    act();
  } catch (error) {
    if (error instanceof ArrayError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "no ArrayError was raised" });
}
