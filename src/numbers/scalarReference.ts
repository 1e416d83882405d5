/** Expressions of scalars in double-double, prepared once and evaluated many times. */
import { ShapeError, formatShape } from "../expression/axis.ts";
import type { Expr } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { LOW } from "./doubledouble.ts";
import { lower } from "./lower.ts";
import { type BinaryDD, BINARY_DD, UNARY_DD } from "./referenceFunctions.ts";
import { CAST_DD } from "./referenceLoops.ts";
import { BindingError, sizeProduct } from "./typedArrays.ts";

/**
 * Evaluates for values of the variables, in the order they were named. The result's arrays (high
 * and low parts by output) are overwritten by the next call.
 */
export type ScalarReference = (
  hi: ArrayLike<number>,
  lo?: ArrayLike<number>,
) => { readonly hi: Float64Array; readonly lo: Float64Array };

type Step = (hi: Float64Array, lo: Float64Array) => void;

/**
 * Prepares expressions that contain single numbers only. `variables` names inputs and parameters
 * whose values each call gives; other parameters keep their own.
 *
 * @throws ShapeError when a node is an array
 * @throws BindingError when an input or a parameter without value is no variable
 */
export function scalarReference(
  outputs: readonly Expr[],
  variables: readonly string[],
): ScalarReference {
  const roots = lower(outputs);
  const order = topological(...roots);
  const places = new Map<Expr, number>();
  const hi = new Float64Array(order.length);
  const lo = new Float64Array(order.length);
  const steps: Step[] = [];
  const reads: { place: number; variable: number }[] = [];
  order.forEach((e, k) => {
    if (sizeProduct(e.shape.map((a) => a.size ?? 0)) !== 1) {
      throw new ShapeError(`an array of shape ${formatShape(e.shape)} is no scalar`);
    }
    places.set(e, k);
    const args = e.args.map((a) => places.get(a)!);
    if (e.kind === "const") hi[k] = e.value;
    else if (e.kind === "input" || e.kind === "parameter") {
      const variable = variables.indexOf(e.name);
      if (variable >= 0) reads.push({ place: k, variable });
      else if (e.kind === "parameter" && e.value !== null) hi[k] = e.value;
      else throw new BindingError(`${e.name} has no value`);
    } else steps.push(stepOf(e, k, args));
  });
  const out = { hi: new Float64Array(roots.length), lo: new Float64Array(roots.length) };
  const ends = roots.map((e) => places.get(e)!);
  return (highs, lows) => {
    for (const { place, variable } of reads) {
      hi[place] = highs[variable]!;
      lo[place] = lows?.[variable] ?? 0;
    }
    for (const step of steps) step(hi, lo);
    ends.forEach((k, n) => {
      out.hi[n] = hi[k]!;
      out.lo[n] = lo[k]!;
    });
    return out;
  };
}

function stepOf(e: Expr, k: number, args: readonly number[]): Step {
  const [a, b, c] = args as [number, number, number];
  const copy = (from: (hi: Float64Array) => number): Step => {
    return (hi, lo) => {
      const j = from(hi);
      hi[k] = hi[j]!;
      lo[k] = lo[j]!;
    };
  };
  const two = (f: BinaryDD, x: number, y: number): Step => {
    return (hi, lo) => {
      hi[k] = f(hi[x]!, lo[x]!, hi[y]!, lo[y]!);
      lo[k] = LOW[0]!;
    };
  };
  switch (e.kind) {
    case "unary": {
      const f = UNARY_DD[e.op];
      return (hi, lo) => {
        hi[k] = f(hi[a]!, lo[a]!);
        lo[k] = LOW[0]!;
      };
    }
    case "binary":
      return two(BINARY_DD[e.op], a, b);
    case "where":
      return copy((hi) => (hi[a] !== 0 ? b : c));
    case "clamp": {
      const raise = two(BINARY_DD.max, a, b);
      const cut = two(BINARY_DD.min, k, c);
      return (hi, lo) => {
        raise(hi, lo);
        cut(hi, lo);
      };
    }
    case "cast": {
      if (e.to !== "int" && e.to !== "bool") return copy(() => a);
      const f = CAST_DD[e.to];
      return (hi, lo) => {
        hi[k] = f(hi[a]!, lo[a]!);
        lo[k] = LOW[0]!;
      };
    }
    case "argReduce":
      return (hi) => {
        hi[k] = 0;
      };
    case "oneHot":
      return (hi, lo) => {
        hi[k] = hi[a] === 0 && lo[a] === 0 ? 1 : 0;
      };
    default:
      // With one entry there is nothing to rearrange, and lowering left no reduction.
      return copy(() => a);
  }
}
