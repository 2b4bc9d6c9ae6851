import type { Verification } from "../verification.ts";

/** One line if nothing is wrong, and one more for each problem. */
export function formatVerification(system: string, { problems, keysChecked, membersChecked }: Verification): readonly string[] {
  const read = `${keysChecked.toLocaleString("en-US")} keys were read back from each of ${membersChecked} members`;
  if (problems.length === 0) return [`${system}: no acknowledged write is missing; ${read}`];
  return [`${system}: WRITES ARE WRONG; ${read}`, ...problems.map((problem) => `  ${problem}`)];
}
