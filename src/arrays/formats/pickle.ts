/**
 * An interpreter for the part of Python's pickle that files of tensors are made of.
 *
 * Unpickling in Python calls whatever function the file names. Here nothing is called: what a name
 * stands for is the host's to say, and objects of any class but the host's are left as they were
 * written. Source of the instructions: CPython's pickletools.py.
 */
import { damaged, quoted, refusal } from "../fileErrors.ts";
import { sourceOf, viewOf, type ByteSource } from "../source.ts";

export interface PickleList {
  readonly kind: "list" | "tuple";
  readonly items: Pickled[];
}

export interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<Pickled, Pickled>;
}

/** An object that is not made: the class or function that would make it, and what it was given. */
export interface PickleObject {
  readonly kind: "object";
  readonly name: string;
  /** Its arguments, and then what was appended to it. */
  readonly items: Pickled[];
  /** What was set by key. */
  readonly entries: Map<Pickled, Pickled>;
  /** What it would restore its attributes from. */
  state: Pickled;
}

/** An object that would be made by calling `name`. */
export function unmade(name: string, args: readonly Pickled[]): PickleObject {
  return { kind: "object", name, items: [...args], entries: new Map(), state: null };
}

/** A function or class, by its full name. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
}

/** What the host makes of a call or of an identifier of data kept elsewhere. */
export interface PickleMade {
  readonly kind: "made";
  readonly value: object;
}

/** A value in a pickle. Integers beyond 2^53 are bigint; bytes and strings of Python 2 are text. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleList
  | PickleDict
  | PickleObject
  | PickleGlobal
  | PickleMade;

/** What the names in a pickle stand for. */
export interface PickleHost {
  /** Why the name `module.name` may not occur, as the end of a sentence; undefined if it may. */
  readonly refuses: (name: string) => string | undefined;
  /** The value of calling it; undefined if these are no arguments for it. */
  readonly call: (name: string, args: readonly Pickled[]) => Pickled | undefined;
  /** The value that an identifier stands for; undefined if it is none. */
  readonly persistent: (id: Pickled) => Pickled | undefined;
  /** What to do about a pickle that needs more. */
  readonly remedy: string;
}

/** Python's own integers have no limit; nothing that a tensor needs comes near to this. */
const MAX_INTEGER_BYTES = 64;

/** Bytes that are read of a pickle at first; then twice as many each time. */
const FIRST_BYTES = 1 << 16;

/** The value of a pickle. @throws ArrayError if it is damaged, or the host refuses a name in it. */
export function unpickle(
  bytes: Uint8Array,
  host: PickleHost,
  label: string,
  file: string,
): Pickled {
  return unpickleAt(sourceOf(bytes), 0, host, label, file).value;
}

/**
 * The value of the pickle that begins at `start` of a source, and where it ends.
 *
 * @throws ArrayError as {@link unpickle} does.
 */
export function unpickleAt(
  source: ByteSource,
  start: number,
  host: PickleHost,
  label: string,
  file: string,
): { value: Pickled; end: number } {
  const machine = new Interpreter(source, start, host, label, file);
  const value = machine.run();
  return { value, end: start + machine.position };
}

class Interpreter {
  private readonly source: ByteSource;
  private readonly start: number;
  /** The first bytes of the pickle, as many as were needed so far. */
  private bytes: Uint8Array = new Uint8Array(0);
  private view = viewOf(this.bytes);
  private readonly host: PickleHost;
  private readonly label: string;
  private readonly file: string;
  private at = 0;
  /** Values, and the marks between them. */
  private readonly stack: Pickled[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Pickled>();

  constructor(source: ByteSource, start: number, host: PickleHost, label: string, file: string) {
    this.source = source;
    this.start = start;
    this.host = host;
    this.label = label;
    this.file = file;
  }

  /** Bytes of the pickle that were read. */
  get position(): number {
    return this.at;
  }

  run(): Pickled {
    for (;;) {
      const start = this.at;
      const code = this.unsigned(1);
      const instruction = INSTRUCTIONS[code];
      if (code === STOP) return this.pop();
      if (instruction === undefined) {
        const shown = code > 32 && code < 127 ? `'${String.fromCharCode(code)}'` : hex(code);
        throw refusal(
          `${this.label} needs the pickle instruction ${shown}, which tensors, dictionaries and lists do not.`,
          this.label,
          { file: this.file, remedy: this.host.remedy },
        );
      }
      instruction(this, start);
    }
  }

  fail(what: string): never {
    throw damaged(this.label, `${what} (at byte ${String(this.at)} of the pickle)`, {
      file: this.file,
    });
  }

  /** Steps over `length` bytes and gives where they began. */
  skip(length: number): number {
    const start = this.at;
    if (!(length <= this.bytes.length - start)) this.readTo(start + length);
    this.at = start + length;
    return start;
  }

  private readTo(end: number): void {
    const there = this.source.size - this.start;
    if (!(end <= there)) this.fail("it ends in the middle");
    const wanted = Math.min(there, Math.max(end, 2 * this.bytes.length, FIRST_BYTES));
    this.bytes = this.source.read(this.start, wanted);
    this.view = viewOf(this.bytes);
    if (this.bytes.length < end) this.fail("it ends in the middle");
  }

  unsigned(width: 1 | 2 | 4): number {
    const start = this.skip(width);
    if (width === 1) return this.view.getUint8(start);
    return width === 2 ? this.view.getUint16(start, true) : this.view.getUint32(start, true);
  }

  length(width: 1 | 4 | 8): number {
    if (width !== 8) return this.unsigned(width);
    return Number(this.view.getBigUint64(this.skip(8), true));
  }

  signed(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  float(): number {
    return this.view.getFloat64(this.skip(8));
  }

  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) this.fail("it has an integer of absurd size");
    const start = this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(this.bytes[start + i]!);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    const start = this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  /** Bytes as text, a character each. */
  byteText(length: number): string {
    const start = this.skip(length);
    let text = "";
    // Not by a decoder: what is called latin1 there is another code.
    for (let at = start; at < start + length; at += 4096) {
      text += String.fromCharCode(...this.bytes.subarray(at, Math.min(at + 4096, start + length)));
    }
    return text;
  }

  line(): string {
    let end = this.bytes.indexOf(10, this.at);
    while (end < 0) {
      this.readTo(Math.max(this.at, this.bytes.length) + 1);
      end = this.bytes.indexOf(10, this.at);
    }
    const text = this.text(end - this.at);
    this.skip(1);
    return text;
  }

  push(value: Pickled): void {
    this.stack.push(value);
  }

  pop(): Pickled {
    const floor = this.marks.at(-1) ?? 0;
    if (this.stack.length <= floor) this.fail("it takes a value that is not there");
    return this.stack.pop()!;
  }

  top(): Pickled {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  popToMark(): Pickled[] {
    const start = this.marks.pop();
    if (start === undefined) return this.fail("it goes back to a mark that is not there");
    return this.stack.splice(start);
  }

  popMany(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  remember(index = this.memo.size): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) return this.fail("it recalls a value that it did not keep");
    this.push(value);
  }

  dict(): PickleDict | PickleObject {
    const value = this.top();
    if (isKind(value, "dict") || isKind(value, "object")) return value;
    return this.fail("it sets items of what is no dictionary");
  }

  list(): PickleList | PickleObject {
    const value = this.top();
    if (isKind(value, "list") || isKind(value, "object")) return value;
    return this.fail("it appends to what is no list");
  }

  setItems(items: readonly Pickled[]): void {
    const { entries } = this.dict();
    if (items.length % 2 !== 0) this.fail("it gives a key without a value");
    for (let i = 0; i < items.length; i += 2) entries.set(items[i]!, items[i + 1]!);
  }

  global(module: Pickled, name: Pickled): void {
    if (typeof module !== "string" || typeof name !== "string") {
      return this.fail("it names no function");
    }
    const full = `${module}.${name}`;
    const why = this.host.refuses(full);
    if (why !== undefined) {
      throw refusal(`${this.label} needs ${quoted(full, 120)}, ${why}.`, this.label, {
        file: this.file,
        remedy: this.host.remedy,
      });
    }
    this.push({ kind: "global", name: full });
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!isKind(callee, "global") || !isKind(args, "tuple")) {
      return this.fail("it calls no function");
    }
    const value = this.host.call(callee.name, args.items);
    if (value === undefined) {
      return this.fail(`it calls ${callee.name} with arguments that do not fit`);
    }
    this.push(value);
  }

  /** The class, its arguments and perhaps named ones, as `cls.__new__(cls, *args)` takes them. */
  make(named: boolean): void {
    if (named) this.pop();
    const args = this.pop();
    const type = this.pop();
    if (!isKind(type, "global") || !isKind(args, "tuple")) return this.fail("it makes no object");
    this.push(unmade(type.name, args.items));
  }

  persistent(): void {
    const value = this.host.persistent(this.pop());
    if (value === undefined) return this.fail("it refers to data in an unknown way");
    this.push(value);
  }

  /** The attributes of an object, or of a state_dict, where they are nothing that is read. */
  build(): void {
    const state = this.pop();
    const value = this.top();
    if (isKind(value, "object")) value.state = state;
    else if (!isKind(value, "made")) this.dict();
  }
}

/** Whether a value is of that kind. */
export function isKind<K extends "dict" | "object" | "global" | "made">(
  value: Pickled | undefined,
  kind: K,
): value is Extract<Pickled, { kind: K }>;
export function isKind(value: Pickled | undefined, kind: "list" | "tuple"): value is PickleList;
export function isKind(value: Pickled | undefined, kind: string): boolean {
  return typeof value === "object" && value !== null && value.kind === kind;
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}

const STOP = 0x2e;

type Instruction = (machine: Interpreter, start: number) => void;

const char = (text: string): number => text.charCodeAt(0);
const tuple = (items: Pickled[]): PickleList => ({ kind: "tuple", items });

function appendAll(m: Interpreter): void {
  const values = m.popToMark();
  const { items } = m.list();
  for (const value of values) items.push(value);
}

/** Every instruction that is followed, by its byte. Protocols 2 to 5 need no other for these values. */
const INSTRUCTIONS: Readonly<Record<number, Instruction>> = {
  0x80: (m, start) => {
    const protocol = m.unsigned(1);
    if (start !== 0 || protocol > 5) m.fail(`it names the protocol ${String(protocol)}`);
  },
  0x95: (m) => void m.length(8), // FRAME
  [char("N")]: (m) => {
    m.push(null);
  },
  0x88: (m) => {
    m.push(true);
  },
  0x89: (m) => {
    m.push(false);
  },
  [char("K")]: (m) => {
    m.push(m.unsigned(1));
  },
  [char("M")]: (m) => {
    m.push(m.unsigned(2));
  },
  [char("J")]: (m) => {
    m.push(m.signed());
  },
  0x8a: (m) => {
    m.push(m.integer(m.length(1)));
  },
  0x8b: (m) => {
    m.push(m.integer(m.length(4)));
  },
  [char("G")]: (m) => {
    m.push(m.float());
  },
  0x8c: (m) => {
    m.push(m.text(m.length(1)));
  },
  [char("X")]: (m) => {
    m.push(m.text(m.length(4)));
  },
  0x8d: (m) => {
    m.push(m.text(m.length(8)));
  },
  [char("U")]: (m) => {
    m.push(m.byteText(m.length(1)));
  },
  [char("T")]: (m) => {
    m.push(m.byteText(m.length(4)));
  },
  [char("C")]: (m) => {
    m.push(m.byteText(m.length(1)));
  },
  [char("B")]: (m) => {
    m.push(m.byteText(m.length(4)));
  },
  0x8e: (m) => {
    m.push(m.byteText(m.length(8)));
  },
  0x96: (m) => {
    m.push(m.byteText(m.length(8))); // a bytearray
  },
  [char("(")]: (m) => {
    m.mark();
  },
  [char("0")]: (m) => void m.pop(),
  [char("1")]: (m) => void m.popToMark(),
  [char("]")]: (m) => {
    m.push({ kind: "list", items: [] });
  },
  [char("a")]: (m) => {
    const value = m.pop();
    m.list().items.push(value);
  },
  [char("e")]: appendAll,
  [char(")")]: (m) => {
    m.push(tuple([]));
  },
  0x85: (m) => {
    m.push(tuple(m.popMany(1)));
  },
  0x86: (m) => {
    m.push(tuple(m.popMany(2)));
  },
  0x87: (m) => {
    m.push(tuple(m.popMany(3)));
  },
  [char("t")]: (m) => {
    m.push(tuple(m.popToMark()));
  },
  [char("}")]: (m) => {
    m.push({ kind: "dict", entries: new Map() });
  },
  [char("s")]: (m) => {
    m.setItems(m.popMany(2));
  },
  [char("u")]: (m) => {
    m.setItems(m.popToMark());
  },
  [char("q")]: (m) => {
    m.remember(m.unsigned(1));
  },
  [char("r")]: (m) => {
    m.remember(m.unsigned(4));
  },
  0x94: (m) => {
    m.remember();
  },
  [char("h")]: (m) => {
    m.recall(m.unsigned(1));
  },
  [char("j")]: (m) => {
    m.recall(m.unsigned(4));
  },
  [char("c")]: (m) => {
    const module = m.line();
    m.global(module, m.line());
  },
  0x93: (m) => {
    const [module, name] = m.popMany(2);
    m.global(module!, name!);
  },
  [char("R")]: (m) => {
    m.call();
  },
  0x81: (m) => {
    m.make(false);
  },
  0x92: (m) => {
    m.make(true);
  },
  // Sets: their elements are looked at like those of a list.
  0x8f: (m) => {
    m.push({ kind: "list", items: [] });
  },
  0x90: appendAll,
  0x91: (m) => {
    m.push(tuple(m.popToMark()));
  },
  [char("Q")]: (m) => {
    m.persistent();
  },
  [char("b")]: (m) => {
    m.build();
  },
};
