/** The message of a run in Python that ended because the user wished it. */
export const STOPPED = "stopped on request";
