/** What a user does with *Check Dice Gradient…*, wherever the array is: the menu, the lists, the report. */
import type { Locator } from "playwright-core";
import type { Workbench } from "./workbench.ts";

const ENTRY = "Check Dice Gradient…";

/** The lists that the command opens. */
export class Lists {
  private readonly workbench: Workbench;
  constructor(workbench: Workbench) {
    this.workbench = workbench;
  }

  /** Waits for the list whose title says so, with the keyboard in it. */
  async titled(title: string | RegExp): Promise<void> {
    const { page } = this.workbench;
    const shown = page.locator(".quick-input-title").filter({ hasText: title });
    await shown.waitFor({ timeout: 60_000 });
    await page.locator(".quick-input-widget input:focus").waitFor();
  }

  row(text: string | RegExp): Locator {
    return this.workbench.page
      .locator(".quick-input-list .monaco-list-row")
      .filter({ hasText: text })
      .first();
  }

  /** The list that shows all answers, once its first line says this of the arrays. */
  async form(summary: string): Promise<void> {
    await this.titled(/^Check Dice Gradient$/);
    await this.row(/^Check /)
      .filter({ hasText: summary })
      .waitFor({ timeout: 60_000 });
    await this.row("Prediction holds").waitFor({ timeout: 60_000 });
  }

  /** Chooses several rows of a list that has boxes to tick. */
  async tick(...texts: string[]): Promise<void> {
    for (const text of texts) await this.row(text).locator(".monaco-icon-label").first().click();
    const count = `${texts.length} Selected`;
    await this.workbench.page.locator(".quick-input-widget").getByText(count).waitFor();
    await this.workbench.page.keyboard.press("Enter");
  }
}

/** Leaves the list that is open by the keyboard; the first key may go to the hover of its field. */
export async function leave({ page }: Workbench): Promise<void> {
  const list = page.locator(".quick-input-widget");
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.keyboard.press("Escape");
    const isGone = await list.waitFor({ state: "hidden", timeout: 3000 }).then(
      () => true,
      () => false,
    );
    if (isGone) return;
  }
  await list.waitFor({ state: "hidden" });
}

/** Opens the context menu at a place and chooses our entry by mouse. */
export async function choose({ page }: Workbench, at: Locator): Promise<void> {
  await at.click({ button: "right" });
  const entry = page.locator(".monaco-menu .action-label").filter({ hasText: ENTRY }).first();
  await entry.waitFor();
  // A menu takes no click in its first moment.
  await page.waitForTimeout(500);
  await entry.click();
}

/** Presses Cancel of a progress message, and waits until it is gone. */
export async function stopProgress(workbench: Workbench, text: string): Promise<void> {
  const shown = await shownMessage(workbench, text);
  await shown.getByRole("button", { name: "Cancel" }).click();
  await shown.waitFor({ state: "detached" });
}

/** Answers a question that stands before the whole window. */
export async function answer({ page }: Workbench, question: string, by: string): Promise<void> {
  const dialog = page.locator(".monaco-dialog-box").filter({ hasText: question });
  await dialog.waitFor({ timeout: 60_000 });
  await dialog.getByRole("button", { name: by, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** A report that is drawn, in whichever notebook, and mentions all of these. */
export function reportWith(workbench: Workbench, ...texts: string[]): Promise<Locator> {
  return drawnWith(workbench, ".dice-gradient", texts);
}

/** A comparison of losses that is drawn, in whichever notebook, and mentions all of these. */
export function comparisonWith(workbench: Workbench, ...texts: string[]): Promise<Locator> {
  return drawnWith(workbench, ".dice-gradient .comparison", texts);
}

async function drawnWith({ page }: Workbench, selector: string, texts: string[]): Promise<Locator> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    for (const frame of page.frames()) {
      const all = frame.locator(selector);
      const found = texts.reduce((some, hasText) => some.filter({ hasText }), all);
      // A frame may go while it is asked.
      if ((await found.count().catch(() => 0)) > 0) return found.first();
    }
    await page.waitForTimeout(200);
  }
  throw new Error(`nothing that is drawn mentions ${texts.join(", ")}`);
}

/** A message, in the list that keeps them: a window that is driven by tests lets none pop up. */
export async function shownMessage(workbench: Workbench, text: string): Promise<Locator> {
  await workbench.runCommand("Notifications: Show Notifications");
  const all = workbench.page.locator(".notifications-center .notification-list-item");
  const found = all.filter({ hasText: text }).first();
  await found.waitFor({ timeout: 30_000 });
  return found;
}

/** The text of a message, which is closed. */
export async function messageWith(workbench: Workbench, text: string): Promise<string> {
  const shown = await (await shownMessage(workbench, text)).innerText();
  await workbench.runCommand("Notifications: Clear All Notifications");
  return shown;
}

/** The value of the loss that a report shows, without its bound. */
export async function lossIn(report: Locator): Promise<number> {
  const text = await report.locator(".loss-value").first().innerText();
  return Number(text.split(" ± ")[0]);
}
