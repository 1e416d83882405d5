import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where runs leave what a person may want to look at: screenshots of failures, logs. */
export const outFolder = join(root, "out");
