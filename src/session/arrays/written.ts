/** Arrays written in Python and JSON: which one the cursor is in, and what it is called. */
import { ArrayError, type NdArray, elementCount, summarize } from "../../arrays/ndarray.ts";
import { parseArrayLiteral } from "../../arrays/literal.ts";
import { parseValueSpec } from "../../arrays/valueSpec.ts";
import type { SourceSpan } from "../../expression/node.ts";
import type { PythonParser } from "../../python/parser.ts";
import type {
  Call,
  Expression,
  Module,
  Sequence,
  Statement,
  Subscript,
} from "../../python/syntax.ts";
import { walkSyntax } from "../../python/syntaxWalk.ts";
import { parseTolerantly } from "../../python/tolerant.ts";
import type { TextRange, WrittenArray, WrittenLibrary } from "./protocol.ts";

/** More elements than this are no longer text in a cell. */
const LONGEST_EXPRESSION = 256;
/** Arrays of a document that are offered besides the one at the cursor. */
const MOST_OTHERS = 40;

/** An expression of a document with the name that it is given to. */
interface Named {
  readonly name: string;
  readonly value: Expression;
}

/** A document in which arrays are looked for. */
export class WrittenArrays {
  private readonly text: string;
  private readonly file: string;
  /** Offset at which each line begins. */
  private readonly starts: readonly number[];
  private readonly module: Module;
  private readonly faults: readonly { readonly message: string; readonly line: number }[];
  private readonly named: readonly Named[];

  constructor(parser: PythonParser, text: string, file: string) {
    this.text = text;
    this.file = file;
    this.starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((m) => m.index + m[0].length)];
    const { module, faults } = parseTolerantly(parser, text, file);
    this.module = module;
    this.faults = faults;
    this.named = namedIn(module.body);
  }

  /**
   * The array in a selection, or around a cursor: the largest literal or loading call that the cursor
   * is in, or what the name under the cursor was assigned.
   * @throws ArrayError that says why there is none
   */
  at(range: TextRange): WrittenArray {
    return range.start < range.end ? this.selected(range) : this.around(range.start);
  }

  /** Named arrays of the document other than those. */
  others(than: readonly WrittenArray[]): WrittenArray[] {
    const found: WrittenArray[] = [];
    for (const { name, value } of this.named) {
      if (found.length >= MOST_OTHERS) break;
      const line = value.span.line;
      if (than.some((x) => x.line === line && x.name === name)) continue;
      if (!isBracketed(value)) continue;
      try {
        const array = this.read(value, name);
        if (elementCount(array.shape) > 1) found.push(array);
      } catch (e) {
        if (!(e instanceof ArrayError)) throw e;
      }
    }
    return found;
  }

  private selected({ start, end }: TextRange): WrittenArray {
    const raw = this.text.slice(start, end);
    const assigned = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*(?::[^=\n]*)?=(?!=)/u.exec(raw);
    const key = /^\s*"((?:[^"\\]|\\.)*)"\s*:/u.exec(raw);
    const skipped = (assigned ?? key)?.[0].length ?? 0;
    const text = raw.slice(skipped).replace(/[\s,;]+$/, "");
    const lead = /^\s*/.exec(text)![0].length;
    const at = start + skipped + lead;
    const name = assigned?.[1] ?? key?.[1] ?? this.nameAt(at);
    return this.readText(text.slice(lead), at, name);
  }

  private around(offset: number): WrittenArray {
    const path = this.pathTo(offset);
    const refusals: ArrayError[] = [];
    for (const node of candidatesOn(path)) {
      try {
        return this.read(node, this.nameAt(this.offsetOf(node.span)));
      } catch (e) {
        if (!(e instanceof ArrayError)) throw e;
        refusals.push(e);
      }
    }
    const [refusal] = refusals;
    if (refusal !== undefined) throw refusal;
    const name = this.wordAt(offset);
    const meant = name === null ? null : this.assigned(name, offset);
    if (meant !== null) return this.read(meant, name);
    throw this.nothing(offset, name);
  }

  private nothing(offset: number, name: string | null): ArrayError {
    const line = this.lineOf(offset);
    const fault = this.faults.find((f) => f.line <= line + 1);
    const what =
      name === null
        ? "There is no array at the cursor."
        : `${name} is no array that can be read from the text: nothing here gives it numbers.`;
    return new ArrayError(what, {
      where: { file: this.file, line },
      remedy:
        fault === undefined
          ? "Put the cursor into a list of numbers, np.array(…) or torch.tensor(…), or select one."
          : `The code cannot be read: ${fault.message} (line ${String(fault.line)}). Mend it, or select the array.`,
    });
  }

  /** Expressions around an offset, the outermost first. */
  private pathTo(offset: number): Expression[] {
    const path: Expression[] = [];
    walkSyntax(this.module.body, (node) => {
      if (!isBracketed(node)) return;
      const start = this.offsetOf(node.span);
      if (start <= offset && offset <= this.endOf(node.span)) path.push(node);
    });
    return path;
  }

  /** The last assignment above the place, else the first below it. */
  private assigned(name: string, offset: number): Expression | null {
    const all = this.named.filter((n) => n.name === name && isBracketed(n.value));
    const above = all.filter((n) => this.offsetOf(n.value.span) <= offset);
    return (above.at(-1) ?? all[0])?.value ?? null;
  }

  private nameAt(offset: number): string | null {
    return this.named.find((n) => this.offsetOf(n.value.span) === offset)?.name ?? null;
  }

  private wordAt(offset: number): string | null {
    const before = /[\p{L}\p{N}_]*$/u.exec(this.text.slice(Math.max(0, offset - 200), offset))![0];
    const after = /^[\p{L}\p{N}_]*/u.exec(this.text.slice(offset, offset + 200))![0];
    const word = before + after;
    return /^[\p{L}_]/u.test(word) ? word : null;
  }

  private read(node: Expression, name: string | null): WrittenArray {
    const start = this.offsetOf(node.span);
    return this.readText(this.text.slice(start, this.endOf(node.span)), start, name);
  }

  private readText(text: string, start: number, name: string | null): WrittenArray {
    const line = this.lineOf(start);
    const spec = text === "" ? null : parseValueSpec(text);
    if (spec?.kind === "file" && /load\s*\(/.test(text)) {
      const { path, member = null } = spec;
      const value = { kind: "load", path, member } as const;
      return { name, line, shape: [], dtype: "", summary: null, value };
    }
    const column = start - this.starts[line - 1]! + 1;
    const array = parseArrayLiteral(text, { file: this.file, line, column });
    const library = elementCount(array.shape) > LONGEST_EXPRESSION ? null : libraryOf(text);
    return {
      name,
      line,
      ...describedArray(array),
      value:
        library === null
          ? { kind: "elements", array }
          : { kind: "expression", text: text.trim(), library },
    };
  }

  private offsetOf({ line, column }: SourceSpan): number {
    return this.starts[line - 1]! + column - 1;
  }

  private endOf({ line, column, endLine, endColumn }: SourceSpan): number {
    return this.starts[(endLine ?? line) - 1]! + (endColumn ?? column) - 1;
  }

  /** From 1. */
  private lineOf(offset: number): number {
    const next = this.starts.findIndex((s) => s > offset);
    return next < 0 ? this.starts.length : next;
  }
}

/** @throws ArrayError for a complex array */
export function describedArray(array: NdArray): Pick<WrittenArray, "shape" | "dtype" | "summary"> {
  return { shape: array.shape, dtype: array.dtype, summary: summarize(array) };
}

/** Names that statements, keywords and keys give to values, in the order they are written. */
function namedIn(body: readonly Statement[]): Named[] {
  const named: Named[] = [];
  const give = (target: Expression, value: Expression): void => {
    if (target.kind === "Name") named.push({ name: target.id, value });
    else if (target.kind === "Attribute") named.push({ name: target.name, value });
    else if (target.kind === "Tuple" && value.kind === "Tuple") {
      target.items.forEach((t, k) => {
        const v = value.items[k];
        if (v !== undefined) give(t, v);
      });
    }
  };
  walkSyntax(body, (node) => {
    if (node.kind === "Assign") for (const t of node.targets) give(t, node.value);
    else if (node.kind === "AnnAssign" && node.value !== null) give(node.target, node.value);
    else if (node.kind === "Walrus") named.push({ name: node.name, value: node.value });
    else if (node.kind === "Call") {
      for (const { name, value } of node.args) if (name !== null) named.push({ name, value });
    } else if (node.kind === "Dict") {
      for (const { key, value } of node.items) {
        if (key?.kind === "String") named.push({ name: key.value, value });
      }
    }
  });
  return named;
}

/** What a literal may be made of; whether it is one is for its own reader to say. */
function isBracketed(x: Expression | Statement): x is Sequence | Call | Subscript {
  return x.kind === "List" || x.kind === "Tuple" || x.kind === "Call" || x.kind === "Subscript";
}

/**
 * Expressions on the way to the cursor that may be the array meant, the likeliest first. A list of
 * lists is one array; a list of calls holds an array for each call.
 */
function candidatesOn(path: readonly Expression[]): Expression[] {
  const calls = path.filter((x) => isArrayCall(x));
  const lists = path.filter((x) => isNumberList(x));
  const outer = lists[0];
  // Brackets inside a call are its argument; a call inside brackets is one element of several.
  return [...calls, ...(outer === undefined ? [] : [outer])];
}

/** A list of numbers, lists and calls; strings and None in it are mistakes that are worth a message. */
function isNumberList(x: Expression): boolean {
  if (x.kind !== "List" && x.kind !== "Tuple") return false;
  return x.items.length > 0 && x.items.every(mayBeElement);
}

function mayBeElement(x: Expression): boolean {
  switch (x.kind) {
    case "Number":
    case "String":
    case "Singleton":
      return true;
    case "Name":
      return /^(true|false|null|nan|NaN|inf|Infinity)$/.test(x.id);
    case "Unary":
      return mayBeElement(x.operand);
    case "Binary":
      return mayBeElement(x.left) && mayBeElement(x.right);
    case "List":
    case "Tuple":
      return x.items.every(mayBeElement);
    default:
      return false;
  }
}

const MODULES = /^(np|numpy|onp|anp|torch|jnp|jax\.numpy|tf|tensorflow)\./;
/** Functions that make an array from what is written in their brackets. */
const MAKES =
  /\.(array|asarray|asanyarray|ascontiguousarray|asfortranarray|tensor|as_tensor|from_numpy|\w*Tensor|constant|convert_to_tensor|Variable|zeros|ones|full|fill|eye|identity|arange|linspace|range|load|float16|float32|float64|u?int(8|16|32|64)|bool_?)$/;

/** A call of an array library that makes an array, and methods after it. */
function isArrayCall(x: Expression): boolean {
  if (x.kind === "Subscript") return isArrayCall(x.value);
  if (x.kind !== "Call") return false;
  const callee = dotted(x.callee);
  if (callee !== null) return MODULES.test(callee) && MAKES.test(callee);
  return x.callee.kind === "Attribute" && isArrayCall(x.callee.value);
}

function dotted(x: Expression): string | null {
  if (x.kind === "Name") return x.id;
  if (x.kind !== "Attribute") return null;
  const value = dotted(x.value);
  return value === null ? null : `${value}.${x.name}`;
}

const ALIASES: Readonly<Record<string, WrittenLibrary>> = {
  np: "numpy",
  torch: "torch",
  jnp: "jax",
  tf: "tensorflow",
};

/** Whose array the text makes, if it uses no name that a cell would have to import otherwise. */
function libraryOf(text: string): WrittenLibrary | null {
  const heads = new Set([...text.matchAll(/(?<![\w.])([A-Za-z_]\w*)\s*\./g)].map((m) => m[1]!));
  const words = [...text.matchAll(/(?<![\w.])([A-Za-z_]\w*)\s*\(/g)].map((m) => m[1]!);
  const first = ALIASES[/^\s*(\w+)\./.exec(text)?.[1] ?? ""];
  if (first === undefined || words.length > 0) return null;
  return [...heads].every((h) => Object.hasOwn(ALIASES, h)) ? first : null;
}
