import { GCProfiler, getHeapStatistics } from "node:v8";

/**
 * How many bytes this process has allocated on V8's heap. The heap grows between two collections by what was allocated, so the growths
 * add up; memory of buffers, which lies outside the heap, is not in it.
 */
export class AllocationMeter {
  #profiler = new GCProfiler();
  #usedBytes = 0;
  #allocatedBytes = 0;

  start(): void {
    this.#usedBytes = getHeapStatistics().used_heap_size;
    this.#profiler.start();
  }

  /** Since `start`. */
  allocatedBytes(): number {
    // Reading the statistics ends the profiler; a profiler is started only once.
    for (const { beforeGC, afterGC } of this.#profiler.stop().statistics) {
      this.#grown(beforeGC.heapStatistics.usedHeapSize);
      this.#usedBytes = afterGC.heapStatistics.usedHeapSize;
    }
    this.#grown(getHeapStatistics().used_heap_size);
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    return this.#allocatedBytes;
  }

  #grown(usedBytes: number): void {
    this.#allocatedBytes += Math.max(usedBytes - this.#usedBytes, 0);
    this.#usedBytes = usedBytes;
  }
}
