/** Running sums as a WebAssembly function, for arrays in the heap: several times as fast as JavaScript there. */
import type { AddPiece } from "../kernel/running.ts";
import type { Entries } from "../typedArrays.ts";
import { FunctionBody, type ValueType, assemble } from "./assembler.ts";
import { ELEMENT_SHIFT, elementTypeOf } from "./elements.ts";
import { features } from "./features.ts";
import { heap } from "./heap.ts";
import { type ProgramImage, exportName, functionOf } from "./image.ts";
import { OP } from "./opcodes.ts";

const PARAMETERS: readonly ValueType[] = ["i32", "i32", "i32", "i32", "i32", "i32"];
const [SOURCE, RESULT, COUNT, SOURCE_STEP, RESULT_STEP, STATE] = PARAMETERS.keys();

let image: ProgramImage | null = null;

/** What adds up pieces of these arrays; null where they are elsewhere, or hold no floats. */
export function pieceAdder(
  source: Entries,
  result: Entries,
  isExclusive: boolean,
): AddPiece | null {
  if (!features().simd) return null;
  const on = heap();
  const [from, to] = [on.addressOf(source), on.addressOf(result)];
  const type = elementTypeOf(source);
  if (from === null || to === null || elementTypeOf(result) !== "f64") return null;
  if (type !== "f32" && type !== "f64") return null;
  image ??= compiled();
  const { constants: state } = image;
  const run = functionOf(image, (type === "f32" ? 2 : 0) + (isExclusive ? 1 : 0));
  const shift = ELEMENT_SHIFT[type];
  return (first, count, step, sums) => {
    const held = on.view(Float64Array, state, 2);
    held.set(sums);
    const places = [from + (first << shift), to + 8 * first] as const;
    run(...places, count, step << shift, 8 * step, state);
    sums.set(held);
  };
}

function compiled(): ProgramImage {
  const on = heap();
  const { memory, shared } = on;
  const bodies = (["f64", "f32"] as const).flatMap((type) => [
    adding(type, false),
    adding(type, true),
  ]);
  const functions = bodies.map((body, k) => ({ name: exportName(k), body }));
  const bytes = assemble({ memory: { shared, maximum: 1 << 16 }, imports: [], functions });
  return { module: new WebAssembly.Module(bytes), memory, constants: on.allocate(16) };
}

function adding(type: "f32" | "f64", isExclusive: boolean): FunctionBody {
  const body = new FunctionBody(PARAMETERS);
  const [sum, errors, counter] = [body.local("f64"), body.local("f64"), body.local("i32")];
  const load = (opcode: number, from: number, at = 0): void => {
    body.get(from);
    body.memory(opcode, at);
  };
  const keep = (from: number, at: number): void => {
    body.get(STATE!);
    body.get(from);
    body.memory(OP.f64Store, at);
  };
  const term = (opcode: number, a: number, b: number, to = body.local("f64")): number => {
    body.get(a);
    body.get(b);
    body.op(opcode);
    body.set(to);
    return to;
  };
  load(OP.f64Load, STATE!);
  body.set(sum);
  load(OP.f64Load, STATE!, 8);
  body.set(errors);
  const x = body.local("f64");
  body.repeat(counter, COUNT!, 1, () => {
    load(type === "f32" ? OP.f32Load : OP.f64Load, SOURCE!);
    if (type === "f32") body.op(OP.f64PromoteF32);
    body.set(x);
    const next = term(OP.f64Add, sum, x);
    const added = term(OP.f64Sub, next, sum);
    // The rounding error of the addition (Knuth's two-sum).
    const lost = term(OP.f64Sub, sum, term(OP.f64Sub, next, added));
    const own = term(OP.f64Add, lost, term(OP.f64Sub, x, added));
    const error = term(OP.f64Add, errors, own);
    const plain = isExclusive ? sum : next;
    const total = term(OP.f64Add, plain, isExclusive ? errors : error);
    // Of infinities the error is NaN.
    for (const operand of [RESULT!, total, plain, total, total]) body.get(operand);
    body.op(OP.f64Eq);
    body.op(OP.select);
    body.memory(OP.f64Store);
    body.get(next);
    body.set(sum);
    body.get(error);
    body.set(errors);
    term(OP.i32Add, SOURCE!, SOURCE_STEP!, SOURCE);
    term(OP.i32Add, RESULT!, RESULT_STEP!, RESULT);
  });
  keep(sum, 0);
  keep(errors, 8);
  return body;
}
