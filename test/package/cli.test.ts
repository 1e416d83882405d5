import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { root } from "../../scripts/lib/root.mjs";
import { readNpy, writeNpy } from "../../src/arrays/npy.ts";
import type { Report } from "../../src/report/schema.ts";

const losses = join(root, "media/example/losses.py");

describe("the command line, as it is shipped", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-cli-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function run(...args: string[]): { code: number | null; out: string; err: string } {
    const cli = join(root, "dist/cli.js");
    assert.ok(existsSync(cli), "dist/cli.js is not built");
    const r = spawnSync(process.execPath, [cli, ...args], {
      cwd: join(root, "media/example"),
      encoding: "utf8",
    });
    assert.ok(!/\n {4}at /.test(r.stderr), `a stack trace:\n${r.stderr}`);
    return { code: r.status, out: r.stdout, err: r.stderr };
  }

  it("checks a loss on literals: 0, with one JSON object and the gradient as .npy", () => {
    const grad = join(folder, "grad.npy");
    const { code, out } = run(
      "check",
      `${losses}:dice_loss_smooth`,
      "y_true=[1, 0, 1]",
      "y_pred=[0.9, 0.2, 0.6]",
      "--json",
      "--out",
      grad,
    );
    assert.equal(code, 0);
    const report = JSON.parse(out) as Report;
    assert.equal(report.schema, "dice-gradient/report/v1");
    assert.equal(report.check.verdict, "agrees");
    assert.equal(report.function.line, 24);
    assert.equal(report.autograd, null);
    assert.deepEqual([report.matches, report.differences, report.diagnostics], [[], [], []]);
    const array = readNpy(new Uint8Array(readFileSync(grad)), grad);
    assert.deepEqual(Array.from(array.data as Float64Array), report.gradient.values);
  });

  it("derives every loss of a file: 0, and prints each formula", () => {
    const { code, out } = run("derive", "losses.py");
    assert.equal(code, 0);
    for (const name of ["dice_loss_plain", "dice_loss_smooth", "dice_loss_torch", "DiceLoss"]) {
      assert.ok(out.includes(name), name);
    }
    assert.ok(out.includes("∂L/∂ŷ[i] = 2·I/(G+P)² − 2·y[i]/(G+P)"));
  });

  it("says that an undefined gradient is undefined: 1", () => {
    const { code, out } = run(
      "check",
      "losses.py:dice_loss_plain",
      "y_true=[0, 0]",
      "y_pred=[0.0, 0.0]",
    );
    assert.equal(code, 1);
    assert.match(out, /^Undefined: .*denominator/);
  });

  it("says that a thresholded loss has no gradient: 1", () => {
    const file = join(folder, "hard.py");
    writeFileSync(
      file,
      "def hard(y_true, y_pred):\n    m = (y_pred > 0.5).astype(float)\n    return 1 - 2 * (y_true * m).sum() / (y_true.sum() + m.sum())\n",
    );
    const { code, out } = run("check", `${file}:hard`, "y_true=[1.0, 0.0]", "y_pred=[0.9, 0.2]");
    assert.equal(code, 1);
    assert.match(out, /^Not differentiable: /);
  });

  it("reads a member of an archive and a constructor's arguments", () => {
    const { code, out } = run(
      "check",
      "losses.py:DiceLoss(smooth=2.0)",
      "logits=slice.npz[logits]",
      "target=slice.npz[mask]",
    );
    assert.equal(code, 0, out);
  });

  for (const stream of [false, true]) {
    it(`leaves no part of a gradient where it is interrupted${stream ? ", streamed" : ""}`, async function () {
      if (process.platform === "win32") this.skip();
      const shape = [4, 1 << 20];
      const values = Float32Array.from({ length: shape[0]! * shape[1]! }, (_, k) => (k % 7) / 7);
      const [x, out] = [join(folder, "x.npy"), join(folder, "whole.npy")];
      writeFileSync(x, writeNpy({ dtype: "float32", shape, data: values }));
      writeFileSync(out, "what was there");
      const args = [`${losses}:dice_loss_smooth`, `y_true=${x}`, `y_pred=${x}`, "--out", out];
      const cli = join(root, "dist/cli.js");
      const child = spawn(
        process.execPath,
        [cli, "check", ...args, ...(stream ? ["--stream"] : [])],
        { stdio: ["ignore", "ignore", "pipe"] },
      );
      let said = "";
      child.stderr.on("data", (text: Buffer) => (said += String(text)));
      while (!existsSync(`${out}.partial`) && child.exitCode === null) await setImmediate();
      child.kill("SIGINT");
      const [code] = (await once(child, "exit")) as [number];
      assert.equal(code, 130);
      assert.match(said, /^Interrupted: stopped on request/);
      assert.equal(readFileSync(out, "utf8"), "what was there");
      assert.equal(existsSync(`${out}.partial`), false);
    });
  }

  for (const [command, step] of [
    ["explain", "explaining: all predictions moved"],
    ["precision", "performing in float32"],
    ["compare", "checking"],
  ] as const) {
    it(`shows on a terminal how far it is, and erases that: ${command}`, function () {
      if (process.platform === "win32") this.skip();
      const shape = [4, 1 << 18];
      const values = Float32Array.from({ length: shape[0]! * shape[1]! }, (_, k) => (k % 7) / 7);
      const x = join(folder, "shown.npy");
      writeFileSync(x, writeNpy({ dtype: "float32", shape, data: values }));
      const inTerminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
      const args = [command, `${losses}:dice_loss_smooth`, `y_true=${x}`, `y_pred=${x}`];
      const { stdout } = spawnSync(
        "python3",
        ["-c", inTerminal, process.execPath, join(root, "dist/cli.js"), ...args],
        { encoding: "utf8" },
      );
      const erase = "\r\x1b[K";
      assert.match(stdout, new RegExp(`${step} \\d+ %`));
      const shown = stdout.slice(0, stdout.lastIndexOf(erase));
      const printed = stdout.slice(stdout.lastIndexOf(erase) + erase.length);
      assert.ok(!shown.includes("\n"), "all progress is one line");
      assert.ok(printed.includes("\n") && !printed.includes(step), printed.slice(0, 200));
    });
  }

  for (const [what, args, message] of [
    ["no command", [], /usage/],
    ["an unknown command", ["inspect"], /no command inspect/],
    ["a missing file", ["derive", "nowhere.py"], /nowhere\.py/],
    ["an unknown function", ["derive", "losses.py:nothing"], /nothing/],
    [
      "a missing array",
      ["check", "losses.py:dice_loss_plain", "y_true=a.npy", "y_pred=[1]"],
      /a\.npy/,
    ],
    [
      "shapes that do not fit",
      ["check", "losses.py:dice_loss_plain", "y_true=[1, 0]", "y_pred=[1.0, 0.5, 0.1]"],
      /\(2,\).*\(3,\)/,
    ],
  ] as const) {
    it(`says what is wrong with ${what}: 2`, () => {
      const { code, out, err } = run(...args);
      assert.equal(code, 2);
      assert.match(out + err, message);
    });
  }
});
