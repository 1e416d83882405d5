/**
 * Sigmoids of x and −x and their logarithms, as Dice with cross-entropy has them, from one e^−|x|,
 * one quotient and one logarithm.
 */
import type { UnaryOp } from "../../expression/node.ts";
import type { Instruction, Operand } from "../kernel/loops.ts";
import { expOfMinusAbs, log1pOfFraction } from "./elementary.ts";
import type { Lanes, Vector } from "./lanes.ts";

type Compute = Extract<Instruction, { kind: "compute" }>;

/** What is known of an argument so far. */
interface Made {
  readonly power: Vector;
  logarithm?: Vector;
  /** Whether x ≥ 0, 1/(1 + e^−|x|), and what that is short of 1. */
  quotients?: { readonly positive: Vector; readonly large: Vector; readonly small: Vector };
}

const SHARING: ReadonlySet<UnaryOp> = new Set<UnaryOp>(["sigmoid", "softplus", "logsigmoid"]);

export class Exponentials {
  /** Results of negations, and of what. */
  private readonly negated = new Map<number, Operand>();
  /** Arguments, by register, that more than one function is computed of. */
  private readonly shared: ReadonlySet<number>;
  private readonly made = new Map<Vector, Made>();

  /** @param instructions of an innermost loop: what they define, every turn defines anew */
  constructor(instructions: readonly Instruction[]) {
    const all = [...computations(instructions)];
    for (const { to, computation: c, args } of all) {
      if (c.kind === "unary" && c.op === "neg") this.negated.set(to.id, args[0]!);
    }
    const defined = definedBy(instructions);
    const once = new Set<number>();
    const shared = new Set<number>();
    for (const { computation: c, args } of all) {
      if (c.kind !== "unary" || !SHARING.has(c.op)) continue;
      const { base } = this.signed(args[0]!);
      if (typeof base === "number" || !defined.has(base.id)) continue;
      (once.has(base.id) ? shared : once).add(base.id);
    }
    this.shared = shared;
  }

  /**
   * The result of an instruction, or null if it shares nothing. Within 3 ulp, and 0 where sigmoids
   * are below the smallest normal number.
   * @param number an operand of this turn
   */
  term(v: Lanes, { computation: c, args }: Compute, number: (o: Operand) => Vector): Vector | null {
    if (c.kind !== "unary" || !SHARING.has(c.op)) return null;
    const { base, isNegative } = this.signed(args[0]!);
    if (typeof base === "number" || !this.shared.has(base.id)) return null;
    const x = number(base);
    const made = this.of(v, x);
    if (c.op === "sigmoid") {
      const { positive, large, small } = quotientsOf(v, x, made);
      return isNegative ? v.select(positive, small, large) : v.select(positive, large, small);
    }
    made.logarithm ??= log1pOfFraction(v, made.power);
    const [argument, zero] = [number(args[0]!), v.constant(0)];
    return c.op === "softplus"
      ? v.of("add", v.of("pmax", argument, zero), made.logarithm)
      : v.of("sub", v.of("pmin", argument, zero), made.logarithm);
  }

  private of(v: Lanes, x: Vector): Made {
    let made = this.made.get(x);
    if (made === undefined) this.made.set(x, (made = { power: expOfMinusAbs(v, x) }));
    return made;
  }

  /** The operand, or what it is the negative of. */
  private signed(o: Operand): { base: Operand; isNegative: boolean } {
    const base = typeof o === "number" ? undefined : this.negated.get(o.id);
    return base === undefined ? { base: o, isNegative: false } : { base, isNegative: true };
  }
}

function quotientsOf(v: Lanes, x: Vector, made: Made): NonNullable<Made["quotients"]> {
  if (made.quotients === undefined) {
    const one = v.constant(1);
    const large = v.of("div", one, v.of("add", one, made.power));
    const small = v.of("mul", made.power, large);
    made.quotients = { positive: v.of("ge", x, v.constant(0)), large, small };
  }
  return made.quotients;
}

function* computations(instructions: readonly Instruction[]): Generator<Compute> {
  for (const i of instructions) {
    if (i.kind === "compute") yield i;
    if (i.kind === "choose") for (const c of i.cases) yield* computations(c.body);
  }
}

/** Registers that the instructions set, those of cases included. */
function definedBy(instructions: readonly Instruction[]): Set<number> {
  return new Set(
    instructions.flatMap((i) => {
      if ("variable" in i) return [];
      const inside = i.kind === "choose" ? i.cases.flatMap((c) => [...definedBy(c.body)]) : [];
      return [i.to.id, ...inside];
    }),
  );
}
