import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspectFile, sourceOfModule } from "../../../src/session/jobs.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";

describe("finding modules", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "dice-modules-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  /** A workspace in work/ and installed packages in site/; every file holds its own path. */
  function laid(...files: string[]): ModuleFinder {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), file);
    }
    return new ModuleFinder([join(root, "site")], [join(root, "given")]);
  }
  const find = (finder: ModuleFinder, name: string, from = "train.py"): string | null =>
    finder.find(name, from, join(root, "work"))?.text ?? null;

  it("starts beside the file, then goes up to the workspace, its src, given roots, packages", () => {
    const finder = laid(
      "work/tools/helper.py", "work/helper.py", "work/losses/__init__.py", "work/src/net.py",
      "given/extra.py", "site/extra.py", "site/monai/__init__.py",
    ); // prettier-ignore
    const from = "tools/train.py";
    assert.equal(find(finder, "helper", from), "work/tools/helper.py");
    assert.equal(find(finder, "helper"), "work/helper.py");
    assert.equal(find(finder, "losses", from), "work/losses/__init__.py");
    assert.equal(find(finder, "net", from), "work/src/net.py");
    assert.equal(find(finder, "extra", from), "given/extra.py");
    assert.equal(find(finder, "monai", from), "site/monai/__init__.py");
    assert.equal(find(finder, "nothing", from), null);
  });

  it("starts at the top of the package for a file outside the workspace", () => {
    const finder = laid("other/pkg/__init__.py", "other/pkg/sub/__init__.py", "other/pkg/sub/a.py", "other/pkg/b.py"); // prettier-ignore
    assert.equal(find(finder, "pkg.b", join(root, "other/pkg/sub/a.py")), "other/pkg/b.py");
  });

  it("follows relative imports, up to the folders above", () => {
    const finder = laid("work/pkg/__init__.py", "work/pkg/a.py", "work/pkg/sub/b.py");
    assert.equal(find(finder, ".a", "pkg/c.py"), "work/pkg/a.py");
    assert.equal(find(finder, ".", "pkg/c.py"), "work/pkg/__init__.py");
    assert.equal(find(finder, "..a", "pkg/sub/b.py"), "work/pkg/a.py");
    assert.equal(find(finder, ".sub.b", "pkg/c.py"), "work/pkg/sub/b.py");
  });

  it("names installed files as Python does and without their folder on this machine", () => {
    const finder = laid("site/monai/losses/__init__.py", "site/monai/losses/dice.py", "work/monai.py"); // prettier-ignore
    const work = join(root, "work");
    const losses = finder.find("monai.losses", "monai.py", work)!;
    assert.deepEqual(
      [losses.file, losses.name, losses.installed],
      ["monai/losses/__init__.py", "monai.losses", true],
    );
    const dice = finder.find(".dice", losses.file, work)!;
    assert.deepEqual(
      [dice.file, dice.name, dice.text],
      ["monai/losses/dice.py", "monai.losses.dice", "site/monai/losses/dice.py"],
    );
    assert.equal(finder.pathOf(dice.file), join(root, "site/monai/losses/dice.py"));
  });

  it("keeps an installed file apart from one of the same name in the workspace", () => {
    const finder = laid("work/lib/core.py", "site/lib/__init__.py", "site/lib/core.py");
    const work = join(root, "work");
    assert.equal(finder.find("lib.core", "train.py", work)!.text, "site/lib/core.py");
    assert.equal(finder.find(".core", "lib/more.py", work)!.text, "work/lib/core.py");
    assert.equal(finder.find("lib.core", "train.py", work)!.text, "site/lib/core.py");
  });

  it("takes folders without __init__.py for packages, after whole ones", () => {
    const finder = laid("work/monai/notes.txt", "work/space/part/x.py", "site/monai/__init__.py", "site/space/y.py"); // prettier-ignore
    assert.equal(find(finder, "monai"), "site/monai/__init__.py");
    assert.equal(find(finder, "space.part.x"), "work/space/part/x.py");
    assert.equal(find(finder, "space.y"), "site/space/y.py");
    assert.equal(find(finder, "space"), "");
    assert.equal(find(finder, "space.part"), "");
  });

  it("knows compiled modules, which have no text", () => {
    const finder = laid("site/kornia_rs/__init__.py", "site/kornia_rs/core.cpython-311-x86_64-linux-gnu.so"); // prettier-ignore
    const found = finder.find("kornia_rs.core", "train.py", join(root, "work"));
    assert.equal(found?.text, null);
    assert.equal(finder.find("kornia_rs.other", "train.py", join(root, "work")), null);
  });

  it("does not let an installed package import the user's files", () => {
    const finder = laid("work/utils.py", "site/lib/__init__.py", "site/lib/a.py");
    const lib = finder.find("lib", "train.py", join(root, "work"))!;
    assert.equal(find(finder, "utils", lib.file), null);
    assert.equal(find(finder, "utils"), "work/utils.py");
  });

  it("does not find the importing file itself", () => {
    const finder = laid("work/monai.py", "site/monai/__init__.py");
    assert.equal(find(finder, "monai", "monai.py"), "site/monai/__init__.py");
  });

  it("derives an installed library's loss, named as Python names it", async () => {
    const library = join(root, "venv/lib/python3.11/site-packages/lossy");
    mkdirSync(library, { recursive: true });
    mkdirSync(join(root, "venv/bin"));
    writeFileSync(join(root, "venv/bin/python"), "");
    writeFileSync(join(root, "venv/pyvenv.cfg"), "version = 3.11.7\n");
    writeFileSync(
      join(library, "__init__.py"),
      "from .dice import Dice\nfrom .gone import other\n",
    );
    writeFileSync(
      join(library, "dice.py"),
      "import torch\n\nclass Dice(torch.nn.Module):\n    def __init__(self, smooth):\n        super().__init__()\n        self.smooth = smooth\n\n    def forward(self, p, g):\n        return 1 - (2 * (p * g).sum() + self.smooth) / (p.sum() + g.sum() + self.smooth)\n",
    );
    const callable = "Dice(smooth=2.0)";
    const [result] = await inspectFile(
      {
        ...sourceOfModule("lossy", callable),
        callable,
        values: ["p=[0.5, 0.25]", "g=[1.0, 0.0]"],
        wrt: null,
        directory: root,
      },
      join(root, "venv"),
    );
    assert.ok(result !== undefined && "inspection" in result);
    const { report } = result.inspection;
    assert.deepEqual(report.function, { name: "Dice", file: "lossy/dice.py", line: 3 });
    assert.ok(Math.abs(report.loss.value! - (1 - 3 / 3.75)) < 1e-12);
    assert.equal(report.check.verdict, "agrees");
  });
});
