/** A title as a heading has it. */
export function capitalized(title: string): string {
  return title.slice(0, 1).toUpperCase() + title.slice(1);
}
