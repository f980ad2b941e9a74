/** The metrics there are: their names, what they mean, and where in the status their numbers stand. Sizes in bytes, times in seconds. */
import type { ClusterStatus, EngineStatus, Traffic } from '../cluster-status.ts';
import type { Histogram } from '../histogram.ts';
import type { CallCounts } from './call-counts.ts';
import type { Samples } from './samples.ts';

type Labels = Record<string, string | number>;
type Row = readonly [labels: Labels, value: number];

/** One whose name ends in `_total` only grows: a counter; the others are gauges. */
export interface Family {
  name: string;
  help: string;
  labels: string[];
  rows(status: ClusterStatus): Row[];
}

/** Where histograms are kept. */
export interface HistogramSources {
  readonly callCounts: CallCounts;
  readonly samples: Samples;
}

export interface HistogramFamily {
  name: string;
  help: string;
  rows(sources: HistogramSources): (readonly [labels: Labels, values: Histogram])[];
}

const STATES = ['alive', 'busy', 'draining', 'disconnected', 'frozen', 'lost'] as const;

export const families: readonly Family[] = [
  {
    name: 'tutti_engines',
    help: 'Engines by state',
    labels: ['state'],
    rows: ({ engines }) => STATES.map((state) => [{ state }, engines.filter((e) => e.state === state).length]),
  },
  one('tutti_clients', 'Clients that are connected', ({ clients }) => clients),
  one('tutti_uptime_seconds', 'Time since the controller has started', ({ uptime }) => uptime / 1e3),
  {
    name: 'tutti_calls_total',
    help: 'Calls that clients have made, by operation',
    labels: ['op'],
    rows: ({ calls }) => calls.map(({ op, calls: n }) => [{ op }, n]),
  },
  {
    name: 'tutti_call_parts_total',
    help: 'Parts of calls (one for each engine of a call) by what became of them',
    labels: ['op', 'outcome'],
    rows: ({ calls }) =>
      calls.flatMap((call) =>
        (['ok', 'failed', 'lost', 'dropped'] as const).map((outcome): Row => [{ op: call.op, outcome }, call[outcome]]),
      ),
  },
  one('tutti_call_parts_under_way', 'Parts of calls sent to engines and not answered yet', ({ engines }) =>
    engines.reduce((sum, e) => sum + e.underWay, 0),
  ),
  traffic('tutti_messages_total', 'Messages between the controller and its peers', 'messages'),
  traffic('tutti_bytes_total', 'Bytes between the controller and its peers', 'bytes'),
  {
    name: 'tutti_buffered_bytes',
    help: 'Bytes sent by the controller that its peers have not taken yet',
    labels: ['peer'],
    rows: ({ controller: { buffered } }) => [
      [{ peer: 'engines' }, buffered.engines],
      [{ peer: 'clients' }, buffered.clients],
    ],
  },
  {
    name: 'tutti_controller_memory_bytes',
    help: "Memory of the controller's process: resident, and of its heap",
    labels: ['kind'],
    rows: ({ controller }) => [
      [{ kind: 'rss' }, controller.memory],
      [{ kind: 'heap' }, controller.heap],
    ],
  },
  {
    name: 'tutti_controller_loop_lag_seconds',
    help: "How long the controller's event loop was held up, over the last 10 to 20 seconds",
    labels: ['quantile'],
    rows: ({ controller: { lag } }) => [
      [{ quantile: '0.5' }, lag.p50 / 1e3],
      [{ quantile: '0.99' }, lag.p99 / 1e3],
      [{ quantile: '1' }, lag.max / 1e3],
    ],
  },
  engine('tutti_engine_memory_bytes', 'Resident memory; of thread engines that of their process', (e) => e.memory),
  engine('tutti_engine_heap_bytes', 'Heap in use', (e) => e.heap),
  engine('tutti_engine_kept_bytes', 'Results that stay on the engine for whoever wants them', (e) => e.kept),
  engine('tutti_engine_load_ratio', 'Share of time in which the event loop was busy', (e) => e.load),
  engine('tutti_engine_loop_lag_seconds', 'How late the last heartbeat was', (e) => e.lag / 1e3),
  engine('tutti_engine_queued_calls', 'Calls that wait for their turn', (e) => e.queued),
  engine('tutti_engine_calls_total', 'Calls finished by this incarnation', (e) => e.calls),
  engine('tutti_engine_incarnation', 'Goes up at each restart or rejoin', (e) => e.incarnation),
  {
    name: 'tutti_engine_bytes_total',
    help: 'Bytes that the engine sent and received, from and to the controller or other engines',
    labels: ['engine', 'peer', 'direction'],
    rows: ({ engines }) =>
      engines.flatMap(({ id, traffic: { bytesSent, bytesReceived }, peers }): Row[] => [
        [{ engine: id, peer: 'controller', direction: 'sent' }, bytesReceived],
        [{ engine: id, peer: 'controller', direction: 'received' }, bytesSent],
        [{ engine: id, peer: 'engines', direction: 'sent' }, peers.sent],
        [{ engine: id, peer: 'engines', direction: 'received' }, peers.received],
      ]),
  },
];

export const histogramFamilies: readonly HistogramFamily[] = [
  {
    name: 'tutti_call_duration_seconds',
    help: "Parts of calls, from the controller to the engine's answer",
    rows: ({ callCounts }) => [...callCounts.byOp.values()].map(({ op, seconds }) => [{ op }, seconds]),
  },
  {
    name: 'tutti_loop_lag_seconds',
    help: 'How late event loops were, at each heartbeat',
    rows: ({ samples: { controllerLag, engineLag } }) => [
      [{ role: 'controller' }, controllerLag],
      [{ role: 'engine' }, engineLag],
    ],
  },
  {
    name: 'tutti_queue_depth_calls',
    help: 'Calls that wait for their turn on an engine, at each of its heartbeats',
    rows: ({ samples: { queued } }) => [[{}, queued]],
  },
];

function one(name: string, help: string, value: (status: ClusterStatus) => number): Family {
  return { name, help, labels: [], rows: (status) => [[{}, value(status)]] };
}

/** Of the engines that are there: a lost one has no numbers. */
function engine(name: string, help: string, value: (engine: EngineStatus) => number): Family {
  return {
    name,
    help,
    labels: ['engine'],
    rows: ({ engines }) => engines.filter((e) => e.state !== 'lost').map((e) => [{ engine: e.id }, value(e)]),
  };
}

function traffic(name: string, help: string, unit: 'messages' | 'bytes'): Family {
  const rows = (peer: string, of: Traffic): Row[] => [
    [{ peer, direction: 'sent' }, of[`${unit}Sent`]],
    [{ peer, direction: 'received' }, of[`${unit}Received`]],
  ];
  return {
    name,
    help,
    labels: ['peer', 'direction'],
    rows: ({ traffic: { engines, clients } }) => [...rows('engines', engines), ...rows('clients', clients)],
  };
}
