/** What core is about to offer for talking to what runs; goes away when it is there. */
import type { Observable } from 'rxjs';
import type { AsyncResult } from '../../core/client/async-result.ts';
import type { Client } from '../../core/client/client.ts';
import type { View } from '../../core/client/view-types.ts';

export interface InterruptOutcome {
  engine: number;
  outcome: string;
}
export interface Progress {
  engine: number;
  done: number;
  total?: number;
}
interface Conversing {
  interrupt(): Promise<InterruptOutcome[]>;
  peek(expression: string): Promise<unknown[]>;
  send(message: unknown, engine?: number): void;
  readonly progress$: Observable<Progress>;
}
export interface TaskInfo {
  id: string;
  client: number;
  call: number;
  op: string;
  label?: string;
  engine: number;
  state: 'running' | 'waiting';
  ms: number;
  mine: boolean;
}
export const talking = (result: AsyncResult<any>) => result as AsyncResult<any> & Partial<Conversing>;
export const talkingView = (view: View) =>
  view as View & { interrupt(): Promise<InterruptOutcome[]>; peek(expression: string): Promise<unknown[]> };
export const talkingClient = (client: Client) =>
  client as Client & {
    tasks(): Promise<TaskInfo[]>;
    task(id: string): {
      interrupt(): Promise<InterruptOutcome[]>;
      peek(e: string): Promise<unknown[]>;
      send(m: unknown): void;
    };
  };
