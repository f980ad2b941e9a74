/** Calls by operation, and what became of them. Plain numbers, raised as calls pass and read when somebody asks. */
import type { CallStatus } from '../cluster-status.ts';
import { Histogram } from '../histogram.ts';
import { Status } from '../wire/envelope.ts';

/** Seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Clients name operations; one that makes names up must not fill the memory. */
const MOST_OPS = 32;
const LONGEST_OP = 64;
const OTHERS = 'other';

export class CallCount {
  readonly op: string;
  calls = 0;
  ok = 0;
  failed = 0;
  lost = 0;
  dropped = 0;
  readonly seconds = new Histogram(BOUNDS);

  constructor(op: string) {
    this.op = op;
  }

  /** @param began performance.now() when the call was sent on */
  answered(status: Status, began: number): void {
    if (status === Status.FAILED) this.failed++;
    else if (status === Status.LOST) this.lost++;
    else this.ok++;
    this.seconds.add((performance.now() - began) / 1e3);
  }

  status(): CallStatus {
    const { op, calls, ok, failed, lost, dropped, seconds } = this;
    return {
      op,
      calls,
      ok,
      failed,
      lost,
      dropped,
      p50: seconds.quantile(0.5) * 1e3,
      p99: seconds.quantile(0.99) * 1e3,
    };
  }
}

export class CallCounts {
  readonly byOp = new Map<string, CallCount>();

  of(op: string): CallCount {
    const known = this.byOp.get(op);
    if (known) return known;
    if ((this.byOp.size >= MOST_OPS || op.length > LONGEST_OP) && op !== OTHERS) return this.of(OTHERS);
    const count = new CallCount(op);
    this.byOp.set(op, count);
    return count;
  }
}
