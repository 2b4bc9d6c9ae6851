/** Bytes that are no such message, or a message that can't be written. The sentence names what is wrong and the values. */
export class CodecError extends Error {
  override readonly name = "CodecError";
}
