/**
 * Reads a printed text formula back and evaluates it: a second, independent meaning for what
 * `toText` writes, so that a test can compare it with the value of the graph.
 */

export interface ReadingArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Reading {
  readonly arrays: ReadonlyMap<string, ReadingArray>;
  readonly scalars: ReadonlyMap<string, number>;
  /** Entries along the axis of each index letter (primes ignored: k' runs like the axis of k). */
  readonly extent: (letter: string) => number;
  /** Position of the axis with this letter in an array of this rank. */
  readonly axisOf: (letter: string, rank: number) => number;
  /** ∂(first)/∂(second), with the indices of the second. */
  readonly derivative?: (of: string, by: string) => ReadingArray;
}

type Env = ReadonlyMap<string, number>;
type Node = (env: Env) => number;

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const TOKEN =
  /\s*(Σ_|Π_|(?:max|min|any|all|argmax|argmin|softmax|log_softmax)_|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|\d+(?:\.\d+)?|[\p{L}][\p{L}\p{M}\p{Nd}']*[₀-₉]*|…|[^\s])/uy;

export function readText(
  text: string,
  reading: Reading,
): (letters: Readonly<Record<string, number>>) => number {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const m = TOKEN.exec(text);
    if (m === null) throw new Error(`cannot read ${text}`);
    tokens.push(m[1]!);
  }
  let pos = 0;
  const peek = (): string => tokens[pos] ?? "";
  const next = (): string => tokens[pos++] ?? "";
  const expect = (t: string): void => {
    const got = next();
    if (got !== t) throw new Error(`${t} expected, ${got} found in ${text} at token ${pos}`);
  };

  function whole(): Node {
    const first = logic();
    if (peek() !== "if") return first;
    next();
    const condition = logic();
    expect("else");
    const rest = whole();
    return (env) => (condition(env) !== 0 ? first(env) : rest(env));
  }

  function logic(): Node {
    let left = relation();
    while (peek() === "and" || peek() === "or") {
      const op = next();
      const [a, b] = [left, relation()];
      left = (env) =>
        Number(op === "and" ? a(env) !== 0 && b(env) !== 0 : a(env) !== 0 || b(env) !== 0);
    }
    return left;
  }

  function relation(): Node {
    if (peek() === "not") {
      next();
      const of = relation();
      return (env) => Number(of(env) === 0);
    }
    const left = sum();
    const op = peek();
    const test = RELATIONS[op];
    if (test === undefined) return left;
    next();
    const right = sum();
    return (env) => Number(test(left(env), right(env)));
  }

  function sum(): Node {
    const negative = peek() === "−";
    if (negative) next();
    const first = term();
    let total: Node = negative ? (env) => -first(env) : first;
    while (peek() === "+" || peek() === "−") {
      const plus = next() === "+";
      const [a, b] = [total, term()];
      total = plus ? (env) => a(env) + b(env) : (env) => a(env) - b(env);
    }
    return total;
  }

  function term(): Node {
    let left = factor();
    for (let op = peek(); op === "·" || op === "/" || op === "mod"; op = peek()) {
      next();
      const [a, b] = [left, factor()];
      left =
        op === "·"
          ? (env) => a(env) * b(env)
          : op === "/"
            ? (env) => a(env) / b(env)
            : (env) => a(env) - b(env) * Math.floor(a(env) / b(env));
    }
    return left;
  }

  function factor(): Node {
    const base = atom();
    if (/^[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+$/.test(peek())) {
      const digits = Array.from(next()).map((d) =>
        d === "⁻" ? "-" : String(SUPERSCRIPTS.indexOf(d)),
      );
      const n = Number(digits.join(""));
      return (env) => base(env) ** n;
    }
    if (peek() === "^") {
      next();
      const exponent = atom();
      return (env) => base(env) ** exponent(env);
    }
    return base;
  }

  function binders(): { letter: string; from: number; to: number }[] {
    const found: { letter: string; from: number; to: number }[] = [];
    const one = (): void => {
      const letter = next();
      if (peek() === "=") {
        next();
        const from = Number(next());
        expect("…");
        found.push({ letter, from, to: Number(next()) });
      } else found.push({ letter, from: 0, to: reading.extent(letter) - 1 });
    };
    if (peek() === "{") {
      next();
      one();
      while (peek() === ",") {
        next();
        one();
      }
      expect("}");
    } else one();
    return found;
  }

  function over(
    bound: { letter: string; from: number; to: number }[],
    body: Node,
  ): (env: Env) => number[] {
    return (env) => {
      const values: number[] = [];
      const go = (k: number, inner: Env): void => {
        const b = bound[k];
        if (b === undefined) values.push(body(inner));
        else for (let n = b.from; n <= b.to; n++) go(k + 1, new Map([...inner, [b.letter, n]]));
      };
      go(0, env);
      return values;
    };
  }

  function atom(): Node {
    const t = next();
    if (t === "Σ_" || t === "Π_") {
      const values = over(binders(), term());
      return (env) =>
        t === "Σ_"
          ? values(env).reduce((a, b) => a + b, 0)
          : values(env).reduce((a, b) => a * b, 1);
    }
    if (t.endsWith("_")) {
      const bound = binders();
      expect("(");
      if (t === "softmax_" && tokens[pos + 1] === ")") return softmaxOfArray(bound[0]!.letter);
      const body = whole();
      expect(")");
      if (t.endsWith("softmax_")) return softmax(t, bound[0]!.letter, body);
      const values = over(bound, body);
      return (env) => {
        const v = values(env);
        if (t === "max_") return Math.max(...v);
        if (t === "min_") return Math.min(...v);
        if (t === "any_") return Number(v.some((x) => x !== 0));
        if (t === "all_") return Number(v.every((x) => x !== 0));
        return v.indexOf(t === "argmax_" ? Math.max(...v) : Math.min(...v));
      };
    }
    if (t === "(" || t === "[") {
      const inner = whole();
      expect(t === "(" ? ")" : "]");
      return inner;
    }
    if (t === "|" || t === "⌊" || t === "⌈") {
      const inner = whole();
      next();
      const f = t === "|" ? Math.abs : t === "⌊" ? Math.floor : Math.ceil;
      return (env) => f(inner(env));
    }
    if (t === "∂") {
      const of = next();
      if (peek() === "[") indices();
      expect("/");
      expect("∂");
      const by = next();
      return entryOf(reading.derivative!(of, by), by, peek() === "[" ? indices() : []);
    }
    if (t === "∞") return () => Infinity;
    if (/^\d/.test(t)) return () => Number(t);
    const call = t === "√" ? "√" : t;
    const f = FUNCTIONS[call];
    if (f !== undefined && peek() === "(") {
      next();
      const args = [whole()];
      while (peek() === ",") {
        next();
        args.push(whole());
      }
      expect(")");
      return (env) => f(...args.map((a) => a(env)));
    }
    return name(t);
  }

  function softmax(kind: string, letter: string, body: Node): Node {
    // softmax_c(z)[b,c,i]: which class is asked for stands among the indices, all the others are
    // read at the letters that the body was printed with.
    let index: Node[] = [];
    if (peek() === "[") {
      next();
      index = [sum()];
      while (peek() === ",") {
        next();
        index.push(sum());
      }
      expect("]");
    }
    return (env) => {
      const asked = index.length === 0 ? env.get(letter)! : index[0]!(env);
      const n = reading.extent(letter);
      const z = Array.from({ length: n }, (_, k) => body(new Map([...env, [letter, k]])));
      const total = z.reduce((s, x) => s + Math.exp(x), 0);
      const p = Math.exp(z[asked]!) / total;
      return kind === "softmax_" ? p : Math.log(p);
    };
  }

  /** softmax_c(z)[b,1,i]: the axis is the one whose letter is c. */
  function softmaxOfArray(letter: string): Node {
    const array = reading.arrays.get(next())!;
    expect(")");
    const index = indices();
    const shape = flattenedTo(array.shape, index.length)!;
    const dim = reading.axisOf(letter, shape.length);
    return (env) => {
      const at = index.map((i) => i(env));
      const entry = (k: number): number =>
        Math.exp(array.data[at.reduce((n, v, d) => n * shape[d]! + (d === dim ? k : v), 0)]!);
      const total = Array.from({ length: shape[dim]! }, (_, k) => entry(k));
      return entry(at[dim]!) / total.reduce((a, v) => a + v, 0);
    };
  }

  function name(t: string): Node {
    const array = reading.arrays.get(t);
    if (array === undefined) {
      return (env) => {
        const v = env.get(t) ?? reading.scalars.get(t);
        if (v === undefined) throw new Error(`${t} means nothing in ${text}`);
        return v;
      };
    }
    return entryOf(array, t, peek() === "[" ? indices() : []);
  }

  function indices(): Node[] {
    expect("[");
    const index = [sum()];
    while (peek() === ",") {
      next();
      index.push(sum());
    }
    expect("]");
    return index;
  }

  function entryOf(array: ReadingArray, t: string, index: readonly Node[]): Node {
    const shape = flattenedTo(array.shape, index.length);
    if (shape === null) throw new Error(`${t} has wrong indices in ${text}`);
    return (env) => {
      const at = index.map((i) => i(env));
      // Outside of the array stands nothing that a bracket or a case has not excluded.
      if (at.some((v, d) => !Number.isInteger(v) || v < 0 || v >= shape[d]!)) return 0;
      return array.data[at.reduce((k, v, d) => k * shape[d]! + v, 0)]!;
    };
  }

  const root = whole();
  if (pos !== tokens.length) throw new Error(`${tokens.slice(pos).join(" ")} is left of ${text}`);
  return (letters) => root(new Map(Object.entries(letters)));
}

/** Sizes with the last axes taken together, as one letter for height and width means. */
function flattenedTo(shape: readonly number[], rank: number): number[] | null {
  const kept = shape.filter((n) => n !== 1 || shape.length === rank);
  if (kept.length < rank || (rank === 0 && kept.length > 0)) return null;
  if (rank === 0) return [];
  return [...kept.slice(0, rank - 1), kept.slice(rank - 1).reduce((a, b) => a * b, 1)];
}

const RELATIONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "≠": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "≤": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "≥": (a, b) => a >= b,
};

const FUNCTIONS: Readonly<Record<string, (...x: number[]) => number>> = {
  σ: (x) => 1 / (1 + Math.exp(-x)),
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  cosh: (x) => Math.cosh(x),
  sinh: (x) => Math.sinh(x),
  tanh: (x) => Math.tanh(x),
  sgn: (x) => Math.sign(x),
  max: (...x) => Math.max(...x),
  min: (...x) => Math.min(...x),
  sg: (x) => x,
  clip: (x, lo, hi) => Math.min(Math.max(x, lo), hi),
  "√": (x) => Math.sqrt(x),
};
