/** What can be started and stopped: a plain object. A tree of services is one again (`service-tree.ts`). */
export interface Service {
  /** Unique among the services of one tree. */
  readonly name: string;
  /** Resolves when it does its work. If it fails, it leaves nothing behind: it will not be stopped. */
  start(): void | Promise<void>;
  /** Resolves when nothing of it is left, also if it fails. Called once for each start that succeeded. */
  stop(): void | Promise<void>;
}
