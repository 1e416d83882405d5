/** Names of arrays as Python's identifiers. */

/** Words of Python, and names that a cell uses for modules: no array may be called so. */
const TAKEN = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally " +
    "for from global if import in is lambda nonlocal not or pass raise return try while with yield " +
    "np numpy torch tf tensorflow jnp jax anp autograd nn F compare explain check precision shapes"
  ).split(" "),
);

/** Whether no array is called so, as it is a word of Python or the usual name of a module. */
export function isNoArray(name: string): boolean {
  return TAKEN.has(name);
}

const LONGEST = 40;

/**
 * A name that a cell can bind: "case-01.nii" becomes `case_01`, `self.y_pred` `y_pred`,
 * `batch["mask"]` `batch_mask`.
 */
export function identifierOf(text: string): string {
  const words = text
    .replace(/^self\./, "")
    .replace(
      /\.(nii|npy|npz|mha|mhd|nrrd|mat|h5|hdf5|pt|pth|safetensors|png|tiff?|csv|tsv|txt|json)(\.gz)?(?=$|\[)/i,
      "",
    )
    .normalize("NFKC")
    .replace(/[^\p{L}\p{N}_]+/gu, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, LONGEST);
  const name = /^[\p{L}_]/u.test(words) ? words : `array_${words}`.replace(/_$/, "");
  return TAKEN.has(name) ? `${name}_array` : name;
}

/** The name, with a number where it is one of those taken already. */
export function distinctFrom(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let k = 2; ; k++) {
    const numbered = `${name}_${String(k)}`;
    if (!taken.has(numbered)) return numbered;
  }
}
