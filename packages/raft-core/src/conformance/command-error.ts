/** What a command answers when it can't do what it was asked to. Part of the output, unlike every other error, which fails the file. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
