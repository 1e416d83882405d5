import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import type { PythonParser } from "../../../src/python/parser.ts";
import { sharedParser } from "./session.ts";

describe("Python parser", () => {
  let parser: PythonParser;
  before(async () => {
    parser = await sharedParser();
  });

  function fault(source: string): PythonError {
    try {
      parser.parse(source, "cell");
    } catch (e) {
      assert.ok(e instanceof PythonError, String(e));
      return e;
    }
    return assert.fail(`parses: ${source}`);
  }

  /** Source, headline as Python words it, line and column. */
  const faults: readonly (readonly [string, string, number, number])[] = [
    ["x = (1 + 2\ny = 3\n", "SyntaxError: '(' was never closed", 1, 5],
    ["x = 1 + 2)\n", "SyntaxError: unmatched ')'", 1, 10],
    [
      "x = [1, 2)\n",
      "SyntaxError: closing parenthesis ')' does not match opening parenthesis '['",
      1,
      10,
    ],
    [
      "x = [1,\n  2)\n",
      "SyntaxError: closing parenthesis ')' does not match opening parenthesis '[' on line 1",
      2,
      4,
    ],
    ['x = "abc\n', "SyntaxError: unterminated string literal (detected at line 1)", 1, 5],
    [
      'x = """abc\nde\n',
      "SyntaxError: unterminated triple-quoted string literal (detected at line 2)",
      1,
      5,
    ],
    ["def f(x)\n    return x\n", "SyntaxError: expected ':'", 1, 9],
    [
      "def f(x):\nreturn x\n",
      "IndentationError: expected an indented block after function definition on line 1",
      2,
      1,
    ],
    [
      "for i in x:\n",
      "IndentationError: expected an indented block after 'for' statement on line 1",
      1,
      12,
    ],
    ["x = 1\n    y = 2\n", "IndentationError: unexpected indent", 2, 1],
    [
      "if x:\n        a = 1\n    b = 2\n",
      "IndentationError: unindent does not match any outer indentation level",
      3,
      1,
    ],
    [
      "if x:\n        a = 1\n\tb = 2\n",
      "TabError: inconsistent use of tabs and spaces in indentation",
      3,
      1,
    ],
    [
      'print "x"\n',
      "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
      1,
      1,
    ],
    ["a = 1\nb = = 2\n", "SyntaxError: invalid syntax", 2, 5],
    ["x = 1\nf(a=1, 2)\n", "SyntaxError: positional argument follows keyword argument", 2, 8],
    ["x = 1 + 2 3\n", "SyntaxError: invalid syntax", 1, 9],
    ["x = *a\n", "SyntaxError: can't use starred expression here", 1, 5],
    [
      "f() = 1\n",
      "SyntaxError: cannot assign to function call here. Maybe you meant '==' instead of '='?",
      1,
      1,
    ],
    ["return 1\n", "SyntaxError: 'return' outside function", 1, 1],
    ["x = 1\nbreak\n", "SyntaxError: 'break' outside loop", 2, 1],
    [
      "if x = 1:\n    pass\n",
      "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
      1,
      1,
    ],
    ["def f(a, a): pass\n", "SyntaxError: duplicate argument 'a' in function definition", 1, 10],
    ["def f(a=1, b): pass\n", "SyntaxError: non-default argument follows default argument", 1, 12],
    [
      "x = 0777\n",
      "SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
      1,
      5,
    ],
    ["<<<<<<< HEAD\nx = 1\n=======\n", "SyntaxError: this merge conflict is not resolved", 1, 1],
    ["except ValueError, e:\n    pass\n", "SyntaxError: invalid syntax", 1, 1],
  ];
  for (const [source, headline, line, column] of faults) {
    it(`refuses ${JSON.stringify(source)} at ${line}:${column}`, () => {
      const e = fault(source);
      assert.equal(e.headline, headline);
      assert.equal(e.line, line);
      if (headline !== "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='?")
        assert.equal(e.column, column);
    });
  }

  it("puts a caret under the place, as wide as what is wrong", () => {
    const e = fault("x = 1\ny = [1, 2\n");
    assert.equal(e.caretText, "y = [1, 2\n    ^");
    assert.equal(e.file, "cell");
  });

  it("finds the wrong line among many right ones", () => {
    const lines = Array.from({ length: 200 }, (_, k) => `x${k} = f(${k})`);
    lines[150] = "x150 = f(150 150";
    const e = fault(lines.join("\n") + "\n");
    assert.equal(e.line, 151);
    lines[150] = "x150 = f(150) else";
    assert.equal(fault(lines.join("\n") + "\n").line, 151);
  });

  it("reads IPython's magics and shell lines as blank", () => {
    const source = "%matplotlib inline\n!pip list | grep 'it\n%load_ext x\nnp.sum?\nx = 1\n";
    const module = parser.parse(source, "cell");
    assert.equal(module.body.at(-1)!.kind, "Assign");
    assert.equal(module.body.at(-1)!.span.line, 5);
  });

  it("keeps the Python below %%time and drops a %%bash cell", () => {
    assert.equal(parser.parse("%%time\nx = 1\n", "cell").body.length, 1);
    assert.equal(parser.parse("%%bash\nls -l *.py\n", "cell").body.length, 0);
  });

  it("leaves % alone where it is an operator", () => {
    const module = parser.parse("x = (a\n     % b)\n", "cell");
    const statement = module.body[0]!;
    assert.ok(statement.kind === "Assign" && statement.value.kind === "Binary");
  });

  it("keeps a block whole whose only statement is a magic", () => {
    const module = parser.parse("if x:\n    %time f()\ny = 1\n", "cell");
    assert.deepEqual(
      module.body.map((s) => s.kind),
      ["If", "Assign"],
    );
  });

  it("reads a star before a call, an attribute and a subscript", () => {
    const module = parser.parse("x = [*f(1), *a.b, *c[0]]\ng(*f(2), *a.b)\n", "cell");
    const first = module.body[0]!;
    assert.ok(first.kind === "Assign" && first.value.kind === "List");
    assert.deepEqual(
      first.value.items.map((i) => i.kind === "Starred" && i.value.kind),
      ["Call", "Attribute", "Subscript"],
    );
    const second = module.body[1]!;
    assert.ok(second.kind === "Expression" && second.value.kind === "Call");
    assert.deepEqual(
      second.value.args.map((a) => a.kind),
      ["star", "star"],
    );
  });

  it("survives nesting deeper than the call stack", () => {
    const e = fault("x = " + "(".repeat(4000) + "1" + ")".repeat(4000) + "\n");
    assert.equal(e.type, "SyntaxError");
  });

  it("reads an empty file, a byte order mark and Windows line ends", () => {
    assert.equal(parser.parse("", "cell").body.length, 0);
    const module = parser.parse("\uFEFFif x:\r\n    y = 1\r\nz = 2\r\n", "cell");
    assert.equal(module.body.length, 2);
    assert.equal(module.body[1]!.span.line, 3);
  });
});
