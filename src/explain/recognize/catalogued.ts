/** A loss of the catalogue as it stands there, where the recognizer does not see what it is. */
import type { Expr } from "../../expression/node.ts";
import { fitEntry, withDefaults } from "../../losses/call.ts";
import { CATALOGUE } from "../../losses/catalogue.ts";
import type { CatalogueEntry } from "../../losses/entry.ts";
import { CallError, type PyValue } from "../../losses/python.ts";
import { FamilyError, type FamilySpec } from "../../losses/spec.ts";
import type { Recognition } from "./recognize.ts";
import { type Subject, inputsOf, isLoss, rolesOf } from "./subject.ts";

/**
 * The subject as a catalogue loss with its defaults, by the exact test. A softmax whose classes are
 * all summed has constant sums, which no probe tells from other numbers; the loss is known all the
 * same where it is a library's own.
 */
export function catalogued(subject: Subject, loss: Expr = subject.loss): Recognition | null {
  for (const entry of CATALOGUE) {
    for (const parameters of defaultsOf(entry)) {
      const found = fitted(entry, parameters, subject);
      const spec = found?.spec ?? null;
      if (spec === null || isLoss(subject, loss, found!.loss).equal !== true) continue;
      return { spec, interruptions: [], roles: rolesOf(subject) };
    }
  }
  return null;
}

/** Two losses of the same arrays; the second as it is known, or as it stands in the catalogue. */
export function cataloguedBoth(
  subject: Subject,
  other: Expr,
  known: FamilySpec | null,
): { readonly own: Recognition | null; readonly other: FamilySpec | null } {
  const own = catalogued(subject);
  if (own === null) return { own, other: known };
  return { own, other: known ?? catalogued(subject, other)?.spec ?? null };
}

/** The defaults, with each choice of a parameter that has none; nothing where others are needed. */
function defaultsOf(entry: CatalogueEntry): Readonly<Record<string, PyValue>>[] {
  const needed = entry.parameters.filter((p) => p.default === undefined);
  if (needed.some((p) => p.choices === undefined)) return [];
  return needed.reduce<Record<string, PyValue>[]>(
    (made, p) => made.flatMap((m) => p.choices!.map((c) => ({ ...m, [p.name]: c }))),
    [{}],
  );
}

function fitted(
  entry: CatalogueEntry,
  given: Readonly<Record<string, PyValue>>,
  subject: Subject,
): ReturnType<typeof fitEntry> | null {
  try {
    return fitEntry(entry, withDefaults(entry, given), inputsOf(subject));
  } catch (e) {
    if (e instanceof FamilyError || e instanceof CallError) return null;
    throw e;
  }
}
