/** Files and code that nobody would write to be derived: each has one clear message, with a place. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  openSync,
  closeSync,
  ftruncateSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectFile } from "../../../src/session/jobs.node.ts";
import type { Failure } from "../../../src/session/protocol.ts";
import { SourceFileError, readSource } from "../../../src/session/sourceFile.node.ts";

describe("hostile input", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dice-hostile-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const put = (name: string, content: string | Uint8Array): void => {
    writeFileSync(join(folder, name), content);
  };

  /** A file of 200 MB that takes no room on the disk. */
  function putLarge(name: string): void {
    const file = openSync(join(folder, name), "w");
    ftruncateSync(file, 200 * 2 ** 20);
    closeSync(file);
  }

  /** What deriving a loss comes to that uses `scale` of a module. */
  async function using(module: string, python: string | null = null): Promise<Failure | null> {
    const source = `import numpy as np
from ${module} import scale

def dice_loss(y_true, y_pred):
    return 1 - 2 * scale(y_true * y_pred).sum() / (y_true.sum() + y_pred.sum())
`;
    const job = { source, file: "losses.py", callable: "dice_loss", values: [], wrt: null };
    const [result] = await inspectFile({ ...job, directory: folder }, python);
    return "failure" in result! ? result.failure : null;
  }

  const OWN = "def scale(x):\n    return x\n";

  /** Module; how it comes about; what is said; what to do. */
  const MODULES: readonly (readonly [string, (name: string) => void, RegExp, RegExp])[] = [
    ["large", (n) => { putLarge(n); }, /large\.py is too long to be read as Python: 200 MB/, /\.npy/],
    ["binary", (n) => { put(n, Uint8Array.from({ length: 999 }, (_, k) => k % 256)); }, /binary\.py is a binary file, not Python source/, /Name the \.py file/],
    ["wide", (n) => { put(n, Buffer.from(`\uFEFF${OWN}`, "utf16le")); }, /wide\.py is in UTF-16/, /Save the file as UTF-8/],
    ["words", (n) => { put(n, Buffer.from(`# coding: klingon\n# \xe9\n${OWN}`, "latin1")); }, /words\.py:1: its encoding klingon is not known here/, /Save the file as UTF-8/],
    ["broken", (n) => { put(n, "def scale(x):\n    return x +\n"); }, /SyntaxError: invalid syntax \(broken\.py, line 2\)/, /Mend it there/],
    ["brackets", (n) => { put(n, `x = ${"(".repeat(20_000)}1${")".repeat(20_000)}\n${OWN}`); }, /too many nested expressions \(brackets\.py, line 1\)/, /Mend it there/],
    ["looped", (n) => { symlinkSync(n, join(folder, n)); }, /its module was not found/, /Write out what it computes/],
    ["circle", (n) => { put(n, "from other import scale\n"); put("other.py", "from circle import scale\n"); }, /circular import/, /a third one/],
    ["nowhere.at.all", () => undefined, /nowhere\.at\.all\.scale is not known .* its module was not found/, /Write out what it computes/],
  ]; // prettier-ignore

  for (const [module, make, message, remedy] of MODULES) {
    it(`says at the use of it what is wrong with the module ${module}`, async () => {
      make(`${module}.py`);
      const failure = await using(module);
      assert.match(failure!.message, message);
      assert.match(failure!.remedy ?? "", remedy);
      assert.deepEqual([failure!.file, failure!.line], ["losses.py", 5]);
    });
  }

  it("reads modules in the encoding that they name, and those that import each other", async () => {
    put("latin.py", Buffer.from(`# coding: latin-1\n# \xe9\n${OWN}`, "latin1"));
    assert.equal(await using("latin"), null);
    put("one.py", "def other(x):\n    return x\nfrom two import scale\n");
    put("two.py", "from one import other\ndef scale(x):\n    return other(x)\n");
    assert.equal(await using("one"), null);
  });

  it("follows no folder that leads back to itself", async () => {
    symlinkSync(".", join(folder, "again"));
    put("plain.py", OWN);
    assert.equal(await using("again.again.plain"), null);
  });

  it("says at its line that a function calls itself without end", async () => {
    put("endless.py", "def scale(x):\n    return scale(x)\n");
    const failure = await using("endless");
    assert.match(failure!.message, /maximum recursion depth exceeded/);
    assert.deepEqual([failure!.file, failure!.line], ["endless.py", 2]);
  });

  it("says of a formula without end that it is too long, and whose it is", async () => {
    put("sums.py", `def scale(x):\n    return x${" + x".repeat(6000)}\n`);
    const failure = await using("sums");
    assert.match(failure!.message, /formula of dice_loss is too long to be derived/);
    assert.deepEqual([failure!.file, failure!.line], ["losses.py", 4]);
  });

  it("keeps to one statement a number that an array's dtype cannot hold", async () => {
    put("wide.py", `import numpy as np\nX = np.array([2**64 - 1], dtype=np.uint64)\n${OWN}`);
    assert.equal(await using("wide"), null);
    put("used.py", "import numpy as np\ndef scale(x):\n    return x * np.array([300], np.uint8)\n");
    const failure = await using("used");
    assert.deepEqual([failure!.name, failure!.line], ["OverflowError", 3]);
  });

  it("shows of a long line the part around the place", async () => {
    put(
      "long.py",
      `def scale(x):\n    return ${"x.T + ".repeat(200)}undefined_name${" + x".repeat(900)}\n`,
    );
    const failure = await using("long");
    const [line, caret] = failure!.caretText!.split("\n");
    assert.ok(line!.length < 200, line);
    assert.equal(line!.slice(caret!.indexOf("^")).slice(0, 14), "undefined_name");
  });

  it("says what is missing where an interpreter has no packages", async () => {
    for (const python of [join(folder, "no", "python"), folder]) {
      const failure = await using("monai.losses", python);
      assert.match(failure!.message, /neither beside this file nor among the installed packages/);
    }
  });

  it("is told apart where a file itself is asked for", () => {
    putLarge("large.py");
    symlinkSync("looped.py", join(folder, "looped.py"));
    const cases: [string, RegExp][] = [
      ["large.py", /too long to be read as Python: 200 MB/],
      ["looped.py", /a symbolic link that leads back to itself/],
      ["missing.py", /missing\.py does not exist/],
      [".", /is a folder/],
      [`${"n".repeat(300)}.py`, /a name that is too long/],
    ];
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [join(folder, "pipe.py")]);
      cases.push(["pipe.py", /is a pipe or a device/]);
    }
    for (const [name, message] of cases) {
      assert.throws(
        () => readSource(join(folder, name), name),
        (e) => e instanceof SourceFileError && message.test(e.message) && e.remedy !== "",
        name,
      );
    }
  });
});

describe("formulas that explode", () => {
  async function outcome(body: string): Promise<Failure> {
    const source = `import torch\n\ndef loss(p, t):\n${body}`;
    const job = { source, file: "losses.py", callable: "loss", values: [], wrt: null };
    const [result] = await inspectFile({ ...job, directory: "." });
    assert.ok(result !== undefined && "failure" in result, "it was derived");
    return result.failure;
  }

  /** A loop; the line that is named; what is said. */
  const LOOPS: readonly (readonly [string, string, number, RegExp])[] = [
    ["of 20,000 rounds", "    s = 0\n    for k in range(20000):\n        s = s + (p * t).sum() / (k + 1)\n    return s\n", 6, /^stopped after 20,000 array operations$/],
    ["in a loop in a loop", "    s = 0\n    for a in range(100):\n        for b in range(100):\n            for c in range(100):\n                s = s + (p * t * a * b).sum() * c\n    return s\n", 8, /^stopped after 20,000 array operations$/],
    ["that squares a polynomial 2,000 times", "    for _ in range(2000):\n        p = p * p + t\n    return p.mean()\n", 3, /^the formula of loss is too long to be derived$/],
    ["that sums what it has summed, 40 times", "    for _ in range(40):\n        p = p * p.sum() + p.mean() * t\n    return p.mean()\n", 3, /^the formula of loss is too long to be derived$/],
    ["that adds up fractions of ever longer denominators", "    s = 0\n    for k in range(2000):\n        s = s + (p * t).sum() / (k + 1)\n    return s\n", 3, /^the formula of loss is too long to be derived$/],
    ["that doubles an array 60 times", "    for _ in range(60):\n        p = torch.cat([p, p])\n    return (p * t.sum()).sum()\n", 5, /^an array of \d\.\de\+\d+ entries fits in no memory$/],
    ["over a cube of zeros", "    w = torch.zeros(10**6, 10**6, 10**6)\n    return (p * t).sum() * w.sum()\n", 4, /^an array of 1\.0e\+18 entries fits in no memory$/],
    ["that calls itself twice, 60 deep", "    def f(n):\n        return (p * t).sum() if n < 2 else f(n - 1) + f(n - 2)\n    return f(60)\n", 5, /^stopped after 20,000 array operations$/],
    ["that calls itself for ever", "    return loss(p + t, t)\n", 4, /maximum recursion depth exceeded/],
  ]; // prettier-ignore

  for (const [what, body, line, message] of LOOPS) {
    it(`a loop ${what} ends with an error at its line`, async () => {
      const failure = await outcome(body);
      assert.match(failure.message, message);
      assert.equal(failure.line, line);
      assert.ok(failure.name !== "Internal error");
    }).timeout(60_000);
  }
});
