import { Gauge, type Metric, type Registry } from "prom-client";

/** The names that etcd has besides those of all processes, and what is behind them. */
const files = [
  { name: "os_fd_used", help: "Open files of this process.", source: "process_open_fds" },
  { name: "os_fd_limit", help: "Open files that this process may have.", source: "process_max_fds" },
] as const;

/** Adds open files under etcd's names. To a registry that has those of the process. */
export function addOpenFiles(registry: Registry): void {
  for (const { name, help, source } of files) {
    const counted: Metric | undefined = registry.getSingleMetric(source);
    // Where the system does not tell.
    if (counted === undefined) continue;
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const { values } = await counted.get();
        this.set(values[0]?.value ?? 0);
      },
    });
  }
}
