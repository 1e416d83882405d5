/** What programs note in the description of a TIFF image: along which axes its pages lie. */

/** ImageJ's names of the axes by which it orders the pages, fastest first in `order`. */
const IMAGEJ = { c: "channels", z: "slices", t: "frames" } as const;

/**
 * Lengths of the axes in front of a page's own, slowest first, those of length 1 left out as
 * tifffile leaves them out: of ImageJ's hyperstacks, and of OME-TIFF where the pages are in one file
 * and in the order of its axes. Null where the description says nothing of them.
 * @param samples channels that each page holds itself
 */
export function notedAxes(description: string, samples: number): readonly number[] | null {
  const lengths = imageJ(description) ?? ome(description, samples);
  return lengths?.filter((n) => n !== 1) ?? null;
}

function imageJ(description: string): readonly number[] | null {
  if (!description.startsWith("ImageJ=")) return null;
  const noted = new Map(
    description.split(/\r?\n/u).flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
  const written = noted.get("order")?.toLowerCase() ?? "";
  const order = /^(?:czt|ctz|zct|ztc|tcz|tzc)$/u.test(written) ? written : "czt";
  return Array.from(order)
    .reverse()
    .map((axis) => {
      return Number(noted.get(IMAGEJ[axis as keyof typeof IMAGEJ]) ?? 1);
    });
}

function ome(description: string, samples: number): readonly number[] | null {
  const pixels = description.match(/<(?:\w+:)?Pixels\s[^>]*>/gu) ?? [];
  const data = description.match(/<(?:\w+:)?TiffData(?:\s[^>]*)?>/gu) ?? [];
  const [image] = pixels;
  // Several images, other files, or pages that are listed one by one, in whatever order.
  if (image === undefined || pixels.length > 1 || data.length > 1) return null;
  if (/\bFirst[CTZ]="[^0]/u.test(data[0] ?? "")) return null;
  const order = /\bDimensionOrder="XY([CTZ]{3})"/u.exec(image)?.[1];
  if (order === undefined) return null;
  return Array.from(order)
    .reverse()
    .map((axis) => {
      const length = Number(new RegExp(`\\bSize${axis}="(\\d+)"`, "u").exec(image)?.[1] ?? 1);
      return axis === "C" ? length / samples : length;
    });
}
