/** Marks the lines of the test report among everything that VS Code prints. */
export const reportPrefix = "[test] ";
