/** A catalogue loss on the arrays of an inspection, as an inspection of its own. */
import type { Input } from "../expression/node.ts";
import { type Subject, inputsOf } from "../explain/recognize/subject.ts";
import { factsOf, fitEntry, formatCall, withDefaults } from "../losses/call.ts";
import { parseCall } from "../losses/catalogue.ts";
import { type CatalogueEntry, Settings } from "../losses/entry.ts";
import { CallError } from "../losses/python.ts";
import { FamilyError, type FamilySpec } from "../losses/spec.ts";
import type { TrapNote } from "../report/schema.ts";
import { roleOfName } from "../python/trace/roles.ts";
import { didYouMean } from "./callReading.ts";
import {
  type InspectedInput,
  type Inspection,
  InspectionError,
  type Watch,
  inspect,
} from "./inspect.ts";
import { trapsMet } from "./traps.ts";

export interface StandardLoss {
  readonly entry: CatalogueEntry;
  /** As its library writes it, without defaults. */
  readonly call: string;
  readonly spec: FamilySpec | null;
  /** What people do not expect of it with these settings. */
  readonly traps: readonly TrapNote[];
  readonly inspection: Inspection;
}

/** Prediction, target and mask of an inspection; null when one of the first two is missing. */
export function subjectOf(inspection: Inspection): Subject | null {
  const { loss, inputs, wrt } = inspection;
  const prediction = wrt.node as Input;
  const target = inputs.find((x) => x.role === "target" && x !== wrt)?.node as Input | undefined;
  if (target === undefined) return null;
  const mask = inputs.find((x) => isMask(x, prediction))?.node as Input | undefined;
  return { loss, prediction, target, ...(mask === undefined ? {} : { mask }) };
}

/** An array that is named a mask and has the axes of the prediction, with or without the class. */
function isMask({ name, node, role, isFixed }: InspectedInput, { shape }: Input): boolean {
  if (role !== "other" || isFixed === true || roleOfName(name) !== "mask") return false;
  const classes = shape.filter((a) => a.role === "class").length;
  return node.shape.length === shape.length || node.shape.length === shape.length - classes;
}

const ENCODINGS: Readonly<Record<FamilySpec["targetEncoding"], string>> = {
  "one-hot": "the target is one-hot encoded for it",
  "one-hot, class axis misplaced": "the target is one-hot encoded for it, its class axis misplaced",
  "as given": "the target has a class axis, so it is not encoded",
};

/**
 * The loss of a catalogue call on the arrays of `like`.
 * @throws InspectionError when there is no such loss, or it does not fit the arrays
 */
export function standardLoss(text: string, like: Inspection, watch: Watch): StandardLoss {
  const subject = subjectOf(like);
  if (subject === null) {
    throw new InspectionError(
      `${like.report.function.name} has no target, so no standard loss can be compared with it`,
      "Name the target y_true, target or mask, so that it is taken for one.",
    );
  }
  try {
    const { entry, parameters } = parseCall(text);
    const inputs = inputsOf(subject);
    const settings = new Settings(withDefaults(entry, parameters));
    const facts = factsOf(inputs);
    const call = formatCall(entry, parameters);
    const { loss, spec, encoding } = fitEntry(entry, parameters, inputs);
    const { source } = entry;
    const inspection = inspect(
      {
        function: {
          name: call,
          file:
            source.kind === "library"
              ? `${source.package} ${source.version}`
              : `${source.authors} ${source.year}`,
          line: 0,
        },
        loss,
        inputs: like.inputs,
        wrt: like.wrt.name,
        assumptions: encoding === null ? [] : [ENCODINGS[encoding]],
        blockers: [],
      },
      watch,
    );
    return { entry, call, spec, traps: trapsMet(entry, settings, facts), inspection };
  } catch (e) {
    if (e instanceof CallError || e instanceof FamilyError) {
      throw new InspectionError(
        e.message,
        e instanceof CallError
          ? (didYouMean(e) ?? "dice-gradient catalogue lists the losses and their parameters.")
          : null,
      );
    }
    throw e;
  }
}
