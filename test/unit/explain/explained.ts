/** Losses explained on arrays given as text: what a report says of their gradient's behaviour. */
import type { Behaviour, BehaviourChart, ClaimEntry, Report } from "../../../src/report/schema.ts";
import { explained as explainInspection } from "../../../src/session/behaviour.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import type { Inspection } from "../../../src/session/inspect.ts";
import { inspectSource } from "../../../src/session/jobs.ts";
import { sharedParser } from "../python/session.ts";

export const FILE = "losses.py";
export const watch = { onProgress: () => undefined, isCancelled: () => false };

/** The three losses that people compare. */
export const SNIPPETS = `import numpy as np
import torch

def plain(y_true, y_pred):
    intersection = np.sum(y_true * y_pred)
    return 1 - 2 * intersection / (np.sum(y_true) + np.sum(y_pred))

def smooth(y_true, y_pred, epsilon=1e-7):
    intersection = np.sum(y_true * y_pred)
    total = np.sum(y_true) + np.sum(y_pred)
    return 1 - (2 * intersection + epsilon) / (total + epsilon)

def logits(logits, target, epsilon=1e-7):
    p = torch.sigmoid(logits).view(-1)
    t = target.view(-1)
    return 1 - (2 * (p * t).sum() + epsilon) / (p.sum() + t.sum() + epsilon)
`;

export async function inspected(
  source: string,
  callable: string,
  values: readonly string[] = [],
): Promise<Inspection> {
  const engine = { parser: await sharedParser(), files: filesFor() };
  const job = { source, file: FILE, callable, values, wrt: null, directory: "." };
  const [result] = inspectSource(job, engine, watch);
  if (result === undefined || "failure" in result) {
    throw new Error(result === undefined ? "nothing was inspected" : result.failure.message);
  }
  return result.inspection;
}

export interface Explained {
  readonly report: Report;
  readonly behaviour: Behaviour;
  readonly claims: readonly ClaimEntry[];
  readonly chart: (id: BehaviourChart["id"]) => BehaviourChart;
  /** Values of a series, null where it has none. */
  readonly series: (
    id: BehaviourChart["id"],
    role: BehaviourChart["series"][number]["role"],
    group?: string,
  ) => BehaviourChart["series"][number];
  readonly finding: (id: string) => Behaviour["findings"][number];
  readonly claim: (id: ClaimEntry["id"]) => ClaimEntry;
}

/** @param more what real autograd said, in the report's own fields */
export async function explained(
  source: string,
  callable: string,
  values: readonly string[] = [],
  more: Partial<Report> = {},
): Promise<Explained> {
  const inspection = await inspected(source, callable, values);
  const face = { askAutograd: "Ask Python" };
  const report = explainInspection(inspection, { ...inspection.report, ...more }, face, watch);
  const behaviour = report.behaviour!;
  const claims = report.claims!;
  const chart = (id: string): BehaviourChart => named(behaviour.charts, id);
  return {
    report,
    behaviour,
    claims,
    chart,
    series: (id, role, group) => {
      const found = chart(id).series.find(
        (s) => s.role === role && (group === undefined || s.group === group),
      );
      if (found === undefined) throw new Error(`${id} has no ${role} of ${group ?? "any"}`);
      return found;
    },
    finding: (id) => named(behaviour.findings, id),
    claim: (id) => named(claims, id),
  };
}

function named<T extends { readonly id: string }>(all: readonly T[], id: string): T {
  const found = all.find((x) => x.id === id);
  if (found === undefined) {
    throw new Error(`there is no ${id} among ${all.map((x) => x.id).join(", ")}`);
  }
  return found;
}
