/** What became of the puts of each key. Afterwards a key's version must lie between what was acknowledged and what was sent. */
export class WriteLedger {
  readonly sent: Uint32Array;
  readonly acknowledged: Uint32Array;
  sentTotal = 0;
  acknowledgedTotal = 0;

  constructor(keyCount: number) {
    this.sent = new Uint32Array(keyCount);
    this.acknowledged = new Uint32Array(keyCount);
  }

  noteSent(key: number): void {
    this.sent[key] = (this.sent[key] ?? 0) + 1;
    this.sentTotal++;
  }

  noteAcknowledged(key: number): void {
    this.acknowledged[key] = (this.acknowledged[key] ?? 0) + 1;
    this.acknowledgedTotal++;
  }
}
