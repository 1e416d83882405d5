/** What the catalogue says of one published or library loss. */
import type { Expr } from "../expression/node.ts";
import type { FamilyInputs } from "./family.ts";
import { type PyValue, isDict, isName } from "./python.ts";
import type { FamilySpec, Scalar } from "./spec.ts";

/** A parameter of a loss, by the name its library gives it. */
export interface LossParameter {
  readonly name: string;
  readonly type: "float" | "int" | "bool" | "string" | "callable" | "floats" | "ints" | "dict";
  /** Absent when the caller must give it. */
  readonly default?: PyValue;
  /** `None` is allowed besides the type. */
  readonly nullable?: boolean;
  /** The only values there are. */
  readonly choices?: readonly PyValue[];
  /** What the library wants a list wrapped in, e.g. `torch.tensor`. */
  readonly wrapper?: string;
  readonly about: string;
}

/** An array that the loss is called with, in the order of its call. */
export interface ArrayParameter {
  readonly name: string;
  readonly is: "prediction" | "target" | "mask";
  readonly optional?: boolean;
}

/** What is known of the arrays when a spec is made: libraries branch on the number of channels. */
export interface ArrayFacts {
  /** Entries of the prediction's class axis; 1 where there is none. */
  readonly classes: number;
  /** Number of axes of the prediction. */
  readonly rank?: number;
  /** Whether a mask is given. */
  readonly mask?: boolean;
  /** Whether the target holds class numbers instead of channels. */
  readonly labels?: boolean;
}

/** The target that a loss expects with some settings. */
export type TargetForm =
  | "like the prediction"
  /** Class numbers, one axis fewer than the prediction. */
  | "labels"
  /** Class numbers with a class axis of size 1. */
  | "labels with a channel";

/** Values of all parameters of an entry, read by type. */
export class Settings {
  private readonly values: Readonly<Record<string, PyValue>>;
  constructor(values: Readonly<Record<string, PyValue>>) {
    this.values = values;
  }
  raw(name: string): PyValue {
    const v = this.values[name];
    if (v === undefined) throw new Error(`no parameter ${name}`);
    return v;
  }
  flag(name: string): boolean {
    return this.raw(name) === true;
  }
  number(name: string): number {
    const v = this.raw(name);
    return typeof v === "number" ? v : typeof v === "boolean" ? Number(v) : NaN;
  }
  /** The number under its name, so that a formula shows the name. */
  scalar(name: string, times = 1): Scalar {
    const value = this.number(name);
    return times === 1 ? { name, value } : { name, value, times };
  }
  /** A string, or the name of what is passed; `null` for None. */
  text(name: string): string | null {
    const v = this.raw(name);
    return typeof v === "string" ? v : isName(v) ? v.name : null;
  }
  isNone(name: string): boolean {
    return this.raw(name) === null;
  }
  /** The entries of a dictionary over the given defaults. */
  within(name: string, defaults: Readonly<Record<string, PyValue>>): Settings {
    const v = this.raw(name);
    return new Settings({ ...defaults, ...(isDict(v) ? v.items : {}) });
  }
  /** A list of numbers; a single number is a list of one. */
  numbers(name: string): readonly number[] {
    const v = this.raw(name);
    if (typeof v === "number") return [v];
    return Array.isArray(v) ? v.filter((n) => typeof n === "number") : [];
  }
}

/** Something about a loss that people do not expect, with where it holds. */
export interface Trap {
  readonly id: string;
  /** One sentence that says what happens. */
  readonly sentence: string;
  /** Versions of the library that have it, as "≤ 3.15.1". */
  readonly versions: string;
  readonly applies: (settings: Settings, facts: ArrayFacts) => boolean;
}

export type Source =
  | {
      readonly kind: "library";
      readonly package: string;
      /** Checked against a transcription of its formula, not against the library itself. */
      readonly transcribed?: true;
      /** The version (or commit) whose behaviour the entry has. */
      readonly version: string;
      readonly file: string;
      readonly symbol: string;
      readonly url: string;
    }
  | {
      readonly kind: "paper";
      readonly authors: string;
      readonly title: string;
      readonly year: number;
      /** Where in the paper, or which reference code, the formula stands. */
      readonly place: string;
      readonly url: string;
    };

export interface CatalogueEntry {
  /** The call as its library writes it, e.g. `monai.losses.DiceLoss`. */
  readonly id: string;
  /** Other names that a call or a search may use. */
  readonly aliases: readonly string[];
  readonly title: string;
  readonly library: string;
  /** One sentence on what the loss is. */
  readonly about: string;
  /** A class is made with its parameters and called with arrays; a function takes both at once. */
  readonly form: "class" | "function";
  readonly arrays: readonly ArrayParameter[];
  readonly parameters: readonly LossParameter[];
  readonly layout: "channels-first" | "channels-last" | "flat";
  readonly target: (settings: Settings, facts: ArrayFacts) => TargetForm;
  /** The loss as a member of the family; @throws FamilyError on settings that its library refuses. */
  readonly spec?: (settings: Settings, facts: ArrayFacts) => FamilySpec;
  /** The loss built directly, where the family does not reach. */
  readonly build?: (settings: Settings, facts: ArrayFacts, inputs: FamilyInputs) => Expr;
  readonly source: Source;
  readonly traps: readonly Trap[];
}
