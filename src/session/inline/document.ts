/**
 * One document under the eyes of its author: its losses, and their derivations, kept for as long as
 * what they depend on stays as it is. A broken statement leaves the others readable.
 */
import { QUICK_RULES, type Rule, SLOW_RULES } from "../../explain/rules/table.ts";
import { leaves } from "../../expression/walk.ts";
import { Statements, type TopLevel, dependenciesOf } from "../../python/dependencies.ts";
import type { PythonParser } from "../../python/parser.ts";
import { type CallableInfo, PythonProgram, type Trace, callablesOf } from "../../python/program.ts";
import type { Module } from "../../python/syntax.ts";
import { parseTolerantly } from "../../python/tolerant.ts";
import type { Diagnostic } from "../../report/schema.ts";
import { bounded } from "../bounded.ts";
import { toFailure } from "../failure.ts";
import type { Files } from "../files.ts";
import { SessionHost } from "../host.ts";
import type { Inspection, Watch } from "../inspect.ts";
import { diagnose, isUndecided, traceForRules } from "../rules.ts";
import { inspectTrace } from "../traced.ts";
import { candidatesOf, importsOf, withUses } from "./candidates.ts";
import type { Candidate, Derived, Part, Shapes } from "./protocol.ts";
import { isInPlace, lineMap, relocate } from "./relocate.ts";
import { argumentsOfShapes } from "./shapes.ts";

interface Kept {
  /** Everything that the result depends on. */
  readonly key: string;
  readonly statements: readonly TopLevel[];
  readonly result: Derived;
  /** Whether the slow rules have been asked as well. */
  readonly isComplete: boolean;
}

export class InlineDocument {
  private readonly parser: PythonParser;
  private readonly files: Files;
  private readonly directory: string;
  private modules: readonly Module[] = [];
  private statements: readonly TopLevel[] = [];
  private readonly reader = new Statements();
  private shapes: Shapes = {};
  private candidates: readonly Candidate[] = [];
  private program: { readonly python: PythonProgram; readonly host: SessionHost } | null = null;
  private readonly kept = new Map<string, Kept>();
  /** Text of every module that the program has imported, by where it was asked for. */
  private readonly imported = new Map<string, string | null>();
  private watch: Watch | null = null;

  constructor(parser: PythonParser, files: Files, directory: string) {
    this.parser = parser;
    this.files = files;
    this.directory = directory;
  }

  /** Takes the document as it is now. @returns its definitions that may be losses */
  update(parts: readonly Part[], shapes: Shapes): readonly Candidate[] {
    this.modules = parts.map((p) => parseTolerantly(this.parser, p.text, p.file).module);
    const program = this.reader.of(this.modules);
    this.statements = program.flat();
    this.shapes = shapes;
    this.program = null;
    const callables = this.modules.map((m): readonly CallableInfo[] => callablesOf(m));
    const defined = candidatesOf(callables, program);
    const all = [...defined, ...importsOf(this.modules, defined)];
    this.candidates = withUses(all, program);
    const names = new Set(this.candidates.map((c) => c.name));
    // One that is gone for a moment, while its line is being typed, is likely to come back.
    for (const name of this.kept.keys()) {
      if (!names.has(name) && this.kept.size > 2 * names.size + 20) this.kept.delete(name);
    }
    if (this.importsChanged()) {
      this.kept.clear();
      this.imported.clear();
    }
    return this.candidates;
  }

  /** What is known of a candidate as it is written now; null when it has to be derived. */
  known(name: string): Derived | null {
    const kept = this.kept.get(name);
    if (kept === undefined) return null;
    const now = dependenciesOf(name, this.statements);
    if (kept.key !== this.keyOf(name, now)) return null;
    if (isInPlace(kept.statements, now)) return kept.result;
    const file = this.fileOf(name);
    return relocate(kept.result, lineMap(kept.statements, now), file);
  }

  /** Derives a candidate, or tells what it was derived to before. Never throws for user code. */
  derive(name: string, watch: Watch): Derived {
    const known = this.known(name);
    if (known !== null) return known;
    const statements = dependenciesOf(name, this.statements);
    const result = this.attempt(name, watch);
    if (!watch.isCancelled()) {
      const key = this.keyOf(name, statements);
      this.kept.set(name, { key, statements, result, isComplete: false });
    }
    return result;
  }

  /** Whether nothing more can be found about a candidate as it is written now. */
  isComplete(name: string): boolean {
    return this.known(name) !== null && this.kept.get(name)!.isComplete;
  }

  /** Asks the slow rules about a candidate. @returns its result with what they find; null if nothing */
  complete(name: string, watch: Watch): Derived | null {
    const known = this.derive(name, watch);
    const found = this.findingsOf(name, watch, SLOW_RULES);
    const result = found.length === 0 ? known : withFindings(known, found);
    const kept = this.kept.get(name);
    if (kept !== undefined && !watch.isCancelled()) {
      const statements = dependenciesOf(name, this.statements);
      this.kept.set(name, { key: kept.key, statements, result, isComplete: true });
    }
    return found.length === 0 ? null : result;
  }

  /** The loss itself, for what is computed from it; null for what cannot be derived. */
  inspection(name: string, watch: Watch): Inspection | null {
    this.watch = watch;
    try {
      return this.inspected(name, watch).inspection;
    } catch {
      // Why it cannot be derived is what `derive` says.
      return null;
    } finally {
      this.watch = null;
    }
  }

  private inspected(
    name: string,
    watch: Watch,
  ): { readonly trace: Trace; readonly inspection: Inspection } {
    const { python, host } = (this.program ??= this.load());
    const { args, gone } = this.shapesOf(name);
    const trace = python.trace(name, args);
    const stated = { ...trace, assumptions: [...trace.assumptions, ...gone] };
    return { trace, inspection: inspectTrace(stated, host, null, watch) };
  }

  /** Shapes that were set; those of parameters that have been renamed since are only mentioned. */
  private shapesOf(name: string): {
    readonly args: ReturnType<typeof argumentsOfShapes>;
    readonly gone: readonly string[];
  } {
    const parameters = this.modules
      .flatMap((m) => callablesOf(m))
      .findLast((c) => c.name === name)?.parameters;
    const set = Object.entries(this.shapes[name] ?? {});
    const isThere = ([p]: readonly [string, string]): boolean =>
      parameters === undefined || parameters.some((q) => q.name === p || q.name.startsWith("**"));
    return {
      args: argumentsOfShapes(Object.fromEntries(set.filter(isThere))),
      gone: set
        .filter((s) => !isThere(s))
        .map(
          ([p]) => `the shape set for ${p} is left aside: ${name} has no parameter of that name`,
        ),
    };
  }

  private attempt(name: string, watch: Watch): Derived {
    this.watch = watch;
    try {
      const { trace, inspection } = this.inspected(name, watch);
      const { report, loss, inputs } = inspection;
      const used = new Set(leaves(loss));
      const arrays = inputs.filter((x) => used.has(x.node)).length;
      return {
        kind: "derived",
        report,
        isLoss: trace.outputs === null && arrays >= 2,
        inputs: trace.inputs.map(({ parameter, role, node, library }) => ({
          name: parameter,
          role,
          shape: node.shape.map((a) => a.size ?? a.name),
          type: node.type,
          library,
        })),
        ...this.codeOf(name),
      };
    } catch (e) {
      const findings = isUndecided(e) ? this.findingsOf(name, watch, QUICK_RULES) : [];
      return { kind: "failed", failure: toFailure(e), findings };
    } finally {
      this.watch = null;
    }
  }

  /** What rules find in the file itself, on a way that the loss can take. */
  private findingsOf(name: string, watch: Watch, rules: readonly Rule[]): readonly Diagnostic[] {
    const before = this.watch;
    this.watch = watch;
    try {
      const { python } = (this.program ??= this.load());
      const trace = traceForRules(python, name, this.shapesOf(name).args);
      const file = this.fileOf(name);
      return bounded(trace, () => diagnose(trace, rules)).filter((d) => d.location?.file === file);
    } catch {
      // Why it cannot be traced is what `derive` says.
      return [];
    } finally {
      this.watch = before;
    }
  }

  /** The statements that define a candidate, and where they stand. */
  private codeOf(name: string): { readonly code: string; readonly files: readonly string[] } {
    const acting = this.statements.filter((s) => !s.onlyShows);
    const needed = dependenciesOf(name, acting);
    return {
      code: needed.map((s) => s.text).join("\n\n"),
      files: [...new Set(needed.map((s) => s.file))],
    };
  }

  private load(): { python: PythonProgram; host: SessionHost } {
    const files: Files = {
      ...this.files,
      readModule: (name, from, directory) => {
        const found = this.files.readModule(name, from, directory);
        // What is installed stays as it is; it is also much to read.
        if (found?.installed !== true) {
          this.imported.set(JSON.stringify([name, from]), found?.text ?? null);
        }
        return found;
      },
    };
    const host = new SessionHost(
      files,
      this.directory,
      () => undefined,
      () => this.watch?.isCancelled() ?? false,
    );
    const first = this.modules[0]?.source.file ?? "";
    const python = new PythonProgram(this.parser, host, { file: first });
    for (const module of this.modules) python.loadModule(module);
    return { python, host };
  }

  private importsChanged(): boolean {
    return [...this.imported].some(([asked, text]) => {
      const [name, from] = JSON.parse(asked) as [string, string];
      return (this.files.readModule(name, from, this.directory)?.text ?? null) !== text;
    });
  }

  private keyOf(name: string, statements: readonly TopLevel[]): string {
    const shapes = JSON.stringify(this.shapes[name] ?? null);
    const texts = statements.map(({ file, isImport, remarks, text }) =>
      [file, isImport ? "" : remarks, text].join("\n"),
    );
    return [shapes, ...texts].join("\0");
  }

  private fileOf(name: string): string {
    const part = this.candidates.find((c) => c.name === name)?.place.part ?? 0;
    return this.modules[part]?.source.file ?? "";
  }
}

function withFindings(result: Derived, found: readonly Diagnostic[]): Derived {
  if (result.kind === "failed") return { ...result, findings: [...result.findings, ...found] };
  const { report } = result;
  return { ...result, report: { ...report, diagnostics: [...report.diagnostics, ...found] } };
}
