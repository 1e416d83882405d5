/** A gradient that one mistake would give, to be compared with the one that was written. */
import type { Expr } from "../../expression/node.ts";
import type { FaultId, Words } from "./fault.ts";

export interface Candidate {
  readonly id: FaultId;
  readonly at: Expr | null;
  /** null where the mistake cannot be made here (shapes do not go together). */
  readonly gradient: () => Expr | null;
  readonly say: (w: Words) => string;
}
