/**
 * Pictures of the window as WebP, which takes a quarter of what PNG takes. Colours may be off by a
 * step or two where that saves room: nobody sees it, and the extension's package is to stay small.
 */
import { rm } from "node:fs/promises";
import type { Page } from "playwright-core";
import { run } from "../../scripts/lib/process.mjs";

/**
 * Takes a picture of the page, or of a part of it.
 * @param file its name ends in `.webp`
 */
export async function takePicture(
  page: Page,
  file: string,
  clip?: { x: number; y: number; width: number; height: number },
): Promise<void> {
  const plain = file.replace(/\.webp$/, ".png");
  await page.screenshot({ path: plain, ...(clip === undefined ? {} : { clip }) });
  const options = ["-quiet", "-near_lossless", "20", "-z", "9"];
  const packed = await run("cwebp", [...options, plain, "-o", file]).catch((cause: unknown) => {
    throw new Error("pictures are packed by cwebp: install Debian's package webp", { cause });
  });
  if (packed.code !== 0) throw new Error(`cwebp cannot pack ${plain}:\n${packed.output}`);
  await rm(plain);
  console.log(file);
}
