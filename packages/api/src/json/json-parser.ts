import { JsonError, JsonNumber, type JsonValue } from "./json-value.ts";

/** Objects and arrays inside each other, at most. */
export const jsonNestingMax = 1_000;

const literals: ReadonlyMap<string, { readonly word: string; readonly value: JsonValue }> = new Map([
  ["t", { word: "true", value: true }],
  ["f", { word: "false", value: false }],
  ["n", { word: "null", value: null }],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Reads the first value of the text; what follows is not looked at. Throws JsonError. */
export function readJsonValue(text: string): JsonValue {
  return new JsonParser(text, "unexpected EOF").value();
}

/** Reads a text that is one value and nothing else. Throws JsonError. */
export function parseJson(text: string): JsonValue {
  const parser = new JsonParser(text, "unexpected end of JSON input");
  const value = parser.value();
  parser.end();
  return value;
}

/** JSON (RFC 8259) that keeps numbers as they were written. `JSON.parse` rounds those above 2^53. Its errors are worded as Go's. */
class JsonParser {
  readonly #text: string;
  readonly #endError: string;
  #at = 0;
  #depth = 0;

  constructor(text: string, endError: string) {
    this.#text = text;
    this.#endError = endError;
  }

  value(): JsonValue {
    const first = this.#next();
    if (first === "{") return this.#nested(() => this.#object());
    if (first === "[") return this.#nested(() => this.#array());
    if (first === '"') return this.#string();
    if (first === "-" || isDigit(first)) return this.#number();
    const literal = literals.get(first);
    if (literal === undefined) throw this.#unexpected("looking for beginning of value");
    this.#word(literal.word);
    return literal.value;
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
  }

  #nested(read: () => JsonValue): JsonValue {
    if (++this.#depth > jsonNestingMax) throw this.#unexpected("exceeded max depth");
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonValue {
    const members = new Map<string, JsonValue>();
    if (this.#take("}")) return members;
    for (;;) {
      if (this.#next() !== '"') throw this.#unexpected("looking for beginning of object key string");
      const name = this.#string();
      if (!this.#take(":")) throw this.#unexpected("after object key");
      members.set(name, this.value());
      if (this.#take("}")) return members;
      if (!this.#take(",")) throw this.#unexpected("after object key:value pair");
    }
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    if (this.#take("]")) return items;
    for (;;) {
      items.push(this.value());
      if (this.#take("]")) return items;
      if (!this.#take(",")) throw this.#unexpected("after array element");
    }
  }

  #string(): string {
    // All but quotation marks, backslashes and control characters.
    const plain = /[ !#-[\]-\uffff]*/y;
    let value = "";
    this.#at++;
    for (;;) {
      plain.lastIndex = this.#at;
      const piece = plain.exec(this.#text)?.[0] ?? "";
      this.#at += piece.length;
      value += piece;
      const stop = this.#char();
      if (stop === '"') {
        this.#at++;
        return value;
      }
      if (stop !== "\\") throw this.#unexpected("in string literal");
      this.#at++;
      value += this.#escaped();
    }
  }

  #escaped(): string {
    const kind = this.#char();
    const simple = escapes.get(kind);
    if (simple === undefined && kind !== "u") throw this.#unexpected("in string escape code");
    this.#at++;
    if (simple !== undefined) return simple;
    let code = 0;
    for (let count = 0; count < 4; count++) {
      const digit = Number.parseInt(this.#char(), 16);
      if (Number.isNaN(digit)) throw this.#unexpected("in \\u hexadecimal character escape");
      code = code * 16 + digit;
      this.#at++;
    }
    return String.fromCharCode(code);
  }

  #number(): JsonNumber {
    const start = this.#at;
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits("in numeric literal");
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digits("in exponent of numeric literal");
    }
    return new JsonNumber(this.#text.slice(start, this.#at));
  }

  #digits(context: string): void {
    if (!isDigit(this.#char())) throw this.#unexpected(context);
    while (isDigit(this.#text[this.#at] ?? "")) this.#at++;
  }

  #word(word: string): void {
    for (const letter of word) {
      if (this.#char() !== letter) throw this.#unexpected(`in literal ${word} (expecting '${letter}')`);
      this.#at++;
    }
  }

  /** The next character that is not white space, left where it is. */
  #next(): string {
    this.#skipSpace();
    return this.#char();
  }

  /** True, and past it, if the next character is this one. */
  #take(wanted: string): boolean {
    if (this.#next() !== wanted) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #char(): string {
    const char = this.#text[this.#at];
    if (char === undefined) throw new JsonError(this.#endError);
    return char;
  }

  #unexpected(context: string): JsonError {
    return new JsonError(`invalid character ${quoted(this.#text[this.#at] ?? "")} ${context}`);
  }
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9" && char.length === 1;
}

function quoted(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}
