/** A line on a terminal that says how far a farm is. */
import type { MapProgress } from '../../paradigms/index.ts';

const WIDTH = 24;

export class Bar {
  #stream: NodeJS.WriteStream;
  #began = performance.now();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show({ done, failed, total, taken }: MapProgress): void {
    const ended = done + failed;
    const seconds = (performance.now() - this.#began) / 1e3;
    const rate = ended / Math.max(seconds, 1e-3);
    const share = total ? ended / total : 0;
    const bar = total ? `[${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH)}] ${(100 * share).toFixed(0)} % ` : '';
    const left = total && rate ? ` · ${span((total - ended) / rate)} left` : '';
    const bad = failed ? ` · ${failed} failed` : '';
    this.#write(`${bar}${ended} of ${total ?? `${taken}+`} · ${rate.toFixed(rate < 10 ? 1 : 0)}/s${left}${bad}`);
  }

  clear(): void {
    this.#write('');
  }

  #write(text: string): void {
    this.#stream.write(`\r\u001b[K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }
}

function span(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
