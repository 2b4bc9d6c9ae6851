/** Says which promise of Raft was broken. */
export function violated(sentence: string): never {
  throw new Error(`Invariant broken: ${sentence}`);
}
