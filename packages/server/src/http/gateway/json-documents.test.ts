import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonDocuments } from "./json-documents.ts";

function cut(pieces: readonly Uint8Array[]): { readonly complete: string[]; readonly rest: string | null } {
  const documents = new JsonDocuments();
  for (const piece of pieces) documents.push(piece);
  const complete: string[] = [];
  for (let text = documents.next(); text !== null; text = documents.next()) complete.push(text);
  return { complete, rest: documents.rest() };
}

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

test("objects are found wherever the body is cut", () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value));
  const space = fc.constantFrom("", " ", "\r\n", "\t\n");
  fc.assert(
    fc.property(fc.array(fc.tuple(object, space), { maxLength: 5 }), fc.array(fc.nat(40)), (parts, cuts) => {
      const body = octets(parts.flat().join(""));
      const pieces: Uint8Array[] = [];
      let start = 0;
      for (const length of cuts) pieces.push(body.subarray(start, (start += length)));
      pieces.push(body.subarray(start));
      expect(cut(pieces)).toEqual({ complete: parts.map(([text]) => text), rest: null });
    }),
  );
});

test("what is begun and not complete is left over", () => {
  expect(cut([octets('{"a":1} {"b":"}')])).toEqual({ complete: ['{"a":1}'], rest: '{"b":"}' });
});

test("what is no object is cut out to be refused", () => {
  expect(cut([octets(" bad")]).complete[0]).toBe("b");
  expect(cut([octets('[{"a":[]}] {}')]).complete).toEqual(['[{"a":[]}]', "{}"]);
});
