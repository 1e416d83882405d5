/** What a person does with a notebook in the window. */
import type { Workbench } from "./workbench.ts";

/** VS Code's own colour themes, one of each kind. */
export const themes = {
  light: "Light Modern",
  dark: "Dark Modern",
  highContrast: "Default High Contrast",
  highContrastLight: "Default High Contrast Light",
} as const;

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

/** Saves the file in the active editor and waits until it is saved. */
export async function save({ page }: Workbench): Promise<void> {
  await page.keyboard.press("Control+s");
  await page.locator(".tab.active:not(.dirty)").waitFor();
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
