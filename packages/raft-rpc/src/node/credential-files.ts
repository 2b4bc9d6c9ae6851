import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import type { TlsClientCredentials, TlsServerCredentials } from "./tls-credentials.ts";

/** Paths of PEM files. */
export type CredentialFiles<Credentials extends TlsServerCredentials | TlsClientCredentials> = {
  readonly [Name in keyof Omit<Credentials, "serverName">]: string;
};

/** How often files are looked at. By time and size, because an orchestrator may swap them in by links that no directory watch sees. */
const pollMs = 1_000;
/** Certificate and key are written one after the other: both are read when neither has changed for this long. */
const settleMs = 500;

/** Reads the files. Rejects with node's error, which names the path. */
export async function readCredentials<Credentials extends TlsServerCredentials | TlsClientCredentials>(
  files: CredentialFiles<Credentials>,
): Promise<Credentials> {
  const entries = Object.entries<string>(files).map(async ([name, path]) => [name, await readFile(path)] as const);
  return Object.fromEntries(await Promise.all(entries)) as unknown as Credentials;
}

export interface CredentialWatchOptions<Credentials> {
  /** May throw, for credentials that can't be used. */
  readonly onChange: (credentials: Credentials) => void;
  /** They could not be read or used; what is in use stays, and the next change is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Reads the files again whenever one of them changes. Returns what ends that. Does not keep the process alive. */
export function watchCredentials<Credentials extends TlsServerCredentials | TlsClientCredentials>(
  files: CredentialFiles<Credentials>,
  { onChange, onError }: CredentialWatchOptions<Credentials>,
): () => void {
  let timer: NodeJS.Timeout | null = null;
  let ended = false;
  const reload = (): void => {
    readCredentials(files)
      .then((credentials) => {
        if (!ended) onChange(credentials);
      })
      .catch(onError);
  };
  const changed: StatsListener = () => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(reload, settleMs).unref();
  };
  const paths = Object.values<string>(files);
  for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, changed);
  return () => {
    ended = true;
    if (timer !== null) clearTimeout(timer);
    for (const path of paths) unwatchFile(path, changed);
  };
}
