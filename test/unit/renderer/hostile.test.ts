import assert from "node:assert/strict";
import fc from "fast-check";
import { readPayload } from "../../../src/renderer/validate.ts";
import { ball, comparison, PLAIN, report, SMALL, TORCH } from "./fixtures.ts";
import { all, assertHarmless, draw, Host, item, one, usePage } from "./page.ts";

type Json = null | boolean | number | string | Json[] | JsonObject;
interface JsonObject {
  [key: string]: Json;
}
type Path = readonly (string | number)[];

const MARKUP = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "</style><svg onload=alert(1)>",
  "javascript:alert(1)",
  "__proto__",
  "${alert(1)}",
  "\u202e\u0000\ud800",
];

const LATEX = [
  "\\href{javascript:alert(1)}{x}",
  "\\url{javascript:alert(1)}",
  "\\htmlStyle{position:fixed;background:url(http://a)}{x}",
  "\\htmlClass{dice-gradient}{x}",
  "\\htmlId{output-1}{x}",
  "\\htmlData{onclick=alert(1)}{x}",
  "\\includegraphics[width=9em]{http://example.org/x.png}",
  "\\text{<img src=x onerror=alert(1)>}",
  "\\def\\a{\\a\\a}\\a",
  "\\gdef\\frac#1#2{x}\\frac12",
  "\\newcommand{\\x}{\\x}\\x",
  "\\rule{999999em}{999999em}",
  "\\kern999999em x",
  "{".repeat(4000) + "}".repeat(4000),
  "\\frac{",
  "\\unknowncommand",
  "x".repeat(50_000),
];

/** A copy of the value with something else at the path. */
function replaced(value: Json, path: Path, by: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((each, k) => (k === key ? replaced(each, rest, by) : each));
  }
  const object = value as JsonObject;
  return { ...object, [key]: replaced(object[key]!, rest, by) };
}

/** Where values are, of long lists only the first entries. */
function paths(value: Json, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const inner = Array.isArray(value)
    ? value.slice(0, 2).map((each, k): [number, Json] => [k, each])
    : Object.entries(value);
  return [at, ...inner.flatMap(([key, each]) => paths(each, [...at, key]))];
}

function everyString(value: Json, change: (text: string, key: string) => string, key = ""): Json {
  if (typeof value === "string") return change(value, key);
  if (Array.isArray(value)) return value.map((each) => everyString(each, change, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, each]) => [k, everyString(each, change, k)]),
  );
}

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** What names a kind of thing, and would be refused if it were changed. */
const KINDS = ["schema", "verdict", "severity", "role", "encoding", "scale", "equal", "data"];

describe("a hostile output", () => {
  usePage();

  const full = json({
    ...report(TORCH, ball(2, 8)),
    diagnostics: report(PLAIN, SMALL).diagnostics,
    matches: [{ name: "a", call: "b", exact: false, source: "c" }],
    differences: comparison().pairs[0]!.differences,
    autograd: {
      library: "PyTorch",
      version: "2",
      device: "cpu",
      dtype: "float32",
      loss: 1,
      verdict: "agrees",
      maxAbsError: null,
    },
  });

  for (const text of MARKUP) {
    it(`shows markup in any text as text: ${JSON.stringify(text)}`, async () => {
      const value = everyString(full, (old, key) => (KINDS.includes(key) ? old : text));
      const root = await draw(value);
      assertHarmless(root);
      assert.ok(one(root, ".verdict").textContent.includes(text));
    });
  }

  for (const latex of LATEX) {
    it(`sets or shows the formula ${latex.slice(0, 40)} without acting on it`, async () => {
      const value = everyString(full, (old, key) => (key === "latex" ? latex : old));
      const root = await draw(value);
      assertHarmless(root);
      assert.ok(all(root, ".formula").length > 0);
    });
  }

  it("leaves nothing of one formula behind for the next", async () => {
    const value = replaced(full, ["loss", "latex"], "\\global\\def\\sigma{HACKED}x");
    const root = await draw(value);
    assert.ok(one(root, ".formulas").textContent.includes("typeset; its LaTeX source"));
    assert.ok(!all(root, ".katex").some((k) => k.textContent.includes("HACKED")));
  });

  it("shows the source of a formula that cannot be typeset", async () => {
    const root = await draw(replaced(full, ["loss", "latex"], "L = \\frac{1}{\\oops"));
    assert.match(one(root, ".formulas .untypeset").textContent, /L = \\frac\{1\}\{\\oops$/);
  });

  it("is drawn or explained, whatever stands in any one place of it", () => {
    const wrong: Json[] = [
      null,
      true,
      -1,
      0.5,
      1e308,
      "",
      "x",
      [],
      [[[[[[]]]]]],
      {},
      [null],
      { length: 3 },
      json({ constructor: { prototype: { polluted: true } } }),
    ];
    let refused = 0;
    for (const value of [full, json(comparison())]) {
      for (const path of paths(value)) {
        for (const each of wrong) {
          if (readPayload(replaced(value, path, each)).kind === "invalid") refused++;
        }
      }
    }
    assert.ok(refused > 1000, `${refused} refused`);
  });

  it("never throws and never draws anything active, when one place holds anything", async () => {
    const places = paths(full);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.oneof(
          fc.jsonValue({ maxDepth: 3 }),
          fc.constantFrom<Json>(...MARKUP, ...LATEX.slice(0, 12), 1e300, -1e-320, 2 ** 53),
          fc.array(fc.jsonValue(), { minLength: 40, maxLength: 60 }),
        ),
        async (path, by) => {
          const host = new Host();
          const root = await host.draw(replaced(full, path, by as Json));
          assertHarmless(root);
          host.api.disposeOutputItem?.();
          root.remove();
        },
      ),
      { seed: 7, numRuns: 120 },
    );
  });

  it("cannot reach prototypes", async () => {
    const text = JSON.stringify(full).replace(
      /^\{/,
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
    );
    const nested = text.replace('"check":{', '"check":{"__proto__":{"verdict":"agrees"},');
    assertHarmless(await draw(nested));
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    const inherited = JSON.parse('{"__proto__":{"schema":"dice-gradient/report/v1"}}') as unknown;
    assert.equal(readPayload(inherited).kind, "invalid");
    assert.equal(readPayload(Object.create(full as object)).kind, "invalid");
  });

  it("is refused with the place and the reason", () => {
    const why = (path: Path, by: Json): string => {
      const payload = readPayload(replaced(full, path, by));
      return payload.kind === "invalid" ? payload.why : payload.kind;
    };
    assert.equal(why(["loss", "value"], "0.5"), "report.loss.value: expected a number, found text");
    assert.equal(
      why(["numbers", "rows", 1, "values"], [1]),
      "report.numbers: row 1 does not have one value a column",
    );
    assert.equal(
      why(
        ["check", "notes"],
        Array.from({ length: 501 }, () => "x"),
      ),
      "report.check.notes: 501 entries, and at most 500 are read",
    );
    assert.match(why(["function", "name"], "n".repeat(3000)), /3000 characters, and at most 2000/);
    assert.match(why(["check", "verdict"], "fine"), /expected one of "agrees"/);
    assert.equal(why(["images", 0, "slices"], 3), "report.images[0]: one index a slice is needed");
    assert.equal(
      why(["images", 2, "low"], -7),
      "report.images[2]: a diverging scale is centred on zero",
    );
  });

  it("is refused when a number overflows to infinity", () => {
    const text = JSON.stringify(full).replace(/"line":\d+/, '"line":1e999');
    assert.deepEqual(readPayload(JSON.parse(text)), {
      kind: "invalid",
      why: "report.function.line: expected a number, found an infinite number",
    });
  });

  it("is explained when it is not JSON, or no object", async () => {
    for (const value of ["{", "", "null", "[]", "3", '"text"', "[".repeat(100_000)]) {
      const root = await draw(value);
      assert.match(one(root, ".problem").textContent, /cannot be drawn as a gradient report/);
    }
  });

  it("is not even parsed when it is enormous", async () => {
    const root = document.createElement("div");
    await new Host().api.renderOutputItem(
      {
        ...item({}),
        data: () => ({ byteLength: 2 ** 30 }) as Uint8Array,
        json: () => assert.fail("parsed"),
      },
      root,
      new AbortController().signal,
    );
    assert.match(one(root, ".problem").textContent, /1073741824 bytes/);
  });

  it("of a newer format is met with a message that names both versions", async () => {
    const root = await draw({ schema: "dice-gradient/report/v2", surprise: true });
    const text = one(root, ".problem").textContent;
    assert.match(text, /dice-gradient\/report\/v2/);
    assert.match(text, /reads dice-gradient\/report\/v1/);
  });
});
