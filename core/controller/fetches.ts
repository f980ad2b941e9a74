/** Large results on their way to one client: as many at a time as it reads, the others stay on their engines. */

/** Bytes under way and unread. A single larger result goes alone. */
const ROOM = 64 << 20;
/** Above this a connection tells when it has drained. */
const UNREAD = 4 << 20;

export class Fetches {
  #unread: () => number;
  #underWay = 0;
  #waiting: { bytes: number; go: () => void }[] = [];

  /** `unread`: bytes that wait for the client now. */
  constructor(unread: () => number) {
    this.#unread = unread;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `fetch` now or when there is room, first come first served. */
  run<T>(bytes: number, fetch: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        this.#underWay += bytes;
        const done = fetch();
        done.then(resolve, reject);
        // By the next turn its answer is among what the client has not read.
        const over = (): void => {
          setImmediate(() => {
            this.#underWay -= bytes;
            this.pump();
          });
        };
        done.then(over, over);
      };
      if (!this.#waiting.length && this.#hasRoom(bytes)) go();
      else this.#waiting.push({ bytes, go });
    });
  }

  /** Call when the client has read. */
  pump(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.go();
    }
  }

  clear(): void {
    this.#waiting = [];
  }

  #hasRoom(bytes: number): boolean {
    const unread = this.#unread();
    if (unread > UNREAD) return false;
    return this.#underWay === 0 || this.#underWay + unread + bytes <= ROOM;
  }
}
