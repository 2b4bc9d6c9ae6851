import { assert } from "../../assert.ts";
import { HpackDecoder } from "../../hpack/decoder.ts";
import { entryOverheadBytes, tableBytesMax } from "../../hpack/dynamic-table.ts";
import { HeaderBlockBuilder } from "../../hpack/encoder.ts";
import { HeaderList } from "../../hpack/header-list.ts";
import { ConnectionError, errorName } from "../../http2/frame.ts";
import { defaultLimits } from "../../limits.ts";
import { hex } from "../../testing/raw-peer.ts";
import { headerBlockCorpus, tableFillingBlocks } from "./corpus/header-blocks.ts";
import type { FuzzTarget } from "./fuzz-run.ts";
import { Mutator } from "./mutator.ts";
import type { SeededRandom } from "./seeded-random.ts";

const fillingBlocksMax = 3;

/** The HPACK decoder: its limits hold whatever comes, and what it decodes our encoder can say again. */
export class HpackTarget implements FuzzTarget {
  readonly name = "HPACK decoder";
  readonly #corpus = headerBlockCorpus.map(hex);
  readonly #filling = tableFillingBlocks.map(hex);
  readonly #mutator = new Mutator(2048);

  makeInput(random: SeededRandom): Uint8Array {
    return this.#mutator.mutate(random.pick(this.#corpus), this.#corpus, random);
  }

  /** The input comes on a connection whose table other blocks have filled, and one more comes behind it. */
  execute(input: Uint8Array, random: SeededRandom): string {
    const decoder = new HpackDecoder(defaultLimits);
    const list = new HeaderList();
    for (let count = random.below(fillingBlocksMax + 1); count > 0; count--) {
      assert(decodeChecked(decoder, random.pick(this.#filling), list) === "fields", "A right block is taken");
    }
    const outcome = decodeChecked(decoder, input, list);
    if (outcome !== "fields") return outcome;
    if (random.oneIn(4)) checkRoundTrip(list);
    assert(decodeChecked(decoder, random.pick(this.#filling), list) === "fields", "A right block is taken behind any other");
    return outcome;
  }
}

function decodeChecked(decoder: HpackDecoder, block: Uint8Array, list: HeaderList): string {
  const version = decoder.tableVersion;
  const before = decoder.tableBytes;
  try {
    decoder.decode(block, 0, block.length, list);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    checkLimits(decoder, list);
    return errorName(error.code);
  }
  checkLimits(decoder, list);
  assert(decoder.tableVersion !== version || decoder.tableBytes === before, "A table that changes has a new version");
  return list.tooLarge ? "too large" : "fields";
}

function checkLimits(decoder: HpackDecoder, list: HeaderList): void {
  let tableBytes = 0;
  for (const [name, value] of decoder.tableEntries()) tableBytes += name.length + value.length + entryOverheadBytes;
  assert(tableBytes === decoder.tableBytes && tableBytes <= tableBytesMax, "The table has the size that it says, within its limit");
  assert(list.count <= defaultLimits.headerFieldsMax, "The list has no more fields than allowed");
  let listBytes = 0;
  for (let place = 0; place < list.count; place++) listBytes += list.name(place).length + list.value(place).length + entryOverheadBytes;
  assert(listBytes <= defaultLimits.headerListBytesMax, "The list is no larger than allowed");
}

function checkRoundTrip(list: HeaderList): void {
  const builder = new HeaderBlockBuilder();
  for (let place = 0; place < list.count; place++) builder.field(list.name(place), list.value(place));
  const block = builder.build();
  const again = new HeaderList();
  new HpackDecoder(defaultLimits).decode(block, 0, block.length, again);
  assert(again.count === list.count && again.listBytes === list.listBytes, "What was decoded can be encoded");
  for (let place = 0; place < list.count; place++) {
    assert(again.name(place) === list.name(place) && again.value(place) === list.value(place), "Fields stay what they are");
  }
}
