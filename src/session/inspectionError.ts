/** A request that cannot be served, with what the user can do. */
export class InspectionError extends Error {
  override readonly name = "InspectionError";
  readonly remedy: string | null;
  constructor(message: string, remedy: string | null = null) {
    super(message);
    this.remedy = remedy;
  }
}
