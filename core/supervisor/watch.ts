/**
 * Notices that a task takes long. It looks at what runs when that may have become so; where tasks are short, ever more rarely, and
 * where none is, not at all: the engine wakes it with the next one. So an engine that has nothing to do costs next to nothing.
 */
import { BEGUN, CALL, CLIENT, DOZING, type SharedMemory, SINCE } from './memory.ts';

/** ms after which a task is said to run. */
const LONG = 100;

export class Watch {
  #memory: SharedMemory;
  #tell: (client: number, call: number, since: number) => void;
  #timer: NodeJS.Timeout | undefined;
  /** ms until the next look; from `#beat` on, it comes with the heartbeats. */
  #pause = LONG;
  #beat = Number.POSITIVE_INFINITY;
  #begun = 0;
  #told = 0;
  #state: 'stopped' | 'looking' | 'dozing' = 'stopped';

  /** @param tell is called once for each task that takes long; `since`: Date.now() of its start */
  constructor(memory: SharedMemory, tell: (client: number, call: number, since: number) => void) {
    this.#memory = memory;
    this.#tell = tell;
  }

  /** @param beat ms between heartbeats */
  start(beat: number): void {
    this.#beat = beat;
    this.#state = 'looking';
    this.#pause = LONG;
    this.#look();
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    Atomics.store(this.#memory.ints, DOZING, 0);
  }

  /** With each heartbeat. */
  beat(): void {
    if (this.#state === 'looking' && this.#pause >= this.#beat) this.#look();
  }

  /** The supervisor has been woken, perhaps because a job has begun. */
  woken(): void {
    if (this.#state !== 'dozing' || Atomics.load(this.#memory.ints, DOZING)) return;
    this.#state = 'looking';
    this.#pause = LONG;
    this.#begun = Atomics.load(this.#memory.ints, BEGUN);
    this.#later(LONG);
  }

  #look(): void {
    const { ints, numbers } = this.#memory;
    const begun = Atomics.load(ints, BEGUN);
    const call = Atomics.load(ints, CALL) >>> 0;
    const since = numbers[SINCE]!;
    const others = begun !== this.#begun;
    this.#begun = begun;
    if (others) this.#pause *= 2;
    if (call && since && since !== this.#told) {
      const left = since + LONG - Date.now();
      if (left > 0) {
        this.#later(others ? Math.max(this.#pause, left) : left);
        return;
      }
      this.#told = since;
      this.#tell(ints[CLIENT]!, call, since);
    }
    if (others) this.#later(this.#pause);
    else this.#doze(begun);
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#pause < this.#beat) this.#timer = setTimeout(() => this.#look(), ms);
  }

  #doze(begun: number): void {
    const { ints } = this.#memory;
    this.#state = 'dozing';
    Atomics.store(ints, DOZING, 1);
    // One that has begun just now may not have seen that.
    if (Atomics.load(ints, BEGUN) === begun) return;
    Atomics.store(ints, DOZING, 0);
    this.woken();
  }
}
