import assert from "node:assert/strict";
import {
  type TestHost,
  array,
  close,
  errorOf,
  probabilities,
  session,
  valueOf,
} from "./session.ts";

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

  it("pass over decorators that only warn of what is deprecated", async () => {
    const { run, program } = await session();
    run(
      "import warnings\nfrom registry import deprecated_arg\n" +
        "@warnings.deprecated('use g')\n@deprecated_arg('y', since='1.5', new_name='t')\n" +
        "def f(p, t):\n    return (p * t).sum()",
    );
    const arrays = { p: array([3], [0.5, 0.25, 1]), t: array([3], [0, 1, 1]) };
    close(valueOf(program.trace("f"), arrays), 1.25);
  });

  it("leave a class with an unknown base alone until it is made", async () => {
    const { run, program } = await session();
    run("import lightning\nclass Loss(lightning.Base):\n    def forward(self, p, t):\n        return (p * t).sum()");
    assert.match(errorOf(() => program.trace("Loss")).message, /lightning\.Base is not known/);
  });
}); // prettier-ignore

describe("Imports of installed packages", () => {
  const library = (h: TestHost): void => {
    h.installed.set("lib/__init__.py", "from .losses import Dice, other\nfrom .heavy import *\nimport lib.broken\n__version__ = '1.6'\n");
    h.installed.set("lib/losses/__init__.py", "from .dice import Dice\nfrom .dice import other\n");
    h.installed.set("lib/losses/dice.py", "from lib import __version__\nimport lib.unused as unused\nclass Dice:\n    def __call__(self, p, g):\n        return 1 - (p * g).sum()\n");
    h.installed.set("lib/heavy.py", "from .huge import a, b\nc = 1\n");
    h.installed.set("lib/huge.py", "a = b = 2\n");
    h.installed.set("lib/unused.py", "raise RuntimeError('never')\n");
    h.installed.set("lib/broken.py", "x = (\n");
    h.installed.set("lib/fast.py", null);
  };

  it("read only what is used", async () => {
    const { run, program, host } = await session(library);
    run("from lib.losses import Dice");
    assert.deepEqual(host.read, []);
    assert.equal(program.trace("Dice()").file, "lib/losses/dice.py");
    // Whether the packages set something up is read off their text.
    assert.deepEqual(host.read, ["lib/__init__.py", "lib/losses/__init__.py", "lib/losses/dice.py"]);
  });

  it("reach names through the package, star imports and submodules", async () => {
    const { run, host } = await session(library);
    run("import lib\nprint(lib.__version__, lib.c, lib.losses.dice.Dice.__name__, lib.a, lib.huge.b)");
    assert.deepEqual(host.printed, ["1.6 1 Dice 2 2\n"]);
  });

  it("that fail are said where the name is used, with the line that imports it", async () => {
    const { run } = await session(library);
    run("from lib.losses import other, Dice\nfrom lib import nothing\nimport lib");
    assert.match(errorOf(() => run("other(1)")).message, /other could not be read: ImportError: cannot import name 'other' from 'lib\.losses\.dice' \(lib\/losses\/__init__\.py, line 2\)/);
    assert.match(errorOf(() => run("nothing + 1")).message, /nothing could not be read: ImportError: cannot import name 'nothing' from 'lib' \(cell, line 2\)/);
    assert.match(errorOf(() => run("lib.broken")).message, /module 'lib\.broken' cannot be read: SyntaxError/);
  });

  it("are tried at once where a handler waits for them to fail", async () => {
    const { run, host } = await session((h) => {
      library(h);
      h.installed.set("opt.py", "import not_there\nuse = 1\n");
    });
    run("try:\n    from lib.losses import Dice\n    import lib.fast\n    found = True\nexcept ImportError:\n    found = False\ntry:\n    from opt import use\nexcept ImportError:\n    use = None\ntry:\n    import lib.nowhere\nexcept ModuleNotFoundError:\n    nowhere = 'missing'");
    run("print(found, use, nowhere)");
    assert.deepEqual(host.printed, ["True None missing\n"]);
  });

  it("of compiled modules say that there is no source", async () => {
    const { run } = await session(library);
    run("from lib import fast");
    assert.match(errorOf(() => run("fast.dice(1)")).message, /fast\.dice is not known to the inspector: it is compiled/);
  });

  it("stay when the function that imports them has been traced", async () => {
    const { run, program } = await session((h) => {
      h.installed.set("lib.py", "table = []\ndef scale(x):\n    table.append(1)\n    return 2 * x\n");
    });
    run("def loss(p, g):\n    from lib import scale\n    return scale((p * g).sum())");
    const first = program.trace("loss").loss;
    assert.equal(program.trace("loss").loss, first);
  });

  it("go round a cycle within a package", async () => {
    const { run, host } = await session((h) => {
      h.installed.set("pkg/__init__.py", "from . import a, b\nfrom .a import one\n");
      h.installed.set("pkg/a.py", "from pkg import b\none = 1\ndef two():\n    return b.two\n");
      h.installed.set("pkg/b.py", "from pkg.a import one\ntwo = one + 1\n");
    });
    run("import pkg\nprint(pkg.b.two, pkg.a.two(), pkg.one)");
    assert.deepEqual(host.printed, ["2 2 1\n"]);
  });

  describe("whose package sets something up when it is imported", () => {
    const injecting = (h: TestHost): void => {
      h.installed.set("kit/__init__.py", "from . import base, heavy\ndef choose(factor):\n    base.Loss.setup(factor)\nprint('choosing')\ntry:\n    choose(None)\nexcept ValueError:\n    choose(3)\n");
      h.installed.set("kit/base.py", "class Loss:\n    factor = None\n    @classmethod\n    def setup(cls, factor):\n        if factor is None:\n            raise ValueError('no factor')\n        cls.factor = factor\n");
      h.installed.set("kit/inner/__init__.py", "");
      h.installed.set("kit/inner/losses.py", "from ..base import Loss\nclass Dice(Loss):\n    def __call__(self, p, g):\n        return self.factor * (p * g).sum()\nscaled = 2 * Loss.factor\n");
      h.installed.set("kit/heavy.py", "raise RuntimeError('never')\n");
    };

    it("find it done, and nothing else of the package read", async () => {
      const { run, host } = await session(injecting);
      run("from kit.inner.losses import Dice, scaled\nprint(Dice().factor, scaled)");
      assert.deepEqual(host.printed, ["3 6\n"]);
      assert.ok(!host.read.includes("kit/heavy.py"));
    });

    it("find it done where the module itself is opened", async () => {
      const { program } = await session(injecting, "kit/inner/losses.py");
      const text = "from ..base import Loss\nclass Dice(Loss):\n    def __call__(self, p, g):\n        return self.factor * (p * g).sum()\ndice = Dice()\n";
      assert.deepEqual(program.load(text, "kit/inner/losses.py"), []);
      const p = array([2], [0.25, 0.5]);
      close(valueOf(program.trace("dice"), { p, g: array([2], [1, 1]) }), 2.25);
    });
  });

  it("of the standard library are there, with or without a model", async () => {
    const { run, host } = await session();
    run("try:\n    import sqlite3\n    import os.path\n    found = True\nexcept ImportError:\n    found = False\nprint(found)");
    assert.deepEqual(host.printed, ["True\n"]);
    assert.match(errorOf(() => run("sqlite3.connect('x')")).message, /there is no model of what it computes yet/);
  });
}); // prettier-ignore
