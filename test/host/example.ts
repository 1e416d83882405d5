/** Workspaces for tests: copies, since a test runs cells and saves notebooks. */
import { existsSync, rmSync } from "node:fs";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.mjs";

/** The folder that `npm start` opens. */
export const exampleFolder = join(root, "media/example");

/** A new folder, removed when this process ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dice-gradient-test-"));
  process.on("exit", () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return folder;
}

/** A copy of the example folder. */
export async function copyExample(): Promise<string> {
  const folder = await temporaryFolder();
  if (existsSync(exampleFolder)) await cp(exampleFolder, folder, { recursive: true });
  await writeFile(join(folder, ".gitignore"), "*\n");
  return folder;
}
