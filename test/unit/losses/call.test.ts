import assert from "node:assert/strict";
import { formatCall } from "../../../src/losses/call.ts";
import { parseCall, search } from "../../../src/losses/catalogue.ts";
import { CallError } from "../../../src/losses/python.ts";

describe("calls of catalogue losses", () => {
  it("are read with their defaults", () => {
    const { entry, parameters } = parseCall(
      "monai.losses.DiceLoss(sigmoid=True, squared_pred=True)",
    );
    assert.equal(entry.id, "monai.losses.DiceLoss");
    assert.equal(parameters["sigmoid"], true);
    assert.equal(parameters["smooth_nr"], 1e-5);
  });

  it("are written with what is not the default", () => {
    const { entry, parameters } = parseCall(
      "monai.losses.DiceLoss(True, smooth_nr=1e-05, batch=True, weight=[1, 2.5])",
    );
    assert.equal(
      formatCall(entry, parameters),
      "monai.losses.DiceLoss(batch=True, weight=[1.0, 2.5])",
    );
  });

  it("may use the name as an import makes it", () => {
    assert.equal(parseCall("MaskedDiceLoss()").entry.id, "monai.losses.MaskedDiceLoss");
  });

  it("name the parameters there are when one is unknown", () => {
    assert.throws(
      () => parseCall("monai.losses.TverskyLoss(alfa=0.3)"),
      (e) => e instanceof CallError && /no parameter alfa; it has .*alpha, beta/.test(e.message),
    );
  });

  it("say what a value must be", () => {
    assert.throws(
      () => parseCall('monai.losses.DiceLoss(reduction="avg")'),
      /reduction is one of "mean", "sum", "none", not "avg"/,
    );
    assert.throws(() => parseCall("monai.losses.DiceLoss(batch=1)"), /batch is True or False/);
  });

  it("say where a call stops being one", () => {
    assert.throws(() => parseCall("monai.losses.DiceLoss(sigmoid=True"), /"," or "\)" is expected/);
    assert.throws(() => parseCall("monai.losses.DiceLoss(smooth_nr=x+1)"), /is expected at column/);
  });
});

describe("search in the catalogue", () => {
  it("puts entries of that name first, and finds libraries and parameters", () => {
    assert.equal(search("tversky monai")[0]?.id, "monai.losses.TverskyLoss");
    assert.ok(search("w_type").some((e) => e.id === "monai.losses.GeneralizedDiceLoss"));
    assert.deepEqual(search("no such loss anywhere"), []);
  });
});
