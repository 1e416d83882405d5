/** A Python program under inspection: a module, or a notebook whose cells run one after another. */
import { type CallableInfo, LOSS_METHODS, callablesOf } from "./callables.ts";
import { PythonError } from "./errors.ts";
import type { TraceHost } from "./host.ts";
import { call } from "./interpreter/calls.ts";
import { display } from "./interpreter/format.ts";
import { evaluate, prepareCall, requestOf } from "./interpreter/expressions.ts";
import { runPackagesOf, runTolerantly } from "./interpreter/imports.ts";
import { isLoss, libraryLoss } from "./interpreter/losses.ts";
import { Interpreter, type InterpreterLimits, type Purpose } from "./interpreter/interpreter.ts";
import { Recorder } from "./interpreter/recorder.ts";
import { Scope } from "./interpreter/scope.ts";
import { runStatement } from "./interpreter/statements.ts";
import { LIBRARIES } from "./libraries/registry.ts";
import type { PythonParser } from "./parser.ts";
import type { SourceSpan } from "../expression/node.ts";
import type { Expression, Module, Source, Statement } from "./syntax.ts";
import { walkSyntax } from "./syntaxWalk.ts";
import { type CallRequest, type Change, type RequestValue, type Value, str } from "./values.ts";
import { traceArguments } from "./trace/assume.ts";
import {
  type Argument,
  type Arguments,
  type ShapeArgument,
  argumentsOfShapes,
  planOfArguments,
  planOfCall,
} from "./trace/plans.ts";
import { libraryUsed } from "./trace/library.ts";
import { targetOf } from "./trace/target.ts";
import {
  type CapturedArray,
  type InputPlan,
  type Plan,
  type Trace,
  type TraceInput,
  type TraceTape,
  runTrace,
} from "./trace/trace.ts";

export type {
  Argument,
  Arguments,
  CallRequest,
  CallableInfo,
  CapturedArray,
  RequestValue,
  ShapeArgument,
  InputPlan,
  Trace,
  TraceInput,
  TraceTape,
};
export { isNamedByRole } from "./trace/roles.ts";
export { callablesOf };

export interface CellResult {
  /** Of the last statement if it is an expression. */
  readonly value: Value | null;
  /** That value as Python would show it; `null` for None, for no value, and for requests. */
  readonly text: string | null;
  /** The last expression is a call of one of the user's functions with arrays. */
  readonly call: CallRequest | null;
  /** The last expression is compare(…), check(…) or explain(…). */
  readonly request: RequestValue | null;
  /** What was taken for granted while running. */
  readonly assumptions: readonly string[];
}

export interface ProgramOptions {
  /** The file (or notebook) whose folder imports start from. */
  readonly file: string;
  readonly limits?: Partial<InterpreterLimits>;
}

export class PythonProgram {
  private readonly vm: Interpreter;
  private readonly scope: Scope;
  private readonly parser: PythonParser;
  private loaded: Module | null = null;
  /** Where the value stands that the last cell ended with. */
  private place: { readonly source: Source; readonly span: SourceSpan } | null = null;
  private readonly defined = new Map<string, CallableInfo>();

  constructor(parser: PythonParser, host: TraceHost, options: ProgramOptions = { file: "" }) {
    this.parser = parser;
    this.vm = new Interpreter(parser, host, LIBRARIES, options.limits);
    this.scope = new Scope("module", null, 0, { file: options.file });
    this.scope.variables.set("__name__", str("__main__"));
    this.scope.variables.set("__file__", str(options.file));
  }

  /**
   * Runs a cell. Definitions and assignments stay; of a statement that fails nothing does.
   * @param file name of the cell in messages
   * @throws PythonError
   */
  execute(source: string, file: string): CellResult {
    const module = this.parser.parse(source, file);
    this.vm.syntax.set(file, module);
    // Mistakes in a cell's functions are said now, as Python does.
    walkSyntax(module.body, () => undefined);
    const { vm } = this;
    vm.recorder = new Recorder();
    vm.resetBudget();
    let last: Omit<CellResult, "assumptions"> = NOTHING;
    module.body.forEach((statement, k) => {
      const isLast = k === module.body.length - 1;
      last = this.guarded(module.source, () =>
        vm.transaction(true, () =>
          isLast && statement.kind === "Expression"
            ? this.lastExpression(statement.value)
            : (this.run(statement), NOTHING),
        ),
      );
      this.define(module, statement);
    });
    return { ...last, assumptions: [...vm.recorder.assumptions] };
  }

  /**
   * Runs a file's statements, each on its own: what fails (a plot, a training loop) leaves its names
   * unusable and everything else intact.
   * @returns the errors
   * @throws PythonError if the file does not parse
   */
  load(source: string, file: string): PythonError[] {
    return this.loadModule(this.parser.parse(source, file));
  }

  /** The same for a file that is parsed already; several add up, as the cells of a notebook do. */
  loadModule(module: Module): PythonError[] {
    const { file } = module.source;
    this.vm.syntax.set(file, module);
    this.loaded = module;
    this.scope.variables.set("__name__", str(file.replace(/^.*[\\/]/, "").replace(/\.py$/, "")));
    this.vm.resetBudget();
    const silent = this.vm.silent;
    this.vm.silent = true;
    try {
      return this.guarded(module.source, () => {
        runPackagesOf(this.vm, this.scope.file);
        return runTolerantly(this.vm, module, this.scope);
      });
    } finally {
      this.vm.silent = silent;
      for (const info of callablesOf(module)) this.defined.set(info.name, info);
    }
  }

  /** Top-level functions, and classes with forward(), call() or __call__(), in order of definition. */
  callables(): CallableInfo[] {
    return [...this.defined.values()];
  }

  lookup(name: string): Value | undefined {
    return this.scope.variables.get(name);
  }

  /** Names that the program has bound, in the order in which they were first. */
  names(): string[] {
    return [...this.scope.variables.keys()];
  }

  /** The value of an expression in the program's name space; it changes nothing. @throws PythonError */
  evaluate(source: string, file = "<expression>"): Value {
    const module = this.parser.parse(source, file);
    const expression = onlyExpression(module);
    return this.guarded(module.source, () =>
      this.vm.transaction(false, () => evaluate(this.vm, expression, this.scope)),
    );
  }

  /** As Python's repr() or, with `repr` false, str() shows it. */
  display(value: Value, repr = true): string {
    return this.guarded(NO_SOURCE, () => display(this.vm, value, repr));
  }

  /** The call of a loss with arrays that an expression is; null for any other. @throws PythonError */
  callOf(source: string): CallRequest | null {
    const module = this.parser.parse(source, source);
    return this.requestIn(module, onlyExpression(module));
  }

  /** The call of a loss with arrays with which the loaded file ends, if it does so. @throws PythonError */
  lastCall(): CallRequest | null {
    const last = this.loaded?.body.at(-1);
    return last?.kind === "Expression" ? this.requestIn(this.loaded!, last.value) : null;
  }

  private requestIn({ source }: Module, node: Expression): CallRequest | null {
    if (node.kind !== "Call") return null;
    const { vm, scope } = this;
    return this.guarded(source, () =>
      vm.transaction(false, () => requestOf(vm, node, prepareCall(vm, node, scope))),
    );
  }

  /** Traces that `body` makes are for this. */
  asking<T>(purpose: Partial<Purpose>, body: () => T): T {
    const before = this.vm.purpose;
    this.vm.purpose = { ...before, ...purpose };
    try {
      return body();
    } finally {
      this.vm.purpose = before;
    }
  }

  /**
   * Derivable form of a function, a class (with constructor arguments) or an instance.
   * @param callable an expression, e.g. `dice` or `DiceLoss(smooth=1.0)`
   * @param args arrays and values by parameter name; the shapes of arrays not given are assumed
   * @param undecided which way is taken where values decide that are not known; null: an error
   * @throws PythonError
   */
  trace(callable: string, args: Arguments = new Map(), undecided: boolean | null = null): Trace {
    const module = this.parser.parse(callable, callable);
    const expression = onlyExpression(module);
    this.vm.undecided = undecided;
    try {
      return this.guarded(module.source, () =>
        this.vm.transaction(false, () => {
          const value = evaluate(this.vm, expression, this.scope);
          return traceArguments(this.vm, targetOf(this.vm, value), args);
        }),
      );
    } finally {
      this.vm.undecided = null;
    }
  }

  /** The same for a value at hand; null when it is nothing of the user's that computes a loss. */
  traceValue(value: Value, args: Arguments = new Map()): Trace | null {
    if (!isLossLike(value)) return null;
    return this.guarded(this.place?.source ?? NO_SOURCE, () =>
      this.vm.transaction(false, () => {
        this.vm.at = this.place?.span ?? this.vm.at;
        return traceArguments(this.vm, targetOf(this.vm, value), args);
      }),
    );
  }

  /** The same for `shapes(callable, name=shape, …)` in a cell. */
  traceShapes({ callable, keywords }: CallRequest): Trace {
    return this.guarded(NO_SOURCE, () =>
      this.vm.transaction(false, () => {
        const target = targetOf(this.vm, callable);
        return traceArguments(this.vm, target, argumentsOfShapes(this.vm, target, keywords));
      }),
    );
  }

  /** The same for a call in a cell: inputs are named by the parameters, and know their arguments. */
  traceCall(request: CallRequest): Trace {
    return this.guarded(request.source ?? NO_SOURCE, () =>
      this.vm.transaction(false, () => {
        this.vm.resetBudget();
        this.vm.at = request.span;
        const { vm } = this;
        return vm.before(request.changes, () => {
          const target = targetOf(vm, request.callable);
          return runTrace(vm, target, planOfCall(vm, target, request));
        });
      }),
    );
  }

  /**
   * The same with the operations in their order, as they are where the float arrays among the
   * arguments have these types.
   */
  tapeOfCall(request: CallRequest, dtypeOf: (input: InputPlan) => string | null): Trace {
    return this.guarded(request.source ?? NO_SOURCE, () =>
      this.vm.transaction(false, () => {
        this.vm.resetBudget();
        this.vm.at = request.span;
        const { vm } = this;
        return vm.before(request.changes, () => {
          const target = targetOf(vm, request.callable);
          const plan = planOfCall(vm, target, request);
          return runTrace(vm, target, withTypes(plan, dtypeOf), true);
        });
      }),
    );
  }

  /** The same for a function on arrays and values by parameter name; every array must be given. */
  tapeOfArguments(
    callable: string,
    args: Arguments,
    dtypeOf: (input: InputPlan) => string | null,
  ): Trace {
    const module = this.parser.parse(callable, callable);
    const expression = onlyExpression(module);
    return this.guarded(module.source, () =>
      this.vm.transaction(false, () => {
        this.vm.resetBudget();
        const target = targetOf(this.vm, evaluate(this.vm, expression, this.scope));
        const library = libraryUsed(target);
        const nothing = (): never => this.vm.fail("TypeError", "an array is missing");
        const plan = planOfArguments(this.vm, target, args, library, nothing);
        return runTrace(this.vm, target, withTypes(plan, dtypeOf), true);
      }),
    );
  }

  private run(statement: Statement): void {
    runStatement(this.vm, statement, this.scope);
  }

  private lastExpression(node: Expression): Omit<CellResult, "assumptions"> {
    const { vm, scope } = this;
    vm.at = node.span;
    this.place = vm.source === null ? null : { source: vm.source, span: node.span };
    vm.step();
    let value: Value;
    let request: CallRequest | null = null;
    if (node.kind === "Call") {
      // `compare` and `check` are taken by the interpreter itself.
      const callee = evaluate(vm, node.callee, scope);
      if (callee.kind === "builtin" && callee.request !== undefined)
        value = evaluate(vm, node, scope);
      else {
        const prepared = prepareCall(vm, node, scope, callee);
        request = requestOf(vm, node, prepared);
        vm.at = node.span;
        const changes: Change[] = [];
        value = vm.transaction(
          true,
          () => call(vm, prepared.callee, prepared.positional, prepared.keywords),
          changes,
        );
        if (request !== null) request = { ...request, changes };
        // What makes a loss of arrays (class weights) is no loss itself.
        if (isLoss(value)) request = null;
      }
    } else value = evaluate(vm, node, scope);
    const asked = value.kind === "request" ? value : null;
    const shows = asked === null && value.kind !== "none";
    return {
      value,
      call: request,
      request: asked,
      text: shows ? display(vm, value, true) : null,
    };
  }

  private define(module: Module, statement: Statement): void {
    for (const info of callablesOf({ source: module.source, body: [statement] })) {
      this.defined.delete(info.name);
      this.defined.set(info.name, info);
    }
  }

  /** Runs inside the module's own frame; an exhausted call stack becomes an error at its place. */
  private guarded<T>(source: Source, body: () => T): T {
    const { vm, scope } = this;
    vm.frames.push({ name: "<module>", source, calledFrom: null, scope, fn: null });
    try {
      return vm.contained(body);
    } finally {
      vm.frames.length = 0;
    }
  }
}

function withTypes(plan: Plan, dtypeOf: (input: InputPlan) => string | null): Plan {
  return {
    ...plan,
    inputs: plan.inputs.map((p) => (p.type === "float" ? { ...p, dtype: dtypeOf(p) } : p)),
  };
}

const NOTHING: Omit<CellResult, "assumptions"> = {
  value: null,
  text: null,
  call: null,
  request: null,
};
const NO_SOURCE: Source = { file: "", lines: [] };

/** A function of the user's, or a class of theirs whose instances are called, or such an instance. */
function isLossLike(value: Value): boolean {
  if (value.kind === "function") return value.definition !== null;
  if (libraryLoss(value) !== null) return true;
  const cls = value.kind === "instance" ? value.cls : value.kind === "class" ? value : null;
  const mro = cls?.definition === null ? [] : (cls?.mro ?? []);
  return LOSS_METHODS.some((name) =>
    mro.some((c) => c.kind === "class" && c.definition !== null && c.attributes.has(name)),
  );
}

function onlyExpression(module: Module): Expression {
  const [only, ...more] = module.body;
  if (only?.kind === "Expression" && more.length === 0) return only.value;
  const span = only?.span ?? { file: module.source.file, line: 1, column: 1 };
  throw new PythonError("SyntaxError", "an expression is needed here", {
    span,
    source: module.source,
  });
}
