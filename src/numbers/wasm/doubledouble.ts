/**
 * Double-double arithmetic on vectors: the sequences of `../doubledouble.ts` and
 * `../doubledoubleFunctions.ts`, instruction for instruction, so that results are the same bits. No
 * multiplication is fused with an addition, whatever the engine can do.
 *
 * What those treat apart because the splitting of a product would overflow (factors above 2^995
 * with a finite product), and arguments of logarithms below 1e-300, are not done here: the function
 * traps at its end, and whoever runs it evaluates without vectors.
 */
import { POWER_LOGS, POWERS } from "./doubledoubleTables.ts";
import { type LaneContext, Lanes, type Vector } from "./lanes.ts";
import { OP, SIMD } from "./opcodes.ts";

/** The unevaluated sum hi + lo; `lo` is null where numbers are exactly float64. */
export interface Pair {
  readonly hi: Vector;
  readonly lo: Vector | null;
}

const SPLITTER = 2 ** 27 + 1;
/** Added to a whole number it leaves that in the low bits. */
const MAGIC = 1.5 * 2 ** 52;
const THIRD_LOW = 1.850371707708594e-17; // 1/3 − its float64

/** float64 lanes whose vectors may have a low part each. */
export class DoubleDoubles extends Lanes {
  private readonly lows = new Map<Vector, Vector>();
  /** Bits that are set where something came up that is not done here; a variable that changes. */
  private readonly lost: Vector;

  constructor(context: LaneContext) {
    super("float64", context);
    this.lost = this.body.local("v128");
  }

  low(x: Vector): Vector | null {
    return this.lows.get(x) ?? null;
  }

  pair(x: Vector): Pair {
    return { hi: x, lo: this.low(x) };
  }

  /** One vector that stands for both parts. */
  joined({ hi, lo }: Pair): Vector {
    if (lo === null) return hi;
    const copy = this.copyOf(hi);
    this.lows.set(copy, lo);
    return copy;
  }

  /** Ends a function: traps if something was lost. */
  end(): void {
    const { body, lost } = this;
    body.block(() => {
      body.get(lost);
      body.simd(SIMD.anyTrue);
      body.op(OP.i32Eqz);
      body.brIf(0);
      body.op(OP.unreachable);
    });
  }

  add(a: Pair, b: Pair): Pair {
    const s = this.plus(a.hi, b.hi);
    const isFinite = this.isFinite(s);
    let z = this.minus(s, a.hi);
    let e = this.plus(this.minus(a.hi, this.minus(s, z)), this.minus(b.hi, z));
    if (a.lo === null && b.lo === null) return { hi: s, lo: this.and(e, isFinite) };
    let f: Vector | null = null;
    if (a.lo !== null && b.lo !== null) {
      const t = this.plus(a.lo, b.lo);
      z = this.minus(t, a.lo);
      f = this.plus(this.minus(a.lo, this.minus(t, z)), this.minus(b.lo, z));
      e = this.plus(e, t);
    } else e = this.plus(e, (a.lo ?? b.lo)!);
    const v = this.plus(s, e);
    e = this.minus(e, this.minus(v, s));
    if (f !== null) e = this.plus(e, f);
    const hi = this.plus(v, e);
    const lo = this.minus(e, this.minus(hi, v));
    // A zero that is no result of the low parts keeps the sum's sign.
    const isKept = this.and(isFinite, this.of("ne", this.or(hi, s), this.constant(0)));
    return { hi: this.select(isKept, hi, s), lo: this.and(lo, isFinite) };
  }

  neg({ hi, lo }: Pair): Pair {
    return { hi: this.of("neg", hi), lo: lo === null ? null : this.of("neg", lo) };
  }

  sub(a: Pair, b: Pair): Pair {
    return this.add(a, this.neg(b));
  }

  mul(a: Pair, b: Pair): Pair {
    const p = this.times(a.hi, b.hi);
    const isFinite = this.isFinite(p);
    let e = this.productError(a.hi, b.hi, p);
    const cross = [
      ...(b.lo === null ? [] : [this.times(a.hi, b.lo)]),
      ...(a.lo === null ? [] : [this.times(a.lo, b.hi)]),
    ];
    if (cross.length > 0)
      e = this.plus(
        e,
        cross.reduce((x, y) => this.plus(x, y)),
      );
    const hi = this.plus(p, e);
    this.lose(this.and(isFinite, this.of("ne", hi, hi)));
    const lo = this.minus(e, this.minus(hi, p));
    const isKept = this.and(isFinite, this.of("ne", hi, this.constant(0)));
    return { hi: this.select(isKept, hi, p), lo: this.and(lo, this.isFinite(hi)) };
  }

  div(a: Pair, b: Pair): Pair {
    const q = this.of("div", a.hi, b.hi);
    const isRegular = this.and(
      this.and(this.isFinite(q), this.isFinite(b.hi)),
      this.of("ne", q, this.constant(0)),
    );
    const p = this.times(q, b.hi);
    const error = this.and(this.productError(q, b.hi, p), this.isFinite(p));
    let rest = this.minus(this.minus(a.hi, p), error);
    if (b.lo !== null) {
      const more = this.times(q, b.lo);
      rest = this.plus(rest, a.lo === null ? this.of("neg", more) : this.minus(a.lo, more));
    } else if (a.lo !== null) rest = this.plus(rest, a.lo);
    return this.corrected(q, this.of("div", rest, b.hi), isRegular);
  }

  sqrt(a: Pair): Pair {
    const q = this.of("sqrt", a.hi);
    const isRegular = this.and(this.isFinite(q), this.of("ne", q, this.constant(0)));
    const p = this.times(q, q);
    const rest = this.sub(a, { hi: p, lo: this.and(this.productError(q, q, p), this.isFinite(p)) });
    return this.corrected(q, this.of("div", rest.hi, this.times(this.constant(2), q)), isRegular);
  }

  /** The larger one, and NaN beside NaN. */
  larger(a: Pair, b: Pair, which: "max" | "min" = "max"): Pair {
    const hi = this.of(which, a.hi, b.hi);
    if (a.lo === null && b.lo === null) return { hi, lo: null };
    const zero = this.constant(0);
    const [al, bl] = [a.lo ?? zero, b.lo ?? zero];
    const ofB = this.and(bl, this.of("eq", hi, b.hi));
    const ofOne = this.select(this.of("eq", hi, a.hi), al, ofB);
    return { hi, lo: this.select(this.of("eq", a.hi, b.hi), this.of(which, al, bl), ofOne) };
  }

  choose(mask: Vector, yes: Pair, no: Pair): Pair {
    const zero = this.constant(0);
    const isExact = yes.lo === null && no.lo === null;
    return {
      hi: this.select(mask, yes.hi, no.hi),
      lo: isExact ? null : this.select(mask, yes.lo ?? zero, no.lo ?? zero),
    };
  }

  /** x^n for a whole n from 1 to 32 in absolute value, by squaring. */
  power(x: Pair, n: number): Pair {
    let result: Pair | null = null;
    let square = x;
    for (let m = Math.abs(n); m > 0; m = Math.floor(m / 2)) {
      if (m % 2 === 1) result = result === null ? square : this.mul(result, square);
      if (m > 1) square = this.mul(square, square);
    }
    if (n > 0) return result!;
    return this.div(this.exact(1), result!);
  }

  exp({ hi: x, lo: xl }: Pair): Pair {
    const isInside = this.of("lt", this.of("abs", x), this.constant(746));
    const xh = this.and(x, isInside);
    const lo = xl === null ? null : this.and(xl, isInside);
    const k = this.rounded(this.of("div", xh, this.constant(Math.LN2)));
    const [l1, l2, l3] = POWERS().ln2 as [number, number, number];
    const x1 = this.minus(xh, this.times(k, this.constant(l1)));
    const x2 = this.times(this.of("neg", k), this.constant(l2));
    let s = this.plus(x1, x2);
    let z = this.minus(s, x1);
    let low = this.minus(
      this.plus(this.minus(x1, this.minus(s, z)), this.minus(x2, z)),
      this.times(k, this.constant(l3)),
    );
    if (lo !== null) {
      const rest = s;
      s = this.plus(rest, lo);
      z = this.minus(s, rest);
      low = this.plus(low, this.plus(this.minus(rest, this.minus(s, z)), this.minus(lo, z)));
    }
    let r = s;
    const digits = [64, 4096, 262144].map((scale) => {
      const digit = this.rounded(this.times(r, this.constant(scale)));
      r = this.minus(r, this.times(digit, this.constant(1 / scale)));
      return digit;
    });
    s = this.plus(r, low);
    z = this.minus(s, r);
    const rl = this.plus(this.minus(r, this.minus(s, z)), this.minus(low, z));
    const power = this.powerLess1(s, rl);
    const [coarse, fine, finest] = digits.map((digit, at) =>
      this.lookedUp(POWERS().tables[at]!, digit),
    ) as [Pair, Pair, Pair];
    const w = this.mul(this.mul(coarse, fine), finest);
    const y = this.add(w, this.mul(w, power));
    const scaled = this.scaled(y, k);
    const saturated = this.and(this.of("gt", x, this.constant(0)), this.constant(Infinity));
    const outside = this.select(this.of("eq", x, x), saturated, x);
    return {
      hi: this.select(isInside, scaled.hi, outside),
      lo: this.and(scaled.lo!, isInside),
    };
  }

  sigmoid(x: Pair): Pair {
    const { e, isNegative } = this.expOfMinusAbs(x);
    return this.div(this.choose(isNegative, e, this.exact(1)), this.add(this.exact(1), e));
  }

  softplus(x: Pair): Pair {
    const isPositive = this.of("gt", x.hi, this.constant(0));
    const y = this.log1pOfFraction(this.expOfMinusAbs(x).e);
    return this.choose(isPositive, this.add(x, y), y);
  }

  log(x: Pair): Pair {
    const zero = this.constant(0);
    const isInside = this.and(
      this.of("gt", x.hi, zero),
      this.of("lt", x.hi, this.constant(Infinity)),
    );
    this.lose(this.and(isInside, this.of("lt", x.hi, this.constant(1e-300))));
    const one = this.constant(1);
    const xh = this.select(isInside, x.hi, one);
    // x = 2^k·m with m from 1 on; from 1.41 on half of it is taken.
    const biased = this.shiftRight(xh, 52);
    const magnitude = this.bits(BigInt(1075) << 52n);
    let k = this.minus(this.or(biased, magnitude), this.constant(2 ** 52 + 1023));
    const m = this.or(this.and(xh, this.bits((1n << 52n) - 1n)), this.bits(1023n << 52n));
    const isLarge = this.of("gt", m, this.constant(1.41));
    k = this.plus(k, this.and(isLarge, one));
    const half = this.select(isLarge, this.constant(0.5), one);
    const mh = this.times(m, half);
    const ml = x.lo === null ? null : this.unscaled(this.and(x.lo, isInside), k);
    const y = this.logParts(k, 0, { hi: mh, lo: ml });
    const outside = this.select(
      this.of("eq", x.hi, zero),
      this.constant(-Infinity),
      this.select(this.of("eq", x.hi, this.constant(Infinity)), x.hi, this.constant(NaN)),
    );
    return { hi: this.select(isInside, y.hi, outside), lo: this.and(y.lo!, isInside) };
  }

  /** log(1 + e) for 0 ≤ e ≤ 1. */
  private log1pOfFraction(e: Pair): Pair {
    const isSmall = this.of("lt", e.hi, this.constant(0.4));
    const large = this.log(this.add(e, this.exact(1)));
    const small = this.logParts(this.constant(0), 1, {
      hi: this.and(e.hi, isSmall),
      lo: e.lo === null ? null : this.and(e.lo, isSmall),
    });
    const isZero = this.of("eq", e.hi, this.constant(0));
    return this.choose(isZero, { hi: e.hi, lo: null }, this.choose(isSmall, small, large));
  }

  /** k·ln 2 + log(base + m), for base + m between 0.7 and 1.42. */
  private logParts(k: Vector, base: number, m: Pair): Pair {
    const whole = base === 0 ? m.hi : this.plus(this.constant(base), m.hi);
    const sixtyFourths = this.times(whole, this.constant(64));
    const c = this.rounded(sixtyFourths);
    const fine = this.times(this.of("div", sixtyFourths, c), this.constant(4096));
    const f = this.minus(this.rounded(fine), this.constant(4096));
    const q = this.times(
      this.times(c, this.constant(1 / 64)),
      this.plus(this.constant(1), this.times(f, this.constant(1 / 4096))),
    );
    const b = this.constant(base);
    const n = this.add(m, { hi: this.minus(b, q), lo: null });
    const d = this.add(m, { hi: this.plus(b, q), lo: null });
    const s = this.div(n, d);
    const z = this.mul(s, s);
    let y = this.mul(z, { hi: this.constant(1 / 3), lo: this.constant(THIRD_LOW) });
    const fifth = this.plus(this.constant(1 / 5), this.times(z.hi, this.constant(1 / 7)));
    const tail = this.plus(y.lo!, this.times(this.times(z.hi, z.hi), fifth));
    y = this.quick(y.hi, tail);
    y = this.add(s, this.mul(y, s));
    const two = this.constant(2);
    y = { hi: this.times(two, y.hi), lo: this.times(y.lo!, two) };
    y = this.choose(
      this.of("ne", f, this.constant(0)),
      this.add(this.lookedUp(POWER_LOGS().fine, f), y),
      y,
    );
    y = this.choose(
      this.of("ne", c, this.constant(64)),
      this.add(this.lookedUp(POWER_LOGS().coarse, c), y),
      y,
    );
    const [l1, l2, l3] = POWERS().ln2 as [number, number, number];
    const l = this.add(
      { hi: this.times(k, this.constant(l2)), lo: null },
      { hi: this.times(k, this.constant(l3)), lo: null },
    );
    return this.add({ hi: this.times(k, this.constant(l1)), lo: null }, this.add(l, y));
  }

  private expOfMinusAbs({ hi, lo }: Pair): { e: Pair; isNegative: Vector } {
    const zero = this.constant(0);
    const isPositive = this.of("gt", hi, zero);
    const low = lo === null ? null : this.select(isPositive, this.of("neg", lo), lo);
    const e = this.exp({ hi: this.of("neg", this.of("abs", hi)), lo: low });
    return { e, isNegative: this.of("lt", hi, zero) };
  }

  /** e^r − 1 for r of at most 2^-19. */
  private powerLess1(rh: Vector, rl: Vector): Pair {
    const qh = this.times(rh, rh);
    const split = this.times(this.constant(SPLITTER), rh);
    const r1 = this.minus(split, this.minus(split, rh));
    const r2 = this.minus(rh, r1);
    const ql = this.plus(
      this.plus(
        this.minus(this.times(r1, r1), qh),
        this.times(this.times(this.constant(2), r1), r2),
      ),
      this.times(r2, r2),
    );
    const half = this.constant(0.5);
    const halfQ = this.times(qh, half);
    const ph = this.plus(rh, halfQ);
    const inner = this.plus(this.constant(1 / 24), this.of("div", rh, this.constant(120)));
    const tail = this.times(
      this.times(rh, qh),
      this.plus(this.constant(1 / 6), this.times(rh, inner)),
    );
    const sum = this.plus(this.plus(this.plus(rl, this.times(rh, rl)), this.times(ql, half)), tail);
    return { hi: ph, lo: this.plus(this.minus(halfQ, this.minus(ph, rh)), sum) };
  }

  /** y·2^k in two steps, as 2^k alone can be out of range. */
  private scaled(y: Pair, k: Vector): Pair {
    const [first, second] = this.powersOfTwo(k);
    const by = (x: Vector): Vector => this.times(this.times(x, first), second);
    return this.quick(by(y.hi), by(y.lo!));
  }

  /** x·2^−k, likewise. */
  private unscaled(x: Vector, k: Vector): Vector {
    const [first, second] = this.powersOfTwo(this.of("neg", k));
    return this.times(this.times(x, first), second);
  }

  /** Two numbers whose product is 2^k. */
  private powersOfTwo(k: Vector): [Vector, Vector] {
    const magic = this.constant(MAGIC);
    const magicBits = this.bits(new BigUint64Array(Float64Array.of(MAGIC).buffer)[0]!);
    const whole = this.subBits(this.plus(k, magic), magicBits);
    this.body.get(whole);
    this.body.i32(1);
    this.body.simd(SIMD.i64x2ShrS);
    const half = this.result();
    const one = this.bits(1023n << 52n);
    const power = (n: Vector): Vector => this.addBits(this.shiftLeft(n, 52), one);
    return [power(half), power(this.subBits(whole, half))];
  }

  /** Entries of a table of pairs, at a whole number in each lane. */
  private lookedUp({ bytes, first }: PairTable, index: Vector): Pair {
    const { body } = this;
    const { pool, poolAddress } = this.context;
    const offset = pool.offsetOf(bytes);
    const at = this.plus(index, this.constant(MAGIC - first));
    const [one, other] = [0, 2].map((lane) => {
      body.get(poolAddress);
      body.get(at);
      body.lane(SIMD.i32x4ExtractLane, lane);
      body.i32(4);
      body.op(OP.i32Shl);
      body.op(OP.i32Add);
      body.simdMemory(SIMD.load, offset);
      return this.result();
    }) as [Vector, Vector];
    const parts = [0, 8].map((from) => {
      body.get(one);
      body.get(other);
      const lane = Array.from({ length: 8 }, (_, k) => from + k);
      body.shuffle([...lane, ...lane.map((k) => k + 16)]);
      return this.result();
    }) as [Vector, Vector];
    return { hi: parts[0], lo: parts[1] };
  }

  /** To the nearest whole number, halves upwards, as `Math.round` does. */
  private rounded(x: Vector): Vector {
    const floor = this.of("floor", x);
    const isPast = this.of("ge", this.minus(x, floor), this.constant(0.5));
    return this.plus(floor, this.and(isPast, this.constant(1)));
  }

  exact(value: number): Pair {
    return { hi: this.constant(value), lo: null };
  }

  isFinite(x: Vector): Vector {
    return this.of("eq", this.minus(x, x), this.constant(0));
  }

  /** a·b − p, by Dekker's splitting. */
  private productError(a: Vector, b: Vector, p: Vector): Vector {
    const [a1, a2] = this.halves(a);
    const [b1, b2] = a === b ? [a1, a2] : this.halves(b);
    const first = this.plus(this.minus(this.times(a1, b1), p), this.times(a1, b2));
    return this.plus(this.plus(first, this.times(a2, b1)), this.times(a2, b2));
  }

  private halves(a: Vector): [Vector, Vector] {
    const c = this.times(this.constant(SPLITTER), a);
    const high = this.minus(c, this.minus(c, a));
    return [high, this.minus(a, high)];
  }

  /** q + rest where q is regular, else q. */
  private corrected(q: Vector, rest: Vector, isRegular: Vector): Pair {
    const { hi, lo } = this.quick(q, rest);
    this.lose(this.and(isRegular, this.of("ne", hi, hi)));
    return { hi: this.select(isRegular, hi, q), lo: this.and(lo!, isRegular) };
  }

  private quick(a: Vector, b: Vector): Pair {
    const s = this.plus(a, b);
    return { hi: s, lo: this.and(this.minus(b, this.minus(s, a)), this.isFinite(s)) };
  }

  private lose(mask: Vector): void {
    this.body.get(this.lost);
    this.body.get(mask);
    this.body.simd(SIMD.or);
    this.body.set(this.lost);
  }

  private copyOf(x: Vector): Vector {
    this.body.get(x);
    return this.result();
  }

  private plus(a: Vector, b: Vector): Vector {
    return this.of("add", a, b);
  }

  private minus(a: Vector, b: Vector): Vector {
    return this.of("sub", a, b);
  }

  private times(a: Vector, b: Vector): Vector {
    return this.of("mul", a, b);
  }
}

/** Pairs (high, low) one after the other; the first stands at the whole number `first`. */
export interface PairTable {
  readonly bytes: Uint8Array;
  readonly first: number;
}
