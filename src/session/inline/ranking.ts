/** Catalogue losses by how near a loss comes to them, found in steps so that other work fits between. */
import { type Recognition, recognize } from "../../explain/recognize/recognize.ts";
import { inputsOf } from "../../explain/recognize/subject.ts";
import { type Match, matchesOf } from "../../explain/reasons/match.ts";
import { factsOf } from "../../losses/call.ts";
import { CATALOGUE } from "../../losses/catalogue.ts";
import type { Inspection } from "../inspect.ts";
import { subjectOf } from "../standard.ts";
import type { NearLoss } from "./protocol.ts";

/** More than these few are no help in choosing. */
const MOST = 6;

export class Ranking {
  private readonly inspection: Inspection;
  /** Undefined until the first step. */
  private own: Recognition | null | undefined = undefined;
  private readonly left = [...CATALOGUE];
  private found: Match[] = [];

  constructor(inspection: Inspection) {
    this.inspection = inspection;
  }

  /** Recognizes the loss, then measures one catalogue loss a step. @returns whether any is left */
  step(): boolean {
    const subject = subjectOf(this.inspection);
    if (subject === null) return false;
    if (this.own === undefined) {
      this.own = recognize(subject);
      return this.own !== null;
    }
    const entry = this.left.shift();
    if (this.own === null || entry === undefined) return false;
    this.found.push(...matchesOf(this.own.spec, factsOf(inputsOf(subject)), [entry]));
    return this.left.length > 0;
  }

  /** The nearest so far; none where the loss is none of the family. */
  nearest(): NearLoss[] {
    const { own } = this;
    const isInterrupted = (own?.interruptions.length ?? 0) > 0;
    return [...this.found]
      .sort((a, b) => a.distance - b.distance || a.call.length - b.call.length)
      .slice(0, MOST)
      .map(({ entry, call, distance }) => ({
        call,
        title: entry.title,
        library: entry.library,
        differences: distance + Number(isInterrupted),
      }));
  }
}
