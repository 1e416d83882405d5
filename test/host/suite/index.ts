/** The entry point that VS Code calls inside its extension host: runs every suite beside it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import Mocha from "mocha";
import { reportPrefix } from "../reportPrefix.ts";

// VS Code prints through the same console; the prefix tells the report from the rest.
Mocha.reporters.Base.consoleLog = (...args: unknown[]) => {
  for (const line of format(...args).split("\n")) console.log(reportPrefix + line);
};

export async function run(): Promise<void> {
  const grep = process.env["DICE_GRADIENT_GREP"];
  const mocha = new Mocha({
    ui: "bdd",
    timeout: 60_000,
    color: false,
    forbidOnly: process.env["CI"] !== undefined,
    ...(grep !== undefined && grep !== "" && { grep }),
  });
  // Bundled beside this file by test/host/run.ts, one file a suite.
  const folder = join(__dirname, "suite");
  for (const file of readdirSync(folder).sort()) {
    if (file.endsWith(".test.cjs")) mocha.addFile(join(folder, file));
  }
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => {
      if (failures === 0) resolve();
      else reject(new Error(`${failures} host test(s) failed`));
    });
  });
}
