/**
 * How long a person waits in the real window between the last key of *Check Dice Gradient…* on a
 * literal and the drawn report: the first time, when a notebook opens, and then. The workbench in a
 * browser is measured, with Chromium drawing in software. Run `npm run build` first.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Lists, choose } from "../host/checks.ts";
import { copyExample } from "../host/example.ts";
import { launchWorkbench, type Workbench } from "../host/workbench.ts";

const ROUNDS = 7;
const SCRIPT = `import numpy as np

masks = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
probs = np.array([[0.8, 0.3, 0.6], [0.1, 0.9, 0.45]])
`;

async function reportsDrawn({ page }: Workbench): Promise<number> {
  const counts = page.frames().map((frame) =>
    frame
      .locator(".dice-gradient .katex")
      .first()
      .isVisible()
      .then(async (some) => (some ? await frame.locator(".dice-gradient").count() : 0))
      // A frame may go while it is asked.
      .catch(() => 0),
  );
  return (await Promise.all(counts)).reduce((a, n) => a + n, 0);
}

async function lastKeyToReport(
  workbench: Workbench,
  lists: Lists,
  isFirst: boolean,
): Promise<number> {
  const { page } = workbench;
  await workbench.runCommand("View: Focus First Editor Group");
  await page.locator(".explorer-folders-view").getByText("script.py", { exact: true }).click();
  await page.locator(".tab.active").filter({ hasText: "script.py" }).waitFor();
  await choose(workbench, page.locator(".editor-instance .view-line").getByText("0.45").first());
  await lists.titled(/the target for probs/);
  await page.keyboard.press("Enter");
  if (isFirst) {
    await lists.titled(/the loss/);
    await page.keyboard.type("dice_loss_smooth");
    await lists.row("dice_loss_smooth").waitFor();
    await page.keyboard.press("Enter");
  }
  await lists.form("probs against masks");
  const before = await reportsDrawn(workbench);
  const started = performance.now();
  await page.keyboard.press("Enter");
  while ((await reportsDrawn(workbench)) <= before) {
    if (performance.now() - started > 60_000) throw new Error("no report is drawn");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - started;
}

const folder = await copyExample();
await writeFile(join(folder, "script.py"), SCRIPT);
const workbench = await launchWorkbench({ workspace: folder, file: join(folder, "script.py") });
try {
  const lists = new Lists(workbench);
  const waits: number[] = [];
  for (let k = 0; k <= ROUNDS; k++) waits.push(await lastKeyToReport(workbench, lists, k === 0));
  const [first, ...later] = waits as [number, ...number[]];
  const median = later.sort((a, b) => a - b)[Math.floor(later.length / 2)]!;
  console.log(
    `last key to drawn report, a literal, in the window: ${median.toFixed(0)} ms ` +
      `(median of ${later.length}), ${first.toFixed(0)} ms the first time`,
  );
} finally {
  await workbench.close();
}
