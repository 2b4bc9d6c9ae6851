import type { Etcd3, IKeyValue, Watcher } from "etcd3";

/** What a watcher has seen, in words. */
export function record(watcher: Watcher): string[] {
  const seen: string[] = [];
  watcher.on("put", ({ key, value }: IKeyValue) => seen.push(`put ${key} ${value}`));
  watcher.on("delete", ({ key }: IKeyValue) => seen.push(`delete ${key}`));
  return seen;
}

export function watchDeletes(client: Etcd3, prefix: string): Promise<Watcher> {
  return client.watch().prefix(prefix).only("delete").create();
}
