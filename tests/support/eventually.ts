/** Tries until it does not throw; after `timeoutMs` the last error is thrown. */
export async function eventually<Value>(attempt: () => Promise<Value>, timeoutMs = 60_000): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
