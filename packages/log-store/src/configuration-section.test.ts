import type { Configuration } from "@raftkv/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configurationBytes, decodeConfiguration, encodeConfiguration } from "./configuration-section.ts";
import { jointConfiguration } from "./testing/fixture.ts";

const ids = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2 ** 32, max: Number.MAX_SAFE_INTEGER })), {
  maxLength: 6,
});
const configurations = fc.record(
  { voters: ids, outgoing: ids, learners: ids, learnersNext: ids, autoLeave: fc.boolean() },
  { noNullPrototype: true },
);

function sectionOf(configuration: Configuration): Uint8Array {
  const section = new Uint8Array(configurationBytes(configuration));
  encodeConfiguration(section, configuration);
  return section;
}

describe("the configuration of a snapshot", () => {
  test("reads as it was written, joint or not", () => {
    fc.assert(
      fc.property(configurations, (configuration) => {
        expect(decodeConfiguration(sectionOf(configuration))).toEqual({ kind: "valid", configuration });
      }),
    );
  });

  test("stands in the bytes that are written down", () => {
    const expected = new Uint8Array(24 + 7 * 8);
    // Counts of the four lists, the flag.
    expected.set([3], 0);
    expected.set([2], 4);
    expected.set([1], 8);
    expected.set([1], 12);
    expected.set([1], 16);
    [1, 2, 4, 1, 3, 5, 3].forEach((id, place) => {
      expected[24 + 8 * place] = id;
    });
    expect(sectionOf(jointConfiguration)).toEqual(expected);
  });

  test("is refused if it is longer or shorter than its counts say", () => {
    const section = sectionOf(jointConfiguration);
    for (let length = 0; length < section.length; length += 1) {
      expect(decodeConfiguration(section.subarray(0, length))).toEqual({ kind: "damaged" });
    }
    expect(decodeConfiguration(Uint8Array.of(...section, ...new Uint8Array(8)))).toEqual({ kind: "damaged" });
  });

  test("is refused after the change of any bit, or reads as another one", () => {
    const section = sectionOf(jointConfiguration);
    for (let bit = 0; bit < section.length * 8; bit += 1) {
      const changed = section.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeConfiguration(changed)).not.toEqual({ kind: "valid", configuration: jointConfiguration });
    }
  });

  test("with flags of a later version, an id that is none or bytes that are kept at zero is told apart", () => {
    const withByte = (offset: number, value: number): Uint8Array => {
      const section = sectionOf(jointConfiguration);
      section[offset] = value;
      return section;
    };
    expect(decodeConfiguration(withByte(16, 3))).toEqual({ kind: "unknown", what: "configuration flags 3" });
    expect(decodeConfiguration(withByte(20, 1))).toEqual({ kind: "damaged" });
    expect(decodeConfiguration(withByte(24, 0))).toEqual({ kind: "damaged" });
    expect(decodeConfiguration(withByte(31, 0x20))).toEqual({ kind: "damaged" });
  });

  test("that does not fit is not written", () => {
    const section = new Uint8Array(24 + 6 * 8);
    expect(() => encodeConfiguration(section, jointConfiguration)).toThrow("The configuration names 7 members, at most 6 fit");
  });
});
