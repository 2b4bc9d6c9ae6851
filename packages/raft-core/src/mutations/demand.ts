/** Ends a scenario whose promise was broken. */
export function demand(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}
