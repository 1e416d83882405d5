/** Files that nobody writes by hand, and files that are not what they look like. */
import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { QUICK_LIMITS } from "../../../src/python/interpreter/interpreter.ts";
import { PythonProgram } from "../../../src/python/program.ts";
import { TestHost, errorOf, sharedParser } from "./session.ts";

/** A program of that source, loaded as a hover would, and the errors of its statements. */
async function load(
  source: string,
  modules: Readonly<Record<string, string>> = {},
): Promise<{ program: PythonProgram; errors: readonly PythonError[] }> {
  const host = new TestHost();
  for (const [file, text] of Object.entries(modules)) host.modules.set(file, text);
  const program = new PythonProgram(await sharedParser(), host, {
    file: "main.py",
    limits: QUICK_LIMITS,
  });
  return { program, errors: program.load(source, "main.py") };
}

const dice = "def dice(p, g):\n    return 1 - 2 * (p * g).sum() / (p.sum() + g.sum())\n";

/** The loss below a hostile beginning is traced all the same. */
async function harmless(source: string): Promise<readonly string[]> {
  const { program, errors } = await load(`${source}\n${dice}`);
  assert.equal(program.trace("dice").inputs.length, 2);
  return errors.map((e) => e.headline);
}

async function refusal(source: string): Promise<PythonError> {
  const program = new PythonProgram(await sharedParser(), new TestHost(), { file: "main.py" });
  return errorOf(() => program.load(source, "main.py"));
}

const times = (n: number, make: (k: number) => string, between = ""): string =>
  Array.from({ length: n }, (_, k) => make(k)).join(between);

describe("Code that is nested deeply", () => {
  it("10,000 parentheses are refused at the place where they are too deep", async () => {
    const e = await refusal(`x = 1\ny = ${"(".repeat(10_000)}1${")".repeat(10_000)}\n`);
    assert.equal(e.headline, "SyntaxError: too many nested expressions");
    assert.equal(e.line, 2);
  });

  it("a sum of 5,000 terms is added up", async () => {
    const { program } = await load(`x = ${times(5000, String, " + ")}\n`);
    const x = program.lookup("x");
    assert.equal(x?.kind === "number" && x.value, (5000 * 4999) / 2);
  });

  it("a loss of 5,000 terms is traced", async () => {
    const program = new PythonProgram(await sharedParser(), new TestHost(), { file: "main.py" });
    const terms = times(5000, () => "p.sum()", " + ");
    program.load(`def f(p):\n    return ${terms}\n`, "main.py");
    assert.equal(program.trace("f").loss.shape.length, 0);
  });

  it("`or` over 5,000 terms gives the first that is true", async () => {
    const { program } = await load(`x = ${times(5000, (k) => (k < 4000 ? "0" : "7"), " or ")}\n`);
    const x = program.lookup("x");
    assert.equal(x?.kind === "number" && x.value, 7);
  });

  it("a chain of 1,000 elifs takes its branch", async () => {
    const chain = times(1000, (k) => `${k === 0 ? "if" : "elif"} x == ${k}:\n    y = ${k}\n`);
    const { program } = await load(`x = 900\n${chain}`);
    const y = program.lookup("y");
    assert.equal(y?.kind === "number" && y.value, 900);
  });

  it("300 nested blocks run", async () => {
    const { program } = await load(
      `${times(300, (k) => `${" ".repeat(k)}if True:\n`)}${" ".repeat(300)}x = 1\n`,
    );
    assert.equal(program.lookup("x")?.kind, "number");
  });

  it("1,000 nested lists are refused or read, and nothing breaks", async () => {
    await harmless(`x = ${"[".repeat(1000)}${"]".repeat(1000)}`);
  });

  it("1,000 calls in a row, each of the last one's result", async () => {
    await harmless(`x = f${".g(1)".repeat(700)}`);
  });

  it("functions in functions, 100 deep", async () => {
    await harmless(times(100, (k) => `${" ".repeat(k)}def f${k}():\n`) + `${" ".repeat(100)}pass`);
  });

  it("200 decorators, and 2,000 lambdas inside one another", async () => {
    await harmless(`${"@staticmethod\n".repeat(200)}def f(): pass\n`);
    const e = await refusal(`x = ${"lambda: ".repeat(2000)}1\n`);
    assert.match(e.headline, /too many nested expressions/);
  });
});

describe("Code that does not end", () => {
  it("`while True` stops, and says so at its line", async () => {
    const [headline] = await harmless("x = 1\nwhile True:\n    x = x + 1\n");
    assert.match(headline!, /^stopped after [\d,]+ steps$/);
  });

  it("a function that loops forever is an error of its trace", async () => {
    const { program } = await load("def f(p):\n    while True:\n        p = p + 1\n");
    const e = errorOf(() => program.trace("f"));
    assert.match(e.headline, /^stopped after [\d,]+ (steps|array operations)$/);
    assert.ok(e.remedy);
  });

  for (const [what, source] of Object.entries({
    "a list of a range of 10^12": "x = list(range(10**12))",
    "a sum over 10^12": "x = sum(range(10**12))",
    "a comprehension of 10^6 by 10^6": "x = [i * j for i in range(10**6) for j in range(10**6)]",
    "a list times 10^12": "x = [0] * 10**12",
    "a string times 10^12": "x = 'a' * 10**12",
    "a string as wide as 10^10": "x = '%10000000000d' % 1",
    "a string filled to 10^10": "x = 'a'.zfill(10**10)",
    "a list that doubles 60 times": "x = [1]\nfor _ in range(60):\n    x = x + x",
    "a string that doubles 60 times": "x = 'a'\nfor _ in range(60):\n    x = x + x",
    "a string that grows by replacement":
      "x = 'a'\nfor _ in range(60):\n    x = x.replace('a', 'aa')",
    "a tuple that holds itself twice, 60 times, printed":
      "x = ()\nfor _ in range(60):\n    x = (x, x)\nprint(x)",
    "such a tuple as a key": "x = ()\nfor _ in range(60):\n    x = (x, x)\ny = {x: 1}",
    "such tuples compared":
      "x = ()\ny = ()\nfor _ in range(60):\n    x = (x, x)\n    y = (y, y)\nz = x == y",
    "a product of 20 ranges": "import itertools\nx = list(itertools.product(*[range(10)] * 20))",
    "a recursion without an end": "def f(n):\n    return f(n + 1)\nx = f(0)",
    "two functions that call each other":
      "def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\nx = f(0)",
    "a recursion that branches": "def f(n):\n    return f(n - 1) + f(n - 1)\nx = f(100)",
    "a list that is appended to while it is gone through": "x = [1]\nfor y in x:\n    x.append(y)",
  })) {
    it(`${what} stops with an error, and the rest of the file is whole`, async () => {
      const headlines = await harmless(source);
      assert.equal(headlines.length, 1, headlines.join("\n"));
      assert.match(
        headlines[0]!,
        /stopped after|too large|maximum recursion depth|not known to the inspector|sequence is too long/,
      );
    });
  }

  it("10,000 appends cost 10,000 steps", async () => {
    const { program, errors } = await load("x = []\nfor i in range(10_000):\n    x.append(i)\n");
    assert.deepEqual(errors, []);
    const x = program.lookup("x");
    assert.equal(x?.kind === "list" && x.items.length, 10_000);
  });

  it("what a failed statement appended is taken back", async () => {
    const { program } = await load("x = [1]\nfor i in range(5):\n    x.append(1 // (2 - i))\n");
    const x = program.lookup("x");
    assert.equal(x?.kind === "list" && x.items.length, 1);
  });

  it("a run that has to end by a certain time ends with an error", async () => {
    const host = new TestHost();
    let left = 1000;
    Object.assign(host, { timeIsUp: () => --left < 0 });
    const program = new PythonProgram(await sharedParser(), host, { file: "main.py" });
    program.load(`def f(p):\n    while True:\n        x = 1\n`, "main.py");
    const e = errorOf(() => program.trace("f"));
    assert.match(e.headline, /^stopped: this takes too long$/);
    assert.ok(e.line === 2 || e.line === 3);
  });
});

describe("Modules that import one another", () => {
  it("in a circle", async () => {
    const { program } = await load(`from a import x\n${dice}`, {
      "a.py": "from b import y\nx = 1\n",
      "b.py": "from a import x\ny = 2\n",
    });
    assert.equal(program.trace("dice").inputs.length, 2);
  });

  it("themselves, and all names of a large one", async () => {
    const { program } = await load(`import main\nfrom big import *\n${dice}`, {
      "main.py": "import main\n",
      "big.py": times(5000, (k) => `def f${k}(x):\n    return x + ${k}\n`),
    });
    assert.equal(program.lookup("f4999")?.kind, "function");
  });

  it("in a chain of 300", async () => {
    const modules = Object.fromEntries(
      Array.from({ length: 300 }, (_, k) => [`m${k}.py`, `from m${k + 1} import *\nx${k} = 1\n`]),
    );
    const { program } = await load(`import m0\n${dice}`, modules);
    assert.equal(program.trace("dice").inputs.length, 2);
  });
});

describe("Much data in the source", () => {
  it("a list of 100,000 numbers is read", async () => {
    const { program } = await load(`x = [${times(100_000, String, ", ")}]\n`);
    const x = program.lookup("x");
    assert.equal(x?.kind === "list" && x.items.length, 100_000);
  });

  it("a string of 4 million characters is read", async () => {
    const { program } = await load(`x = "${"a".repeat(4_000_000)}"\n`);
    const x = program.lookup("x");
    assert.equal(x?.kind === "str" && x.value.length, 4_000_000);
  });

  it("a file of 50 MB is refused, with the way out", async () => {
    const e = await refusal(`x = [${"1, ".repeat(17_000_000)}]\n`);
    assert.match(e.headline, /main\.py is too long to be read: 4\d MB/);
    assert.match(e.remedy!, /file of arrays/);
  });
});

describe("Texts that are not quite Python", () => {
  it("a null byte is named where it stands", async () => {
    const e = await refusal("x = 1\ny = \0 2\n");
    assert.equal(e.headline, "SyntaxError: source code cannot contain null bytes");
    assert.deepEqual([e.line, e.column], [2, 5]);
  });

  it("marks of a merge conflict are called by their name", async () => {
    const e = await refusal("x = 1\n<<<<<<< HEAD\nx = 2\n=======\nx = 3\n>>>>>>> branch\n");
    assert.equal(e.line, 2);
    assert.match(e.headline, /merge conflict is not resolved/);
  });

  it("a print statement of Python 2 in one function leaves the others alone", async () => {
    const { program } = await load(`def old(x):\n    print "x"\n\n${dice}`);
    assert.equal(program.trace("dice").inputs.length, 2);
    const e = errorOf(() => program.trace("old"));
    assert.match(e.headline, /Missing parentheses in call to 'print'/);
    assert.deepEqual([e.line, e.column], [2, 5]);
  });

  it("old Macintosh line ends, DOS line ends, a byte order mark and form feeds are read", async () => {
    const source = "def f(p, g):\n    return (p * g).sum()\n";
    for (const text of [
      source.replaceAll("\n", "\r"),
      source.replaceAll("\n", "\r\n"),
      `\uFEFF${source}`,
      `\f${source}`,
      `x = 1\n\f\n${source}`,
    ]) {
      const { program } = await load(text);
      assert.equal(program.trace("f").inputs.length, 2, JSON.stringify(text));
    }
  });

  it("mixed tabs and spaces are an error of layout; tabs alone are not", async () => {
    const e = await refusal("def f(x):\n\ty = 1\n        z = 2\n");
    assert.equal(e.type, "TabError");
    const { program } = await load("def f(p):\n\tif True:\n\t\treturn p.sum()\n");
    assert.equal(program.trace("f").inputs.length, 1);
  });

  it("errors in a function's body keep their line, also in a class", async () => {
    const { program } = await load(
      "class Loss:\n    def __call__(self, p):\n        q = p.sum()\n        return unknown_name * q\n",
    );
    const e = errorOf(() => program.trace("Loss"));
    assert.equal(e.headline, "NameError: name 'unknown_name' is not defined");
    assert.deepEqual([e.line, e.column, e.endColumn], [4, 16, 28]);
    assert.equal(e.caretText.split("\n")[0], "        return unknown_name * q");
  });

  it("random bytes are refused with a message", async () => {
    let state = 1;
    const noise = times(20_000, () => {
      state = (state * 1664525 + 1013904223) % 4294967296;
      return String.fromCharCode(32 + ((state >>> 16) % 95));
    });
    assert.ok((await refusal(noise)).message.length > 5);
  });
});

describe("Classes that make themselves", () => {
  for (const [what, source] of Object.entries({
    "a metaclass":
      "class M(type):\n    def __new__(m, *a):\n        return 3\nclass A(metaclass=M):\n    pass",
    "type() with three arguments": "A = type('A', (), {'x': 1})",
    "__getattr__ that calls itself":
      "class A:\n    def __getattr__(self, n):\n        return self.other\nx = A().y",
    "a property that reads itself":
      "class A:\n    @property\n    def x(self):\n        return self.x\ny = A().x",
    "a class that is its own base": "class A(A):\n    pass",
    "bases in no order": "class A: pass\nclass B(A): pass\nclass C(A, B): pass",
    "__init_subclass__ and __class_getitem__":
      "class A:\n    def __init_subclass__(cls): pass\n    def __class_getitem__(cls, k): return cls\nclass B(A[int]): pass",
    "__eq__ that compares itself":
      "class A:\n    def __eq__(self, o):\n        return self == o\nx = A() == A()",
    "__repr__ that shows itself":
      "class A:\n    def __repr__(self):\n        return repr(self)\nx = repr(A())",
    "a list that holds itself, shown": "x = []\nx.append(x)\ny = str(x)",
    "a dictionary that holds itself, shown": "x = {}\nx['a'] = x\ny = str(x)",
    "1,000 bases one above the other":
      "class A0: pass\n" + times(400, (k) => `class A${k + 1}(A${k}): pass\n`),
    "exec and globals": "exec('x = 1')\nglobals()['y'] = 2",
    "a del of everything": "import sys\ndel sys\nfor k in list(globals()):\n    del globals()[k]",
  })) {
    it(`${what} harms nothing else in the file`, async () => {
      for (const headline of await harmless(source)) assert.ok(headline.length > 5);
    });
  }
});
