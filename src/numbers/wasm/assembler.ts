/**
 * Bytes of WebAssembly modules: functions over one memory that is imported, and functions of
 * float64 numbers that are imported. (The assemblers on the registries either bring a whole
 * compiler of several megabytes or lack relaxed SIMD; the format itself is small.)
 */
import { OP, SIMD } from "./opcodes.ts";

export type ValueType = "i32" | "f64" | "v128";

const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f64: 0x7c, v128: 0x7b };
const EMPTY_BLOCK = 0x40;

export interface ImportedFunction {
  readonly name: string;
  /** How many float64 arguments it takes; it returns one. */
  readonly parameters: number;
}

export interface ModuleParts {
  readonly memory: { readonly shared: boolean; readonly maximum: number };
  readonly imports: readonly ImportedFunction[];
  readonly functions: readonly { readonly name: string; readonly body: FunctionBody }[];
}

/** An unsigned number in LEB128. */
function unsigned(n: number): number[] {
  const bytes: number[] = [];
  do {
    const more = n >= 128;
    bytes.push((n % 128) + (more ? 128 : 0));
    n = Math.floor(n / 128);
  } while (n > 0);
  return bytes;
}

/** A signed 32-bit number in LEB128. */
function signed(n: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = n & 0x7f;
    n >>= 7;
    const done = (n === 0 && (byte & 0x40) === 0) || (n === -1 && (byte & 0x40) !== 0);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

function text(s: string): number[] {
  const bytes = [...new TextEncoder().encode(s)];
  return [...unsigned(bytes.length), ...bytes];
}

/** Instructions of one function in the order they are written. */
export class FunctionBody {
  readonly parameters: readonly ValueType[];
  private readonly locals: ValueType[] = [];
  private readonly start: number[] = [];
  private readonly rest: number[] = [];
  private code = this.rest;
  /** Where statements end, while they are taken apart. */
  private ends: { readonly code: readonly number[]; readonly at: number[] } | null = null;

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters;
  }

  /** Whether engines take the function: 1,000 parameters at most, and 50,000 variables with them. */
  get fits(): boolean {
    const { length } = this.parameters;
    return length <= 1000 && length + this.locals.length <= 50_000;
  }

  /** A new local variable. */
  local(type: ValueType): number {
    return this.parameters.length + this.locals.push(type) - 1;
  }

  /** Writes instructions that stand before all others. */
  first(write: () => void): void {
    const before = this.code;
    this.code = this.start;
    write();
    this.code = before;
  }

  /**
   * Sequences of statements, which are values of variables, in turns: one of each, then the next.
   * A processor looks ahead only so far; this lets it see several sequences at once.
   */
  inTurns(sequences: readonly (() => void)[]): void {
    const taken = sequences.map((write) => this.statements(write));
    const longest = Math.max(...taken.map((s) => s.ends.length));
    for (let k = 0; k < longest; k++) {
      for (const { code, ends } of taken) {
        for (let at = ends[k - 1] ?? 0, end = ends[k] ?? 0; at < end; at++)
          this.code.push(code[at]!);
      }
    }
  }

  /** What `write` writes, and where each of its statements ends. */
  private statements(write: () => void): { code: readonly number[]; ends: readonly number[] } {
    const before = this.code;
    const code: number[] = [];
    const at: number[] = [];
    [this.code, this.ends] = [code, { code, at }];
    write();
    [this.code, this.ends] = [before, null];
    return { code, ends: [...at, code.length] };
  }

  op(opcode: number): void {
    this.code.push(opcode);
  }

  simd(opcode: number): void {
    this.code.push(0xfd, ...unsigned(opcode));
  }

  get(local: number): void {
    this.code.push(OP.localGet, ...unsigned(local));
  }

  set(local: number): void {
    this.code.push(OP.localSet, ...unsigned(local));
    if (this.ends?.code === this.code) this.ends.at.push(this.code.length);
  }

  tee(local: number): void {
    this.code.push(OP.localTee, ...unsigned(local));
  }

  i32(value: number): void {
    this.code.push(OP.i32Const, ...signed(value | 0));
  }

  f64(value: number): void {
    this.code.push(OP.f64Const, ...new Uint8Array(Float64Array.of(value).buffer));
  }

  vector(bytes: Uint8Array): void {
    this.simd(SIMD.const);
    this.code.push(...bytes);
  }

  shuffle(lanes: readonly number[]): void {
    this.simd(SIMD.shuffle);
    this.code.push(...lanes);
  }

  /** An instruction on one lane. */
  lane(opcode: number, lane: number): void {
    this.simd(opcode);
    this.code.push(lane);
  }

  /** A load or store; nothing is said of alignment. */
  memory(opcode: number, offset = 0): void {
    this.code.push(opcode, 0, ...unsigned(offset));
  }

  simdMemory(opcode: number, offset = 0, lane?: number): void {
    this.simd(opcode);
    this.code.push(0, ...unsigned(offset));
    if (lane !== undefined) this.code.push(lane);
  }

  call(index: number): void {
    this.code.push(OP.call, ...unsigned(index));
  }

  block(inside: () => void): void {
    this.code.push(OP.block, EMPTY_BLOCK);
    inside();
    this.code.push(OP.end);
  }

  loop(inside: () => void): void {
    this.code.push(OP.loop, EMPTY_BLOCK);
    inside();
    this.code.push(OP.end);
  }

  /** Repeats while `by` more are left up to `end`, and counts them; both are variables. */
  repeat(counter: number, end: number, by: number, inside: () => void): void {
    const last = this.local("i32");
    this.get(end);
    this.i32(by - 1);
    this.op(OP.i32Sub);
    this.set(last);
    this.block(() => {
      this.loop(() => {
        this.get(counter);
        this.get(last);
        this.op(OP.i32GeS);
        this.brIf(1);
        inside();
        this.get(counter);
        this.i32(by);
        this.op(OP.i32Add);
        this.set(counter);
        this.br(0);
      });
    });
  }

  br(depth: number): void {
    this.code.push(OP.br, ...unsigned(depth));
  }

  brIf(depth: number): void {
    this.code.push(OP.brIf, ...unsigned(depth));
  }

  bytes(): Uint8Array {
    const groups: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      const last = groups.at(-1);
      if (last?.type === type) last.count++;
      else groups.push({ type, count: 1 });
    }
    const head = [
      ...unsigned(groups.length),
      ...groups.flatMap((g) => [...unsigned(g.count), TYPE_CODES[g.type]]),
    ];
    const length = head.length + this.start.length + this.rest.length + 1;
    return joined([unsigned(length), head, this.start, this.rest, [OP.end]]);
  }
}

/** One after the other. Functions are long: spreading them into arrays takes milliseconds. */
function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

function section(id: number, entries: readonly ArrayLike<number>[]): Uint8Array {
  const body = joined([unsigned(entries.length), ...entries]);
  return joined([[id], unsigned(body.length), body]);
}

/** The module's bytes. Its functions are exported by their names and return nothing. */
export function assemble({ memory, imports, functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const types = [
    ...imports.map((f) => [
      0x60,
      ...unsigned(f.parameters),
      ...new Array<number>(f.parameters).fill(TYPE_CODES.f64),
      1,
      TYPE_CODES.f64,
    ]),
    ...functions.map(({ body }) => [
      0x60,
      ...unsigned(body.parameters.length),
      ...body.parameters.map((t) => TYPE_CODES[t]),
      0,
    ]),
  ];
  const limits = memory.shared ? [3, 1, ...unsigned(memory.maximum)] : [0, 1];
  const imported = [
    [...text("numbers"), ...text("memory"), 2, ...limits],
    ...imports.map((f, k) => [...text("numbers"), ...text(f.name), 0, ...unsigned(k)]),
  ];
  const first = imports.length;
  return joined([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, types),
    section(2, imported),
    section(
      3,
      functions.map((_, k) => unsigned(first + k)),
    ),
    section(
      7,
      functions.map((f, k) => [...text(f.name), 0, ...unsigned(first + k)]),
    ),
    section(
      10,
      functions.map((f) => f.body.bytes()),
    ),
  ]);
}
