/**
 * Every loss of an installed library, traced from the library's own source, is the catalogue's
 * expression by the exact test: for each of the settings that its numbers are compared with too.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sizesOf } from "../../src/expression/axis.ts";
import type { AxisRole } from "../../src/expression/axis.ts";
import * as x from "../../src/expression/build.ts";
import { decideEqual } from "../../src/expression/equality.ts";
import type { Expr, Input } from "../../src/expression/node.ts";
import { type NdArray, toFloat64 } from "../../src/arrays/ndarray.ts";
import { withLiterals } from "../../src/explain/recognize/subject.ts";
import { buildEntry, formatCall, withDefaults } from "../../src/losses/call.ts";
import { CATALOGUE } from "../../src/losses/catalogue.ts";
import { type CatalogueEntry, Settings, type TargetForm } from "../../src/losses/entry.ts";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import { PythonProgram, type Trace } from "../../src/python/program.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { SessionHost, handleOf } from "../../src/session/host.ts";
import { shapeFrom } from "../../src/session/shapes.ts";
import { root } from "../../scripts/lib/root.mjs";
import { type Values, comparisonOf } from "./catalogueGrid.ts";
import { target } from "./catalogueArrays.ts";
import { oraclePython, python } from "./environment.ts";

const folder = join(root, "test/oracle");
const path = join(folder, "sources.py");

type Arguments = NonNullable<Parameters<PythonProgram["trace"]>[1]>;
type Argument = Arguments extends ReadonlyMap<string, infer A> ? A : never;

const wanted = process.env["DICE_GRADIENT_LIBRARY"];
const installed = CATALOGUE.filter(
  ({ source }) =>
    source.kind === "library" &&
    source.transcribed !== true &&
    (wanted === undefined || wanted === source.package),
);

function rolesOf(entry: CatalogueEntry, rank: number): AxisRole[] {
  const space = Array.from({ length: rank - 2 }, (): AxisRole => "space");
  return entry.layout === "channels-last"
    ? ["batch", ...space, "class"]
    : ["batch", "class", ...space];
}

interface Case {
  readonly values: Values;
  readonly shape: readonly number[];
  readonly form: TargetForm;
}

function casesOf(entry: CatalogueEntry): Case[] {
  const { shapes, settings, only } = comparisonOf(entry)!;
  return shapes.flatMap((shape) =>
    settings.flatMap((chosen): Case[] => {
      if (only?.(chosen, shape) === false) return [];
      const values = withDefaults(entry, chosen);
      const classes = shape[rolesOf(entry, shape.length).indexOf("class")]!;
      return [{ values, shape, form: entry.target(new Settings(values), { classes }) }];
    }),
  );
}

/** Shapes of the arrays, by the names that the library gives them. */
function shapesOf(entry: CatalogueEntry, { shape, form }: Case): Map<string, string> {
  const at = rolesOf(entry, shape.length).indexOf("class");
  const one = shape.map((n, d) => (d === at ? 1 : n));
  // A metric's target holds zeros and ones; of real numbers TorchMetrics takes the largest channel.
  const isMetric = entry.library === "TorchMetrics";
  const target: Readonly<Record<TargetForm, string>> = {
    "like the prediction": `${shape.join(",")}${isMetric ? ":int64" : ""}`,
    labels: `${shape.filter((_, d) => d !== at).join(",")}:int64`,
    "labels with a channel": `${one.join(",")}:int64`,
  };
  const text = { prediction: shape.join(","), target: target[form], mask: one.join(",") };
  return new Map(
    entry.arrays.filter((a) => a.optional !== true).map((a) => [a.name, text[a.is]] as const),
  );
}

/** A label map in which some voxels are ignored. */
function labelsOf({ shape, form, values }: Case): Argument {
  const ignored = values["ignore_label"] as number;
  const made = target(shape, 1, form, "ignored labels", 7, ignored);
  const data = BigInt64Array.from(made.data, BigInt);
  return { kind: "array", handle: handleOf({ dtype: "int64", shape: made.shape, data }) };
}

class Sources {
  private readonly programs = new Map<string, PythonProgram>();
  private readonly parser: PythonParser;
  constructor(parser: PythonParser) {
    this.parser = parser;
  }

  trace(entry: CatalogueEntry, c: Case): Trace {
    const call = formatCall(entry, c.values).slice(entry.id.length);
    const { symbol } = entry.source as { readonly symbol: string };
    const made =
      entry.form === "class"
        ? `${symbol}${call}`
        : `partial(${symbol}${call === "()" ? ")" : `, ${call.slice(1)}`}`;
    const args = new Map<string, Argument>(
      [...shapesOf(entry, c)].map(([name, shape]) => [name, shapeFrom(name, shape)]),
    );
    // nnU-Net asks whether any voxel is left: that array must be one.
    if (typeof c.values["ignore_label"] === "number") args.set("target", labelsOf(c));
    return this.program(entry).trace(made, args);
  }

  private program(entry: CatalogueEntry): PythonProgram {
    const { file, symbol } = entry.source as { readonly file: string; readonly symbol: string };
    const known = this.programs.get(entry.id);
    if (known !== undefined) return known;
    const host = new SessionHost(
      filesFor(python),
      folder,
      () => undefined,
      () => false,
    );
    const program = new PythonProgram(this.parser, host, { file: path });
    const lines = [
      "import torch",
      "from functools import partial",
      ...(file.startsWith("nnunetv2") ? ["import nnunetv2.utilities.helpers"] : []),
      ...(file.startsWith("nnunetv2") ? ["import nnunetv2.training.loss.dice"] : []),
      `from ${file.replace(/\.py$/, "").replaceAll("/", ".")} import ${symbol}`,
    ];
    const errors = program.load(lines.join("\n"), path);
    assert.deepEqual(
      errors.map((e) => e.message),
      [],
    );
    this.programs.set(entry.id, program);
    return program;
  }
}

/** What is traced, and the catalogue's expression on the same arrays. */
function bothOf(entry: CatalogueEntry, c: Case, trace: Trace): [Expr, Expr] {
  const given = Object.fromEntries(
    entry.arrays.flatMap(({ name, is }) => {
      const found = trace.inputs.find((i) => i.parameter === name);
      return found === undefined ? [] : [[is, found.node]];
    }),
  ) as Record<"prediction" | "target" | "mask", Input>;
  const inputs = { ...given, roles: rolesOf(entry, c.shape.length) };
  const written = trace.captured.map(({ node, handle }) => ({
    node: node as Input,
    values: toFloat64(handle.token as NdArray),
  }));
  const { loss } = withLiterals(trace.loss, written, new Map());
  return [loss, buildEntry(entry, c.values, inputs)];
}

/** Axes of size 1 that a library keeps, as MONAI does without a reduction, stand for nothing. */
function withoutUnits(e: Expr): Expr {
  return sizesOf(e.shape).includes(1) ? x.squeeze(e) : e;
}

describe("the catalogue and the sources of installed libraries", function () {
  this.timeout(1_200_000);
  let sources: Sources;
  before(async () => {
    await oraclePython();
    sources = new Sources(await loadParserFromDisk());
  });

  for (const entry of installed) {
    const cases = casesOf(entry);
    it(`${entry.id} is its source by the exact test, in ${cases.length} cases`, () => {
      const wrong: string[] = [];
      let nowhere = 0;
      for (const c of cases) {
        const where = `${formatCall(entry, c.values)} on (${c.shape.join(", ")})`;
        try {
          const trace = sources.trace(entry, c);
          const [traced, ours] = bothOf(entry, c, trace).map(withoutUnits);
          const found = decideEqual(traced!, ours!);
          if (found.reason === "neither is defined at any point tried") nowhere++;
          else if (found.equal !== true)
            wrong.push(`${where}: ${JSON.stringify(found).slice(0, 300)}`);
        } catch (e) {
          wrong.push(`${where}: ${e instanceof Error ? e.message : String(e)}`);
        }
      }
      // Catalyst's scores with weights of a sum above 1 leave [0, 1], and their power is no number.
      assert.ok(nowhere === 0 || entry.id === "catalyst.contrib.losses.FocalTrevskyLoss");
      assert.ok(nowhere < cases.length / 2);
      assert.equal(
        wrong.length,
        0,
        `${wrong.length} of ${cases.length}:\n${wrong.slice(0, 6).join("\n")}`,
      );
    });
  }
});
