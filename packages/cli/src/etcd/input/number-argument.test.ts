import { expect, test } from "vitest";
import { parseInt64, parseLeaseId, parseMemberId } from "./number-argument.ts";

test.each([
  ["0", 0n],
  ["+7", 7n],
  ["-5", -5n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
  ["9223372036854775808", null],
  ["0x1", null],
  ["1e3", null],
  ["", null],
])("%j as a number of 64 bits", (text, value) => {
  expect(parseInt64(text)).toBe(value);
});

test("ids of leases and members are hexadecimal", () => {
  expect(parseLeaseId("694d8e9e05c5216f")).toBe(0x694d8e9e05c5216fn);
  expect(parseMemberId("8e9e05c52164694d")).toBe(0x8e9e05c52164694dn);
});

test.each(["zz", "", "-1", "8e9e05c52164694d", "12345678901234567"])('"%s" is no id of a lease', (text) => {
  expect(() => parseLeaseId(text)).toThrow(expect.objectContaining({ exitStatus: 128 }));
});
