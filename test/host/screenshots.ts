/**
 * `npm run screenshots`: runs the example notebook in the real window and takes the README's
 * pictures of it. Name themes to take only theirs; `--only` with code, arrays, notebook or
 * catalogue takes the pictures of these alone. Run `npm run build` first.
 */
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../scripts/lib/root.mjs";
import { exampleFolder, temporaryFolder } from "./example.ts";
import { reopen, runAll, save, scrollToOutput } from "./notebook.ts";
import { takePicture } from "./picture.ts";
import { launchWorkbench, themes, type Workbench } from "./workbench.ts";

type Theme = keyof typeof themes;

/** The reports of the example notebook, counted from the top. */
const reports = { plain: 0, torch: 2, comparison: 3, small: 4, why: 7 } as const;

interface Picture {
  readonly name: string;
  /** What to bring to the top of the window: an element inside an output, and which one. */
  readonly show: readonly [selector: string, index: number];
  readonly margin: number;
  readonly themes: readonly Theme[];
  readonly prepare?: (workbench: Workbench) => Promise<void>;
}

const every = Object.keys(themes) as Theme[];

const pictures: readonly Picture[] = [
  { name: "report", show: [".dice-gradient", reports.small], margin: 125, themes: every },
  { name: "images", show: [".dice-gradient .gallery", 0], margin: 60, themes: every },
  {
    name: "elements",
    // The comparison above it has no such part of its own.
    show: [".dice-gradient .part.figures", reports.small - 1],
    margin: 20,
    themes: ["light"],
  },
  {
    name: "comparison",
    show: [".dice-gradient", reports.comparison],
    margin: 100,
    themes: ["light", "dark"],
  },
  { name: "reasons", show: [".dice-gradient", reports.why], margin: 20, themes: every },
  {
    name: "derivation",
    show: [".dice-gradient .part.derivation", reports.torch],
    margin: 20,
    themes: ["light"],
    prepare: async (workbench) => {
      const frame = await workbench.outputFrame(".dice-gradient");
      const report = frame.locator(".dice-gradient").filter({ hasText: "dice_loss_torch in" });
      await report.first().getByRole("button", { name: "Expand all" }).click();
    },
  },
];

/** The losses where their code is read: the lines above them, and the hover. */
async function takeCodePictures(workbench: Workbench, theme: Theme, folder: string): Promise<void> {
  const { page } = workbench;
  const lens = page.locator(".codelens-decoration").filter({ hasText: /∂L\/∂(y_pred|logits)/ });
  await lens.nth(2).waitFor({ timeout: 60_000 });
  const clip = { x: 0, y: 0, width: 1100, height: 620 };
  const shoot = async (name: string): Promise<void> => {
    await takePicture(page, join(folder, `${name}-${theme}.webp`), clip);
  };
  await shoot("lens");
  await page.locator(".view-line").getByText("dice_loss_smooth").first().hover();
  const hover = page.locator(".monaco-hover:not(.hidden)").filter({ hasText: "Full report" });
  await hover.locator("img").first().waitFor({ timeout: 60_000 });
  // The hover takes its place once its pictures have a size.
  await page.waitForTimeout(500);
  await shoot("hover");
  await page.keyboard.press("Escape");
  await page.mouse.move(5, 955);
  await page.locator(".codelens-decoration a").filter({ hasText: "compare" }).nth(2).click();
  const nearest = page.locator(".quick-input-list").getByText("nearest in the catalogue");
  await nearest.waitFor({ timeout: 60_000 });
  await page.locator(".quick-input-widget .monaco-progress-container.done").waitFor();
  await shoot("compare");
}

/** Arrays as they stand in a script. */
const SCRIPT = `import numpy as np

masks = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
probabilities = np.array([[0.8, 0.3, 0.6], [0.1, 0.9, 0.45]])
`;

/** The list that a right-click on an array opens, with all that is taken of it. */
async function takeArraysPicture(
  workbench: Workbench,
  theme: Theme,
  folder: string,
): Promise<void> {
  const { page } = workbench;
  const list = page.locator(".quick-input-list .monaco-list-row");
  await reopen(workbench, "script.py");
  const number = page.locator(".editor-instance .view-line").getByText("0.45").first();
  await number.click({ button: "right" });
  const entry = page.locator(".monaco-menu .action-label").getByText("Check Dice Gradient…");
  await entry.first().waitFor();
  // A menu takes no click in its first moment.
  await page.waitForTimeout(500);
  await entry.first().click();
  await list.filter({ hasText: "masks" }).first().waitFor({ timeout: 60_000 });
  await page.keyboard.press("Enter");
  await page
    .locator(".quick-input-title")
    .getByText(/the loss/)
    .waitFor({ timeout: 60_000 });
  await page.keyboard.type("dice_loss_smooth");
  await list.filter({ hasText: "dice_loss_smooth" }).first().waitFor();
  await page.keyboard.press("Enter");
  await list.filter({ hasText: "Prediction holds" }).first().waitFor({ timeout: 60_000 });
  const clip = { x: 0, y: 0, width: 1100, height: 340 };
  await takePicture(page, join(folder, `arrays-${theme}.webp`), clip);
  await page.keyboard.press("Escape");
}

/** The catalogue's page with a loss that people search for. */
async function takeCataloguePicture(
  workbench: Workbench,
  theme: Theme,
  folder: string,
): Promise<void> {
  await workbench.runCommand("View: Close All Editors");
  await workbench.runCommand("Dice Gradient: Browse Dice Losses");
  const page = await workbench.outputFrame(".catalogue [role=option]", 60_000);
  await page.locator("#search").fill("tversky");
  await page.locator("[role=status]").filter({ hasText: " of " }).waitFor();
  await page.locator("[role=option]").filter({ hasText: "Keras" }).first().click();
  await page.locator(".detail .katex").first().waitFor({ timeout: 60_000 });
  await takePicture(workbench.page, join(folder, `catalogue-${theme}.webp`));
}

const FIRST_FILE: Readonly<Record<string, string>> = { code: "losses.py", arrays: "script.py" };

async function takePictures(theme: Theme, folder: string, only: string | undefined): Promise<void> {
  const workspace = join(await temporaryFolder(), "example");
  await cp(exampleFolder, workspace, { recursive: true });
  await writeFile(join(workspace, "script.py"), SCRIPT);
  const workbench = await launchWorkbench({
    workspace,
    file: join(workspace, FIRST_FILE[only ?? ""] ?? "dice-gradient.ipynb"),
    theme,
    viewport: { width: 1100, height: 960 },
    scale: 1.5,
    // Only the notebook: a reader of the README knows what the rest of the window looks like.
    settings: {
      "workbench.activityBar.location": "hidden",
      "workbench.statusBar.visible": false,
      "workbench.layoutControl.enabled": false,
      "window.commandCenter": false,
      "breadcrumbs.enabled": false,
    },
  });
  try {
    await workbench.runCommand("View: Close Primary Side Bar");
    if (only === "catalogue") {
      await takeCataloguePicture(workbench, theme, folder);
      return;
    }
    if (only === "arrays") {
      await takeArraysPicture(workbench, theme, folder);
      return;
    }
    if (only === "code") {
      await takeCodePictures(workbench, theme, folder);
      return;
    }
    await runAll(workbench);
    await workbench.page.mouse.move(5, 955);
    for (const { name, show, margin, themes: wanted, prepare } of pictures) {
      if (!wanted.includes(theme)) continue;
      await scrollToOutput(workbench, ...show, margin);
      if (prepare !== undefined) {
        await prepare(workbench);
        await scrollToOutput(workbench, ...show, margin);
      }
      await takePicture(workbench.page, join(folder, `${name}-${theme}.webp`));
    }
    if (only === "notebook") return;
    await save(workbench);
    await reopen(workbench, "losses.py");
    await takeCodePictures(workbench, theme, folder);
    await takeArraysPicture(workbench, theme, folder);
    await takeCataloguePicture(workbench, theme, folder);
  } catch (error) {
    console.log(await workbench.keepEvidence(`screenshots ${theme}`));
    throw error;
  } finally {
    await workbench.close();
  }
}

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(root, "media/screenshots") },
    only: { type: "string" },
  },
});
await mkdir(args.out, { recursive: true });
for (const theme of every) {
  if (positionals.length === 0 || positionals.includes(theme)) {
    await takePictures(theme, args.out, args.only);
  }
}
