import { Fifo } from "../http2/fifo.ts";

/**
 * Messages of a stream as an async iterable with one reader. Keeps the pause of the stream: it is paused while a message waits.
 *
 *   onMessage --> push --> [waiting] --> next()        the stream is resumed when the last one was taken
 */
export class MessageInbox<T> implements AsyncIterableIterator<T> {
  readonly #waiting = new Fifo<{ readonly message: T }>();
  readonly #pause: () => void;
  readonly #resume: () => void;
  readonly #onReturn: () => void;
  #end: { readonly error: Error | null } | null = null;
  #resolve: ((result: IteratorResult<T, undefined>) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  /** `onReturn`: the reader left its loop before the end. */
  constructor(stream: { readonly pause: () => void; readonly resume: () => void; readonly onReturn: () => void }) {
    this.#pause = stream.pause;
    this.#resume = stream.resume;
    this.#onReturn = stream.onReturn;
  }

  push(message: T): void {
    const resolve = this.#resolve;
    if (resolve !== null) {
      this.#clearReader();
      resolve({ done: false, value: message });
      return;
    }
    if (this.#end !== null) return;
    this.#waiting.push({ message });
    this.#pause();
  }

  /** After the messages that wait: the end, or an error. The first call counts. */
  end(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    const resolve = this.#resolve;
    const reject = this.#reject;
    this.#clearReader();
    if (error === null) resolve?.({ done: true, value: undefined });
    else reject?.(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.#waiting.shift();
    if (first !== undefined) {
      if (this.#waiting.length === 0) this.#resume();
      return Promise.resolve({ done: false, value: first.message });
    }
    if (this.#end !== null) {
      const { error } = this.#end;
      if (error === null) return Promise.resolve({ done: true, value: undefined });
      // An error is told once; a reader that goes on sees the end.
      this.#end = { error: null };
      return Promise.reject(error);
    }
    if (this.#resolve !== null) return Promise.reject(new Error("Messages of a stream have one reader"));
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#waiting.clear();
    this.end(null);
    this.#onReturn();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #clearReader(): void {
    this.#resolve = null;
    this.#reject = null;
  }
}
