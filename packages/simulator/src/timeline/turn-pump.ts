// Taken once: during a run the global one throws.
const nextTurn = setImmediate;

/** One round of the real event loop carries this many turns. */
const turnsPerRound = 64;

/**
 * Calls `turn` again and again until it returns true, each time in a turn of the real event loop of its own. Between two turns Node
 * runs all microtasks and `process.nextTick` to the end (since Node 11 also between immediates), so that everything an event has
 * set in motion is over before the next one happens. Nothing else of the event loop is used, which keeps the order defined.
 */
export function pumpTurns(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const takeTurn = (): void => {
      if (!isOpen) return;
      try {
        if (!turn()) return;
        isOpen = false;
        resolve();
      } catch (reason) {
        isOpen = false;
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      }
    };
    const startRound = (): void => {
      for (let i = 0; i < turnsPerRound; i++) nextTurn(takeTurn);
      nextTurn(() => {
        if (isOpen) startRound();
      });
    };
    startRound();
  });
}
