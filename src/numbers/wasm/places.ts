/**
 * Where entries stand: positions and addresses in the loops of a pass, on vectors lane by lane.
 *
 * Most entries of a vector are neighbours, found by the address of the first. What a division of a
 * position gives differs from lane to lane in no such way: it is worked out for each, in variables
 * of its own. Entries that are there for some lanes alone (those of a case) are read elsewhere for
 * the others, from the constants.
 */
import type { IndexForm } from "../kernel/indexForm.ts";
import type { Loop, Test } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import type { FunctionBody } from "./assembler.ts";
import { ELEMENT_SHIFT, type ElementType } from "./elements.ts";
import type { IndexDefinition, IndexLookup } from "./emitted.ts";
import { OP } from "./opcodes.ts";
import { Unsupported, accessKey } from "./survey.ts";

/** One turn of an innermost loop: which step of it is written, and whether one entry at a time. */
export interface Turn {
  readonly loop: Loop;
  /** Variable that counts entries. */
  readonly counter: number;
  readonly one: boolean;
  step: number;
}

/** A variable for each lane, or one for all. */
type LaneVariables = readonly number[];

export class Places {
  turn: Turn | null = null;
  readonly definitions: (IndexDefinition | IndexLookup)[] = [];
  private readonly body: FunctionBody;
  /** Lanes of a vector in an innermost loop. */
  private readonly width: number;
  private readonly pointers: ReadonlyMap<string, number>;
  private readonly elementType: (buffer: Buffer) => ElementType;
  /** Index variables of loops and definitions, as local variables. */
  private readonly indices = new Map<number, LaneVariables>();
  /** Those that change in the present innermost loop. */
  private readonly changing = new Set<number>();
  /** Their local variables in each step of a turn. */
  private readonly inSteps: Map<number, LaneVariables>[] = [];
  /** Where the lanes of the present case are. */
  private guards: LaneVariables | null = null;

  /** @param pointers variables with the addresses of arrays, by access */
  constructor(
    body: FunctionBody,
    width: number,
    pointers: ReadonlyMap<string, number>,
    elementType: (buffer: Buffer) => ElementType,
  ) {
    this.body = body;
    this.width = width;
    this.pointers = pointers;
    this.elementType = elementType;
  }

  /** How many lanes have places of their own. */
  get lanes(): number {
    return this.turn === null || this.turn.one ? 1 : this.width;
  }

  /** Whether some lanes may have to be kept from reading. */
  get isGuarded(): boolean {
    return this.guards !== null;
  }

  /** A loop begins, which counts in this variable. */
  count(loop: Loop, counter: number): void {
    this.indices.set(loop.variable, [counter]);
  }

  /** What an innermost loop's own variable leaves as it is can be defined before it. */
  enter(loop: Loop, definitions: readonly (IndexDefinition | IndexLookup)[]): void {
    this.changing.clear();
    this.changing.add(loop.variable);
    for (const d of definitions) {
      if (d.kind === "lookup" || this.changes(d.form)) this.changing.add(d.variable);
      else this.define(d);
    }
  }

  /** Whether the value changes in the present innermost loop. */
  changes(form: IndexForm): boolean {
    return form.terms.some((t) => this.changing.has(t.variable));
  }

  define(d: IndexDefinition): void {
    const { body } = this;
    const changes = this.turn !== null && this.changes(d.form);
    if (changes) this.changing.add(d.variable);
    const locals = this.inLanes(changes, (lane) => {
      this.index(d.form, lane);
      if (d.part === "whole") return;
      body.i32(d.by);
      body.op(d.part === "quotient" ? OP.i32DivS : OP.i32RemS);
    });
    this.know(d, locals, changes);
  }

  /** Looks a place up: `push` leaves it on the stack, lane by lane. */
  lookUp(d: IndexLookup, push: (lane: number) => void): void {
    const changes = this.turn !== null;
    if (changes) this.changing.add(d.variable);
    this.know(d, this.inLanes(changes, push), changes);
  }

  private know(d: IndexDefinition | IndexLookup, locals: LaneVariables, changes: boolean): void {
    if (changes) (this.inSteps[this.turn!.step] ??= new Map()).set(d.variable, locals);
    else this.indices.set(d.variable, locals);
    if (!this.definitions.includes(d)) this.definitions.push(d);
  }

  private localsOf(variable: number): LaneVariables {
    const { turn } = this;
    const inStep = turn === null ? undefined : this.inSteps[turn.step]?.get(variable);
    const locals =
      inStep !== undefined && this.changing.has(variable) ? inStep : this.indices.get(variable);
    if (locals === undefined) throw new Unsupported("a position is not known");
    return locals;
  }

  /** Variables for what `push` leaves on the stack, one a lane where that differs. */
  private inLanes(differs: boolean, push: (lane: number) => void): LaneVariables {
    return Array.from({ length: differs ? this.lanes : 1 }, (_, lane) => {
      push(lane);
      const local = this.body.local("i32");
      this.body.set(local);
      return local;
    });
  }

  /** Pushes a position: in a turn that of its first entry (null) or of a lane of the present step. */
  index(form: IndexForm, lane: number | null = null): void {
    const { body, turn } = this;
    const further = lane === null || turn === null ? 0 : turn.step * this.width + lane;
    const stride = further === 0 || turn!.one ? 0 : this.strideOf(form);
    body.i32(form.constant + further * stride);
    for (const { variable, factor } of form.terms) {
      const locals = this.localsOf(variable);
      body.get(locals.length === 1 ? locals[0]! : locals[lane ?? 0]!);
      if (factor !== 1) {
        body.i32(factor);
        body.op(OP.i32Mul);
      }
      body.op(OP.i32Add);
    }
  }

  /** How far the position moves with the loop's own variable. */
  private strideOf(form: IndexForm): number {
    const variable = this.turn!.loop.variable;
    return form.terms.find((t) => t.variable === variable)?.factor ?? 0;
  }

  /**
   * How far apart the positions of neighbouring lanes are; null where that is not always the same.
   * For one entry at a time it is 0.
   */
  stride(form: IndexForm): number | null {
    const { turn } = this;
    if (turn === null || turn.one) return 0;
    const stride = this.strideOf(form);
    const others = form.terms.some(
      (t) => t.variable !== turn.loop.variable && this.changing.has(t.variable),
    );
    return others ? null : stride;
  }

  /** Pushes the address of an entry: in a turn that of its first one. */
  address(buffer: Buffer, form: IndexForm): void {
    this.pushAddress(buffer, form, null);
  }

  /**
   * Pushes the address of the entry of a lane, `part` bytes further; that of some constant where
   * the present case does not hold.
   */
  laneAddress(buffer: Buffer, form: IndexForm, lane: number, part = 0): void {
    const { body, guards } = this;
    this.pushAddress(buffer, form, lane, part);
    if (guards === null) return;
    body.get(0);
    body.get(guards.length === 1 ? guards[0]! : guards[lane]!);
    body.op(OP.select);
  }

  /**
   * Pushes the address of the first of neighbouring entries, `part` bytes further. Some of them may
   * not be there: what stands next to an array is read then, and is to be left out. Where none is
   * there it is the address of some constants.
   */
  rowAddress(buffer: Buffer, form: IndexForm, part = 0): void {
    const { body, guards } = this;
    this.pushAddress(buffer, form, 0, part);
    if (guards === null) return;
    body.get(0);
    guards.forEach((g, lane) => {
      body.get(g);
      if (lane > 0) body.op(OP.i32Or);
    });
    body.op(OP.select);
  }

  private pushAddress(buffer: Buffer, form: IndexForm, lane: number | null, part = 0): void {
    const { body } = this;
    const pointer = this.pointers.get(accessKey(buffer, form));
    if (pointer === undefined) throw new Unsupported("an access was not surveyed");
    body.get(pointer);
    this.index(form, lane);
    const shift = ELEMENT_SHIFT[this.elementType(buffer)];
    if (shift > 0) {
      body.i32(shift);
      body.op(OP.i32Shl);
    }
    body.op(OP.i32Add);
    if (part === 0) return;
    body.i32(part);
    body.op(OP.i32Add);
  }

  /** Variables that are 1 where the test holds and 0 elsewhere. */
  holds({ coordinate, first, end, step }: Test): LaneVariables {
    const { body } = this;
    const differs = this.turn !== null && this.changes(coordinate);
    return this.inLanes(differs, (lane) => {
      const distance = (): void => {
        this.index({ constant: coordinate.constant - first, terms: coordinate.terms }, lane);
      };
      // Below `first` it is a large number without sign.
      distance();
      body.i32(end - first);
      body.op(OP.i32LtU);
      if (step === 1) return;
      distance();
      body.i32(step);
      body.op(OP.i32RemU);
      body.op(OP.i32Eqz);
      body.op(OP.i32And);
    });
  }

  /** Writes what is done in the lanes of a case; outer cases go on to hold. */
  within(holds: LaneVariables, write: () => void): void {
    const { body, guards } = this;
    const local = (v: LaneVariables, lane: number): number => (v.length === 1 ? v[0]! : v[lane]!);
    if (guards === null) this.guards = holds;
    else {
      this.guards = this.inLanes(Math.max(holds.length, guards.length) > 1, (lane) => {
        body.get(local(holds, lane));
        body.get(local(guards, lane));
        body.op(OP.i32And);
      });
    }
    write();
    this.guards = guards;
  }
}
