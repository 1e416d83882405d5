/** Real autograd as the referee: the user's function in real Python, against a plain script's run. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import type { ClaimEntry, Report } from "../../src/report/schema.ts";
import { Referee } from "../../src/session/autograd/referee.node.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { NotebookSession } from "../../src/session/notebook.ts";
import type { CellOutput, PythonLeave } from "../../src/session/protocol.ts";
import { root } from "../../scripts/lib/root.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { oraclePython } from "./environment.ts";

const watch = { onProgress: () => undefined, isCancelled: () => false };

const TORCH = `import torch
import numpy as np

def dice_loss(logits, target, smooth=1e-5):
    p = torch.sigmoid(logits)
    dims = (2, 3)
    intersection = (p * target).sum(dims)
    score = (2 * intersection + smooth) / (p.sum(dims) + target.sum(dims) + smooth)
    return (1 - score).mean()
`;

describe("real autograd as the referee", function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-referee-"));
  const referee = new Referee(join(root, "media/python/autograd_server.py"));
  let interpreter = "";
  let session: NotebookSession;

  before(async () => {
    interpreter = await oraclePython();
    const script = `
import numpy as np
rng = np.random.default_rng(3)
np.save("logits.npy", rng.normal(size=(2, 3, 5, 7)).astype(np.float32))
np.save("target.npy", (rng.uniform(size=(2, 3, 5, 7)) < 0.4))
`;
    await python(script);
  });
  after(() => {
    referee.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    session = new NotebookSession(await loadParserFromDisk(), filesFor(interpreter), folder);
  });

  async function python(script: string): Promise<string> {
    const file = join(folder, "plain.py");
    writeFileSync(file, script);
    const { code, output } = await run(interpreter, [file], { cwd: folder });
    assert.equal(code, 0, output);
    return output;
  }

  async function cell(
    source: string,
    leave: Partial<PythonLeave> | null = {},
    signal?: AbortSignal,
  ): Promise<{ ok: boolean; outputs: CellOutput[]; report: Report }> {
    const outputs: CellOutput[] = [];
    const given = leave === null ? null : { interpreter, timeoutSeconds: 120, ask: null, ...leave };
    const ok = await session.executeWithPython(
      { language: "python", source, file: "Cell 1" },
      (o) => outputs.push(o),
      watch,
      given,
      referee,
      signal,
    );
    const [drawn] = outputs.flatMap((o) => (o.kind === "report" ? [o.drawn.report] : []));
    return { ok, outputs, report: drawn as Report };
  }

  const load = `logits = torch.from_numpy(np.load("logits.npy"))
target = torch.from_numpy(np.load("target.npy")).float()
`;

  it("gives a plain script's loss and gradient bit for bit", async () => {
    await cell(TORCH);
    await cell(load);
    const { report } = await cell("# dice-gradient: autograd\ndice_loss(logits, target)");
    const [entry] = report.autogradRuns!;
    assert.equal(entry!.failure, null);
    const plain = await python(`${TORCH}
${load}
logits.requires_grad_(True)
loss = dice_loss(logits, target)
loss.backward()
print(loss.item().hex())
print(" ".join(float(g).hex() for g in logits.grad.reshape(-1)))
`);
    const [loss, gradient] = plain.trim().split("\n");
    assert.equal(entry!.loss, fromHex(loss!));
    const column = report.numbers!.columns.indexOf("autograd (PyTorch)");
    assert.deepEqual(
      report.numbers!.rows.map((row) => row.values[column]),
      gradient!.split(" ").map(fromHex),
    );
    assert.equal(entry!.verdict, "agrees", entry!.sentence);
    assert.equal(entry!.dtype, "float32");
    assert.match(entry!.version, /^2\.13/);
  });

  it("does not hold a library's rounding of weights, or its order of equal entries, against it", async () => {
    await cell(`import torch
import torch.nn.functional as F
def lovasz(z, y):
    errors, order = torch.sort(1 - z * (2 * y - 1), descending=True)
    truth = y[order]
    jaccard = 1 - (truth.sum() - truth.cumsum(0)) / (truth.sum() + (1 - truth).cumsum(0))
    jaccard[1:] = jaccard[1:] - jaccard[:-1]
    return torch.dot(F.relu(errors), jaccard)
k = torch.arange(100_000)
z = 3 * torch.sin(k * 1.7)
tied = torch.round(1000 * z).double() / 1000
y = (k % 3 == 0).float()
`);
    const run = async (source: string) =>
      (await cell(`# dice-gradient: autograd\n${source}`)).report.autogradRuns![0]!;
    const single = await run("lovasz(z, y)");
    assert.equal(single.verdict, "cannot-be-decided", single.sentence);
    assert.match(single.sentence!, /computes \w+ in float32.*float64 arrays would decide$/);
    const double = await run("lovasz(tied, y.double())");
    assert.equal(double.verdict, "not-differentiable", double.sentence);
    assert.match(double.sentence!, /at the other [\d,]+ the gradient agrees/);
  });

  it("judges a gradient in the type of its array, whatever the loss's own", async () => {
    await cell(`import numpy as np
def dice(y_true, y_pred, eps=1e-7):
    return 1 - (2 * np.sum(y_true * y_pred) + eps) / (np.sum(y_true) + np.sum(y_pred) + eps)
p = np.load("logits.npy")
t = np.load("target.npy").astype(np.uint8)
`);
    const { report } = await cell("# dice-gradient: autograd=autograd\nexplain(dice(t, p))");
    // NumPy sums the uint8 mask in integers, so the loss is float64 though the array is float32.
    assert.deepEqual(
      report.autogradRuns!.map((r) => [r.library, r.verdict, r.dtype, r.failure]),
      [["HIPS Autograd", "agrees", "float32", null]],
    );
    const claims = new Map(report.claims!.map((c) => [c.id, c]));
    assert.equal(claims.get("quotient-rule")!.verdict, "false");
    assert.match(claims.get("library")!.sentence, /^only HIPS Autograd 1\.9\.1 was run/);
  });

  it("judges a gradient in float32 where the loss computes in it on float64 arrays, and says where", async () => {
    await cell(`import numpy as np
import torch
class Smoothed(torch.nn.Module):
    def __init__(self, dtype=None):
        super().__init__()
        self.register_buffer("smooth", torch.tensor(0.1, dtype=dtype))
    def forward(self, p, t):
        return 1 - (2 * (p * t).sum() + self.smooth) / (p.sum() + t.sum() + self.smooth)
p = torch.sigmoid(torch.from_numpy(np.load("logits.npy")).double())
t = torch.from_numpy(np.load("target.npy")).double()
`);
    const judged = async (call: string) => {
      const { report } = await cell(`# dice-gradient: autograd\n${call}`);
      return report.autogradRuns![0]!;
    };
    const smoothed = await judged("Smoothed()(p, t)");
    assert.equal(smoothed.verdict, "agrees", smoothed.sentence);
    assert.equal(
      smoothed.note,
      "judged in float32, in which line 8 computes though the arrays are float64",
    );
    assert.ok(smoothed.maxAbsError! > 0 && smoothed.maxUlps! < 1);
    const other = await judged("Smoothed(torch.float64)(p, t)");
    assert.deepEqual([other.verdict, other.dtype, other.note], ["agrees", "float64", null]);
  });

  it("finds NaN where the derived gradient has it: a where() saves the loss alone", async () => {
    await cell(`import torch
def guarded(p, t):
    dice = 2 * (p * t).sum(1) / (p.sum(1) + t.sum(1))
    return 1 - torch.where(torch.isnan(dice), torch.ones_like(dice), dice).mean()
p = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.25, 0.0]])
t = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
`);
    const { report } = await cell("# dice-gradient: autograd\nguarded(p, t)");
    const [entry] = report.autogradRuns!;
    assert.deepEqual([report.check.verdict, entry!.verdict], ["undefined", "undefined"]);
    assert.equal(entry!.note, "NaN or infinite at the same 3 elements as the derived gradient");
    const { columns, rows } = report.numbers!;
    const [own, theirs] = ["analytic gradient", "autograd (PyTorch)"].map((c) =>
      columns.indexOf(c),
    );
    for (const { values } of rows) assert.equal(values[own!] === null, values[theirs!] === null);
  });

  it("says where the code computes another loss when it runs than the one that was derived", async () => {
    // A trace is of whichever gradient is asked for, so arrays beside the target require it.
    await cell(`import torch
def unlike(p, t, scale):
    factor = scale if scale.requires_grad else 1
    return (factor * p * t).sum()
p = torch.tensor([[0.25, 0.5, 0.0], [0.5, 0.25, 0.0]])
t = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
scale = torch.tensor([2.0, 2.0, 2.0])
`);
    const { report } = await cell("# dice-gradient: autograd\nunlike(p, t, scale)");
    const [entry] = report.autogradRuns!;
    assert.deepEqual([entry!.verdict, entry!.loss, report.loss.value], ["differs", 1.25, 2.5]);
    assert.equal(
      entry!.note,
      "its loss is not the one derived here, 2.5: the code computes something else when it runs",
    );
  });

  it("settles whether the library matters: by two that can run it, else beside the derivation", async () => {
    const settled = async (call: string): Promise<ClaimEntry> =>
      (await cell(call)).report.claims!.find((c) => c.id === "library")!;
    await cell(TORCH);
    await cell(load);
    const torch = await settled("# dice-gradient: autograd\nexplain(dice_loss(logits, target))");
    assert.equal(torch.verdict, "false", torch.sentence);
    assert.match(torch.sentence, /^PyTorch 2\.13\S* gives the derivative, which was derived here/);
    await cell(`def dice(y_true, y_pred, eps=1e-7):
    return 1 - (2 * np.sum(y_true * y_pred) + eps) / (np.sum(y_true) + np.sum(y_pred) + eps)
t = np.load("target.npy").astype(np.float32)
p = np.load("logits.npy")
`);
    const both = await settled("# dice-gradient: autograd=autograd,jax\nexplain(dice(t, p))");
    assert.equal(both.verdict, "false", both.sentence);
    assert.match(both.sentence, /^HIPS Autograd 1\S* and JAX 0\S* give your gradient to within/);
    assert.ok(both.evidence.some((e) => e.startsWith("The gradients of HIPS Autograd and JAX")));
  });

  it("runs a NumPy loss with HIPS Autograd, JAX and TensorFlow side by side", async () => {
    // The real NumPy stays what it is to libraries, and to code around the function.
    await cell(`import torch
import numpy as np
from numpy import maximum
written = np.zeros(4)
written[2] = 1e-9
same = torch.from_numpy(written)
def dice(y_true, y_pred, eps=1e-7):
    return 1 - (2 * np.sum(y_true * y_pred) + eps) / maximum(np.sum(y_true) + np.sum(y_pred) + eps, 1e-9)
`);
    const { report } = await cell(
      "# dice-gradient: autograd=autograd,jax,tensorflow\ndice(np.array([0, 1, 1]), np.array([0.2, 0.5, 0.9]))",
    );
    assert.deepEqual(
      report.autogradRuns!.map((r) => [r.library, r.verdict, r.failure, r.device]),
      [
        ["HIPS Autograd", "agrees", null, "cpu"],
        ["JAX", "agrees", null, "cpu:0"],
        ["TensorFlow", "agrees", null, "cpu:0"],
      ],
    );
    // Two roundings each, the order of the sums included.
    for (const run of report.autogradRuns!) assert.ok(run.maxUlps! <= 4, String(run.maxUlps));
    assert.deepEqual(report.numbers!.columns.slice(-6), [
      "autograd (HIPS Autograd)",
      "HIPS Autograd off by (ulp)",
      "autograd (JAX)",
      "JAX off by (ulp)",
      "autograd (TensorFlow)",
      "TensorFlow off by (ulp)",
    ]);
  });

  it("runs the libraries that can take the function, and says which cannot", async () => {
    await cell(TORCH);
    await cell(load);
    const { report } = await cell("dice_loss(logits, target)", {
      ask: { backends: ["torch", "jax"], devices: ["cpu", "cuda"] },
    });
    const [cpu, cuda, jax] = report.autogradRuns!;
    assert.equal(cpu!.failure, null);
    assert.match(cuda!.failure ?? cuda!.device, /cuda/i);
    assert.match(jax!.failure!, /written for torch cannot be differentiated by jax/);
    const none = await cell("# dice-gradient: autograd=jax\ndice_loss(logits, target)");
    assert.equal(none.ok, false);
  });

  it("says what Python is at, and logs what it writes to standard error", async () => {
    const lines: string[] = [];
    const logged = new Referee(join(root, "media/python/autograd_server.py"), (t) => lines.push(t));
    const stages: string[] = [];
    try {
      await cell(TORCH);
      await cell(load);
      await cell(
        'def loud(logits, target):\n    print("so far")\n    return dice_loss(logits, target)',
      );
      await session.executeWithPython(
        { language: "python", source: "loud(logits, target)", file: "Cell 1" },
        () => undefined,
        { ...watch, onProgress: (_, what) => stages.push(what) },
        { interpreter, timeoutSeconds: 120, ask: { backends: null, devices: ["cpu"] } },
        logged,
      );
      // Standard error is a pipe of its own: what is in it may come after the answer.
      for (let k = 0; k < 100 && !lines.join("").includes("so far"); k++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      logged.dispose();
    }
    const python = stages.filter((s) => s.startsWith("PyTorch: "));
    assert.deepEqual(python, [
      `PyTorch: starting ${interpreter}`,
      "PyTorch: importing torch",
      "PyTorch: running the code",
      "PyTorch: differentiating",
    ]);
    assert.match(lines.join(""), /Python 3\S+ started: .*so far/s);
  });

  it("leaves no Python behind that never ends when its owner is gone", async () => {
    const pidFile = join(folder, "pid");
    writeFileSync(
      join(folder, "endless.py"),
      `import os\nopen(${JSON.stringify(pidFile)}, "w").write(str(os.getpid()))\nwhile True: pass\n`,
    );
    const owner = `
import { PythonProcess } from ${JSON.stringify(join(root, "src/session/autograd/pythonProcess.node.ts"))};
import { existsSync } from "node:fs";
const python = new PythonProcess({
  interpreter: ${JSON.stringify(interpreter)},
  script: ${JSON.stringify(join(root, "media/python/autograd_server.py"))},
  timeoutSeconds: 0,
});
const sources = [{ file: "x", text: "import endless", isCell: false }];
void python.request({ header: { kind: "run", backend: "torch", device: "cpu",
  folder: ${JSON.stringify(folder)}, sources, writtenFor: "torch" }, arrays: [] });
setInterval(() => { if (existsSync(${JSON.stringify(pidFile)})) process.exit(0); }, 50);
`;
    const file = join(folder, "owner.mts");
    writeFileSync(file, owner);
    const { code, output } = await run(process.execPath, ["--import=tsx", file], { cwd: root });
    assert.equal(code, 0, output);
    const pid = Number(readFileSync(pidFile, "utf8"));
    const isAlive = (): boolean => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    for (let k = 0; k < 200 && isAlive(); k++) await new Promise((r) => setTimeout(r, 50));
    assert.equal(isAlive(), false);
  });

  it("says that no gradient reaches a thresholded prediction", async () => {
    await cell(TORCH);
    await cell(`${load}
def hard(logits, target):
    return dice_loss((logits > 0).float(), target)
`);
    const { report } = await cell("# dice-gradient: autograd\nhard(logits, target)");
    assert.match(report.autogradRuns![0]!.note ?? "", /no gradient reaches the input/);
  });

  it("runs only where it may, and only where it is asked", async () => {
    await cell(TORCH);
    await cell(load);
    const unasked = await cell("dice_loss(logits, target)");
    assert.equal(unasked.report.autogradRuns, undefined);
    const always = await cell("dice_loss(logits, target)", {
      ask: { backends: null, devices: ["cpu"] },
    });
    assert.equal(always.report.autogradRuns!.length, 1);
    const untrusted = await cell("# dice-gradient: autograd\ndice_loss(logits, target)", null);
    assert.equal(untrusted.ok, false);
    const [failure] = untrusted.outputs;
    assert.ok(failure?.kind === "failure" && failure.failure.message.includes("not trusted"));
  });

  it("shows Python's own error with its traceback, and keeps the report", async () => {
    writeFileSync(join(folder, "broken.py"), "import torch\nraise RuntimeError('no licence')\n");
    await cell(TORCH);
    await cell(`${load}
try:
    import broken
except ImportError:
    pass
`);
    const { report, ok } = await cell("# dice-gradient: autograd\ndice_loss(logits, target)");
    assert.equal(ok, true);
    assert.match(report.autogradRuns![0]!.failure!, /RuntimeError: no licence\n[\s\S]*broken\.py/);
    assert.equal(report.check.verdict, "agrees");
  });

  it("outlives a process that dies, and starts another", async () => {
    await cell(TORCH);
    await cell(load);
    await cell("import os\ndef leave():\n    os._exit(7)\n");
    writeFileSync(join(folder, "dies.py"), "import os\nos._exit(7)\n");
    await cell("try:\n    import dies\nexcept ImportError:\n    pass\n");
    const died = await cell("# dice-gradient: autograd\ndice_loss(logits, target)");
    assert.match(died.report.autogradRuns![0]!.failure!, /ended with exit code 7/);
    writeFileSync(join(folder, "dies.py"), "");
    const again = await cell("# dice-gradient: autograd\ndice_loss(logits, target)");
    assert.equal(again.report.autogradRuns![0]!.failure, null);
  });

  it("names an interpreter that is not there, and one without the library", async () => {
    await cell(TORCH);
    await cell(load);
    const ask = "# dice-gradient: autograd\ndice_loss(logits, target)";
    const nowhere = await cell(ask, { interpreter: "/nowhere/python" });
    assert.match(nowhere.report.autogradRuns![0]!.failure!, /no Python interpreter \/nowhere/);
    assert.match(nowhere.report.autogradRuns![0]!.failure!, /dice-gradient\.pythonPath/);
    const bare = join(folder, "bare");
    const made = await run("python3", ["-m", "venv", "--without-pip", bare]);
    assert.equal(made.code, 0, made.output);
    const without = await cell(ask, { interpreter: join(bare, "bin/python") });
    assert.match(without.report.autogradRuns![0]!.failure!, /has no torch/);
  });

  it("stops on request and at its time limit, and works again afterwards", async () => {
    writeFileSync(join(folder, "slow.py"), "import time\ntime.sleep(600)\n");
    await cell(TORCH);
    await cell(`${load}
try:
    import slow
except ImportError:
    pass
`);
    const ask = "# dice-gradient: autograd\ndice_loss(logits, target)";
    const stopping = new AbortController();
    setTimeout(() => {
      stopping.abort();
    }, 1500);
    const stopped = await cell(ask, {}, stopping.signal);
    assert.match(stopped.report.autogradRuns![0]!.failure!, /stopped on request/);
    const late = await cell(ask, { timeoutSeconds: 2 });
    assert.match(late.report.autogradRuns![0]!.failure!, /did not finish within 2 s/);
    writeFileSync(join(folder, "slow.py"), "");
    const fine = await cell(ask);
    assert.equal(fine.report.autogradRuns![0]!.failure, null);
  });

  it("follows a module that changes on disk", async () => {
    const file = join(folder, "mine.py");
    writeFileSync(file, TORCH);
    await cell("import torch\nimport numpy as np\nfrom mine import dice_loss\n" + load);
    const ask = "# dice-gradient: autograd\ndice_loss(logits, target)";
    const first = await cell(ask);
    writeFileSync(file, readFileSync(file, "utf8").replace("(1 - score).mean()", "-score.mean()"));
    utimesSync(file, new Date(), new Date(Date.now() + 5000));
    const second = await cell(ask);
    const [a, b] = [first, second].map((x) => x.report.autogradRuns![0]!.loss!);
    assert.ok(Math.abs(a! - 1 - b!) < 1e-6, `${a} and ${b}`);
  });
});

/** The number that Python's float.hex() wrote. */
function fromHex(text: string): number {
  const m = /^(-?)0x([01])\.([0-9a-f]*)p([+-]\d+)$/.exec(text);
  assert.ok(m !== null, text);
  const [, sign, whole, digits, exponent] = m;
  const mantissa = Number(`0x${whole!}${digits!}`) * 16 ** -digits!.length;
  return (sign === "-" ? -1 : 1) * mantissa * 2 ** Number(exponent);
}
