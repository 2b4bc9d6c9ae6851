/** What a scripted service says on a stream, whenever the test wants it to: an async iterable that is filled from outside. */
export class Outbox<Message> implements AsyncIterable<Message> {
  readonly #waiting: Message[] = [];
  #end: { readonly error: Error | null } | null = null;
  #wake: () => void = () => undefined;

  send(message: Message): void {
    this.#waiting.push(message);
    this.#wake();
  }

  /** After what was sent: the end of the stream, or an error. */
  end(error: Error | null = null): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) yield message;
      else if (this.#end === null) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (this.#end.error === null) return;
      else throw this.#end.error;
    }
  }
}
