/**
 * A real VS Code window for tests and pictures: the workbench of scripts/lib/workbench.mjs, shown
 * in a headless Chromium that playwright drives.
 */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "node:util";
import {
  chromium,
  errors,
  type Browser,
  type Frame,
  type Locator,
  type Page,
} from "playwright-core";
import { browserSwitches, findBrowser } from "../../scripts/lib/browser.mjs";
import { outFolder, root } from "../../scripts/lib/root.mjs";
import { ensureWorkbench, startServer } from "../../scripts/lib/workbench.mjs";

/** VS Code's own colour themes, one of each kind. */
export const themes = {
  light: { setting: "Default Light Modern", label: "Light Modern", mark: "light_modern-json" },
  dark: { setting: "Default Dark Modern", label: "Dark Modern", mark: "dark_modern-json" },
  highContrast: {
    setting: "Default High Contrast",
    label: "Dark High Contrast",
    mark: "hc_black-json",
  },
  highContrastLight: {
    setting: "Default High Contrast Light",
    label: "Light High Contrast",
    mark: "hc_light-json",
  },
} as const;

/** Where test/host/run.ts leaves the extensions that stand in for those of others. */
export const standInFolder = join(outFolder, "host/extensions");

export interface WorkbenchOptions {
  /** The folder to open. Give a copy: tests change files. */
  readonly workspace: string;
  /** A file to open in the window, by absolute path. */
  readonly file?: string;
  /** The folder of the extension under development; this project unless given. */
  readonly extension?: string;
  /** Names of extensions in test/host/extensions/ that are installed beside it. */
  readonly beside?: readonly string[];
  /** Lets them use API that VS Code has only proposed, as it lets Microsoft's extensions. */
  readonly proposedApi?: boolean;
  /** A CommonJS script whose `run()` is called inside the extension host. */
  readonly extensionTestsPath?: string;
  readonly theme?: keyof typeof themes;
  /** User settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Opens the folder as one that the user has not trusted. */
  readonly untrusted?: boolean;
  /** Variables for the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Device pixels per CSS pixel, for sharp pictures. */
  readonly scale?: number;
  /** Told of everything the test run inside the extension host prints. */
  readonly onTestOutput?: (line: string) => void;
}

export interface Workbench {
  readonly page: Page;
  readonly url: string;
  /** The exit code of the test run inside the extension host; never settles without one. */
  readonly testsEnded: Promise<number>;
  /** Runs a command by its title in the command palette, as a user would. */
  runCommand(title: string): Promise<void>;
  /**
   * The frame in which notebook outputs are drawn, as soon as it holds an element matching the
   * selector. VS Code nests it two levels deep and makes it anew when a notebook is reopened.
   */
  outputFrame(selector: string, timeout?: number): Promise<Frame>;
  /** The same, as a locator of the element. */
  output(selector: string, timeout?: number): Promise<Locator>;
  /** Leaves a screenshot and the logs under out/, and returns the picture's path. */
  keepEvidence(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Milliseconds within which a window must have drawn itself. */
const windowTimeout = 60_000;

/** Opens a window and waits until the workbench and its explorer are drawn. */
export async function launchWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const executablePath = findBrowser();
  if (executablePath === undefined) {
    throw new Error(
      "No Chromium was found. Install one (Debian: apt-get install chromium), or name it in " +
        "DICE_GRADIENT_BROWSER.",
    );
  }
  await ensureWorkbench(console.log);
  const theme = themes[options.theme ?? "light"];
  const server = await startServer({
    settings: { "workbench.colorTheme": theme.setting, ...options.settings },
    // No extension gallery: a test asks nothing of the outside.
    env: { EXTENSIONS_GALLERY: "{}", ...options.env },
    untrusted: options.untrusted ?? false,
    extensions: (options.beside ?? []).map((name) => join(standInFolder, name)),
  });
  const consoleLines: string[] = [];
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server.close();
  };
  try {
    browser = await chromium.launch({ executablePath, args: browserSwitches });
    const context = await browser.newContext({
      viewport: options.viewport ?? { width: 1280, height: 900 },
      deviceScaleFactor: options.scale ?? 1,
    });
    const page = await context.newPage();
    page.on("console", (message) => consoleLines.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => consoleLines.push(`page error: ${error.message}`));

    let endTests: (code: number) => void = () => undefined;
    const testsEnded = new Promise<number>((resolve) => {
      endTests = resolve;
    });
    await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
      for (const line of format(...args).split("\n")) options.onTestOutput?.(line);
    });
    await page.exposeFunction("codeAutomationExit", (code: number) => {
      endTests(code);
    });

    const url = server.windowUrl({
      folder: options.workspace,
      extension: options.extension ?? root,
      ...(options.file !== undefined && { file: options.file }),
      ...(options.proposedApi === true && { proposedApi: true }),
      ...(options.extensionTestsPath !== undefined && { tests: options.extensionTestsPath }),
    });

    const workbench: Workbench = {
      page,
      url,
      testsEnded,
      runCommand: (title) => runCommand(page, title),
      outputFrame: (selector, timeout) => outputFrame(page, selector, timeout),
      output: async (selector, timeout) =>
        (await outputFrame(page, selector, timeout)).locator(selector),
      async keepEvidence(name) {
        const folder = join(outFolder, "failures");
        const base = join(folder, name.replace(/[^a-z0-9]+/gi, "-").slice(0, 80));
        await mkdir(folder, { recursive: true });
        await page.screenshot({ path: `${base}.png` }).catch(() => undefined);
        await writeFile(`${base}.console.log`, consoleLines.join("\n"));
        await copyFile(server.logFile, `${base}.server.log`).catch(() => undefined);
        return `${base}.png`;
      },
      close,
    };

    try {
      await page.goto(url, { timeout: windowTimeout });
      await page
        .locator(".monaco-workbench .explorer-folders-view .monaco-list")
        .waitFor({ timeout: windowTimeout });
      await useTheme(page, theme);
    } catch (error) {
      const picture = await workbench.keepEvidence("window-did-not-open");
      const printed = await readFile(server.logFile, "utf8");
      throw new Error(`The window did not open; see ${picture}.\n${printed}`, { cause: error });
    }
    return workbench;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for the theme of the settings; on a busy machine VS Code may have missed it at the start. */
async function useTheme(page: Page, theme: (typeof themes)[keyof typeof themes]): Promise<void> {
  const applied = page.locator(`.monaco-workbench[class*="${theme.mark}"]`);
  try {
    await applied.waitFor({ timeout: 4000 });
  } catch {
    await runCommand(page, "Preferences: Color Theme");
    const input = page.locator('.quick-input-widget input[placeholder^="Select Color Theme"]');
    await input.fill(theme.label);
    await page.locator(".quick-input-list .monaco-list-row.focused").waitFor();
    await input.press("Enter");
    await applied.waitFor({ timeout: windowTimeout });
  }
}

/**
 * Runs a command by its title. The palette closes when it loses the focus, as it does where a menu
 * that was just chosen from hands the focus back late: it is opened again until a command is chosen.
 */
async function runCommand(page: Page, title: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await chooseInPalette(page, title);
      return;
    } catch (error) {
      if (!(error instanceof errors.TimeoutError) || Date.now() > deadline) throw error;
    }
  }
}

async function chooseInPalette(page: Page, title: string): Promise<void> {
  const timeout = 5000;
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input");
  await input.waitFor({ timeout });
  await input.fill(`>${title}`, { timeout });
  const row = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first();
  await row.waitFor({ timeout });
  await row.click({ timeout });
}

async function outputFrame(page: Page, selector: string, timeout = 30_000): Promise<Frame> {
  const deadline = Date.now() + timeout;
  for (;;) {
    for (const frame of page.frames()) {
      // A frame may go away between the listing and the question.
      const count = await frame
        .locator(selector)
        .count()
        .catch(() => 0);
      if (count > 0 && frame !== page.mainFrame()) return frame;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `No notebook output matching ${selector} was drawn within ${timeout / 1000} s ` +
          `(${page.frames().length} frames).`,
      );
    }
    await page.waitForTimeout(100);
  }
}

/** Keeps a screenshot and the logs of every failed test of the enclosing Mocha suite. */
export function keepEvidenceOfFailures(current: () => Workbench | undefined): void {
  afterEach(async function () {
    if (this.currentTest?.state !== "failed") return;
    const picture = await current()?.keepEvidence(this.currentTest.fullTitle());
    if (picture !== undefined) console.log(`      screenshot and logs: ${picture}`);
  });
}
