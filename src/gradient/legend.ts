/** What each symbol of a derivation stands for. */
import { type Axis, formatShape } from "../expression/axis.ts";
import { isDropped } from "../expression/indices.ts";
import { latexSymbol } from "../expression/latex.ts";
import { plainIdentifier } from "../expression/names.ts";
import type { Expr } from "../expression/node.ts";
import { textOf, textSymbol } from "../expression/text.ts";
import { leaves } from "../expression/walk.ts";
import type { LegendEntry } from "./derivation.ts";
import type { Part } from "./outline.ts";
import type { Plan } from "./stepsPlan.ts";
import type { Writer } from "./stepsWriting.ts";

const KINDS: Readonly<Record<Part["kind"], string>> = {
  activation: "activation",
  sum: "sum",
  numerator: "numerator",
  denominator: "denominator",
};

export function legend(plan: Plan, writer: Writer, functionName: string): LegendEntry[] {
  const { names, outline, wrt, loss } = plan;
  const entries: LegendEntry[] = [
    {
      symbol: { latex: "L", text: "L" },
      name: functionName,
      meaning: "value of the loss",
    },
  ];
  const inLoss = leaves(loss);
  for (const e of inLoss.includes(wrt) ? inLoss : [wrt, ...inLoss]) {
    const symbol = names.symbolOf(e);
    if (symbol === undefined) continue; // positions, which are written as the index
    entries.push({
      symbol: { latex: latexSymbol(symbol), text: textSymbol(symbol) },
      name: e.kind === "input" || e.kind === "parameter" ? e.name : "",
      meaning: leafMeaning(e, wrt),
    });
  }
  for (const part of outline.parts) {
    const at = writer.letters(part.node);
    const symbol = names.symbolOf(part.node)!;
    entries.push({
      symbol: writer.written(part.node, at),
      name: symbol.python,
      meaning: `${KINDS[part.kind]}, ${textOf(writer.term(part.value, at))}`,
    });
  }
  for (const { axis, symbol } of names.sizeEntries()) {
    entries.push({
      symbol: { latex: latexSymbol(symbol), text: textSymbol(symbol) },
      name: plainIdentifier(axis),
      meaning: "number of entries along this axis",
    });
  }
  return [...entries, ...indexEntries(plan, writer)];
}

function leafMeaning(e: Expr, wrt: Expr): string {
  if (e.kind === "parameter") return e.value === null ? "number" : plainNumber(e.value);
  const shape = e.shape.length === 0 ? "number" : `array of shape ${formatShape(e.shape)}`;
  return e === wrt ? `${shape}, differentiated by` : shape;
}

const plainNumber = (v: number): string =>
  v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential() : String(v);

/** The letters of the element that the gradient is written for. */
function indexEntries(plan: Plan, writer: Writer): LegendEntry[] {
  const { wrt } = plan;
  const { binders } = writer.notation.allocate(wrt.shape, new Set());
  const groups = axisGroups(plan);
  return binders.map(({ letter }, k) => ({
    symbol: { latex: letter, text: letter },
    name: "index",
    meaning: groups[k] === undefined ? "" : groupMeaning(groups[k]),
  }));
}

/** The axes of the input, those that go by one letter together. */
function axisGroups(plan: Plan): Axis[][] {
  const groups: Axis[][] = [];
  let open: readonly string[] | null = null;
  for (const a of plan.wrt.shape) {
    if (isDropped(a)) continue;
    const block = plan.joint.find((names) => names.includes(a.name)) ?? null;
    if (block !== null && block === open) groups.at(-1)!.push(a);
    else groups.push([a]);
    open = block;
  }
  return groups;
}

function groupMeaning(axes: readonly Axis[]): string {
  const [only] = axes;
  const n = axes.map((a) => a.size).reduce((x, y) => (x === null || y === null ? null : x * y), 1);
  const count = n === null ? "" : `, 0 to ${n - 1}`;
  if (axes.length > 1) {
    const shape = formatShape(axes);
    return `element in row-major order over ${shape}${count}`;
  }
  const role = only!.role;
  const word = role === "batch" ? "sample" : role === "class" ? "class" : "element";
  return `${word}${count}`;
}
