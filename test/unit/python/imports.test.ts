import assert from "node:assert/strict";
import { array, close, errorOf, probabilities, session, valueOf } from "./session.ts";

describe("Imports", () => {
  it("read the user's own modules, with their own names and helpers", async () => {
    const { run, program, host } = await session((h) => {
      h.modules.set("metrics.py", "import numpy as np\nEPS = 1e-3\ndef dice(a, b):\n    return ratio(2 * np.sum(a * b) + EPS, np.sum(a) + np.sum(b) + EPS)\ndef ratio(x, y):\n    return x / y\n");
    });
    run("from metrics import dice as d\nimport metrics\ndef loss(p, g):\n    return 1 - d(g, p)");
    const trace = program.trace("loss");
    const p = array([3], probabilities(3, 1));
    const g = array([3], [0, 1, 1]);
    const sum = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0);
    const both = p.data[1]! + p.data[2]!;
    close(valueOf(trace, { p, g }), 1 - (2 * both + 1e-3) / (sum(p.data) + 2 + 1e-3));
    run("print(metrics.EPS, metrics.__name__)");
    assert.deepEqual(host.printed, ["0.001 metrics\n"]);
  });

  it("read packages, submodules and relative imports", async () => {
    const { run, host } = await session((h) => {
      h.modules.set("pkg/__init__.py", "from .core import base\n");
      h.modules.set("core.py", "base = 40\n");
      h.modules.set("pkg/extra.py", "from .core import base\nmore = base + 2\n");
    });
    run("import pkg\nfrom pkg.extra import more\nprint(pkg.base, more)");
    assert.deepEqual(host.printed, ["40 42\n"]);
  });

  it("run a module once", async () => {
    const { run, host } = await session((h) => {
      h.modules.set("m.py", "print('loading')\nx = []\n");
    });
    run("import m\nfrom m import x\nx.append(1)");
    run("import m as again\nprint(again.x)");
    assert.deepEqual(host.printed, ["loading\n", "[1]\n"]);
  });

  it("say which name a cyclic import left out", async () => {
    const { run } = await session((h) => {
      h.modules.set("a.py", "from b import g\ndef f(x):\n    return g(x)\n");
      h.modules.set("b.py", "from a import f\ndef g(x):\n    return f(x)\n");
    });
    run("from a import f");
    const e = errorOf(() => run("f(1)"));
    assert.match(e.message, /f could not be read: ImportError: cannot import name 'f' from partially initialized module 'a'/);
    assert.match(e.message, /b\.py, line 1/);
  });

  it("follow a cycle that does no harm, as Python does", async () => {
    const { run, host } = await session((h) => {
      h.modules.set("a.py", "import b\ndef f(x):\n    return b.g(x) + 1\n");
      h.modules.set("b.py", "import a\ndef g(x):\n    return 2 * x\ndef h(x):\n    return a.f(x)\n");
    });
    run("import b\nprint(b.h(3))");
    assert.deepEqual(host.printed, ["7\n"]);
  });

  it("keep what fails in a module apart from what does not", async () => {
    const { run, host } = await session((h) => {
      h.modules.set("m.py", "import matplotlib.pyplot as plt\nplt.figure()\nbad = plt.gca()\nwhile True:\n    pass\ndef good(x):\n    return x + 1\n");
    });
    run("from m import good, bad\nprint(good(1))");
    assert.deepEqual(host.printed, ["2\n"]);
    const e = errorOf(() => run("bad.plot()"));
    assert.match(e.message, /bad.plot could not be read: matplotlib\.pyplot\.gca is not known/);
    assert.match(e.message, /m\.py, line 3/);
  });

  it("of unknown modules fail only where they are used", async () => {
    const { run } = await session();
    run("import cv2\nfrom skimage.measure import label");
    const e = errorOf(() => run("x = 1\ny = cv2.resize(x)"));
    assert.match(e.headline, /cv2\.resize is not known to the inspector: its module was not found/);
    assert.equal(e.line, 2);
    assert.ok(e.remedy);
  });

  it("of unknown modules fail at once where the code has something else ready", async () => {
    const { run, host } = await session();
    run("try:\n    import apex\nexcept ImportError:\n    apex = None\nprint(apex)");
    assert.deepEqual(host.printed, ["None\n"]);
  });

  it("point to the line of a module that does not parse", async () => {
    const { run } = await session((h) => {
      h.modules.set("m.py", "x = 1\ny = (\n");
    });
    const e = errorOf(() => run("import m"));
    assert.match(e.headline, /ImportError: module 'm' cannot be read: SyntaxError: '\(' was never closed \(m\.py, line 2\)/);
  });

  it("of a name that is not there are an error", async () => {
    const { run } = await session((h) => {
      h.modules.set("m.py", "x = 1\n");
    });
    assert.equal(
      errorOf(() => run("from m import y")).headline,
      "ImportError: cannot import name 'y' from 'm'",
    );
    assert.equal(
      errorOf(() => run("import m\nm.y")).headline,
      "AttributeError: module 'm' has no attribute 'y'",
    );
  });

  it("leave a function under an unknown decorator alone until it is called", async () => {
    const { run, program } = await session();
    run("import registry\n@registry.LOSSES.register\ndef f(p, t):\n    return (p * t).sum()");
    const e = errorOf(() => program.trace("f"));
    assert.match(e.message, /f is not known to the inspector: its decorator @registry\.LOSSES\.register is not known/);
  });

  it("leave a class with an unknown base alone until it is made", async () => {
    const { run, program } = await session();
    run("import lightning\nclass Loss(lightning.Base):\n    def forward(self, p, t):\n        return (p * t).sum()");
    assert.match(errorOf(() => program.trace("Loss")).message, /lightning\.Base is not known/);
  });
}); // prettier-ignore
