import type { Configuration } from "@raftkv/raft-core";
import { getU64, setU64, viewOf } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";

const COUNTS_BYTES = 24;
const ID_BYTES = 8;
const FLAG_AUTO_LEAVE = 1;

/** Bytes that the configuration takes in the header of a snapshot. */
export function configurationBytes(configuration: Configuration): number {
  const { voters, outgoing, learners, learnersNext } = configuration;
  return COUNTS_BYTES + ID_BYTES * (voters.length + outgoing.length + learners.length + learnersNext.length);
}

/**
 * Writes the section, which must fit into `section`. Throws `ERR_SNAPSHOT` if it does not.
 * ```
 * 0 voters 4 | 4 outgoing 4 | 8 learners 4 | 12 learners next 4 | 16 flags 4 (1 leaves by itself) | 20 zero 4 | 24 ids of all four, 8 each
 * ```
 */
export function encodeConfiguration(section: Uint8Array, configuration: Configuration): void {
  const bytes = configurationBytes(configuration);
  if (bytes > section.length) {
    const idsMax = Math.floor((section.length - COUNTS_BYTES) / ID_BYTES);
    throw new LogStoreError("ERR_SNAPSHOT", `The configuration names ${(bytes - COUNTS_BYTES) / ID_BYTES} members, at most ${idsMax} fit`);
  }
  const view = viewOf(section);
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const lists = [voters, outgoing, learners, learnersNext];
  lists.forEach((list, place) => {
    view.setUint32(4 * place, list.length, true);
  });
  view.setUint32(16, autoLeave ? FLAG_AUTO_LEAVE : 0, true);
  lists.flat().forEach((id, place) => {
    setU64(view, COUNTS_BYTES + ID_BYTES * place, id);
  });
}

export type ConfigurationResult =
  | { readonly kind: "valid"; readonly configuration: Configuration }
  | { readonly kind: "damaged" }
  | { readonly kind: "unknown"; readonly what: string };

/** Reads a section of exactly these bytes. */
export function decodeConfiguration(section: Uint8Array): ConfigurationResult {
  if (section.length < COUNTS_BYTES) return { kind: "damaged" };
  const view = viewOf(section);
  const counts = [0, 4, 8, 12].map((offset) => view.getUint32(offset, true));
  const idCount = counts.reduce((sum, count) => sum + count, 0);
  if (section.length !== COUNTS_BYTES + ID_BYTES * idCount || view.getUint32(20, true) !== 0) return { kind: "damaged" };
  const flags = view.getUint32(16, true);
  if (flags > FLAG_AUTO_LEAVE) return { kind: "unknown", what: `configuration flags ${flags}` };
  const ids = Array.from({ length: idCount }, (_, place) => getU64(view, COUNTS_BYTES + ID_BYTES * place));
  if (ids.some((id) => id < 1)) return { kind: "damaged" };
  const [voters = [], outgoing = [], learners = [], learnersNext = []] = counts.map((count) => ids.splice(0, count));
  return { kind: "valid", configuration: { voters, outgoing, learners, learnersNext, autoLeave: flags === FLAG_AUTO_LEAVE } };
}
