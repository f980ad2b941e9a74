/** The task farm: functions with their arguments go to whichever engine has time. */
import { Observable } from 'rxjs';
import { type ClientHost, defineParadigm } from '../../core/index.ts';
import { Desk } from './client/desk.ts';
import { createFarm, type Farm } from './client/farm.ts';
import { Registry } from './client/registry.ts';
import { controllerHalf } from './controller/half.ts';
import type { FarmEvent } from './messages.ts';
import { checkTaskOptions, type FarmOptions } from './options.ts';

export const taskFarm = defineParadigm({
  name: 'farm',
  version: '1.0.0',
  module: import.meta.url,
  controller: controllerHalf,
  engine: './engine/half',
  client: (host: ClientHost, options: FarmOptions = {}): Farm => {
    checkTaskOptions('the farm', options);
    return createFarm(
      host.shared(() => partsOf(host)),
      options,
    );
  },
});

function partsOf(host: ClientHost) {
  const desk = new Desk(host);
  const listeners = new Set<(event: FarmEvent) => void>();
  host.handle({
    events(events: FarmEvent[]) {
      for (const event of events) for (const listener of listeners) listener(event);
    },
  });
  const events$ = new Observable<FarmEvent>((subscriber) => {
    const listener = (event: FarmEvent): void => subscriber.next(event);
    if (listeners.size < listeners.add(listener).size && listeners.size === 1) host.controller.tell('watch', true);
    return () => {
      if (listeners.delete(listener) && !listeners.size) host.controller.tell('watch', false);
    };
  });
  return { host, desk, registry: new Registry(host, desk), events$ };
}
