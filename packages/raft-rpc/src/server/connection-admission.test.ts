import { expect, test } from "vitest";
import { ConnectionAdmission, defaultConnectionLimits, originOf } from "./connection-admission.ts";

test.each([
  ["192.0.2.7:4711", "192.0.2.7"],
  ["::ffff:192.0.2.7:4711", "192.0.2.7"],
  ["::1:4711", "0:0:0:0"],
  ["2001:db8::1:4711", "2001:db8:0:0"],
  ["2001:db8:1:2:3:4:5:6:4711", "2001:db8:1:2"],
  ["2001:db8:1:2::6:4711", "2001:db8:1:2"],
  ["fe80::1%eth0:4711", "fe80:0:0:0"],
  ["client:1", "client"],
  ["unknown", "unknown"],
])("%s counts as %s", (remoteAddress, origin) => {
  expect(originOf(remoteAddress)).toBe(origin);
});

test("nobody gets around the limit by the addresses of a network", () => {
  const admission = new ConnectionAdmission({ ...defaultConnectionLimits, perAddressMax: 2 });
  admission.enter("2001:db8::1:1");
  admission.enter("2001:db8::2:1");
  expect(admission.brokenLimit("2001:db8::3:1")).toBe("connectionsPerAddress");
  expect(admission.brokenLimit("2001:db8:0:1::3:1")).toBe(null);
  admission.leave("2001:db8::1:1");
  expect(admission.brokenLimit("2001:db8::3:1")).toBe(null);
});
