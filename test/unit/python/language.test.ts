import assert from "node:assert/strict";
import { PythonProgram } from "../../../src/python/program.ts";
import { TestHost, errorOf, session, sharedParser } from "./session.ts";

/** What each program prints under Python 3. */
const PROGRAMS: readonly (readonly [what: string, source: string, printed: string])[] = [
  ["starred unpacking", "a, *b, c = 1, 2, 3, 4\nprint(a, b, c)", "1 [2, 3] 4\n"],
  ["nested unpacking in loops", "for k, (a, b) in enumerate([(1, 2), (3, 4)]):\n    print(k * a * b)", "0\n12\n"],
  ["chained assignment", "a = b = [1]\na += [2]\nprint(b)", "[1, 2]\n"],
  ["the walrus", "if (n := 10) > 5:\n    print(n)", "10\n"],
  ["conditional expressions", "print(1 if '' else 2)", "2\n"],
  ["chained comparisons", "print(1 < 2 < 3, 1 < 2 > 5, 3 > 2 == 2)", "True False True\n"],
  ["short circuits", "print(0 or 'x', 1 and 2, not None)", "x 2 True\n"],
  ["floor division and modulo of negatives", "print(-7 // 2, -7 % 3, 7 % -3, divmod(-7, 2))", "-4 2 -2 (-4, 1)\n"],
  ["powers", "print(2 ** -1, 2 ** 10, -2 ** 2, 2 ** 3 ** 2)", "0.5 1024 -4 512\n"],
  ["float notation", "print(0.1 + 0.2, 1e16, 1e-5, 100.0, -0.0, float('inf'))", "0.30000000000000004 1e+16 1e-05 100.0 -0.0 inf\n"],
  ["f-strings", "x = 3\nprint(f'{3.14159:.2f} {5:05d} {x=} {\"a\"!r:>5} {{}} {0.5:.1%}')", "3.14 00005 x=3   'a' {} 50.0%\n"],
  ["percent formatting", "print('%d of %s: %.3f' % (1, 'two', 3))", "1 of two: 3.000\n"],
  ["str.format", "print('{0} {b:.2f} {}'.replace('{}', '{1}').format(1, 2, b=3))", "1 3.00 2\n"],
  ["comprehensions", "print([i * j for i in range(3) for j in range(i) if j != 1], {k: k ** 2 for k in range(2)})", "[0, 0] {0: 0, 1: 1}\n"],
  ["loop else", "for i in range(2):\n    pass\nelse:\n    print('done')", "done\n"],
  ["break skips loop else", "while True:\n    break\nelse:\n    print('no')\nprint('after')", "after\n"],
  ["defaults, *args, keyword-only and **kwargs", "def f(a, b=2, *args, c, d=4, **kw):\n    return a, b, args, c, d, kw\nprint(f(1, c=3), f(1, 2, 3, c=5, e=6))", "(1, 2, (), 3, 4, {}) (1, 2, (3,), 5, 4, {'e': 6})\n"],
  ["closures and nonlocal", "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    up()\n    return up()\nprint(counter())", "2\n"],
  ["globals", "x = 1\ndef f():\n    global x\n    x = 2\nf()\nprint(x)", "2\n"],
  ["lambda and late binding", "fs = [lambda: k for k in range(3)]\nprint([f() for f in fs])", "[2, 2, 2]\n"],
  ["mutable defaults are shared", "def f(x, seen=[]):\n    seen.append(x)\n    return seen\nf(1)\nprint(f(2))", "[1, 2]\n"],
  ["classes, properties, static and class methods", "class A:\n    k = 1\n    def __init__(self, x):\n        self.x = x\n    @property\n    def twice(self):\n        return 2 * self.x\n    @staticmethod\n    def one(y):\n        return y + 1\n    @classmethod\n    def make(cls, y):\n        return cls(y).twice + cls.k\nprint(A(3).twice, A.one(1), A.make(5))", "6 2 11\n"],
  ["diamond inheritance through super()", "class A:\n    def f(self): return 'A'\nclass B(A):\n    def f(self): return 'B' + super().f()\nclass C(A):\n    def f(self): return 'C' + super().f()\nclass D(B, C):\n    def f(self): return 'D' + super(D, self).f()\nprint(D().f())", "DBCA\n"],
  ["special methods", "class V:\n    def __init__(s, x): s.x = x\n    def __add__(s, o): return V(s.x + (o.x if isinstance(o, V) else o))\n    __radd__ = __add__\n    def __repr__(s): return f'V({s.x})'\n    def __len__(s): return s.x\n    def __getitem__(s, k): return k\n    def __call__(s, y): return s.x * y\nv = V(2)\nprint(v + 1, 1 + v, sum([v, v]), len(v), v[7], v(5))", "V(3) V(3) V(4) 2 7 10\n"],
  ["exceptions by base class, finally and re-raising", "class E(ValueError):\n    pass\ntry:\n    try:\n        raise E('bad')\n    except ValueError:\n        print('first')\n        raise\n    finally:\n        print('always')\nexcept Exception as e:\n    print(type(e).__name__, e)", "first\nalways\nE bad\n"],
  ["errors of the language itself are caught", "for f in (lambda: 1 / 0, lambda: [][1], lambda: {}['k'], lambda: int('x'), lambda: None.x):\n    try:\n        f()\n    except Exception as e:\n        print(type(e).__name__)", "ZeroDivisionError\nIndexError\nKeyError\nValueError\nAttributeError\n"],
  ["enums", "from enum import Enum\nclass M(Enum):\n    A = 'a'\n    B = 'b'\nprint(M('a') is M.A, M.B.value, M.A.name, [m.value for m in M], M['B'] == M.B)", "True b A ['a', 'b'] True\n"],
  ["dataclasses", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: float = 2.0\nprint(P(1).y, P(1, y=3).y)", "2.0 3\n"],
  ["partial and reduce", "from functools import partial, reduce\nprint(partial(pow, 2)(3), reduce(lambda a, b: a * b, [1, 2, 3, 4]))", "8 24\n"],
  ["list methods", "x = [1, 2, 3]\nx.append(4); x.insert(0, 9); x.remove(2); y = x.pop()\nprint(x, y, x[::-1], x.index(3))\ndel x[0]\nprint(x)", "[9, 1, 3] 4 [3, 1, 9] 2\n[1, 3]\n"],
  ["dictionary methods", "d = {'a': 1, **{'b': 2}}\nd.setdefault('c', []).append(3)\nprint(d, d.get('z', 0), list(d), d.pop('a'), 'a' in d)", "{'b': 2, 'c': [3]} 0 ['a', 'b', 'c'] 1 False\n"],
  ["string methods", "print('A,b'.lower().split(','), ' x '.strip(), '-'.join('ab'), 'abc'[::-1], 'b' in 'abc')", "['a', 'b'] x a-b cba True\n"],
  ["slices without an end", "x = [1, 2, 3, 4]\nprint(x[slice(2)], x[slice(2, None)], x[slice(None, None, -1)], x[slice(1, 4, 2)])", "[1, 2] [3, 4] [4, 3, 2, 1] [2, 4]\n"],
  ["rounding halves to even", "print(round(2.5), round(3.5), round(-1.5), round(2.675, 2))", "2 4 -2 2.67\n"],
  ["names of a class body are not seen by its methods' comprehensions", "k = 1\nclass A:\n    k = 2\n    def f(self):\n        return [k for _ in range(1)]\nprint(A().f())", "[1]\n"],
  ["decorators, nearest first", "def add(n):\n    def deco(f):\n        return lambda x: f(x) + n\n    return deco\n@add(1)\n@add(10)\ndef f(x):\n    return x\nprint(f(0))", "11\n"],
]; // prettier-ignore

describe("Python language", () => {
  for (const [what, source, printed] of PROGRAMS) {
    it(`runs ${what}`, async () => {
      const { run, host } = await session();
      run(source);
      assert.equal(host.printed.join(""), printed);
    });
  }

  /** Source, headline and line. */
  const ERRORS: readonly (readonly [source: string, headline: string, line: number])[] = [
    ["x = 1\ny = z + 1", "NameError: name 'z' is not defined", 2],
    ["def f():\n    print(x)\n    x = 1\nf()", "UnboundLocalError: cannot access local variable 'x' where it is not associated with a value", 2],
    ["1 / 0", "ZeroDivisionError: division by zero", 1],
    ["'a' + 1", "TypeError: unsupported operand type(s) for +: 'str' and 'int'", 1],
    ["(1).foo", "AttributeError: 'int' object has no attribute 'foo'", 1],
    ["def f(a, b): pass\nf(1)", "TypeError: f() missing 1 required positional argument: 'b'", 2],
    ["def f(a): pass\nf(1, 2)", "TypeError: f() takes 1 positional argument but 2 were given", 2],
    ["def f(a): pass\nf(1, b=2)", "TypeError: f() got an unexpected keyword argument 'b'", 2],
    ["def f(a): pass\nf(1, a=2)", "TypeError: f() got multiple values for argument 'a'", 2],
    ["a, b = 1, 2, 3", "ValueError: too many values to unpack (expected 2)", 1],
    ["[1][2]", "IndexError: list index out of range", 1],
    ["{}['k']", "KeyError: 'k'", 1],
    ["for x in 3:\n    pass", "TypeError: 'int' object is not iterable", 1],
    ["3()", "TypeError: 'int' object is not callable", 1],
    ["raise ValueError('no')", "ValueError: no", 1],
    ["assert 1 > 2, 'sizes'", "AssertionError: sizes", 1],
    ["def f():\n    return f()\nf()", "RecursionError: maximum recursion depth exceeded", 2],
    ["f(lambda: (yield))", "NameError: name 'f' is not defined", 1],
    ["x = 2 ** 100", "integers beyond 2**53 are not supported", 1],
    ["x = 1j", "complex numbers are not supported", 1],
    ["async def f(): pass\nf()", "f() is a coroutine, which is not supported", 2],
  ]; // prettier-ignore
  for (const [source, headline, line] of ERRORS) {
    it(`says "${headline}"`, async () => {
      const { run } = await session();
      const e = errorOf(() => run(source));
      assert.equal(e.headline, headline);
      assert.equal(e.line, line);
      assert.equal(e.file, "cell");
    });
  }

  it("puts the caret at the call that fails, and gives the way there", async () => {
    const { run } = await session();
    run("def inner(x):\n    return undefined + x\n", "first cell");
    const e = errorOf(() => run("y = 1\nz = inner(y) + 2", "second cell"));
    assert.equal(e.file, "first cell");
    assert.equal(e.caretText, "    return undefined + x\n           ^^^^^^^^^");
    assert.deepEqual(e.traceback, [
      { name: "<module>", file: "second cell", line: 2 },
      { name: "inner", file: "first cell", line: 2 },
    ]);
  });

  it("keeps state across cells", async () => {
    const { run, host } = await session();
    run("import math as m\ndef f(x):\n    return m.floor(x) + offset");
    run("offset = 1");
    run("print(f(2.5))");
    assert.deepEqual(host.printed, ["3\n"]);
  });

  it("undoes what a failing statement has done, and keeps the statements before it", async () => {
    const { run, program, host } = await session();
    run("xs = [1]\nd = {}\nclass A:\n    pass\na = A()\na.n = 1\nn = 0");
    errorOf(() =>
      run(
        "n = 1\nfor k in range(3):\n    n += 10\n    xs.append(k)\n    d[k] = k\n    a.n = 5\n    1 / (2 - k)",
      ),
    );
    run("print(n, xs, d, a.n)");
    assert.deepEqual(host.printed, ["1 [1] {} 1\n"]);
    assert.equal(program.lookup("k"), undefined);
  });

  it("is interrupted by the host inside an endless loop, and can go on", async () => {
    const { run, host } = await session();
    run("n = 0");
    host.patience = 1000;
    assert.throws(() => run("while True:\n    n += 1"), /interrupted/);
    host.patience = Infinity;
    run("print(n)");
    assert.deepEqual(host.printed, ["0\n"]);
  });

  it("gives up by itself on a loop that does not end", async () => {
    const small = new PythonProgram(await sharedParser(), new TestHost(), {
      file: "main.py",
      limits: { steps: 5000 },
    });
    const e = errorOf(() => small.execute("while True:\n    pass", "cell"));
    assert.match(e.message, /stopped after 5,000 steps/);
  });

  it("shows the last expression's value as Python does", async () => {
    const { run } = await session();
    assert.equal(run("x = 1\n'a' * 2").text, "'aa'");
    assert.equal(run("None").text, null);
    assert.equal(run("x = 2").text, null);
    assert.equal(run("[1, (2,), {'k': 0.5}]").text, "[1, (2,), {'k': 0.5}]");
  });
});
