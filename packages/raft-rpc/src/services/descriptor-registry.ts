import { type FileDescriptor, readFileDescriptor } from "./file-descriptor.ts";

/** The descriptors that server reflection tells of. May grow while the server runs. */
export class DescriptorRegistry {
  readonly #files = new Map<string, FileDescriptor>();
  readonly #bySymbol = new Map<string, FileDescriptor>();
  readonly #extensions = new Map<string, Map<number, FileDescriptor>>();

  /**
   * Adds a file: the bytes of its `google.protobuf.FileDescriptorProto`. A file of the same name that is there already stays. Files may come
   * in any order; with protobuf-es, for a generated `file` and all that it imports:
   *
   *   registry.add(toBinary(FileDescriptorProtoSchema, file.proto));
   *   for (const dependency of file.dependencies) ...
   *
   * Throws RangeError for what is no file descriptor.
   */
  add(fileDescriptorProto: Uint8Array): this {
    const file = readFileDescriptor(fileDescriptorProto);
    if (this.#files.has(file.name)) return this;
    this.#files.set(file.name, file);
    for (const symbol of file.symbols) this.#bySymbol.set(symbol, file);
    for (const { extendee, number } of file.extensions) {
      const byNumber = this.#extensions.get(extendee) ?? new Map<number, FileDescriptor>();
      this.#extensions.set(extendee, byNumber.set(number, file));
    }
    return this;
  }

  file(name: string): FileDescriptor | undefined {
    return this.#files.get(name);
  }

  /** `etcdserverpb.KV`, `etcdserverpb.KV.Range`, `etcdserverpb.RangeRequest.key`, and so on. */
  fileOfSymbol(symbol: string): FileDescriptor | undefined {
    return this.#bySymbol.get(symbol);
  }

  fileOfExtension(extendee: string, number: number): FileDescriptor | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** Ascending; null if the message is not known. */
  extensionNumbers(extendee: string): readonly number[] | null {
    const byNumber = this.#extensions.get(extendee);
    if (byNumber === undefined) return this.#bySymbol.has(extendee) ? [] : null;
    return [...byNumber.keys()].sort((a, b) => a - b);
  }

  /** The file, then all that it needs, directly or not; without those in `known`, and without those that nobody added. */
  withDependencies(root: FileDescriptor, known: ReadonlySet<string>): readonly FileDescriptor[] {
    const found = new Set([root]);
    // A set hands out also what is added while it is read.
    for (const { dependencies } of found) {
      for (const name of dependencies) {
        const file = this.#files.get(name);
        if (file !== undefined && !known.has(name)) found.add(file);
      }
    }
    return [...found];
  }
}
