/**
 * Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), which GitHub, Azure
 * DevOps and editors read.
 */
import type { Log, ReportingDescriptor, Result, Region } from "sarif";
import { RULES } from "../explain/rules/table.ts";
import type { SourceEdit, SourceLocation } from "../report/schema.ts";
import type { LintFinding } from "../session/lint.ts";
import { placeOfCell } from "../session/notebookCells.ts";

const LEVEL = { error: "error", warning: "warning", information: "note" } as const;

/** @param uriOf the address of a file as it is to stand in the log, relative where it can be */
export function toSarif(
  findings: readonly LintFinding[],
  version: string,
  uriOf: (file: string) => string,
): Log {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Dice Gradient Inspector",
            semanticVersion: version,
            rules: RULES.map((rule): ReportingDescriptor => ({
              id: rule.code,
              name: camelCase(rule.name),
              shortDescription: { text: rule.title },
              defaultConfiguration: { level: LEVEL[rule.severity] },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: findings.map((f) => resultOf(f, uriOf)),
      },
    ],
  };
}

function resultOf(f: LintFinding, uriOf: (file: string) => string): Result {
  const physical = (l: SourceLocation): Result["locations"] => {
    const { file, cell } = placeOfCell(l.file);
    const artifactLocation = { uri: uriOf(file) };
    // Lines of a notebook's file are lines of its JSON: those of a cell stand in the message.
    if (cell !== null) return [{ physicalLocation: { artifactLocation } }];
    return [{ physicalLocation: { artifactLocation, region: regionOf(l) } }];
  };
  const { related = [], location } = f;
  const { cell } = placeOfCell(location?.file ?? "");
  const fix = cell === null ? f.fix : undefined;
  const where = cell === null ? "" : `Cell ${cell}, line ${location?.line ?? 1}: `;
  return {
    ruleId: f.code,
    ruleIndex: RULES.findIndex((r) => r.code === f.code),
    level: LEVEL[f.severity],
    message: { text: where + (f.remedy === null ? f.message : `${f.message} ${f.remedy}`) },
    ...(f.location === null
      ? {}
      : {
          locations: physical(f.location)!.map((l) => ({
            ...l,
            logicalLocations: [{ name: f.function, kind: "function" }],
          })),
        }),
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((r, k) => ({
            id: k,
            ...physical(r.location)![0],
            message: { text: r.message },
          })),
        }),
    ...(fix === undefined ? {} : { fixes: [fixOf(fix, uriOf)] }),
  };
}

function regionOf(l: SourceLocation): Region {
  return {
    startLine: l.line ?? 1,
    ...(l.column === undefined ? {} : { startColumn: l.column }),
    ...(l.endLine === undefined ? {} : { endLine: l.endLine }),
    ...(l.endColumn === undefined ? {} : { endColumn: l.endColumn }),
  };
}

type SarifFix = NonNullable<Result["fixes"]>[number];

function fixOf(
  fix: { readonly title: string; readonly edits: readonly SourceEdit[] },
  uriOf: (file: string) => string,
): SarifFix {
  const files = [...new Set(fix.edits.map((e) => e.file))];
  return {
    description: { text: fix.title },
    artifactChanges: files.map((file) => ({
      artifactLocation: { uri: uriOf(file) },
      replacements: fix.edits
        .filter((e) => e.file === file)
        .map((e) => ({
          deletedRegion: {
            startLine: e.line,
            startColumn: e.column,
            endLine: e.endLine,
            endColumn: e.endColumn,
          },
          insertedContent: { text: e.newText },
        })),
    })),
  };
}

function camelCase(name: string): string {
  return name
    .split("-")
    .map((w) => w[0]!.toUpperCase() + w.slice(1))
    .join("");
}
