import { SeededRandom } from "../load/seeded-random.ts";

/** Hexadecimal digits that tell a key from the others. */
const nameLength = 16;

/** Keys of a length that begin alike, as those of a directory do. Key `place` is always the same, and `place` is not its order. */
export function benchKeys(count: number, keyBytes: number): readonly Uint8Array[] {
  const random = new SeededRandom(1);
  const prefix = "/registry/pods/production/".padEnd(keyBytes - nameLength, "frontend-").slice(0, keyBytes - nameLength);
  return Array.from({ length: count }, (_, place) => {
    const name = random.next().toString(16).padStart(8, "0") + place.toString(16).padStart(8, "0");
    return Uint8Array.from(Buffer.from(prefix + name, "latin1"));
  });
}

/** The same in another order (Fisher and Yates, in Durstenfeld's way). */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const random = new SeededRandom(seed);
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const place = random.below(last + 1);
    const item = order[place] as T;
    order[place] = order[last] as T;
    order[last] = item;
  }
  return order;
}
