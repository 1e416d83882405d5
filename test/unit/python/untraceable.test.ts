import assert from "node:assert/strict";
import { errorOf, session } from "./session.ts";

/** A body of `loss(x)`, what the message must name, and what the remedy must mention. */
const REFUSED: readonly (readonly [body: string, message: RegExp, remedy: RegExp])[] = [
  // Arrays whose size depends on values
  ["x[x > 0] = x\nreturn x.sum()", /assigning an array/, /torch\.where/],
  ["return x[::-1].sum()", /negative step/, /Reverse/],
  // Chance
  ["return torch.rand(3).sum() + x.sum()", /torch\.rand .* random numbers/, /beforehand/],
  ["return torch.randn_like(x).sum()", /torch\.randn_like .* random numbers/, /beforehand/],
  ["return np.random.rand(3).sum() + x.sum()", /numpy\.random\.rand .* random numbers/, /beforehand/],
  ["return F.dropout(x).sum()", /dropout .* at random/, /p=0/],
  // Libraries and layers without a model
  ["return torch.fft.fft(x).sum()", /torch\.fft\.fft is not known/, /beforehand/],
  ["return torch.linalg.svd(x)[1].sum()", /torch\.linalg\.svd is not known/, /beforehand/],
  ["return nn.Conv2d(1, 1, 3)(x[None, None]).sum()", /weights of this layer are drawn at random/, /nn\.Parameter/],
  ["c = nn.Linear(3, 1)\nnn.init.ones_(c.weight)\nreturn c(x).sum()", /biases of this layer are drawn at random/, /bias=False/],
  ["from scipy.ndimage import gaussian_filter\nreturn gaussian_filter((x > 0.5).numpy().astype('uint8'), 1.0).sum()", /array of uint8 gives whole numbers/, /astype\(float\)/],
  ["return nn.BatchNorm2d(3)(x).sum()", /BatchNorm2d is not known/, /beforehand/],
  ["return F.grid_sample(x, x).sum()", /grid_sample is not known/, /beforehand/],
  ["return F.interpolate(x[None, None], size=(3, 3), mode='bicubic').sum()", /mode="bicubic"/, /linear mode/],
  ["import cv2\nreturn cv2.Canny(x)", /cv2\.Canny is not known/, /beforehand/],
  ["from scipy.ndimage import distance_transform_bf\nreturn distance_transform_bf(x)", /distance_transform_bf is not known/, /beforehand/],
  // What is run rather than computed
  ["x.sum().backward()\nreturn x.grad", /backward\(\) is not run/, /derived and checked/],
  ["return torch.load('weights.pt').sum()", /torch\.load is not known/, /load the result/],
  ["return open('w.txt').read()", /open\(\) is not carried out/, /beforehand/],
  ["import re\nreturn re.search('a+', 'aa')", /the regular expression "a\+" is not carried out/, /another way|beforehand|Write/],
  ["import re\nreturn re.search('[z-a]', 'aa')", /the regular expression "\[z-a\]" is not carried out/, /another way|beforehand|Write/],
  ["return eval('x.sum()')", /eval\(\) is not carried out/, /beforehand/],
  // Language and numbers
  ["async def f():\n    pass\nreturn f()", /f\(\) is a coroutine/, /\w/],
  ["return (x + 1j).sum()", /complex numbers/, /another way/],
  ["return x.view(torch.int32).sum()", /same bytes as another type/, /another way/],
  ["return 2 ** 80 * x.sum()", /integers beyond 2\*\*53/, /float/],
  ["y = x.expand(3, 2, 3)\ny += 1\nreturn x.sum()", /changed in place while another shares/, /copy/],
]; // prettier-ignore

describe("What cannot be traced", () => {
  for (const [body, message, remedy] of REFUSED) {
    it(`is named at its line, with what to do: ${JSON.stringify(body)}`, async () => {
      const lines = body.split("\n").map((l) => `    ${l}`);
      const imports = ["torch", "numpy as np", "torch.nn as nn", "torch.nn.functional as F"];
      const source = [...imports.map((i) => `import ${i}`), "def loss(x):", ...lines];
      source.push("loss(torch.tensor([[0.1, 0.9, 0.4], [0.3, 0.7, 0.6]]))");
      const { run } = await session();
      const e = errorOf(() => run(source.join("\n")));
      assert.equal(e.type, "Unsupported", e.headline);
      assert.match(e.message, message);
      assert.match(e.remedy ?? "", remedy);
      assert.ok(e.line > imports.length + 1 && e.line < source.length, `line ${e.line}`);
    });
  }
});
