/**
 * The state of a symbolic execution: where it is, what may be undone, what has been noted. The
 * meaning of statements and expressions is in the files beside this one.
 */
import { type Axis, ShapeError } from "../../expression/axis.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { substitute } from "../../expression/walk.ts";
import { PythonError, type TracebackFrame, isStackOverflow } from "../errors.ts";
import type { Library } from "../dtypes.ts";
import type { NumericArray, TraceHost } from "../host.ts";
import type { PythonParser } from "../parser.ts";
import type { Module, Source } from "../syntax.ts";
import type { Change, FunctionValue, ModuleValue, StateOf, TensorValue, Value } from "../values.ts";
import { ArrayRegistry } from "./arrays.ts";
import { Recorder } from "./recorder.ts";
import type { Scope } from "./scope.ts";

/**
 * What sorting leaves of arrays that are at hand. `compared`: as long as few entries are sorted, a
 * formula for any order. `fixed`: the order that they have, and constants of what looks at it.
 * `flowing`: the same, with formulas for those constants, through which gradient flows.
 */
export type Ordering = "compared" | "fixed" | "flowing";

/** What a trace is made for. */
export interface Purpose {
  /** Preferred to what sorting would leave otherwise. */
  readonly ordering: Ordering;
  /** The parameter that the gradient will be by; null: a prediction. */
  readonly wrt: string | null;
}

export interface Frame {
  readonly name: string;
  readonly source: Source;
  /** Where the caller stood; `null` for the outermost frame. */
  readonly calledFrom: SourceSpan | null;
  readonly scope: Scope;
  /** `null` for a module's own statements. */
  readonly fn: FunctionValue | null;
}

/** What the interpreter knows without reading a file; made by libraries/registry.ts. */
export interface Libraries {
  readonly builtins: ReadonlyMap<string, Value>;
  /** numpy, torch, math, …; `undefined` for modules that have no model. */
  readonly module: (name: string) => ModuleValue | undefined;
  /** Whether a module is part of a library that is modelled: its files are not read. */
  readonly covers: (name: string) => boolean;
  /** Methods and attributes of arrays; `undefined` if the library's arrays have none of that name. */
  readonly tensorAttribute: (vm: Interpreter, t: TensorValue, name: string) => Value | undefined;
  readonly hasMethod: (library: Library, name: string) => boolean;
  /** Methods and attributes of strings, lists, dictionaries, dtypes, … */
  readonly attribute: (vm: Interpreter, v: Value, name: string) => Value | undefined;
}

/** Counts, so that a program stops at the same place on every machine. */
export interface InterpreterLimits {
  /** Statements and loop iterations in one run: a cell, or a trace with all that it tries. */
  readonly steps: number;
  /** Of one statement of a module that is loaded: enough for tables, not for a training loop. */
  readonly statementSteps: number;
  /** Tensor operations in one run: an unrolled loop over voxels is no formula. */
  readonly tensorOperations: number;
  /** Elements that collections of one run are given, or go through, all together. */
  readonly elements: number;
  /** Source of installed packages: enough for any loss, not for a whole library. */
  readonly installedCharacters: number;
  readonly callDepth: number;
}

const LIMITS: InterpreterLimits = {
  steps: 20_000_000,
  statementSteps: 200_000,
  tensorOperations: 20_000,
  elements: 2_000_000,
  installedCharacters: 30_000_000,
  callDepth: 200,
};

/** For what nobody has asked for by name, such as hovers: well under a second on a slow machine. */
export const QUICK_LIMITS: Partial<InterpreterLimits> = {
  steps: 200_000,
  statementSteps: 50_000,
  tensorOperations: 5_000,
  elements: 500_000,
  installedCharacters: 1_000_000,
};

/** What helps where nothing more particular does. */
const ANOTHER_WAY =
  "Write it in another way, or compute it beforehand and give the result to the function as an argument.";

/** The size of an axis would have to be known here; a trace without arrays may choose one. */
export class UnknownSizeError extends Error {
  readonly axes: readonly string[];
  /** The least size with which the code can do, where it tells. */
  readonly atLeast: number;
  constructor(axes: readonly string[], atLeast = 0) {
    super(`the size of ${axes.length === 1 ? "axis" : "axes"} ${axes.join(", ")} is not known`);
    this.axes = axes;
    this.atLeast = atLeast;
  }
}

/** Axes have fewer entries, all together, than the code takes; a trace without arrays may choose more. */
export class TooFewEntriesError extends Error {
  readonly axes: readonly string[];
  readonly atLeast: number;
  constructor(axes: readonly string[], atLeast: number) {
    super(`axes ${axes.join(", ")} have fewer than ${atLeast} entries`);
    this.axes = axes;
    this.atLeast = atLeast;
  }
}

/** A number or a tensor's values would have to be known here. */
export class UnknownValueError extends Error {}

/** An integer array would be needed here, and a real-valued one was assumed. */
export class NeedsIntegerError extends Error {
  readonly expr: Expr;
  constructor(expr: Expr) {
    super("an integer array is needed");
    this.expr = expr;
  }
}

/** The run has used up what it may; trying something else in it makes no sense. */
export class BudgetError extends Error {}

/** A method that arrays of this library do not have. */
export class UnknownMethodError extends Error {
  readonly method: string;
  constructor(method: string) {
    super(`no method ${method}`);
    this.method = method;
  }
}

export class Interpreter {
  readonly host: TraceHost;
  readonly parser: PythonParser;
  readonly limits: InterpreterLimits;
  readonly libraries: Libraries;
  /** User modules by file, and those among them that are being loaded. */
  readonly modules = new Map<string, ModuleValue>();
  /** What is written in every file and cell that has been read. */
  readonly syntax = new Map<string, Module>();
  readonly loading = new Set<string>();
  /** By file: the first module it imports, outside any handler, that is not there. */
  readonly missingImports = new Map<string, string>();
  /** Folders whose packages have been looked at, and files of those that were run for their modules. */
  readonly packageFolders = new Set<string>();
  readonly packagesRun = new Set<string>();
  /** Files of installed packages that have been read, and their size together. */
  readonly installed = new Set<string>();
  installedCharacters = 0;
  readonly frames: Frame[] = [];
  /** What is being executed; errors are placed there. */
  at: SourceSpan = { file: "", line: 1, column: 1 };
  recorder = new Recorder();
  readonly arrays = new ArrayRegistry();
  /** Axes of the inputs of the trace in progress. */
  inputAxes: readonly Axis[] = [];
  /** Above 0 inside `with torch.no_grad():`. */
  stopGradientDepth = 0;
  /** Handlers around the current statement that catch failing imports. */
  importGuards = 0;
  /** A trace's inputs, and the expressions that they stand for where those are known. */
  standIns: ReadonlyMap<Expr, Expr> = new Map();
  /** The nodes that a trace is made in. */
  traceInputs: readonly Expr[] = [];
  /** Those of them whose gradient may be asked for. */
  differentiated: ReadonlySet<Expr> = new Set();
  /** Which way is taken where that depends on values that are not known; null: that is an error. */
  undecided: boolean | null = null;
  purpose: Purpose = { ordering: "fixed", wrt: null };
  /** print() says nothing during a trace. */
  silent = false;
  /** Exceptions whose handlers are running, for a bare `raise`. */
  readonly handling: PythonError[] = [];

  private journal: Change[] | null = null;
  private epochCount = 0;
  private steps = 0;
  private stepLimit: number;
  private operations = 0;
  private elements = 0;

  constructor(
    parser: PythonParser,
    host: TraceHost,
    libraries: Libraries,
    limits: Partial<InterpreterLimits> = {},
  ) {
    this.parser = parser;
    this.host = host;
    this.libraries = libraries;
    this.limits = { ...LIMITS, ...limits };
    this.stepLimit = this.limits.steps;
  }

  // Errors

  /** @throws PythonError at the place being executed */
  fail(type: string, message: string, remedy: string | null = null, cause?: unknown): never {
    throw this.error(type, message, this.at, remedy, cause);
  }

  error(
    type: string,
    message: string,
    span: SourceSpan,
    remedy: string | null = null,
    cause?: unknown,
  ): PythonError {
    const source = this.frames.at(-1)?.source ?? null;
    const traceback = this.frames.map((frame, k): TracebackFrame => {
      const place = this.frames[k + 1]?.calledFrom ?? span;
      return { name: frame.name, file: frame.source.file, line: place.line };
    });
    const own = source?.file === span.file ? source : null;
    return new PythonError(type, message, { span, source: own }, { remedy, traceback, cause });
  }

  /** @throws PythonError: the code may be right, but there is no model of what it does */
  unsupported(what: string, remedy: string | null = null, cause?: unknown): never {
    return this.fail("Unsupported", what, remedy ?? ANOTHER_WAY, cause);
  }

  /** Runs `make`, turning errors of shape into Python errors at the current place. */
  shaped<T>(make: () => T): T {
    try {
      return make();
    } catch (e) {
      if (e instanceof ShapeError) return this.fail("ValueError", e.message, null, e);
      throw e;
    }
  }

  /** Runs `body`; where the engine itself comes to an end, that is an error at the current place. */
  contained<T>(body: () => T): T {
    try {
      return body();
    } catch (e) {
      // A fault of ours has a place too, and is no reason to lose the rest of a file.
      if (e instanceof TypeError) {
        const message = `a fault of the inspector, met at this line: ${e.message}`;
        throw this.error("Unsupported", message, this.at, "Please report it with this line.", e);
      }
      if (!(e instanceof RangeError)) throw e;
      if (isStackOverflow(e)) {
        throw this.error("RecursionError", "maximum recursion depth exceeded", this.at);
      }
      throw this.error("MemoryError", "this value is too large for the inspector", this.at);
    }
  }

  // Budget

  /** One statement or loop iteration. */
  step(): void {
    this.host.checkpoint();
    this.steps++;
    if (this.steps > this.stepLimit) this.outOfSteps();
    this.checkTime();
  }

  /** Below the budget of counts: the host's own clock, for what nobody waits for. */
  checkTime(): void {
    if (this.host.timeIsUp?.() === true) this.outOfTime();
  }

  /** Runs `body` with at most that many steps of what is left. */
  limited<T>(steps: number, body: () => T): T {
    const { stepLimit } = this;
    this.stepLimit = Math.min(stepLimit, this.steps + steps);
    try {
      return body();
    } finally {
      this.stepLimit = stepLimit;
    }
  }

  tensorOperation(): void {
    this.checkTime();
    if (++this.operations > this.limits.tensorOperations) {
      this.unsupported(
        `stopped after ${this.limits.tensorOperations.toLocaleString("en")} array operations`,
        "A loop over single elements makes a formula of that many terms; write it with sums over axes.",
        new BudgetError(),
      );
    }
  }

  /** Before a collection of `n` elements is made; sixteen characters of a string count as one. */
  allocate(n: number): void {
    this.elements += n;
    if (this.elements > this.limits.elements) {
      this.unsupported(
        `stopped after ${this.limits.elements.toLocaleString("en")} elements of lists and strings`,
        "Keep data of that size in arrays, or compute them beforehand and load the result.",
        new BudgetError(),
      );
    }
  }

  private outOfSteps(): never {
    const limit = Math.min(this.stepLimit, this.limits.steps);
    return this.unsupported(
      `stopped after ${limit.toLocaleString("en")} steps`,
      "Does this loop end? If it does, run it outside the inspector and load its result.",
      new BudgetError(),
    );
  }

  private outOfTime(): never {
    return this.unsupported(
      "stopped: this takes too long",
      "Ask for this function by name, or compute what is slow beforehand and load the result.",
      new BudgetError(),
    );
  }

  /** Steps of the present run. */
  get progress(): number {
    return this.steps;
  }

  /** A new run: a cell's execution or a trace. */
  resetBudget(): void {
    this.steps = this.operations = this.elements = 0;
    this.stepLimit = this.limits.steps;
  }

  // Undoing

  /** Stamp for a new mutable object: only older ones need an entry in the journal. */
  get epoch(): number {
    return this.epochCount;
  }

  /** Call before changing an object, with how the state is taken of what changes. */
  remember(object: { readonly born: number }, stateOf: StateOf): void {
    if (this.journal === null || object.born >= this.epochCount) return;
    this.journal.push({ stateOf, restore: stateOf() });
  }

  /**
   * Runs `body`; what it changed is taken back if it throws, or in any case if `keep` is false.
   * @param journal an empty list, in which the changes are found that were kept
   */
  transaction<T>(keep: boolean, body: () => T, journal: Change[] = []): T {
    const outer = this.journal;
    this.journal = journal;
    this.epochCount++;
    const { frames, at, stopGradientDepth, importGuards } = this;
    const depth = frames.length;
    let kept = false;
    try {
      const result = body();
      kept = keep;
      return result;
    } finally {
      frames.length = depth;
      this.at = at;
      this.stopGradientDepth = stopGradientDepth;
      this.importGuards = importGuards;
      this.journal = outer;
      if (kept) outer?.push(...journal);
      else while (journal.length > 0) journal.pop()!.restore();
    }
  }

  /** Runs `body` in the state before changes that were kept, which are made again afterwards. */
  before<T>(changes: readonly Change[], body: () => T): T {
    const again: (() => void)[] = [];
    for (const { stateOf, restore } of [...changes].reverse()) {
      again.push(stateOf());
      restore();
    }
    try {
      return body();
    } finally {
      while (again.length > 0) again.pop()!();
    }
  }

  /**
   * Runs the statements of a module that is being imported. They stay whatever becomes of the code
   * that imports it, and know nothing of what is going on there.
   */
  detached<T>(body: () => T): T {
    const { at, recorder, journal, stopGradientDepth, importGuards, silent } = this;
    const hint = this.arrays.hint;
    const handling = this.handling.splice(0);
    const depth = this.frames.length;
    this.recorder = new Recorder();
    this.journal = null;
    this.stopGradientDepth = this.importGuards = 0;
    this.arrays.hint = "";
    try {
      return body();
    } finally {
      this.frames.length = depth;
      Object.assign(this, { at, recorder, journal, stopGradientDepth, importGuards, silent });
      this.arrays.hint = hint;
      this.handling.splice(0, Infinity, ...handling);
    }
  }

  // Values

  /** Numbers behind an expression, if every array in it is at hand. */
  evaluate(e: Expr): NumericArray | null {
    try {
      return this.host.evaluate(substitute(this.recorder.spelledOut(e), this.standIns));
    } catch (error) {
      if (error instanceof ShapeError) return null; // an axis without a size
      throw error;
    }
  }

  get source(): Source | null {
    return this.frames.at(-1)?.source ?? null;
  }
}
