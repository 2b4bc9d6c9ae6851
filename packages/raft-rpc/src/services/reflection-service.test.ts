import { describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { ProtobufWriter, readProtobuf, textOf } from "../grpc/protobuf-fields.ts";
import { startServer } from "../testing/server-fixture.ts";
import { DescriptorRegistry } from "./descriptor-registry.ts";
import { readFileDescriptor } from "./file-descriptor.ts";
import { addReflection } from "./reflection-service.ts";

const named = (name: string): ProtobufWriter => new ProtobufWriter().text(1, name);

/** `b.proto`: package b, message Base with a nested Inner, an enum and an extension range. */
const baseFile = named("b.proto")
  .text(2, "b")
  .bytes(
    4,
    named("Base")
      .bytes(2, named("id").finish())
      .bytes(3, named("Inner").bytes(2, named("x").finish()).finish())
      .bytes(4, named("Kind").bytes(2, named("KIND_A").finish()).finish())
      .bytes(8, named("choice").finish())
      .finish(),
  )
  .finish();
/** `a.proto` needs b.proto and c.proto: a service, an enum, and an extension of Base. */
const mainFile = named("a.proto")
  .text(2, "a.v1")
  .text(3, "b.proto")
  .text(3, "missing.proto")
  .bytes(6, named("Files").bytes(2, named("Open").finish()).finish())
  .bytes(5, named("Mode").bytes(2, named("MODE_READ").finish()).finish())
  .bytes(7, named("extra").text(2, ".b.Base").number(3, 1000).finish())
  .finish();
/** `d.proto` has no package and needs a.proto. */
const outerFile = named("d.proto").text(3, "a.proto").bytes(4, named("Outer").finish()).finish();

const registry = new DescriptorRegistry().add(outerFile).add(mainFile).add(baseFile).add(baseFile);

/** What a response says: its kind by field number, and the names or numbers in it. */
function readResponse(message: Uint8Array): readonly [number, ...(string | number)[]] {
  const answer = [...readProtobuf(message)].find(({ field }) => field >= 4);
  if (answer?.bytes === null || answer === undefined) throw new Error("Response has no answer");
  const fields = [...readProtobuf(answer.bytes)];
  const first = (bytes: Uint8Array | null): string =>
    textOf([...readProtobuf(bytes ?? new Uint8Array(0))][0] ?? { field: 0, number: 0, bytes: null });
  if (answer.field === 4 || answer.field === 6) return [answer.field, ...fields.map(({ bytes }) => first(bytes))];
  return [answer.field, ...fields.map((field) => (field.bytes === null ? field.number : textOf(field)))];
}

describe("a file descriptor", () => {
  test("is read with all its names, dependencies and extensions", () => {
    expect(readFileDescriptor(mainFile)).toEqual({
      name: "a.proto",
      dependencies: ["b.proto", "missing.proto"],
      symbols: ["a.v1.Files", "a.v1.Files.Open", "a.v1.Mode", "a.v1.MODE_READ", "a.v1.extra"],
      extensions: [{ extendee: "b.Base", number: 1000 }],
      bytes: mainFile,
    });
    expect(readFileDescriptor(baseFile).symbols).toEqual([
      "b.Base",
      "b.Base.id",
      "b.Base.Inner",
      "b.Base.Inner.x",
      "b.Base.Kind",
      "b.Base.KIND_A",
      "b.Base.choice",
    ]);
  });

  test("without a name, cut off or nested without end is refused", () => {
    expect(() => readFileDescriptor(new Uint8Array(0))).toThrow("has no name");
    expect(() => readFileDescriptor(mainFile.subarray(0, 20))).toThrow(RangeError);
    let nested = named("M").finish();
    for (let depth = 0; depth < 100; depth++) nested = named("M").bytes(3, nested).finish();
    expect(() => readFileDescriptor(named("n.proto").bytes(4, nested).finish())).toThrow("64 deep");
  });
});

describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
  /** The answers to questions that are asked in one call. */
  async function ask(...questions: readonly ProtobufWriter[]): Promise<readonly (readonly [number, ...(string | number)[]])[]> {
    const { clock, connect, dispatcher } = startServer();
    addReflection(dispatcher, registry);
    const channel = new Channel({ connect, authority: "test", clock });
    const answers: Uint8Array[] = [];
    let end: unknown;
    const call = channel.stream(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, {
      onMetadata: () => {},
      onMessage: (message) => answers.push(message),
      onDrain: () => {},
      onClose: (error) => (end = error),
    });
    for (const question of questions) call.send(question.finish());
    call.end();
    await clock.settleAsync();
    expect(end).toBe(null);
    return answers.map(readResponse);
  }

  test("lists the services that have a handler", async () => {
    expect(await ask(new ProtobufWriter().text(7, "*"))).toEqual([
      [6, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "x.Y"],
    ]);
  });

  test("gives a file with all that it needs, directly or not", async () => {
    expect(await ask(new ProtobufWriter().text(3, "d.proto"))).toEqual([[4, "d.proto", "a.proto", "b.proto"]]);
    expect(await ask(new ProtobufWriter().text(4, "a.v1.Files.Open"))).toEqual([[4, "a.proto", "b.proto"]]);
    expect(await ask(new ProtobufWriter().text(4, "b.Base.Inner"))).toEqual([[4, "b.proto"]]);
    expect(await ask(new ProtobufWriter().text(4, "Outer"))).toEqual([[4, "d.proto", "a.proto", "b.proto"]]);
  });

  test("gives what the client has already only if it is asked for", async () => {
    const questions = ["b.proto", "d.proto", "b.proto"].map((name) => new ProtobufWriter().text(3, name));
    expect(await ask(...questions)).toEqual([
      [4, "b.proto"],
      [4, "d.proto", "a.proto"],
      [4, "b.proto"],
    ]);
  });

  test("finds extensions", async () => {
    const extension = (name: string, number: number): ProtobufWriter =>
      new ProtobufWriter().bytes(5, named(name).number(2, number).finish());
    expect(await ask(extension("b.Base", 1000), extension("b.Base", 1))).toEqual([
      [4, "a.proto", "b.proto"],
      [7, 5, "extension 1 of b.Base is not known"],
    ]);
    const numbers = (name: string): ProtobufWriter => new ProtobufWriter().text(6, name);
    expect(await ask(numbers("b.Base"), numbers("Outer"), numbers("b.Nothing"))).toEqual([
      [5, "b.Base", 1000],
      [5, "Outer"],
      [7, 5, "type b.Nothing is not known"],
    ]);
  });

  test("answers what it does not know with an error of its own, and goes on", async () => {
    expect(await ask(new ProtobufWriter().text(4, "nobody.Knows"), new ProtobufWriter(), new ProtobufWriter().text(3, "b.proto"))).toEqual([
      [7, 5, "symbol nobody.Knows is not known"],
      [7, 3, "request has no known question"],
      [4, "b.proto"],
    ]);
  });
});
