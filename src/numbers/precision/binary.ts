/** Operators between arrays and numbers, with a library's rules for their types. */
import type { Binary } from "../../expression/node.ts";
import type { ElementType } from "../../expression/tape.ts";
import { parts } from "../interruption.ts";
import { type Arithmetic, TORCH } from "./arithmetic.ts";
import { isProduct } from "./autocast.ts";
import {
  COMPARISONS,
  binaryFunction,
  powerFunction,
  powerFunctionOfRest,
  scalarRounder,
  singleBlock,
} from "./functions.ts";
import {
  type Held,
  broadcastShape,
  broadcastTo,
  combined,
  converted,
  countOf,
  isContiguous,
  isFloat,
  isHalf,
  mapped,
  number,
  positions,
  resultStrides,
} from "./held.ts";

/** One of Python's or a library's operators, with the library's rules for Python numbers. */
export function performBinary(
  op: Binary["op"],
  a: Held,
  b: Held,
  call: string | null = null,
  arithmetic: Arithmetic = TORCH,
): Held {
  const { convert } = arithmetic;
  if (a.weak === true && b.weak === true) {
    const value = binaryFunction(op, "float64")(a.data[0]!, b.data[0]!);
    const whole = !isFloat(a.dtype) && !isFloat(b.dtype) && op !== "div";
    return number(value, COMPARISONS.has(op) ? "bool" : whole ? "int64" : "float64");
  }
  let dtype = arithmetic.commonType([a, b]);
  if (COMPARISONS.has(op)) {
    return combined(convert(a, dtype), convert(b, dtype), "bool", binaryFunction(op, dtype));
  }
  if ((op === "div" || op === "pow") && !isFloat(dtype) && (op === "div" || isFloat(b.dtype))) {
    dtype = arithmetic.defaultFloat;
  }
  if (dtype === "bool") dtype = "int64";
  if (op === "mul" && isProduct(call) && isHalf(dtype)) {
    // Exact in float32, where the products are added.
    return combined(converted(a, "float32"), converted(b, "float32"), "float32", (x, y) =>
      Math.fround(x * y),
    );
  }
  if (arithmetic.library === "numpy") return ofNumpy(op, convert(a, dtype), convert(b, dtype), b);
  if (op === "pow" && b.weak === true && isFloat(dtype)) {
    return powerOf(converted(a, dtype), b.data[0]!, dtype, arithmetic.vectorBytes);
  }
  if (op === "div" && a.weak === true) {
    // Python's 1 / x is x.reciprocal() * 1.
    const inverse = mapped(converted(b, dtype), dtype, powerFunction(-1, dtype));
    return performBinary("mul", inverse, a);
  }
  const f = binaryFunction(op, dtype);
  if (op === "mul" || op === "div") {
    const [x, y] = op === "mul" && a.weak === true ? [b, a] : [a, b];
    if (countOf(y.shape) === 1 && isHalf(dtype)) {
      const one = scalarRounder(dtype)(y.data[y.offset]!);
      const only: Held = { ...y, data: Float64Array.of(one), offset: 0, dtype };
      return combined(converted(x, dtype), only, dtype, f);
    }
  }
  return combined(converted(a, dtype), converted(b, dtype), dtype, f);
}

/** @param given the second operand before its conversion: NumPy squares, and takes roots, by itself */
function ofNumpy(op: Binary["op"], x: Held, y: Held, given: Held): Held {
  const { dtype } = x;
  const power = op === "pow" && countOf(given.shape) === 1 ? given.data[given.offset]! : null;
  if (power === 2 || power === 0.5 || power === -1) {
    return mapped(x, dtype, powerFunction(power, dtype));
  }
  return combined(x, y, dtype, binaryFunction(op, dtype));
}

/** `x ** p` for a Python number p: in float32, what fills no block is computed apart. */
function powerOf(x: Held, p: number, dtype: ElementType, vectorBytes: number): Held {
  const power = mapped(x, dtype, powerFunction(p, dtype));
  if (dtype !== "float32") return power;
  const count = countOf(x.shape);
  const order = resultStrides(x.shape, [x.strides]);
  const isDense = x.strides.every((s, d) => s === order[d] || x.shape[d] === 1);
  const inBlocks = isDense ? count - (count % singleBlock(vectorBytes)) : 0;
  if (inBlocks === count) return power;
  const rest = mapped(x, dtype, powerFunctionOfRest(p));
  rest.data.set(power.data.subarray(0, inBlocks));
  return rest;
}

/** Where the condition holds, one array's entries, else the other's. */
export function selected(condition: Held, a: Held, b: Held): Held {
  const shape = broadcastShape([condition.shape, a.shape, b.shape]);
  const [c, p, q] = [condition, a, b].map((x) => broadcastTo(x, shape)) as [Held, Held, Held];
  const strides = resultStrides(shape, [c.strides, p.strides, q.strides]);
  if ([c, p, q].every((x) => isContiguous(x)) && isContiguous({ shape, strides })) {
    const data = new Float64Array(countOf(shape));
    for (const [first, end] of parts(data.length)) {
      for (let n = first; n < end; n++) {
        data[n] = c.data[c.offset + n]! !== 0 ? p.data[p.offset + n]! : q.data[q.offset + n]!;
      }
    }
    return { dtype: a.dtype, shape, strides, offset: 0, data };
  }
  const [i, j, k] = [positions(c), positions(p), positions(q)];
  const to = positions({ shape, strides, offset: 0 });
  const data = new Float64Array(countOf(shape));
  for (const [first, end] of parts(data.length)) {
    for (let n = first; n < end; n++) {
      data[to[n]!] = c.data[i[n]!] !== 0 ? p.data[j[n]!]! : q.data[k[n]!]!;
    }
  }
  return { dtype: a.dtype, shape, strides, offset: 0, data };
}
