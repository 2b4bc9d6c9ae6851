/** A stream of a JSON gateway that goes on until it is closed, and the messages that came on it so far. */
export class GatewayStream {
  readonly messages: unknown[] = [];
  private readonly abort = new AbortController();
  private readonly ended: Promise<void>;

  constructor(url: string, body: string) {
    this.ended = this.read(url, body);
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async read(url: string, body: string): Promise<void> {
    try {
      const response = await fetch(url, { method: "POST", body, signal: this.abort.signal });
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of response.body ?? []) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.messages.push(JSON.parse(line));
      }
      this.messages.push("the end");
    } catch (error) {
      if (!this.abort.signal.aborted) this.messages.push(String(error));
    }
  }
}
