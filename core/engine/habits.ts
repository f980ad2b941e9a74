/** Habits of what calls ask for: by their code, which is the same for all calls of one function. */
import type { Habit, Job } from './job.ts';

const FUNCTIONS = 1_000;

export class Habits {
  /** By operation, and then by code: to put the two together would cost more than to look twice. */
  #known = new Map<string, Map<string, Habit>>();
  #count = 0;

  /** Undefined where it is another one each time. */
  of({ op, code }: Pick<Job, 'op' | 'code'>): Habit | undefined {
    if (op === 'execute' || op === 'run') return undefined;
    const name = code.length === 1 ? code[0]! : code.join();
    const known = this.#known.get(op)?.get(name);
    if (known) return known;
    if (this.#count++ === FUNCTIONS) {
      this.#known.clear();
      this.#count = 1;
    }
    const habit = { brief: false };
    const habits = this.#known.get(op) ?? new Map<string, Habit>();
    this.#known.set(op, habits.set(name, habit));
    return habit;
  }
}
