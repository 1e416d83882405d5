import assert from "node:assert/strict";
import * as vscode from "vscode";
import { newNotebook, report, run, until, workspaceFile } from "./notebooks.ts";

const NUMPY = `import numpy as np


def dice_loss(y_true, y_pred):
    intersection = np.sum(y_true * y_pred)
    return 1 - 2 * intersection / (np.sum(y_true) + np.sum(y_pred))


def squared_dice(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true**2) + np.sum(y_pred**2))


def describe(path):
    return open(path).read()


result = dice_loss(np.array([1.0, 0.0]), np.array([0.7, 0.2]))
`;

/** A Python file of the workspace with this text, shown in an editor. */
async function opened(name: string, text: string): Promise<vscode.TextDocument> {
  const uri = workspaceFile(name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

/** What the hover at the `occurrence`-th mention of a word says, from our extension alone. */
async function hoverOn(
  document: vscode.TextDocument,
  word: string,
  occurrence = 0,
): Promise<vscode.MarkdownString | null> {
  let offset = -1;
  for (let k = 0; k <= occurrence; k++) offset = document.getText().indexOf(word, offset + 1);
  assert.ok(offset >= 0, `${word} is not in the text`);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    "vscode.executeHoverProvider",
    document.uri,
    document.positionAt(offset + 1),
  );
  const ours = hovers
    .flatMap((h) => h.contents)
    .filter((c): c is vscode.MarkdownString => c instanceof vscode.MarkdownString)
    .find((c) => c.value.includes("dice-gradient."));
  return ours ?? null;
}

/** What the hover on `dice_loss` says as soon as it says this, or at last. */
async function hoverWith(document: vscode.TextDocument, words: string): Promise<string> {
  let text = "";
  const deadline = Date.now() + 20_000;
  while (!text.includes(words) && Date.now() < deadline) {
    text = (await hoverOn(document, "dice_loss"))?.value ?? "";
  }
  return text;
}

async function lensesOf(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    "vscode.executeCodeLensProvider",
    document.uri,
  );
  return lenses.filter((l) => l.command?.command.startsWith("dice-gradient.") === true);
}

/** Titles of the lenses, by line from 1, once that many stand there. */
async function lensTitles(
  document: vscode.TextDocument,
  ready: (titles: string) => boolean,
): Promise<string[]> {
  let titles: string[] = [];
  const read = async (): Promise<void> => {
    const lines = new Map<number, string[]>();
    for (const l of await lensesOf(document)) {
      const line = l.range.start.line + 1;
      lines.set(line, [...(lines.get(line) ?? []), l.command!.title]);
    }
    titles = [...lines].map(([line, all]) => `${String(line)}: ${all.join(" · ")}`);
  };
  const deadline = Date.now() + 30_000;
  do {
    await read();
    if (ready(titles.join("\n"))) return titles;
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (Date.now() < deadline);
  return titles;
}

async function set(name: string, value: unknown): Promise<void> {
  await vscode.workspace
    .getConfiguration("dice-gradient")
    .update(name, value, vscode.ConfigurationTarget.Workspace);
}

describe("a loss where its code is read", () => {
  // Opening a Python file activates the extension too, but what asks meanwhile gets no answer.
  before(() => vscode.extensions.getExtension("dice-gradient.dice-gradient-inspector")!.activate());
  afterEach(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  describe("hover", () => {
    it("shows loss and gradient as pictures with their text, and links to our commands", async () => {
      const document = await opened("hover.py", NUMPY);
      const hover = await hoverOn(document, "dice_loss");
      assert.ok(hover);
      const pictures = [
        ...hover.value.matchAll(/!\[(.*?)\]\(data:image\/svg\+xml;base64,([^)]*)\)/g),
      ];
      assert.equal(pictures.length, 3, "loss, gradient and the sums it is written in");
      assert.match(pictures[1]![1]!, /^∂L\/∂ŷ/);
      for (const [, , data] of pictures) {
        assert.match(Buffer.from(data!, "base64").toString(), /^<svg [^>]*width="[\d.]+px"/);
      }
      assert.match(hover.value, /Assumed: .*y\\_pred/);
      assert.deepEqual(hover.isTrusted, {
        enabledCommands: [
          "dice-gradient.deriveGradient",
          "dice-gradient.checkLoss",
          "dice-gradient.compareLosses",
          "dice-gradient.setShapes",
        ],
      });
    });

    it("is there on a call of the loss, and not on words in other places", async () => {
      const document = await opened("uses.py", `${NUMPY}# dice_loss in a remark\n`);
      assert.ok(await hoverOn(document, "dice_loss", 1));
      assert.equal(await hoverOn(document, "dice_loss", 2), null);
      assert.equal(await hoverOn(document, "intersection"), null);
    });

    it("stays below the length at which VS Code cuts, whatever the formula", async () => {
      const terms = Array.from(
        { length: 70 },
        (_, k) =>
          `np.sum(y_true**${String(k + 2)} * y_pred) / (np.sum(y_pred**${String(k + 2)}) + ${String(k)}.5)`,
      );
      const document = await opened(
        "long.py",
        `import numpy as np\ndef dice_loss(y_true, y_pred):\n    return ${terms.join(" + ")}\n`,
      );
      const hover = await hoverOn(document, "dice_loss");
      assert.ok(hover);
      assert.ok(hover.value.length < 90_000, `${String(hover.value.length)} characters`);
      assert.match(hover.value, /too long for a hover/);
      assert.match(hover.value, /command:dice-gradient\.deriveGradient/);
    });

    it("says at which line an untraceable loss stops, and what to do", async () => {
      const document = await opened(
        "untraceable.py",
        "def dice_loss(y_true, y_pred):\n    async def f(): pass\n    return await f()\n",
      );
      const hover = await hoverOn(document, "dice_loss");
      assert.match(hover!.value, /cannot be derived[\s\S]*await[\s\S]*line 3/);
    });

    it("is silent when it is switched off", async () => {
      const document = await opened("off.py", NUMPY);
      await set("hover.enabled", false);
      try {
        assert.equal(await hoverOn(document, "dice_loss"), null);
      } finally {
        await set("hover.enabled", undefined);
      }
    });

    it("shows what it knows while the file is being edited, then the new gradient", async () => {
      const document = await opened("edited.py", NUMPY);
      assert.ok(await hoverOn(document, "dice_loss"));
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, new vscode.Position(0, 0), "# a new first line\ndef half(\n");
      await vscode.workspace.applyEdit(edit);
      assert.ok(await hoverOn(document, "dice_loss"), "while the text is broken");
      const again = new vscode.WorkspaceEdit();
      again.delete(document.uri, new vscode.Range(1, 0, 2, 0));
      const at = document.getText().indexOf("1 - 2");
      again.replace(
        document.uri,
        new vscode.Range(document.positionAt(at), document.positionAt(at + 5)),
        "1 - 3",
      );
      await vscode.workspace.applyEdit(again);
      let text = "";
      const deadline = Date.now() + 20_000;
      while (!text.includes("3·I") && Date.now() < deadline) {
        text = (await hoverOn(document, "dice_loss"))?.value ?? "";
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.match(text, /3·I/);
    });
  });

  describe("lenses", () => {
    it("stand above losses of a file and above nothing else", async () => {
      const document = await opened("lenses.py", NUMPY);
      const titles = await lensTitles(document, (t) => t.match(/∂L\/∂y_pred/g)?.length === 2);
      assert.deepEqual(titles, [
        "4: ∂L/∂y_pred · check · compare",
        "9: ∂L/∂y_pred · check · compare",
      ]);
    });

    it("stand in a notebook's cell, for a loss whose import is in another cell", async () => {
      const [imports, ...rest] = NUMPY.split("\n\n\n");
      const notebook = await newNotebook("lenses.ipynb", [
        { source: imports! },
        { source: rest[0]! },
      ]);
      const cell = notebook.cellAt(1).document;
      const titles = await lensTitles(cell, (t) => t.includes("y_pred"));
      assert.deepEqual(titles, ["1: ∂L/∂y_pred · check · compare"]);
      assert.ok(await hoverOn(cell, "dice_loss"));
    });

    it("move with their function before the file is read again", async () => {
      const document = await opened("moving.py", NUMPY);
      await lensTitles(document, (t) => t.match(/∂L\/∂y_pred/g)?.length === 2);
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, new vscode.Position(1, 0), "\n\n");
      await vscode.workspace.applyEdit(edit);
      const lines = (await lensesOf(document)).map((l) => l.range.start.line + 1);
      assert.deepEqual([...new Set(lines)], [6, 11]);
    });

    it("stay in a file with a broken statement, without a message", async () => {
      const document = await opened("broken.py", `${NUMPY}\ndef half(\n`);
      const titles = await lensTitles(document, (t) => t.match(/∂L\/∂y_pred/g)?.length === 2);
      assert.equal(titles.length, 2);
    });

    it("say where a loss cannot be derived", async () => {
      const document = await opened(
        "no-lens.py",
        "def dice_loss(y_true, y_pred):\n    async def f(): pass\n    return await f()\n",
      );
      const titles = await lensTitles(document, (t) => t.includes("no gradient"));
      assert.deepEqual(titles, ["1: $(warning) no gradient (line 3)"]);
    });

    it("are gone when they are switched off", async () => {
      const document = await opened("no-lenses.py", NUMPY);
      await lensTitles(document, (t) => t.includes("check"));
      await set("codeLens.enabled", false);
      try {
        assert.deepEqual(await lensesOf(document), []);
      } finally {
        await set("codeLens.enabled", undefined);
      }
    });

    it("open the full report of a loss beside the code", async () => {
      const document = await opened("full.py", NUMPY);
      await lensTitles(document, (t) => t.match(/∂L\/∂y_pred/g)?.length === 2);
      const lens = (await lensesOf(document)).at(-3)!;
      const [argument] = lens.command!.arguments as [unknown];
      await vscode.commands.executeCommand(lens.command!.command, argument);
      const shown = await reportOfActive(0);
      assert.match(shown.gradient.text, /^∂L\/∂ŷ/);
    });

    it("open the report of a notebook's loss from its code alone", async () => {
      const notebook = await newNotebook("full.ipynb", [
        { source: "import numpy as np\nraise_later = np.zeros(3)" },
        { source: "def dice_loss(y_true, y_pred):\n    return 1 - np.sum(y_true * y_pred)" },
      ]);
      const cell = notebook.cellAt(1).document;
      await lensTitles(cell, (t) => t.includes("y_pred"));
      const argument = { uri: cell.uri.toString(), name: "dice_loss" };
      await vscode.commands.executeCommand("dice-gradient.deriveGradient", argument);
      assert.equal((await reportOfActive(1)).gradient.text, "∂L/∂ŷ[i] = −y[i]");
    });
  });

  describe("a hand-written gradient that is wrong", () => {
    const WRONG = `import torch


class DiceFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, probability, target):
        intersection = (probability * target).sum()
        total = probability.sum() + target.sum()
        ctx.save_for_backward(probability, target, intersection, total)
        return 1 - 2 * intersection / total

    @staticmethod
    def backward(ctx, grad_output):
        probability, target, intersection, total = ctx.saved_tensors
        return grad_output * (-2 * target / total), None


def dice_loss(probability, target):
    return DiceFunction.apply(probability, target)
`;

    it("is a problem at its line, named in the hover, and mended by a quick fix", async () => {
      const document = await opened("handwritten.py", WRONG);
      assert.ok(await hoverOn(document, "dice_loss"));
      const problems = (): vscode.Diagnostic[] =>
        vscode.languages
          .getDiagnostics(document.uri)
          .filter((d) => typeof d.code === "object" && d.code.value === "DG015");
      await until(() => problems().length > 0, "the problem");
      const [problem, ...more] = problems();
      assert.equal(more.length, 0, "one problem, though two losses have it");
      assert.equal(document.getText(problem!.range).trim(), document.lineAt(14).text.trim());
      assert.match((await hoverOn(document, "dice_loss"))!.value, /quotient rule is missing/);
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        "vscode.executeCodeActionProvider",
        document.uri,
        problem!.range,
      );
      const fix = actions.find((a) => a.title.includes("DiceFunction.backward"));
      assert.ok(fix?.edit, actions.map((a) => a.title).join());
      assert.ok(await vscode.workspace.applyEdit(fix.edit));
      await until(() => problems().length === 0, "the problem to go away");
      assert.match(document.getText(), /total\*\*2/);
    });
  });

  describe("diagnostics", () => {
    const UNGUARDED = `import numpy as np


def dice_loss(y_pred, y_true):
    intersection = np.sum(y_pred * y_true)
    return 1 - 2 * intersection / (np.sum(y_pred) + np.sum(y_true))
`;
    const codeOf = (d: vscode.Diagnostic): unknown =>
      typeof d.code === "object" ? d.code.value : d.code;
    const problemsOf = (document: vscode.TextDocument): vscode.Diagnostic[] =>
      vscode.languages.getDiagnostics(document.uri).filter((d) => codeOf(d) === "DG001");

    it("appear as one types, with a page, a fix that silences them, and a way to ignore them", async () => {
      const document = await opened("unguarded.py", UNGUARDED);
      await until(() => problemsOf(document).length > 0, "the problem");
      const [problem] = problemsOf(document);
      assert.match(problem!.message, /When y_pred is all 0 and y_true empty, the denominator/);
      assert.equal(document.getText(problem!.range), document.lineAt(5).text.slice(15));
      const { target } = problem!.code as { target: vscode.Uri };
      assert.match((await vscode.workspace.openTextDocument(target)).getText(), /^# DG001: /);
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        "vscode.executeCodeActionProvider",
        document.uri,
        problem!.range,
      );
      const titled = (word: string): vscode.WorkspaceEdit =>
        actions.find((a) => a.title.includes(word))!.edit!;
      assert.ok(await vscode.workspace.applyEdit(titled("Ignore DG001")));
      await until(() => problemsOf(document).length === 0, "the ignored problem to go away");
      await vscode.commands.executeCommand("undo");
      await until(() => problemsOf(document).length > 0, "the problem to come back");
      assert.ok(await vscode.workspace.applyEdit(titled("smoothing constant")));
      await until(() => problemsOf(document).length === 0, "the mended problem to go away");
    });

    it("can be turned off by their code", async () => {
      const document = await opened("off.py", UNGUARDED);
      await until(() => problemsOf(document).length > 0, "the problem");
      await set("diagnostics.severity", { DG001: "off" });
      try {
        await until(() => problemsOf(document).length === 0, "the problem to go away");
      } finally {
        await set("diagnostics.severity", undefined);
      }
    });
  });

  describe("shapes", () => {
    it("that the settings give are taken, and stated", async () => {
      const document = await opened("shaped.py", NUMPY);
      await set("shapes", { dice_loss: { y_true: [2, 3], y_pred: [2, 3] } });
      try {
        const text = await hoverWith(document, "as you set it");
        assert.match(text, /y\\_true is taken to be \\\(2, 3\\\): as you set it/);
      } finally {
        await set("shapes", undefined);
      }
    });

    it("of one file's loss are not those of another's, and the full report takes them", async () => {
      const document = await opened("shaped-too.py", NUMPY);
      await set("shapes", {
        "dice_loss": { y_true: [9, 9], y_pred: [9, 9] },
        "shaped-too.py:dice_loss": { y_true: "b,5", y_pred: "b,5" },
        "elsewhere.py:dice_loss": { y_true: [7], y_pred: [7] },
      }); // prettier-ignore
      try {
        assert.match(
          await hoverWith(document, "as you set it"),
          /to be \\\(b, 5\\\): as you set it/,
        );
        await vscode.commands.executeCommand("dice-gradient.deriveGradient", {
          uri: document.uri.toString(),
          name: "dice_loss",
        });
        const { assumptions = [] } = await reportOfActive(1);
        assert.ok(assumptions.includes("y_pred is taken to be (b, 5): as you set it"));
      } finally {
        await set("shapes", undefined);
      }
    });

    it("that make none are said to, with the way to write them", async () => {
      const document = await opened("misshaped.py", NUMPY);
      await set("shapes", { dice_loss: { y_pred: "2,,3" } });
      try {
        const text = await hoverWith(document, "neither a size");
        assert.match(text, /give each axis a size or a letter/);
      } finally {
        await set("shapes", undefined);
      }
    });
  });

  describe("a report in a notebook", () => {
    it("is revealed by the command that its status-bar item runs", async () => {
      const notebook = await newNotebook("verdict.ipynb", [
        { source: NUMPY.split("\n\n\nresult")[0]! },
        { source: "dice_loss(np.array([1.0, 0.0]), np.array([0.7, 0.2]))" },
        { source: "1 + 1" },
      ]);
      await run(notebook, 0);
      await run(notebook, 1);
      await run(notebook, 2);
      assert.equal(report(notebook.cellAt(1)).check.verdict, "agrees");
      await vscode.commands.executeCommand("dice-gradient.revealReport", {
        notebook: notebook.uri.toString(),
        cell: 1,
      });
      assert.equal(vscode.window.activeNotebookEditor?.selection.start, 1);
    });
  });
});

/** The report in a cell of the notebook that a command has just opened. */
async function reportOfActive(index: number): Promise<ReturnType<typeof report>> {
  const isOpen = (): boolean =>
    (vscode.window.activeNotebookEditor?.notebook.cellCount ?? 0) > index;
  await until(isOpen, "an inspection notebook");
  const cell = vscode.window.activeNotebookEditor!.notebook.cellAt(index);
  await until(() => cell.executionSummary?.success !== undefined, "the derivation");
  return report(cell);
}
