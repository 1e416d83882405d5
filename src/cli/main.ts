#!/usr/bin/env node
/** `dice-gradient`: derive and check gradients from a terminal, a CI job or a test. */
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { toPlain } from "../report/plain.ts";
import type { HandWritten, PrecisionRung, Report, Verdict } from "../report/schema.ts";
import { Referee } from "../session/autograd/referee.node.ts";
import { explained } from "../session/behaviour.ts";
import { toFailure } from "../session/failure.ts";
import {
  type JobResult,
  type Other,
  checkFileStreamed,
  compareFile,
  inspectFile,
  sourceOfModule,
} from "../session/jobs.node.ts";
import { writeGradient } from "../session/gradientFile.node.ts";
import type { Failure } from "../session/protocol.ts";
import { SourceFileError, readSource } from "../session/sourceFile.node.ts";
import {
  type Command,
  USAGE,
  UsageError,
  isModuleName,
  parseArguments,
  splitTarget,
} from "./arguments.ts";
import { printCatalogue } from "./catalogue.ts";
import { isLintThread, serveLint } from "../session/lint.node.ts";
import { lint } from "./lint.ts";
import { parseLint } from "./lintArguments.ts";
import { progressLine } from "./progress.ts";
import { isStopped, isTerminal, runInThread, stopSignal } from "./stopping.ts";

/** Its number as a file. */
const STDERR = 2;

const EXIT = { ok: 0, differs: 1, badInput: 2 } as const;

const GOOD: ReadonlySet<Verdict> = new Set(["agrees", "not-checked"]);

/** Exit code of the command; everything is printed. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 0 || argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    return argv.length === 0 ? EXIT.badInput : EXIT.ok;
  }
  let command: Command;
  try {
    if (argv[0] === "lint") return await lint(parseLint(argv.slice(1)));
    command = parseArguments(argv);
  } catch (e) {
    if (!(e instanceof UsageError)) throw e;
    console.error(`${e.message}\n\n${USAGE}`);
    return EXIT.badInput;
  }
  if (command.out !== null && isMainThread) {
    return runInThread(fileURLToPath(import.meta.url), argv);
  }
  if (command.name === "catalogue") return printCatalogue(command.others, command.json);
  try {
    return await run(command, sourceOf(command));
  } catch (e) {
    if (!(e instanceof SourceFileError)) throw e;
    console.error(`${e.message}\n${e.remedy}`);
    return EXIT.badInput;
  }
}

interface NamedSource {
  readonly file: string;
  readonly source: string;
}

async function run(command: Command, source: NamedSource): Promise<number> {
  if (command.name === "compare") return compare(command, source);
  const { callable, values, shapes, wrt } = command;
  const job = { ...source, callable, values, shapes, wrt, directory: process.cwd() };
  if (command.stream) {
    const streamed = { ...job, callable: callable!, out: command.out };
    const result = await checkFileStreamed(streamed, command.python, PROGRESS);
    return print({ ...command, out: null }, [result]);
  }
  const results = await inspectFile(
    {
      ...job,
      ...(command.autograd === null ? {} : { autograd: command.autograd }),
      ...(command.name === "explain" ? { explain: true } : {}),
      ...(command.name === "precision" ? { precision: { autocast: command.autocast } } : {}),
    },
    command.python,
    PROGRESS,
  );
  const judged = await Promise.all(results.map(withAutograd));
  return print(command, command.name === "explain" ? judged.map(withExplanation) : judged);
}

async function compare(command: Command, source: NamedSource): Promise<number> {
  const others: Other[] = [];
  for (const text of command.others) {
    const { file, callable } = splitTarget(text);
    if (callable === null) {
      others.push({ kind: "catalogue", call: text });
      continue;
    }
    const other = sourceOf({ file, callable, isModule: isModuleName(file) });
    others.push({ kind: "file", ...other, callable });
  }
  const job = {
    ...source,
    callable: command.callable!,
    values: command.values,
    shapes: command.shapes,
    wrt: command.wrt,
    directory: process.cwd(),
  };
  const result = await compareFile(job, others, command.python, PROGRESS);
  PROGRESS.clear();
  if ("failure" in result) {
    console.error(failureText(result.failure));
    return EXIT.badInput;
  }
  const { comparison } = result;
  console.log(command.json ? JSON.stringify(comparison, null, 2) : toPlain(comparison));
  return comparison.pairs.every((p) => p.equal === "exactly") ? EXIT.ok : EXIT.differs;
}

/**
 * The file's text; for a module, the lines that import the callable from it.
 * @throws SourceFileError
 */
function sourceOf(command: Pick<Command, "file" | "callable" | "isModule">): NamedSource {
  const { file, callable, isModule } = command;
  return isModule ? sourceOfModule(file, callable ?? "") : { file, source: readSource(file) };
}

/** On standard error, where a person sees it; results and failures are printed once it is cleared. */
const PROGRESS = progressLine(isTerminal ? writeToTerminal : null, isStopped);

/** A thread's streams wait until its run is over. */
function writeToTerminal(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // A terminal that takes nothing at the moment is told of the next step.
  }
}

/** How the command line has real autograd asked. */
const FACE = { askAutograd: "Add --autograd, or --autograd=LIBRARY,LIBRARY" };

/** Made when first needed; dist/cli.js lies beside media/. */
const python: { referee?: Referee } = {};

/** The result with what real autograd says, where that was asked. */
async function withAutograd(result: JobResult): Promise<JobResult> {
  if (!("inspection" in result) || result.autograd === undefined) return result;
  python.referee ??= new Referee(
    fileURLToPath(new URL("../media/python/autograd_server.py", import.meta.url)),
  );
  const { inspection, autograd } = result;
  try {
    const report = await python.referee.judge(inspection, autograd, PROGRESS, stopSignal());
    return { inspection: { ...inspection, report } };
  } catch (e) {
    return { failure: toFailure(e) };
  }
}

/** The result with how its gradient behaves, and three claims settled. */
function withExplanation(result: JobResult): JobResult {
  if (!("inspection" in result)) return result;
  const { inspection } = result;
  try {
    const report = explained(inspection, inspection.report, FACE, PROGRESS);
    return { inspection: { ...inspection, report } };
  } catch (e) {
    return { failure: toFailure(e) };
  }
}

function print(command: Command, results: readonly JobResult[]): number {
  PROGRESS.clear();
  const reports = results.flatMap((r) => ("inspection" in r ? [r.inspection.report] : []));
  for (const r of results) if ("failure" in r) console.error(failureText(r.failure));
  if (reports.length === 0) {
    if (results.length === 0)
      console.error(`There is no function or loss class in ${command.file}.`);
    return EXIT.badInput;
  }
  const json = command.callable === null && reports.length !== 1 ? reports : reports[0];
  console.log(command.json ? JSON.stringify(json, null, 2) : reports.map(toPlain).join("\n\n"));
  const { out } = command;
  if (out !== null) {
    const [first] = results.flatMap((r) => ("inspection" in r ? [r.inspection] : []));
    if (first !== undefined) {
      try {
        writeGradient(out, first, PROGRESS);
      } catch (e) {
        console.error(failureText(toFailure(e)));
        return EXIT.badInput;
      }
    }
  }
  const named = command.callable !== null;
  if (named && results.some((r) => "failure" in r)) return EXIT.badInput;
  // Asked for and not to be had is no pass.
  if (reports.some((r) => r.autogradRuns?.some((run) => (run.failure ?? null) !== null))) {
    return EXIT.badInput;
  }
  const verdicts = reports.flatMap((r) => [r.check, ...(r.autogradRuns ?? [])]);
  const isPrecise = reports.every((r) => r.precision?.rungs.every((x) => !isWrong(x)) ?? true);
  const isGood =
    isPrecise && verdicts.every((v) => GOOD.has(v.verdict)) && !reports.some(hasWrongGradient);
  return isGood ? EXIT.ok : EXIT.differs;
}

/** A number type in which the loss or its gradient is of no use. */
function isWrong({ verdict }: PrecisionRung): boolean {
  return verdict === "wrong" || verdict === "not-a-number" || verdict === "refused";
}

/** A gradient written by hand that is in force and is not that of its loss. */
function hasWrongGradient(r: Report): boolean {
  const isWrong = (h: HandWritten): boolean => h.verdict === "wrong" || h.verdict === "refused";
  return (r.handwritten ?? []).some((h) => h.inForce && isWrong(h));
}

function failureText(f: Failure): string {
  const place = [f.file, f.line, f.column].filter((x) => x !== null).join(":");
  return [
    `${place === "" ? "" : `${place}: `}${f.name}: ${f.message}`,
    ...(f.caretText === null ? [] : f.caretText.split("\n").map((line) => `    ${line}`)),
    ...(f.remedy === null ? [] : [f.remedy]),
  ].join("\n");
}

if (isLintThread) serveLint();
else {
  process.exitCode = await main(process.argv.slice(2));
  python.referee?.dispose();
}
