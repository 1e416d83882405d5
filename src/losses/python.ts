/** Python literals, as they stand in the call of a library's loss. */

/** A dotted name that is passed as a value, such as `torch.sigmoid`. */
export interface PyName {
  readonly name: string;
}

/** A dictionary with string keys. */
export interface PyDict {
  readonly items: Readonly<Record<string, PyValue>>;
}

export type PyValue = number | boolean | string | null | PyName | PyDict | readonly PyValue[];

export function isDict(v: PyValue | undefined): v is PyDict {
  return typeof v === "object" && v !== null && "items" in v;
}

export function isName(v: PyValue | undefined): v is PyName {
  return typeof v === "object" && v !== null && "name" in v;
}

/** The literal as Python reads it back; `float` numbers keep a decimal point. */
export function formatValue(v: PyValue, float = false): string {
  if (v === null) return "None";
  if (typeof v === "boolean") return v ? "True" : "False";
  if (typeof v === "number") return formatNumber(v, float);
  if (typeof v === "string") return JSON.stringify(v);
  if (isName(v)) return v.name;
  if (isDict(v)) {
    const pairs = Object.entries(v.items).map(([k, x]) => `"${k}": ${formatValue(x)}`);
    return `{${pairs.join(", ")}}`;
  }
  return `[${v.map((x) => formatValue(x, float)).join(", ")}]`;
}

function formatNumber(v: number, float: boolean): string {
  if (!Number.isFinite(v))
    return Number.isNaN(v) ? 'float("nan")' : `float("${v > 0 ? "" : "-"}inf")`;
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e16)) return v.toExponential().replace("e+", "e");
  return float && Number.isInteger(v) ? `${v}.0` : String(v);
}

/** Thrown when a call cannot be read; `at` is the position in the text. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly at: number;
  /** A name that is not known, and those that are. */
  readonly unknown: { readonly name: string; readonly known: readonly string[] } | null;
  constructor(message: string, at: number, unknown: CallError["unknown"] = null) {
    super(message);
    this.at = at;
    this.unknown = unknown;
  }
}

export interface Argument {
  /** `null` for a positional argument. */
  readonly keyword: string | null;
  readonly value: PyValue;
  readonly at: number;
}

export interface Call {
  readonly callee: string;
  readonly arguments: readonly Argument[];
}

/** Calls whose single argument stands for itself: how people write arrays of weights. */
const WRAPPERS = /^((torch|np|numpy|jnp)\.)?(tensor|as_tensor|array|asarray|Tensor|FloatTensor)$/;

/** Reads `name(literal, keyword=literal, …)`. @throws CallError */
export function readCall(text: string): Call {
  const reader = new Reader(text);
  const callee = reader.dottedName("the name of a loss");
  const found = reader.takes("(") ? reader.arguments() : [];
  reader.end();
  return { callee, arguments: found };
}

class Reader {
  private at = 0;
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  /** Arguments up to the closing bracket; the opening one is read. */
  arguments(): Argument[] {
    const found: Argument[] = [];
    while (!this.takes(")")) {
      this.space();
      const at = this.at;
      const keyword = /^([A-Za-z_]\w*)\s*=(?!=)/.exec(this.text.slice(at));
      if (keyword !== null) this.at += keyword[0].length;
      else if (found.some((a) => a.keyword !== null)) {
        throw new CallError("a positional argument stands after a keyword argument", at);
      }
      found.push({ keyword: keyword?.[1] ?? null, value: this.value(), at });
      if (this.takes(",")) continue;
      if (!this.takes(")")) throw this.expected('"," or ")"');
      break;
    }
    return found;
  }

  private value(): PyValue {
    this.space();
    const rest = this.text.slice(this.at);
    const number = /^[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)(e[+-]?\d+)?/i.exec(rest);
    if (number !== null) {
      this.at += number[0].length;
      return Number(number[0].replaceAll("_", ""));
    }
    const string = /^("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/.exec(rest);
    if (string !== null) {
      this.at += string[0].length;
      return string[0].slice(1, -1).replace(/\\(.)/g, "$1");
    }
    if (this.takes("[")) return this.items("]");
    if (this.takes("(")) return this.items(")");
    if (this.takes("{")) return this.pairs();
    return this.nameOrCall();
  }

  private items(closing: string): PyValue[] {
    const found: PyValue[] = [];
    while (!this.takes(closing)) {
      found.push(this.value());
      if (this.takes(",")) continue;
      if (!this.takes(closing)) throw this.expected(`"," or "${closing}"`);
      break;
    }
    return found;
  }

  private pairs(): PyDict {
    const items: Record<string, PyValue> = {};
    while (!this.takes("}")) {
      const key = this.value();
      if (typeof key !== "string") throw this.expected("a key in quotes");
      if (!this.takes(":")) throw this.expected('":"');
      items[key] = this.value();
      if (this.takes(",")) continue;
      if (!this.takes("}")) throw this.expected('"," or "}"');
      break;
    }
    return { items };
  }

  private nameOrCall(): PyValue {
    const at = this.at;
    const name = this.dottedName("a literal: a number, a string, True, False, None or a list");
    if (name === "True" || name === "False") return name === "True";
    if (name === "None") return null;
    if (!this.takes("(")) return { name };
    const found = this.arguments();
    const first = found[0]?.value;
    if (name === "float" && typeof first === "string" && /^[+-]?inf$/.test(first)) {
      return first.startsWith("-") ? -Infinity : Infinity;
    }
    // A dtype or a device beside the numbers changes nothing here.
    if (WRAPPERS.test(name) && first !== undefined) return first;
    throw new CallError(`${name}(…) is not a literal; write the value itself`, at);
  }

  dottedName(what: string): string {
    this.space();
    const found = /^[\p{L}_][\p{L}\p{N}_]*(\s*\.\s*[\p{L}_][\p{L}\p{N}_]*)*/u.exec(
      this.text.slice(this.at),
    );
    if (found === null) throw this.expected(what);
    this.at += found[0].length;
    return found[0].replace(/\s/g, "");
  }

  takes(token: string): boolean {
    this.space();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.expected("the end of the call");
  }

  private space(): void {
    this.at += /^\s*/.exec(this.text.slice(this.at))![0].length;
  }

  private expected(what: string): CallError {
    const found = this.text.slice(this.at, this.at + 12);
    return new CallError(
      `${what} is expected at column ${this.at + 1}, not ${found === "" ? "the end" : JSON.stringify(found)}`,
      this.at,
    );
  }
}
