/** What becomes of engines and clients, written to the log; also what engines have to say to whoever runs the cluster. */
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import type { Logger } from '../log.ts';
import { decode } from '../wire/codec.ts';
import type { Payload } from '../wire/forms.ts';
import type { EngineRecord } from './registry.ts';

/** Lines that one engine may have written in a beat of this many ms; user code that fails in a loop must not fill a disk. */
const BEAT = 1_000;
const LINES = 20;
const LONGEST = 1_000;

/** A line of an engine: EVENT `log`. */
export interface EngineLine {
  level: 'info' | 'warn';
  message: string;
}

export class Journal {
  #log: Logger;
  #engines: ReadonlyMap<number, EngineRecord>;
  #said = new Map<number, { since: number; lines: number }>();

  constructor(log: Logger, engines: ReadonlyMap<number, EngineRecord>) {
    this.#log = log;
    this.#engines = engines;
  }

  changed(event: ClusterEvent): void {
    if (event.type === 'client-joined') this.#log.info(`Client ${event.client} has joined`, { client: event.client });
    else if (event.type === 'client-left') this.#log.info(`Client ${event.client} has left`, { client: event.client });
    else if (event.type === 'engine-joined') this.#joined(event.engine);
    else if (event.type === 'engine-state') this.#state(event.engine, event.was);
    else if (event.type === 'engine-lost') this.#lost(event.engine, event.reason);
    else if (event.type === 'engine-removed') this.#removed(event.engine);
  }

  /** What an engine says of itself. */
  line(engine: number, payload: Payload): void {
    const said = this.#allowance(engine);
    if (++said.lines > LINES) return;
    const { level, message } = decode(payload) as EngineLine;
    const text = String(message)
      .slice(0, LONGEST)
      .replaceAll(/[\s\p{Cc}]+/gu, ' ');
    const left = said.lines === LINES ? ' (and more, which is left out)' : '';
    this.#log[level === 'warn' ? 'warn' : 'info'](`Engine ${engine}: ${text}${left}`, { engine });
  }

  #joined(engine: EngineInfo): void {
    this.#log.info(`Engine ${engine.id} ${engine.incarnation > 1 ? 'is back' : 'has joined'}`, about(engine));
  }

  #removed({ id }: EngineInfo): void {
    this.#said.delete(id);
    this.#log.info(`Engine ${id} was removed`, { engine: id });
  }

  #state(engine: EngineInfo, was: string): void {
    const fields = { ...about(engine), state: engine.state, was };
    if (engine.state === 'frozen') this.#log.warn(`Engine ${engine.id} is silent`, fields);
    else this.#log.debug(`Engine ${engine.id} is ${engine.state}`, fields);
  }

  #lost(engine: EngineInfo, reason: string): void {
    const record = this.#engines.get(engine.id);
    const { exitCode, signal } = record?.end ?? {};
    if (record?.leaving) this.#log.info(`Engine ${engine.id} has ended`, { ...about(engine), reason });
    else this.#log.warn(`Engine ${engine.id} was lost: ${reason}`, { ...about(engine), exitCode, signal });
  }

  #allowance(engine: number): { since: number; lines: number } {
    const now = performance.now();
    let said = this.#said.get(engine);
    if (!said || now - said.since > BEAT) this.#said.set(engine, (said = { since: now, lines: 0 }));
    return said;
  }
}

function about({ id, incarnation, kind, host, pid, transport }: EngineInfo): object {
  return { engine: id, incarnation, kind, host, enginePid: pid, transport };
}
