/** Habits of what calls ask for: by their code, which is the same for all calls of one function. */
import type { Habit, Job } from './job.ts';

const FUNCTIONS = 1_000;

export class Habits {
  #known = new Map<string, Habit>();

  /** Undefined where it is another one each time. */
  of({ op, code }: Pick<Job, 'op' | 'code'>): Habit | undefined {
    if (op === 'execute' || op === 'run') return undefined;
    const name = `${op} ${code.join()}`;
    let habit = this.#known.get(name);
    if (!habit) {
      if (this.#known.size >= FUNCTIONS) this.#known.clear();
      this.#known.set(name, (habit = { brief: false }));
    }
    return habit;
  }
}
