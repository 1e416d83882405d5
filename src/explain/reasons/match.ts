/** Which call of a catalogue loss a spec is, or comes nearest to. */
import { CATALOGUE } from "../../losses/catalogue.ts";
import { type Parameters, formatCall, withDefaults } from "../../losses/call.ts";
import { differences, valuesApart } from "../../losses/edits.ts";
import {
  type ArrayFacts,
  type CatalogueEntry,
  type LossParameter,
  Settings,
} from "../../losses/entry.ts";
import type { PyValue } from "../../losses/python.ts";
import { FamilyError, type FamilySpec, valueOf } from "../../losses/spec.ts";
import { CallError } from "../../losses/python.ts";
import { throwIfCancelled } from "../../numbers/interruption.ts";

export interface Match {
  readonly entry: CatalogueEntry;
  readonly parameters: Parameters;
  readonly call: string;
  readonly spec: FamilySpec;
  /** Fields in which it still differs from the loss: none when it is the loss. */
  readonly distance: number;
  /** Values in these fields that differ: Tversky's alpha may be right already, and beta not yet. */
  readonly apart: number;
}

/**
 * The catalogue's losses by their distance from a spec, the nearest first; one a entry.
 * @throws Cancelled
 */
export function matchesOf(
  spec: FamilySpec,
  facts: ArrayFacts,
  entries: readonly CatalogueEntry[] = CATALOGUE,
): Match[] {
  const numbers = numbersIn(spec);
  return entries
    .flatMap((entry) => nearest(entry, spec, facts, numbers) ?? [])
    .sort((a, b) => a.distance - b.distance || a.call.length - b.call.length);
}

/** Parameters that bring an entry as near as changing one or two at a time can. */
function nearest(
  entry: CatalogueEntry,
  spec: FamilySpec,
  facts: ArrayFacts,
  numbers: readonly number[],
): Match | null {
  if (entry.spec === undefined) return null;
  const required: Record<string, PyValue> = {};
  for (const p of entry.parameters)
    if (p.default === undefined) required[p.name] = valuesFor(p, numbers)[0]!;
  let best = measured(entry, required, spec, facts);
  for (let improved = true; improved && (best === null || best.distance > 0);) {
    improved = false;
    const from: Parameters = best?.parameters ?? required;
    for (const change of changesOf(entry, from, numbers)) {
      const next = measured(entry, { ...from, ...change }, spec, facts);
      if (next !== null && (best === null || isNearer(next, best))) {
        best = next;
        improved = true;
      }
    }
  }
  return best;
}

function isNearer(a: Match, b: Match): boolean {
  return a.distance < b.distance || (a.distance === b.distance && a.apart < b.apart);
}

function* changesOf(
  entry: CatalogueEntry,
  from: Parameters,
  numbers: readonly number[],
): Generator<Parameters> {
  const single = entry.parameters.flatMap((p) =>
    valuesFor(p, numbers)
      .filter((v) => v !== from[p.name])
      .map((v): Parameters => ({ [p.name]: v })),
  );
  yield* single;
  // A softmax and a smoothing may have to change together: of options, pairs are tried too.
  const options = single.filter((c) => typeof Object.values(c)[0] !== "number");
  for (const [k, a] of options.entries()) {
    for (const b of options.slice(k + 1)) {
      if (Object.keys(a)[0] !== Object.keys(b)[0]) yield { ...a, ...b };
    }
  }
}

function valuesFor(p: LossParameter, numbers: readonly number[]): PyValue[] {
  const own: PyValue[] = p.default === undefined ? [] : [p.default];
  if (p.nullable === true && p.default !== null) own.push(null);
  if (p.choices !== undefined) return [...own, ...p.choices];
  switch (p.type) {
    case "bool":
      return [...own, true, false];
    case "float":
      return [...own, ...numbers];
    case "int":
      return [...own, ...numbers.filter((n) => Number.isInteger(n))];
    default:
      return own.length > 0 ? own : [null];
  }
}

function measured(
  entry: CatalogueEntry,
  given: Parameters,
  spec: FamilySpec,
  facts: ArrayFacts,
): Match | null {
  throwIfCancelled();
  try {
    const parameters = withDefaults(entry, given);
    const own = entry.spec!(new Settings(parameters), facts);
    const edits = differences(spec, own);
    const apart = edits.reduce((n, { from, to }) => n + valuesApart(from, to), 0);
    const call = formatCall(entry, parameters);
    return { entry, parameters, call, spec: own, distance: edits.length, apart };
  } catch (e) {
    if (e instanceof FamilyError || e instanceof CallError) return null;
    throw e;
  }
}

/** Numbers that stand in a spec, and the halves and doubles by which libraries write them. */
function numbersIn(spec: FamilySpec): number[] {
  const found = new Set<number>([0, 1]);
  const visit = (v: unknown): void => {
    if (typeof v === "number") found.add(v);
    else if (typeof v === "object" && v !== null) {
      if ("value" in v) found.add(valueOf(v as never));
      for (const x of Object.values(v)) visit(x);
    }
  };
  visit(spec);
  for (const v of [...found]) {
    found.add(v / 2);
    found.add(v * 2);
  }
  return [...found].filter((v) => Number.isFinite(v));
}
