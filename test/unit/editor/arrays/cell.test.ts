import assert from "node:assert/strict";
import { type CheckedLoss, checkCellSource } from "../../../../src/editor/arrays/cell.ts";
import { identifierOf, distinctFrom } from "../../../../src/editor/arrays/identifier.ts";

const ARRAYS = [
  { name: "probs", text: "np.array([0.8, 0.3])", origin: "script.py:7" },
  { name: "masks", text: "np.array([1.0, 0.0])", origin: "script.py:6" },
];

function loss(more: Partial<CheckedLoss> = {}): CheckedLoss {
  return {
    definition: "from losses import dice",
    name: "dice",
    library: "numpy",
    parameters: ["y_true", "y_pred"],
    prediction: "y_pred",
    call: (name, given) => `${name}(y_true=${given("y_true")}, y_pred=${given("y_pred")})`,
    ...more,
  };
}
const given = (p: string): string => (p === "y_pred" ? "probs" : "masks");

describe("the cell that checks picked arrays", () => {
  it("has its imports, where each array comes from, and the call", () => {
    const uses = [{ loss: loss(), activation: null, given }];
    assert.equal(
      checkCellSource({ arrays: ARRAYS, uses, standards: null }),
      `import numpy as np
from losses import dice

# script.py:7
probs = np.array([0.8, 0.3])
# script.py:6
masks = np.array([1.0, 0.0])

dice(y_true=masks, y_pred=probs)`,
    );
  });

  it("makes a loss of probabilities one of logits, in the loss's own library", () => {
    const uses = [{ loss: loss({ library: "torch" }), activation: "softmax", given }] as const;
    const source = checkCellSource({ arrays: ARRAYS, uses, standards: null });
    assert.match(source, /^import numpy as np\nimport torch\nfrom losses/);
    assert.ok(
      source.includes(
        "def dice_of_logits(y_true, y_pred):\n" +
          "    return dice(y_true=y_true, y_pred=torch.softmax(y_pred, dim=1))",
      ),
      source,
    );
    assert.match(source, /\ndice_of_logits\(y_true=masks, y_pred=probs\)$/);
  });

  it("compares with calls of the catalogue, in quotes that they have not, or with the nearest", () => {
    const uses = [{ loss: loss(), activation: null, given }];
    const compared = (...standards: string[]): string =>
      checkCellSource({ arrays: ARRAYS, uses, standards }).split("\n\n").at(-1)!;
    const own = "dice(y_true=masks, y_pred=probs)";
    assert.equal(compared("a.Dice(b=1)"), `compare(\n    ${own},\n    "a.Dice(b=1)",\n)`);
    assert.equal(compared('a.Dice(m="x")'), `compare(\n    ${own},\n    'a.Dice(m="x")',\n)`);
    assert.equal(compared(), `compare(\n    ${own},\n)`);
  });

  it("keeps two losses of one name apart", () => {
    const other = loss({ definition: "from metrics import dice" });
    const uses = [loss(), other].map((l) => ({ loss: l, activation: null, given }));
    const source = checkCellSource({ arrays: ARRAYS, uses, standards: null });
    assert.match(source, /from losses import dice\nfrom metrics import dice as other_dice\n/);
    assert.match(source, / {4}dice\(.*\n {4}other_dice\(/);
  });

  it("writes a comment of one line, whatever a file is called", () => {
    const arrays = [{ ...ARRAYS[0]!, origin: "a\nimport os\u2028b.npy" }];
    const source = checkCellSource({ arrays, uses: [], standards: null });
    assert.equal(source, "import numpy as np\n\n# a import os b.npy\nprobs = np.array([0.8, 0.3])");
  });
});

describe("names of arrays in a cell", () => {
  it("are identifiers that say what the array was called", () => {
    assert.equal(identifierOf("case-01.nii.gz"), "case_01");
    assert.equal(identifierOf("self.y_pred"), "y_pred");
    assert.equal(identifierOf('batch["mask"]'), "batch_mask");
    assert.equal(identifierOf("01.npy"), "array_01");
    assert.equal(identifierOf("…"), "array");
    assert.equal(identifierOf("größe"), "größe");
  });

  it("hide no word of Python's and no module", () => {
    assert.equal(identifierOf("lambda"), "lambda_array");
    assert.equal(identifierOf("np"), "np_array");
  });

  it("differ from those that are taken", () => {
    assert.equal(distinctFrom("p", new Set(["p", "p_2"])), "p_3");
  });
});
