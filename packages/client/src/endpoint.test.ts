import { expect, test } from "vitest";
import { endpointsMax, parseEndpoint, parseEndpoints, usableEndpoint } from "./endpoint.ts";

test.each([
  ["127.0.0.1:2379", { host: "127.0.0.1", port: 2379, address: "127.0.0.1:2379" }],
  ["http://127.0.0.1:2379", { host: "127.0.0.1", port: 2379, address: "127.0.0.1:2379" }],
  ["http://Example.org:80/", { host: "Example.org", port: 80, address: "example.org:80" }],
  [" [::1]:2379", { host: "::1", port: 2379, address: "[::1]:2379" }],
])("%s is an endpoint", (text, expected) => {
  expect(parseEndpoint(text)).toEqual(expected);
});

test.each([
  ["", 'Endpoint "" is not host:port, give one like 127.0.0.1:2379'],
  ["127.0.0.1", 'Endpoint "127.0.0.1" is not host:port, give one like 127.0.0.1:2379'],
  ["::1:2379", 'Endpoint "::1:2379" is not host:port, give one like 127.0.0.1:2379'],
  ["http://a:1/path", 'Endpoint "http://a:1/path" is not host:port, give one like 127.0.0.1:2379'],
  ["https://a:1", 'Endpoint "https://a:1" uses https, only http is supported so far'],
  ["a:0", 'Endpoint "a:0" has port 0, ports go from 1 to 65535'],
  ["a:65536", 'Endpoint "a:65536" has port 65536, ports go from 1 to 65535'],
])("%s is none, and the sentence says why", (text, message) => {
  expect(() => parseEndpoint(text)).toThrow(new RangeError(message));
});

test("a list keeps its order and drops repetitions", () => {
  expect(parseEndpoints(["b:2", "http://a:1", "B:2", "a:1"]).map((endpoint) => endpoint.address)).toEqual(["b:2", "a:1"]);
});

test("a list is neither empty nor endless", () => {
  expect(() => parseEndpoints([])).toThrow("No endpoint is given");
  expect(() => parseEndpoints(Array.from({ length: endpointsMax + 1 }, (_, port) => `a:${port + 1}`))).toThrow(
    "65 endpoints are more than the limit 64",
  );
});

test("of a member's client URLs the first that can be used is taken", () => {
  expect(usableEndpoint(["unix://x", "https://a:1", "http://b:2", "http://c:3"])?.address).toBe("b:2");
  expect(usableEndpoint(["https://a:1"])).toBeNull();
  expect(usableEndpoint([])).toBeNull();
});
