/** A message that comes in two parts is merged, as protobuf asks: the message of joined bytes is the merged message. */
export function joinedBytes(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
