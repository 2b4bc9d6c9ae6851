/** What became of leases while this member led, as plain fields that only grow. */
export class LeaseCounts {
  renewed = 0;
  /** Ended because their time was over. */
  expired = 0;
}
