/**
 * Counts what a vitest JSON report says, or what can be said without one (null): a run that left no report has failed.
 * A file that failed before its tests could run counts as one failure, and so does a run with status not 0 in which every test passed
 * (an error outside of a test, for example).
 */
export function countTests(report, status) {
  if (report === null) return { passed: 0, failed: 1 };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
}

/** The line that ends every test run. */
export function summaryLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
