/** Desktop VS Code, downloaded by @vscode/test-electron where the download can be reached. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { downloadAndUnzipVSCode } from "@vscode/test-electron";
import { onPath } from "../../scripts/lib/browser.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";

const updates = "https://update.code.visualstudio.com/api/releases/stable";

/** A virtual screen when Linux has none. */
function screen(): string[] | undefined {
  const hasScreen =
    process.platform !== "linux" ||
    (process.env["DISPLAY"] ?? process.env["WAYLAND_DISPLAY"] ?? "") !== "";
  if (hasScreen) return [];
  const xvfb = onPath("xvfb-run");
  return xvfb === undefined ? undefined : [xvfb, "-a"];
}

/** Why desktop VS Code cannot be run here, if it cannot. Takes a few seconds at most. */
export async function desktopProblem(): Promise<string | undefined> {
  if (screen() === undefined) return "this machine has no display and no xvfb-run";
  if (existsSync(join(root, ".vscode-test"))) return undefined;
  try {
    const answer = await fetch(updates, { signal: AbortSignal.timeout(8000) });
    return answer.ok ? undefined : `its download answers with status ${answer.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `its download cannot be reached (${cause instanceof Error ? cause.message : String(cause)})`;
  }
}

/** Runs a test script inside the extension host of desktop VS Code; returns the exit code. */
export async function runInDesktop(options: {
  readonly workspace: string;
  readonly tests: string;
  readonly dataFolder: string;
  readonly onTestOutput: (line: string) => void;
}): Promise<number> {
  const executable = await downloadAndUnzipVSCode({
    version: process.env["DICE_GRADIENT_VSCODE_VERSION"] ?? "stable",
    cachePath: join(root, ".vscode-test"),
    timeout: 15_000,
  });
  const command = [
    ...(screen() ?? []),
    executable,
    options.workspace,
    `--extensionDevelopmentPath=${root}`,
    `--extensionTestsPath=${options.tests}`,
    `--user-data-dir=${join(options.dataFolder, "user")}`,
    `--extensions-dir=${join(options.dataFolder, "extensions")}`,
    "--disable-extensions",
    "--disable-workspace-trust",
    "--disable-updates",
    "--skip-welcome",
    "--skip-release-notes",
    "--no-sandbox",
    "--disable-gpu",
  ];
  const { code } = await run(command[0]!, command.slice(1), { onLine: options.onTestOutput });
  return code;
}
