import { expect, test } from "vitest";
import { parseEndpoints } from "./endpoint.ts";
import { readEndpointList } from "./endpoint-list.ts";

test.each([
  ["raftkv://a:1,b:2,c", ["a:1", "b:2", "c:2379"]],
  ["raftkv://10.0.0.1, 10.0.0.2/", ["10.0.0.1:2379", "10.0.0.2:2379"]],
  ["127.0.0.1:2379", ["127.0.0.1:2379"]],
  [
    ["a", "http://b:7", "[::1]", "[::1]:8"],
    ["a:2379", "http://b:7", "[::1]:2379", "[::1]:8"],
  ],
])("%j names %j", (target, expected) => {
  expect(readEndpointList(target)).toEqual(expected);
  expect(parseEndpoints(readEndpointList(target))).toHaveLength(expected.length);
});

test.each([
  ["raftkv://", 'Endpoint ""'],
  ["raftkv://a,,b", 'Endpoint ""'],
  ["http://", 'Endpoint "http://" is not host:port'],
  ["raftkv://a/path", 'Endpoint "a/path"'],
  ["postgres://a:1", "uses postgres"],
])("%s is refused with a sentence", (target, sentence) => {
  expect(() => parseEndpoints(readEndpointList(target))).toThrow(sentence);
});

test("a list has a limit", () => {
  expect(() => readEndpointList(Array.from({ length: 100 }, () => "a").join())).toThrow("100 endpoints are more than the limit 64");
});
