/** `dice-gradient lint`: diagnostics of files and folders for a terminal, for CI and for hooks. */
import { readFileSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { LintFinding, LintResult } from "../session/lint.ts";
import { lintFiles } from "../session/lintThreads.node.ts";
import { withSeverities } from "../session/severities.ts";
import type { LintOptions } from "./lintArguments.ts";
import { pythonFilesIn } from "./lintFiles.ts";
import { toSarif } from "./sarif.ts";

const EXIT = { clean: 0, findings: 1, badInput: 2 } as const;

/** Exit code; everything is printed. */
export async function lint(options: LintOptions): Promise<number> {
  let files: string[];
  try {
    files = pythonFilesIn(options.paths);
  } catch (e) {
    console.error((e as Error).message);
    return EXIT.badInput;
  }
  const results = (await lintFiles(files, options.python, fileURLToPath(import.meta.url))).map(
    (r) => ({
      ...r,
      findings: withSeverities(r.findings, options.severities),
    }),
  );
  const findings = results.flatMap((r) => r.findings);
  if (options.format === "json") console.log(JSON.stringify(results.filter(hasSomething), null, 2));
  else if (options.format === "sarif")
    console.log(JSON.stringify(toSarif(findings, version(), uriOf), null, 2));
  else printText(results, options.verbose);
  return findings.some((f) => f.severity !== "information") ? EXIT.findings : EXIT.clean;
}

function hasSomething(r: LintResult): boolean {
  return r.findings.length + r.untraced.length + r.faults.length > 0;
}

function printText(results: readonly LintResult[], verbose: boolean): void {
  for (const r of results) {
    for (const f of r.findings) console.log(findingText(f, r.file));
    if (!verbose) continue;
    for (const { name, failure } of r.untraced) {
      console.log(
        `${failure.file ?? r.file}:${failure.line ?? 1}: not looked at: ${name}: ${failure.message}`,
      );
    }
    for (const f of r.faults)
      console.log(`${f.file ?? r.file}:${f.line ?? 1}: ${f.name}: ${f.message}`);
  }
  const count = (what: number, word: string): string => `${what} ${word}${what === 1 ? "" : "s"}`;
  const total = (f: (r: LintResult) => number): number => results.reduce((n, r) => n + f(r), 0);
  const untraced = total((r) => r.untraced.length);
  console.log(
    `${count(
      total((r) => r.findings.length),
      "finding",
    )} in ${count(
      total((r) => r.losses),
      "loss",
    ).replace("losss", "losses")} of ${count(results.length, "file")}` +
      (untraced === 0
        ? ""
        : `; ${untraced} could not be traced${verbose ? "" : " (--verbose says why)"}`),
  );
}

function findingText(f: LintFinding, file: string): string {
  const { line = 1, column = 1 } = f.location ?? {};
  const word = f.severity === "information" ? "note" : f.severity;
  return [
    `${f.location?.file ?? file}:${line}:${column}: ${word} ${f.code}: ${f.message}`,
    ...(f.remedy === null ? [] : [`    ${f.remedy}`]),
  ].join("\n");
}

/** Below the working directory by its relative path, as scanning services want it. */
function uriOf(file: string): string {
  const path = relative(process.cwd(), file);
  if (path.startsWith("..") || isAbsolute(path)) return pathToFileURL(file).href;
  return path.split(sep).map(encodeURIComponent).join("/");
}

function version(): string {
  try {
    const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return "0.0.0";
  }
}
