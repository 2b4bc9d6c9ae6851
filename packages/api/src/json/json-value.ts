/** A number as it stands in the text: integers of 64 bits do not fit into a number of JavaScript. */
export class JsonNumber {
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }
}

/** Of names that stand twice, an object has the last. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** A text that is no JSON, or JSON that is no such message. The sentence is the one that etcd's clients know. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}
