import assert from "node:assert/strict";
import { decideEqual } from "../../../src/expression/equality.ts";
import { axis, formatShape } from "../../../src/expression/axis.ts";
import * as x from "../../../src/expression/build.ts";
import { toLatex } from "../../../src/expression/latex.ts";
import { namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive, receivesGradient } from "../../../src/gradient/derive.ts";
import { buildEntry, formatCall, withDefaults } from "../../../src/losses/call.ts";
import { CATALOGUE, parseCall } from "../../../src/losses/catalogue.ts";
import { type CatalogueEntry, Settings } from "../../../src/losses/entry.ts";
import type { FamilyInputs } from "../../../src/losses/family.ts";
import type { PyValue } from "../../../src/losses/python.ts";
import { FamilyError } from "../../../src/losses/spec.ts";
import { channelsFirst, labelled, lossOf } from "./inputs.ts";

/** Values of the parameters that have no default. */
const REQUIRED: Readonly<Record<string, PyValue>> = {
  mode: "multiclass",
  alpha: 0.3,
  beta: 0.7,
  num_boxes: 2,
  num_masks: 2,
  num_objects: 2,
  num_classes: 3,
  soft_dice_kwargs: { items: {} },
  ce_kwargs: { items: {} },
  bce_kwargs: { items: {} },
};

function required(entry: CatalogueEntry): Record<string, PyValue> {
  const names = entry.parameters.filter((p) => p.default === undefined).map((p) => p.name);
  return Object.fromEntries(names.map((name) => [name, REQUIRED[name]!]));
}

/** Arrays of three classes in the entry's layout, with the target that it takes. */
function inputsFor(entry: CatalogueEntry): FamilyInputs {
  const form = entry.target(new Settings(withDefaults(entry, required(entry))), { classes: 3 });
  const [b, c, i] = [axis("b", 2, "batch"), axis("c", 3, "class"), axis("i", 4, "space")];
  const first = entry.layout === "channels-first";
  const prediction = x.input("prediction", first ? [b, c, i] : [b, i, c]);
  const mask = x.input("mask", first ? [b, axis("k", 1, "class"), i] : [b, i]);
  const target =
    form === "like the prediction"
      ? x.input("target", prediction.shape)
      : x.input("labels", form === "labels" ? [b, i] : [b, axis("k", 1, "class"), i], "int");
  return { prediction, target, ...(entry.arrays.some((a) => a.is === "mask") && { mask }) };
}

function equal(a: Expr, b: Expr): boolean {
  const decided = decideEqual(a, b);
  assert.notEqual(decided.equal, "undecided", decided.reason);
  return decided.equal === true;
}

const plus = (e: Expr, by: number): Expr => x.add(e, x.constant(by));

describe("entries of the catalogue", () => {
  it("have calls of their own, sources with an address, and traps named once", () => {
    assert.equal(new Set(CATALOGUE.map((e) => e.id)).size, CATALOGUE.length);
    for (const entry of CATALOGUE) {
      assert.match(entry.source.url, /^https:\/\//, entry.id);
      const traps = entry.traps.map((t) => t.id);
      assert.equal(new Set(traps).size, traps.length, entry.id);
    }
  });

  for (const entry of CATALOGUE) {
    it(`${entry.id} builds its loss, prints it, and is read back from its call`, () => {
      const given = withDefaults(entry, required(entry));
      const inputs = inputsFor(entry);
      const loss = buildEntry(entry, given, inputs);
      assert.notEqual(toLatex(loss, namesFor([loss])), "");
      const hard = entry.id.startsWith("torchmetrics");
      assert.equal(receivesGradient(loss, inputs.prediction), !hard);
      const derived = formatShape(derive(loss, inputs.prediction).shape);
      assert.equal(derived, formatShape(inputs.prediction.shape));
      const read = parseCall(formatCall(entry, given));
      assert.equal(read.entry, entry);
      assert.deepEqual(read.parameters, given);
    });
  }

  it("says so where a formula of its own does not fit the arrays", () => {
    const [b, c, i] = [axis("b", 2, "batch"), axis("c", 3, "class"), axis("i", 4, "space")];
    const labels = { prediction: x.input("p", [b, c, i]), target: x.input("y", [b, i], "int") };
    for (const entry of CATALOGUE.filter((e) => e.build !== undefined)) {
      try {
        buildEntry(entry, withDefaults(entry, required(entry)), labels);
      } catch (e) {
        assert.ok(e instanceof FamilyError, `${entry.id}: ${String(e)}`);
      }
    }
    assert.throws(
      () => lossOf("papers.sensitivity_specificity()", labels),
      /papers\.\w+ does not fit these arrays/,
    );
  });

  it("say by their traps what a call meets", () => {
    const met = (call: string): string[] => {
      const { entry, parameters } = parseCall(call);
      const settings = new Settings(parameters);
      return entry.traps.filter((t) => t.applies(settings, { classes: 3 })).map((t) => t.id);
    };
    assert.ok(met("kornia.losses.dice_loss()").includes("micro-softmax-is-not-dice"));
    assert.ok(
      !met('kornia.losses.dice_loss(average="macro")').includes("micro-softmax-is-not-dice"),
    );
    assert.ok(met("keras.losses.Tversky(alpha=0.3, beta=0.7)").includes("keras-tversky-swapped"));
    assert.ok(!met("keras.losses.Tversky()").includes("keras-tversky-swapped"));
    assert.ok(met("monai.losses.DiceLoss()").includes("monai-no-activation"));
    assert.ok(
      met('smp.losses.DiceLoss(mode="multiclass")').includes("absent-class-keeps-its-share"),
    );
  });
});

describe("losses of different libraries", () => {
  const softmax = "apply_nonlin=nnunetv2.utilities.helpers.softmax_helper_dim1";

  it("nnU-Net's memory-efficient Dice is MONAI's without background, up to the constant 1", () => {
    const ours = `nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss(${softmax}, do_bg=False, smooth=1)`;
    const theirs =
      "monai.losses.DiceLoss(softmax=True, include_background=False, smooth_nr=1, smooth_dr=1)";
    assert.ok(equal(plus(lossOf(ours), 1), lossOf(theirs)));
  });

  it("nnU-Net's two Dice losses are one function", () => {
    const settings = `(${softmax}, batch_dice=True)`;
    assert.ok(
      equal(
        lossOf(`nnunetv2.training.loss.dice.SoftDiceLoss${settings}`),
        lossOf(`nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss${settings}`),
      ),
    );
  });

  it("MONAI's Tversky loss with halves and smoothing s is its Dice loss with 2s", () => {
    assert.ok(
      equal(
        lossOf("monai.losses.TverskyLoss(smooth_nr=0.5, smooth_dr=0.5)"),
        lossOf("monai.losses.DiceLoss(smooth_nr=1, smooth_dr=1)"),
      ),
    );
    assert.ok(!equal(lossOf("monai.losses.TverskyLoss()"), lossOf("monai.losses.DiceLoss()")));
  });

  it("Kornia's micro softmax Dice is 1 minus the mean probability of the right class", () => {
    const inputs = labelled();
    const micro = lossOf("kornia.losses.dice_loss(eps=0, ignore_index=None)", inputs);
    const { prediction: z, target } = inputs;
    const right = x.mul(x.softmax(z, 1), x.oneHot(target, z.shape[1]!, 1));
    assert.ok(equal(micro, x.sub(x.ONE, x.mean(x.sum(right, [1])))));
  });

  it("segmentation_models_pytorch since 0.4 and torchseg differ for soft labels only", () => {
    const [now, before] = ["segmentation_models_pytorch", "torchseg"].map((library) =>
      lossOf(`${library}.losses.DiceLoss(mode="multilabel", eps=0)`),
    );
    const ranges = { prediction: "logit", target: "binary" } as const;
    assert.equal(decideEqual(now!, before!, { ranges, degenerate: false }).equal, true);
    const soft = { prediction: "logit", target: "soft" } as const;
    assert.equal(decideEqual(now!, before!, { ranges: soft, degenerate: false }).equal, false);
  });

  it("torchseg's Dice with smooth=1 is segmentation_models_pytorch's with a half", () => {
    const ranges = { prediction: "logit", target: "binary" } as const;
    const old = lossOf('torchseg.losses.DiceLoss(mode="multilabel", smooth=1, eps=0)');
    const now = lossOf('smp.losses.DiceLoss(mode="multilabel", smooth=0.5, eps=0)');
    assert.equal(decideEqual(old, now, { ranges, degenerate: false }).equal, true);
  });

  it("Keras up to 3.15.1 swaps the weights of the Tversky loss", () => {
    const [b, c, i] = channelsFirst().prediction.shape;
    const inputs = {
      prediction: x.input("prediction", [b!, i!, c!]),
      target: x.input("target", [b!, i!, c!]),
    };
    const keras = (call: string): Expr => lossOf(call, inputs);
    const [a, swapped] = [
      keras("keras.losses.Tversky(alpha=0.3, beta=0.7)"),
      keras("keras.losses.Tversky(alpha=0.7, beta=0.3)"),
    ];
    assert.ok(!equal(a, swapped));
    const { prediction: p, target: t } = inputs;
    const I = x.sum(x.mul(p, t));
    const FP = x.sum(x.mul(p, x.sub(x.ONE, t)));
    const FN = x.sum(x.mul(x.sub(x.ONE, p), t));
    const below = [x.mul(x.constant(0.7), FP), x.mul(x.constant(0.3), FN), x.constant(1e-7)];
    const documented = x.sub(
      x.ONE,
      x.div(
        I,
        below.reduce((u, v) => x.add(u, v), I),
      ),
    );
    assert.ok(equal(a, documented));
  });

  it("TensorLayer's option jaccard is Dice with squares", () => {
    const [b, c, i] = channelsFirst().prediction.shape;
    const inputs = {
      prediction: x.input("prediction", [b!, i!, c!]),
      target: x.input("target", [b!, i!, c!]),
    };
    const score = lossOf('tensorlayer.cost.dice_coe(loss_type="jaccard", smooth=1)', inputs);
    const { prediction: p, target: t } = inputs;
    const sum = (e: Expr): Expr => x.sum(e, [1, 2]);
    const square = (e: Expr): Expr => x.pow(e, x.constant(2));
    const top = plus(x.mul(x.constant(2), sum(x.mul(p, t))), 1);
    assert.ok(equal(score, x.mean(x.div(top, plus(x.add(sum(square(p)), sum(square(t))), 1)))));
  });
});
