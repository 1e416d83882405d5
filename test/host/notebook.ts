/** What a person does with a notebook in the window. */
import type { Workbench } from "./workbench.ts";

/** Waits until the notebook in the active editor is drawn and has a kernel. */
export async function notebookIsReady({ page }: Workbench): Promise<void> {
  const toolbar = page.locator(".notebook-toolbar-container");
  await toolbar.getByRole("button", { name: "Run All" }).waitFor({ timeout: 60_000 });
  await page
    .locator(".kernel-label")
    .filter({ hasNotText: /Select Kernel|Detecting Kernels|^$/ })
    .waitFor({ timeout: 60_000 });
}

/** Clicks Run All and waits until no cell is running or waiting any more. */
export async function runAll(workbench: Workbench, timeout = 120_000): Promise<void> {
  const { page } = workbench;
  await notebookIsReady(workbench);
  const toolbar = page.locator(".notebook-toolbar-container");
  await toolbar.getByRole("button", { name: "Run All" }).click();
  // The toolbar offers to interrupt for as long as a cell runs. A short run may end unseen.
  const interrupt = toolbar.getByRole("button", { name: "Interrupt" });
  await interrupt.waitFor({ timeout: 2000 }).catch(() => undefined);
  await interrupt.waitFor({ state: "detached", timeout });
}

/**
 * Saves the file in the active editor and waits until it is saved. A cell that has just ended may
 * change the notebook once more, and an output that has the keyboard keeps the key to itself: so
 * saving is repeated as a person would, by the palette.
 */
export async function save(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  const saved = page.locator(".tab.active:not(.dirty)");
  await page.keyboard.press("Control+s");
  for (let attempt = 0; attempt < 5; attempt++) {
    const done = await saved.waitFor({ timeout: 5000 }).then(
      () => true,
      () => false,
    );
    if (done) return;
    await workbench.runCommand("File: Save");
  }
  await saved.waitFor();
}

/** Closes every editor, then opens a file of the workspace by its name. */
export async function reopen(workbench: Workbench, name: string): Promise<void> {
  const { page } = workbench;
  await workbench.runCommand("View: Close All Editors");
  await page.locator(".tab").first().waitFor({ state: "detached" });
  await page.keyboard.press("Control+p");
  const input = page.locator(".quick-input-widget input");
  await input.waitFor();
  await input.fill(name);
  await page
    .locator(".quick-input-list .monaco-list-row")
    .filter({ hasText: name })
    .first()
    .click();
}

/**
 * Scrolls the notebook until the output's top is about `margin` pixels below the editor's.
 * @param selector of an element inside the output
 * @param index which one, counted from the top of the notebook
 */
export async function scrollToOutput(
  workbench: Workbench,
  selector: string,
  index = 0,
  margin = 60,
): Promise<void> {
  const { page } = workbench;
  const list = page.locator(".notebookOverlay .cell-list-container").first();
  const area = await list.boundingBox();
  if (area === null) throw new Error("There is no notebook in the window.");
  const rows = list.locator(".monaco-list-rows").first();

  /** Scrolls by this many pixels; false when that moved nothing. */
  const scroll = async (pixels: number): Promise<boolean> => {
    const moved = await rows.evaluate((element, deltaY) => {
      const before = element.getBoundingClientRect().top;
      // A real wheel is too slow for a long notebook: VS Code takes each of its turns for 50
      // pixels, and a turn of 120 units is what it reads from wheelDeltaY.
      const wheel = { deltaY, wheelDeltaY: (-deltaY / 50) * 120, bubbles: true, cancelable: true };
      element.dispatchEvent(new WheelEvent("wheel", wheel));
      return Math.abs(element.getBoundingClientRect().top - before) >= 1;
    }, pixels);
    // Outputs that come into view are drawn and push the others down.
    await page.waitForTimeout(300);
    return moved;
  };

  // An output is drawn once its cell has come near the visible part: so pass them all.
  while (await scroll(-1e5));
  while (await scroll(area.height));
  const frame = await workbench.outputFrame(selector);
  for (let attempt = 0; attempt < 50; attempt++) {
    const boxes = await Promise.all(
      (await frame.locator(selector).all()).map((element) => element.boundingBox()),
    );
    // Elements are in the order in which they were drawn, not in the notebook's.
    const tops = boxes.flatMap((box) => (box === null ? [] : [box.y])).sort((a, b) => a - b);
    const y = tops[index];
    if (y === undefined) {
      throw new Error(`Only ${tops.length} outputs match ${selector}; number ${index} is wanted.`);
    }
    const distance = y - area.y - margin;
    if (Math.abs(distance) < 2 || !(await scroll(distance))) return;
  }
  throw new Error(`Output ${index} matching ${selector} did not come to rest in the window.`);
}
