import { expect, test } from "vitest";
import { alternativeNames } from "./peer-certificate.ts";

test.each([
  ["", []],
  ["DNS:a.example, IP Address:127.0.0.1", ["DNS:a.example", "IP Address:127.0.0.1"]],
  ["IP Address:0:0:0:0:0:0:0:1, DNS:b", ["IP Address:0:0:0:0:0:0:0:1", "DNS:b"]],
  ['DNS:"a.example, DNS:admin.example", URI:spiffe://x/y', ["DNS:a.example, DNS:admin.example", "URI:spiffe://x/y"]],
  ['DNS:"quote \\" and, comma"', ['DNS:quote " and, comma']],
])("the list of names %j", (list, names) => {
  expect(alternativeNames(list)).toEqual(names);
});
