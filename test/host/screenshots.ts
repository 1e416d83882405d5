/**
 * `npm run screenshots`: runs the example notebook in the real window and takes the README's
 * pictures of it. Name themes to take only theirs. Run `npm run build` first.
 */
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../scripts/lib/root.mjs";
import { exampleFolder, temporaryFolder } from "./example.ts";
import { runAll, scrollToOutput } from "./notebook.ts";
import { launchWorkbench, themes, type Workbench } from "./workbench.ts";

type Theme = keyof typeof themes;

/** The reports of the example notebook, counted from the top. */
const reports = { plain: 0, torch: 2, comparison: 3, small: 4 } as const;

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

async function takePictures(theme: Theme, folder: string): Promise<void> {
  const workspace = join(await temporaryFolder(), "example");
  await cp(exampleFolder, workspace, { recursive: true });
  const workbench = await launchWorkbench({
    workspace,
    file: join(workspace, "dice-gradient.ipynb"),
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
    await runAll(workbench);
    await workbench.page.mouse.move(5, 955);
    for (const { name, show, margin, themes: wanted, prepare } of pictures) {
      if (!wanted.includes(theme)) continue;
      await scrollToOutput(workbench, ...show, margin);
      if (prepare !== undefined) {
        await prepare(workbench);
        await scrollToOutput(workbench, ...show, margin);
      }
      const path = join(folder, `${name}-${theme}.png`);
      await workbench.page.screenshot({ path });
      console.log(path);
    }
  } catch (error) {
    console.log(await workbench.keepEvidence(`screenshots ${theme}`));
    throw error;
  } finally {
    await workbench.close();
  }
}

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: join(root, "media/screenshots") } },
});
await mkdir(args.out, { recursive: true });
for (const theme of every) {
  if (positionals.length === 0 || positionals.includes(theme)) await takePictures(theme, args.out);
}
